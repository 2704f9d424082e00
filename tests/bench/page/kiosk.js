// The page of the benchmark: SurveyJS as its documentation has it, one survey that is cleared for
// the next visitor. An answer is on disk (IndexedDB, strict durability) before the next page shows.
"use strict";

const THANKS_MS = WORDING.thanks_ms;
const IDLE_MS = WORDING.idle_ms;
const STATEMENTS = WORDING.statements;

Survey.settings.animationEnabled = false;

const FACES = [
  '<path d="M44 51l26-11M106 40l26 11M48 138c20-45 62-45 80 0"/>',
  '<path d="M48 130c24-25 60-25 84 0"/>',
  '<path d="M51 120h75"/>',
  '<path d="M46 110c24 27 60 27 84 0"/>',
  '<path d="M43 97h90c0 60-90 60-90 0z" fill="#14232B"/>',
];

function face(index) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 178 178" fill="none"
    stroke="#14232B" stroke-width="11" stroke-linecap="round" stroke-linejoin="round">
    <circle cx="89" cy="89" r="84.5" fill="#FFE3A6" stroke-width="8"/>
    <g fill="#14232B" stroke="none"><ellipse cx="59" cy="72" rx="9" ry="11"/>
    <ellipse cx="119" cy="72" rx="9" ry="11"/></g>${FACES[index]}</svg>`;
  return "data:image/svg+xml," + encodeURIComponent(svg);
}

const survey = new Survey.Model({
  locale: "fi",
  showTitle: false,
  showNavigationButtons: false,
  showQuestionNumbers: false,
  showCompletePage: false,
  showProgressBar: false,
  focusFirstQuestionAutomatic: false,
  widthMode: "static",
  width: "1280px",
  pages: [
    {
      name: "nps",
      elements: [
        {
          type: "rating", name: "nps", title: WORDING.question, rateMin: 0, rateMax: 10,
          displayMode: "buttons", minRateDescription: WORDING.low, maxRateDescription: WORDING.high,
        },
      ],
    },
    ...STATEMENTS.map(([name, title]) => ({
      name,
      elements: [
        {
          type: "imagepicker", name, title, showLabel: true, imageHeight: 178, imageWidth: 178,
          choices: WORDING.agree.map((text, i) => ({ value: i + 1, text, imageLink: face(i) })),
        },
      ],
    })),
  ],
});

// --- keeping ---------------------------------------------------------------------------------

let database;
let visit;
let shownAt;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("answers", 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore("answers", { keyPath: "seq", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function keep(...records) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("answers", "readwrite", { durability: "strict" });
    const answers = transaction.objectStore("answers");
    records.forEach((record) => answers.add(record));
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    transaction.commit();
  });
}

// --- showing ---------------------------------------------------------------------------------

const body = document.body;
const dots = [...document.querySelectorAll(".dots i")];
let timer;

function wait(ms) {
  clearTimeout(timer);
  if (ms) timer = setTimeout(rest, ms);
}

function show(screen) {
  body.dataset.screen = screen;
  shownAt = performance.now();
  dots.forEach((dot, i) => dot.classList.toggle("full", i < survey.currentPageNo));
}

function rest() {
  wait(0);
  visit = crypto.randomUUID();
  survey.clear(true, true);
  show("rest");
}

function record(kind, more) {
  return {
    kind, visit, wall: new Date().toISOString(), language: survey.locale, survey: "full", mode: [],
    ...more,
  };
}

function end() {
  return record("end", { how: "completed", shown: STATEMENTS.map(([name]) => name) });
}

function next() {
  if (survey.isLastPage) {
    show("thanks");
    wait(THANKS_MS);
  } else {
    survey.nextPage();
    show("face");
    wait(IDLE_MS);
  }
}

survey.onValueChanged.add(async (_, { name, value }) => {
  if (value === undefined) return;
  const seconds = (performance.now() - shownAt) / 1000;
  const answer = record("answer", { question: name, value, seconds });
  await keep(...(survey.isLastPage ? [answer, end()] : [answer]));
  next();
});
survey.onScrollToTop.add((_, options) => { options.cancel = true; });

// --- beginning -------------------------------------------------------------------------------

function fill() {
  for (const [id, text] of Object.entries(WORDING.texts)) {
    document.getElementById(id).textContent = text;
  }
  document.getElementById("languages").replaceChildren(
    ...WORDING.languages.map((name, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.classList.toggle("current", i === 0);
      return button;
    }),
  );
}

document.getElementById("back").addEventListener("click", () => {
  survey.prevPage();
  show(survey.isFirstPage ? "rest" : "face");
});
document.getElementById("skip").addEventListener("click", async () => {
  if (survey.isLastPage) await keep(end());
  next();
});
document.getElementById("done").addEventListener("click", rest);
document.addEventListener("contextmenu", (event) => event.preventDefault());
survey.onUpdateQuestionCssClasses.add((_, { question, cssClasses }) => {
  cssClasses.mainRoot += question.getType() === "rating" ? " numbers" : " faces";
});

fill();
open().then((found) => {
  database = found;
  survey.render(document.getElementById("survey"));
  rest();
});

"""A tap on glass becomes a number a manager can read: window, outbox, sender, centre, report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.contract.records import COMMENT, SERVICE
from tests.faults.field import unbalanced_epochs
from tests.faults.house import House, house
from tests.faults.terminal import LIMIT_S, committed, prepared, terminal

pytestmark = pytest.mark.display

LANDSCAPE, PORTRAIT = 0, 1
"""esim-0001 is 1280 × 800, esim-0002 is 800 × 1280."""
SERVICES = 4
"""esim-0005, at a place with so many services that groups of them come first."""

# Different on every line, so that an answer in the wrong place cannot hide.
VISITS = {
    LANDSCAPE: [("fi", 10, [5, 4, 5]), ("sv", 3, [1, 2, 2]), ("en", 8, [3, 4, 1])],
    PORTRAIT: [("fi", 0, [2, 1, 3]), ("sv", 9, [5, 5, 4]), ("en", 6, [4, 3, 2])],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A centre that published the two devices as they are used here."""
    folder = tmp_path_factory.mktemp("house")
    with house(folder, devices=5, prepare=prepared) as found:
        yield found


@pytest.mark.parametrize("number", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
def test_taps_in_three_languages_are_the_numbers_in_the_report(
    home: House, number: int, tmp_path: Path
) -> None:
    bundle = home.bundles[number]
    visits = VISITS[number]
    data = home.device(f"terminal-{number}", number=number)
    sender = home.child(f"sender-{number}", "sync", "--data", str(data))
    with terminal(bundle, data, tmp_path / "terminal.log") as subject:
        subject.start()
        for language, score, faces in visits:
            subject.visit(score, faces, language)
        assert subject.child is not None
        assert subject.child.stop() == 0
    expected = len(visits) * 5
    deadline = time.monotonic() + LIMIT_S
    query = "select count(*) from records where device = ?"
    while home.rows(query, bundle.device)[0][0] < expected:
        assert time.monotonic() < deadline, sender.said()[-3000:]
        time.sleep(0.05)
    assert sender.stop() == 0
    assert unbalanced_epochs(home, data) == []

    scores = [score for _, score, _ in visits]
    row = _row(home.report("--by", "device"), bundle.device)
    assert row["n"] == len(visits)
    assert row["nps_exact"] == pytest.approx(
        100 * (sum(s >= 9 for s in scores) - sum(s <= 6 for s in scores)) / len(scores), abs=1e-6
    )
    assert (row["promoters"], row["passives"], row["detractors"]) == (
        sum(s >= 9 for s in scores),
        sum(7 <= s <= 8 for s in scores),
        sum(s <= 6 for s in scores),
    )
    assert row["mean"] == pytest.approx(sum(scores) / len(scores), abs=0.005)

    # To the single tap: device, language, question, value.
    kept = home.rows(
        "select language, question, value from answers where device = ?", bundle.device
    )
    statements = [s.id for s in bundle.survey.statements[: bundle.survey.count]]
    assert Counter((lang, q.rpartition(".")[2], v) for lang, q, v in kept) == Counter(
        (language, question, value)
        for language, score, faces in visits
        for question, value in [("nps", score), *zip(statements, faces, strict=True)]
    )
    ends = home.rows(
        "select how, count(*) from visits where device = ? group by how", bundle.device
    )
    assert ends == [("completed", len(visits))]


def test_the_statements_distribution_is_what_was_tapped(home: House) -> None:
    """After both devices: five counts a statement, over everything tapped above."""
    tapped: dict[str, Counter[int]] = {}
    for number, visits in VISITS.items():
        survey = home.bundles[number].survey
        for _, _, faces in visits:
            for statement, face in zip(survey.statements, faces, strict=False):
                tapped.setdefault(statement.id, Counter())[face] += 1
    rows = {row["key"]: row for row in home.report("--by", "statement")["rows"]}
    assert {key: [counts[value] for value in range(1, 6)] for key, counts in tapped.items()} == {
        key: row["counts"] for key, row in rows.items()
    }


def test_a_chosen_service_and_typed_words_arrive_as_chosen_and_typed(
    home: House, tmp_path: Path
) -> None:
    bundle = prepared(home.bundles[SERVICES], ask_service=True, ask_comment=True, count=1)
    language = "sv"
    data = home.device("terminal-services", number=SERVICES)
    with terminal(bundle, data, tmp_path / "terminal.log") as subject:
        subject.start()
        subject.speak(language)
        pages = subject.pages
        subject.tap_and_commit(pages.rest(language), "nps.4")
        groups = pages.choice(language, SERVICE, dots=(1, 4))
        subject.arrives(groups)
        subject.tap(groups, "group.health")
        subject.tap_and_commit(
            pages.choice(language, SERVICE, 0, "health", (1, 4)), "choice.dental"
        )
        statement = bundle.survey.statements[0].id
        subject.tap_and_commit(pages.face(language, statement, 2, 4), "face.3")
        offer = pages.offer(language, 3, 4)
        subject.arrives(offer)
        subject.tap(offer, "comment.here")
        text = pages.text(language)
        subject.write(text, "hö")
        before = committed(data)
        subject.tap(text, "send")
        # The text and, with the thanks, the end of the visit.
        subject.wait_for(lambda: committed(data) == before + 2, "the text on disk")
        assert subject.child is not None
        assert subject.child.stop() == 0
    home.hymio("sync", "--data", str(data), "--once")
    kept = home.rows(
        "select question, kind, value, choice, text, language from answers where device = ?"
        " order by position",
        bundle.device,
    )
    assert kept == [
        ("nps", "scale", 4, "", None, language),
        (SERVICE, "choice", None, "dental", None, language),
        (statement, "scale", 3, "", None, language),
        (COMMENT, "text", None, "", "hö", language),
    ]
    row = _row(home.report("--by", "service"), "dental")
    assert (row["n"], row["detractors"]) == (1, 1)


def _row(report: dict[str, list[dict[str, object]]], key: str) -> dict[str, object]:
    found = [row for row in report["rows"] if row["key"] == key]
    assert len(found) == 1, f"{key} in {report['rows']}"
    return found[0]

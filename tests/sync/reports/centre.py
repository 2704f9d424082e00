"""A real centre's database, filled through its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner, Result

from kiosk.cli import cli
from sync.collector.reports.statistics import rounded
from sync.collector.store import Store, open_store
from sync.collector.store import tables as t

QUESTION = {
    "fi": "Kuinka todennäköisesti suosittelisit saamaasi hoitoa/palvelua läheisellesi?",
    "sv": "Hur sannolikt är det att du skulle rekommendera den vård/service du fick?",
    "en": "How likely would you be to recommend the care or service you received?",
}


@dataclass
class Centre:
    """One database, and the ways tests fill and read it."""

    url: str
    _rows: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def on(cls, folder: Path) -> Centre:
        return cls(f"sqlite:///{folder / 'centre.db'}")

    def store(self) -> Store:
        return open_store(self.url)

    def insert(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        with self.store() as store, store.begin() as db:
            db.execute(table.insert(), list(rows))

    def answers(
        self,
        counts: Mapping[int, int],
        *,
        day: str = "2025-09-15",
        question: str = "nps",
        **columns: Any,
    ) -> Centre:
        """Queue a distribution for `save`."""
        base = {
            "day": day,
            "question": question,
            "device": "d1",
            "location": "l1",
            "municipality": "Kerava",
            "service": "",
            "channel": "terminal",
            "survey": "county@1",
            "language": "fi",
            "layout": "1x11",
            "mode": "",
            "flagged": False,
            "test": False,
        }
        self._rows += [base | columns | {"value": v, "n": n} for v, n in counts.items() if n]
        return self

    def save(self) -> Centre:
        if self._rows:
            self.insert(t.daily_counts, *self._rows)
        self._rows = []
        return self

    def survey(
        self, ref: str = "county@1", texts: dict[str, dict[str, str]] | None = None, **themes: str
    ) -> Centre:
        """Publish a survey: `texts` language -> question -> wording; themes by statement id."""
        wording = texts or {language: {"nps": text} for language, text in QUESTION.items()}
        self.insert(
            t.surveys,
            {
                "ref": ref,
                "scale": "agree5",
                "statements": [{"id": k, "theme": v} for k, v in themes.items()],
            },
        )
        self.insert(
            t.survey_texts,
            *(
                {"survey": ref, "language": language, "question": q, "text": text}
                for language, by_question in wording.items()
                for q, text in by_question.items()
            ),
        )
        return self

    def run(self, *args: str) -> Result:
        """`hymio report …` as a person types it."""
        return CliRunner().invoke(cli, ["report", "--database", self.url, *args])

    def json(self, *args: str) -> dict[str, Any]:
        result = self.run(*args, "--format", "json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


def distribution(
    n: int,
    *,
    mean: float | None = None,
    nps: int,
    promoters: int | None = None,
    detractors: int | None = None,
) -> dict[int, int]:
    """A 0-10 distribution of `n` answers whose rounded NPS and mean are the published ones."""
    for d in range(n + 1) if detractors is None else (detractors,):
        options = [promoters] if promoters is not None else range(d - n, n + 1)
        for p in options:
            if p < 0 or p + d > n or rounded(Fraction(100 * (p - d), n)) != nps:
                continue
            a = n - p - d
            if mean is None:
                return {10: p, 8: a, 3: d}
            total = round(mean * n)
            room = total - (9 * p + 7 * a)
            if not 0 <= room <= p + a + 6 * d or rounded(Fraction(total, n), 2) != rounded(
                Fraction(str(mean)), 2
            ):
                continue
            tens, room = min(p, room), room - min(p, room)
            eights, room = min(a, room), room - min(a, room)
            sixes, rest = divmod(room, 6)
            found = {10: tens, 9: p - tens, 8: eights, 7: a - eights, 6: sixes}
            found[rest] = found.get(rest, 0) + (1 if rest else 0)
            found[0] = d - sixes - (1 if rest else 0)
            return found
    raise AssertionError("no distribution fits")

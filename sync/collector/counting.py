"""Counting newly stored records: by the difference they make to their visits."""

from __future__ import annotations

from sync.collector.marking import touch
from sync.collector.reading import Entry
from sync.collector.states import Catalogue, load, save, save_counts
from sync.collector.store.tx import Tx
from sync.collector.tally import (
    AnswerRow,
    Difference,
    State,
    VisitRow,
    answer_row,
    end_row,
    summary,
)
from sync.collector.times import Moment
from sync.contract import records


def count(tx: Tx, known: Catalogue, device: str, fresh: list[tuple[Entry, Moment]]) -> None:
    """Count newly stored records: what their visits were against what they are now."""
    by_visit: dict[str, list[tuple[Entry, Moment]]] = {}
    for pair in fresh:
        record = pair[0].record
        if record is not None:
            by_visit.setdefault(record.visit, []).append(pair)
    if not by_visit:
        return
    places = known.places
    difference = Difference()
    rows: list[VisitRow] = []
    answers: list[AnswerRow] = []
    days: set[str] = {at.day for _, at in fresh}
    loaded = load(tx, device, by_visit)
    for visit, pairs in by_visit.items():
        state, before = loaded.get(visit, (None, None))
        if state is None or before is None:
            state = State(device, visit)
        else:
            difference.remove(state, before, places)
            days.update(row.day for row in state.answers.values())
        changed: dict[str, AnswerRow] = {}
        for entry, at in pairs:
            record = entry.record
            if isinstance(record, records.Answer):
                row = answer_row(device, entry.id, record, at)
                if state.take_answer(row):
                    changed[row.question] = row
            elif record is not None:
                state.take_end(end_row(entry.id, record, at))
        after = summary(state, places)
        difference.add(state, after, places)
        answers.extend(changed.values())
        if after != before:
            rows.append(after)
    save(tx, rows, answers, fresh=by_visit.keys() - loaded.keys())
    save_counts(tx, difference)
    touch(tx, device, min(days))

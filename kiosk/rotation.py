"""Which statements a visit asks: the survey's first ones, or the bank's least asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from sync.contract.bundle import Statement, Survey


def choose(
    bank: Sequence[Statement], counts: Mapping[str, int], count: int, random: Random
) -> tuple[Statement, ...]:
    """The `count` least asked statements of the bank, ties by lot, in the bank's order.

    `counts` maps statement ids to how often each was asked lately; unknown ids count as never.
    Asked, not answered badly or well: a choice by score could not be pooled with others.
    """
    lots = {statement.id: random.random() for statement in bank}
    least = sorted(bank, key=lambda statement: (counts.get(statement.id, 0), lots[statement.id]))
    chosen = {statement.id for statement in least[:count]}
    return tuple(statement for statement in bank if statement.id in chosen)


def statements(survey: Survey, counts: Mapping[str, int], random: Random) -> tuple[Statement, ...]:
    """The statements of one visit, as the survey selects them."""
    if survey.selection == "fixed":
        return survey.statements[: survey.count]
    return choose(survey.statements, counts, survey.count, random)

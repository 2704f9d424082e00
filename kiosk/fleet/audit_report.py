"""An audit's findings for people and for programs; the same finding on many screens is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiosk.audit.finding import Finding
from kiosk.fleet.audit_devices import Audited
from kiosk.fleet.desk import count


@dataclass
class Group:
    """One finding, and every screen it is on."""

    first: Finding
    where: list[Finding] = field(default_factory=list)

    @property
    def places(self) -> str:
        """The first screen, and how many more."""
        one = self.first
        place = " ".join(part for part in (one.screen, one.language, one.mode) if part)
        more = len({(each.screen, each.language, each.mode) for each in self.where}) - 1
        return f"{place} and {count(more, 'more screen')}" if more else place


def grouped(findings: Sequence[Finding]) -> list[Group]:
    """The same check, control and requirement together, in the order found; the worst is shown."""
    groups: dict[tuple[str, str, str, str], Group] = {}
    for finding in findings:
        key = (finding.check, finding.control, finding.required, finding.severity)
        groups.setdefault(key, Group(finding)).where.append(finding)
    return list(groups.values())


def lines(found: Sequence[Audited]) -> Iterator[str]:
    """The report as text: a table of devices, then what is wrong with each."""
    width = max(len(named(one)) for one in found)
    yield f"{'device':{width}}  {'screens':>7}  {'checks':>7}  {'failures':>8}  {'notes':>5}"
    for one in found:
        yield (
            f"{named(one):{width}}  {one.screens:7}  {one.checks:7}"
            f"  {len(one.failures):8}  {len(one.notes):5}"
        )
    for one in found:
        for title, findings in (("failures", one.failures), ("notes", one.notes)):
            if findings:
                yield ""
                yield f"{named(one)}, {title}:"
            for group in grouped(findings):
                first = group.first
                yield f"  {first.check}: {first.control} ({group.places})"
                yield f"    found {first.found}; required {first.required}"
                yield f"    → {first.remedy}"


def named(one: Audited) -> str:
    """`esim-0001 and 2 more`."""
    more = len(one.devices) - 1
    return f"{one.devices[0]} and {more} more" if more else one.devices[0]


def as_dict(found: Sequence[Audited]) -> dict[str, Any]:
    """The report for programs."""
    return {
        "screens": sum(one.screens for one in found),
        "checks": sum(one.checks for one in found),
        "failures": sum(len(one.failures) for one in found),
        "notes": sum(len(one.notes) for one in found),
        "devices": [
            {
                "devices": one.devices,
                "screens": one.screens,
                "checks": one.checks,
                "failures": [finding.as_dict() for finding in one.failures],
                "notes": [finding.as_dict() for finding in one.notes],
            }
            for one in found
        ],
    }

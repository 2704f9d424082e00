"""An audit as one page with pictures: opened from the folder, printed, read without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

from kiosk.audit.checks import CHECKS, SETTINGS
from kiosk.audit.figures import EXCEPTIONS
from kiosk.audit.finding import Finding
from kiosk.audit.pictures import Shown
from kiosk.fleet.audit_devices import Audited
from kiosk.fleet.audit_report import Group, grouped, named
from kiosk.fleet.desk import count

_STYLE: Final = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif;
  color: #14232b; background: #fff; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { font-size: 1.3rem; margin-top: 2.5rem; border-bottom: 1px solid #6f7e86; }
h3 { font-size: 1.1rem; margin-bottom: .3rem; overflow-wrap: anywhere; }
a { color: #0b5563; }
:focus-visible { outline: 3px solid #0b5563; outline-offset: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0;
  border-bottom: 1px solid #c9ced1; }
td { min-width: 4rem; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1rem; }
dt { color: #43525a; }
dd { margin: 0; overflow-wrap: anywhere; }
article { margin-bottom: 2rem; break-inside: avoid; }
figure { margin: 0; }
article figure { max-width: 40rem; }
img { max-width: 100%; height: auto; border: 1px solid #6f7e86; }
article img { max-height: 34rem; }
figcaption { font-size: .875rem; color: #43525a; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .5rem 0; }
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem;
  align-items: end; padding: 0; list-style: none; }
.failed img { border: 4px solid #7a3e00; }
.failed figcaption { color: #7a3e00; font-weight: bold; }
@media print { body { max-width: none; font-size: 10pt; } a { color: inherit; } }
"""

_PARTS: Final = {
    "devices": "Devices",
    "failures": "Failures",
    "notes": "Notes",
    "checked": "What was checked",
    "screens": "Screens",
}


def write(found: Sequence[Audited], folder: Path) -> None:
    """Write index.html beside the pictures. Raises OSError."""
    text = "\n".join(_page(found)) + "\n"
    (folder / "index.html").write_text(text, encoding="utf-8")


def _page(found: Sequence[Audited]) -> Iterator[str]:
    failures = sum(len(one.failures) for one in found)
    verdict = count(failures, "failure") if failures else "Nothing fails"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Audit of screens: {verdict}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f"<header><h1>Audit of screens</h1>\n<p>{verdict}.</p></header>"
    yield "<nav aria-label='Parts of this page'><ul>"
    yield from (f'<li><a href="#{at}">{words}</a></li>' for at, words in _PARTS.items())
    yield "</ul></nav>\n<main>"
    yield from _devices(found)
    yield from _failures(found)
    yield from _notes(found)
    yield from _checked()
    yield from _screens(found)
    yield "</main>\n</body>\n</html>"


def _table(name: str, head: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    # Reached with keys, because it may be wider than a narrow window.
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
    yield "<thead><tr>"
    yield from (f'<th scope="col">{escape(words)}</th>' for words in head)
    yield "</tr></thead>\n<tbody>"
    for first, *rest in rows:
        cells = "".join(
            f"<td{' class=number' if cell.isdigit() else ''}>{escape(cell)}</td>" for cell in rest
        )
        yield f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _devices(found: Sequence[Audited]) -> Iterator[str]:
    yield '<section id="devices"><h2>Devices</h2>'
    yield "<p>Devices that show the same were checked once.</p>"
    head = ("Devices", "Panel", "Screens", "Checks", "Failures", "Notes")
    rows = (
        (
            ", ".join(one.devices),
            f"{one.bundle.screen.width_px} × {one.bundle.screen.height_px} px,"
            f" {one.bundle.screen.width_mm:g} mm wide",
            *(str(n) for n in (one.screens, one.checks, len(one.failures), len(one.notes))),
        )
        for one in found
    )
    yield from _table("Devices", head, rows)
    yield "</section>"


def _failures(found: Sequence[Audited]) -> Iterator[str]:
    yield '<section id="failures"><h2>Failures</h2>'
    if not any(one.failures for one in found):
        yield "<p>None.</p>"
    for one in found:
        large = {
            (shown.screen, shown.language, shown.mode, *key): file
            for shown in one.shown
            for key, file in shown.large.items()
        }
        for group in grouped(one.failures):
            first = group.first
            key = (first.screen, first.language, first.mode, first.check, first.control)
            yield f"<article><h3>{escape(f'{first.check}: {first.control}')}</h3>"
            yield from _facts(one, group)
            if key in large:
                alt = f"Screen {_place(first)}; a frame stands around {first.control}"
                yield f'<figure><img src="{escape(large[key])}" alt="{escape(alt)}" loading="lazy">'
                yield f"<figcaption>{escape(_place(first))}</figcaption></figure>"
            yield "</article>"
    yield "</section>"


def _facts(one: Audited, group: Group) -> Iterator[str]:
    first = group.first
    facts = (
        ("Device", named(one)),
        ("Found", first.found),
        ("Required", first.required),
        ("What to do", first.remedy),
        ("Where", group.places),
    )
    yield "<dl>"
    yield from (f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    yield "</dl>"
    if len(group.where) > 1:
        yield f"<details><summary>All {len(group.where)} screens</summary><ul>"
        for each in group.where:
            yield f"<li>{escape(_place(each))}: {escape(each.found)}</li>"
        yield "</ul></details>"


def _notes(found: Sequence[Audited]) -> Iterator[str]:
    yield '<section id="notes"><h2>Notes</h2>'
    groups = [(one, group) for one in found for group in grouped(one.notes)]
    if not groups:
        yield "<p>None.</p>"
    for one, group in groups:
        yield f"<h3>{escape(f'{group.first.check}: {group.first.control}')}</h3>"
        yield from _facts(one, group)
    yield "</section>"


def _checked() -> Iterator[str]:
    yield '<section id="checked"><h2>What was checked</h2>'
    rows = [(each.name, each.asks, each.source) for each in SETTINGS]
    rows += [(each.name, each.asks, each.source) for each in CHECKS]
    yield from _table("Checks", ("Check", "Asks", "Figure from"), iter(rows))
    yield "<h3>Exceptions</h3>"
    reasons = ((each.what, each.figure, each.reason) for each in EXCEPTIONS)
    yield from _table("Exceptions", ("Of", "Figure instead", "Reason"), reasons)
    yield "</section>"


def _screens(found: Sequence[Audited]) -> Iterator[str]:
    yield '<section id="screens"><h2>Screens</h2>'
    if any(one.screens > len(one.shown) for one in found):
        yield "<p>Those that fail, and each screen in one language."
        yield "<code>--pictures all</code> draws the others too.</p>"
    for one in found:
        yield f"<h3>{escape(named(one))}</h3>"
        # Failing ones first, then as they were met.
        for language, shots in groupby(one.shown, key=lambda shown: shown.language):
            shown = sorted(shots, key=lambda each: not each.failures)
            yield f"<details><summary>{escape(language)}: {count(len(shown), 'screen')}</summary>"
            yield '<ul class="all">'
            yield from map(_small, shown)
            yield "</ul></details>"
    yield "</section>"


def _small(shown: Shown) -> str:
    words = f"{shown.screen}, {shown.mode}"
    fails = f", {count(shown.failures, 'failure')}" if shown.failures else ""
    kind = ' class="failed"' if shown.failures else ""
    alt = f"Screen {shown.screen} in {shown.language}, {shown.mode}{fails}"
    return (
        f'<li{kind}><figure><img src="{escape(shown.small)}" alt="{escape(alt)}" loading="lazy">'
        f"<figcaption>{escape(words + fails)}</figcaption></figure></li>"
    )


def _place(finding: Finding) -> str:
    parts = (finding.screen, finding.language, finding.mode)
    return ", ".join(part for part in parts if part)

"""Enrolment labels: rendered as a printer would, and scanned."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
import segno
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.fleet import labels
from sync.contract import code as codes
from sync.contract.bundle import fingerprint, key_text

KEY = key_text(Ed25519PrivateKey.generate().public_key())
UNTIL = dt.datetime(2026, 12, 24, 12, 30)
DPI = 200
MM_PER_PT = 25.4 / 72
LONG = "Varsinais-Suomen mielenterveys- ja päihdepalvelujen keskus, B"
UNBREAKABLE = "Erikoissairaanhoidonkuntoutuspoliklinikanodotustilankahvinurkka"


def label(
    number: int = 74,
    *,
    place: str = "Salon terveysasema",
    spot: str = "Aula, pääovi",
    endpoint: str = "https://palaute.esimerkki.example",
    device: str = "",
    languages: tuple[str, ...] = ("fi", "sv", "en"),
) -> labels.Label:
    ticket = codes.Ticket(
        endpoint=endpoint,
        code=codes.make(KEY),
        fingerprint=fingerprint(KEY),
        device=device or f"esim-{number:04}",
    )
    return labels.Label(ticket, place, spot, UNTIL, languages)


def scanned(raw: bytes) -> list[list[tuple[str, float]]]:
    """Per page, what a scanner reads from the printed sheet and the side of each code in mm."""
    with pypdfium2.PdfDocument(raw) as document:
        found = []
        for page in document:
            picture = page.render(scale=DPI / 72).to_pil()
            codes_here = []
            for code in zxingcpp.read_barcodes(picture):
                at = code.position
                pixels = at.top_right.x - at.top_left.x
                codes_here.append((code.text, pixels / DPI * 25.4))
            found.append(codes_here)
        return found


def letters(raw: bytes) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Each letter of the first page with left, top, right, bottom in mm."""
    with pypdfium2.PdfDocument(raw) as document:
        page = document[0]
        high = page.get_height()
        text: Any = page.get_textpage()
        for at in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(at)
            box = (left, high - top, right, high - bottom)
            yield text.get_text_range(at, 1), tuple(side * MM_PER_PT for side in box)  # type: ignore[misc]
        text.close()
        page.close()


@pytest.mark.parametrize("name", labels.SHEETS)
def test_every_code_on_every_sheet_scans_to_its_ticket(name: str) -> None:
    sheet = labels.SHEETS[name]
    each = sheet.columns * sheet.rows
    made = [label(n) for n in range(each + 2)]
    pages = scanned(labels.pdf(made, sheet))
    assert [len(page) for page in pages] == ([each, 2] if each > 1 else [1, 1, 1])
    read = {codes.from_qr(text).code: codes.from_qr(text) for page in pages for text, _ in page}
    for wanted in made:
        ticket = read[wanted.ticket.code]
        assert (ticket.endpoint, ticket.fingerprint) == (
            wanted.ticket.endpoint,
            wanted.ticket.fingerprint,
        )
    assert all(side >= labels.QR_LEAST - 0.3 for page in pages for _, side in page)


def test_a_proxy_is_in_the_code_too_and_it_still_scans() -> None:
    made = label(endpoint="https://asiakaspalaute.varsinaissuomenhyvinvointialue.example/hymio")
    ticket = codes.Ticket(
        endpoint=made.ticket.endpoint,
        code=made.ticket.code,
        fingerprint=made.ticket.fingerprint,
        proxy="http://valityspalvelin.sisaverkko.example:3128",
    )
    raw = labels.pdf([labels.Label(ticket, "a", "b", UNTIL)], labels.SHEETS["single"])
    (((text, _),),) = scanned(raw)
    assert codes.from_qr(text).proxy == ticket.proxy


@pytest.mark.parametrize("name", ["a4-24", "a4-21"])
@pytest.mark.parametrize(
    "made",
    [
        label(),
        label(place=LONG, spot=LONG),
        label(place=UNBREAKABLE, spot=UNBREAKABLE, device="a" * 40),
        label(endpoint="https://asiakaspalaute.varsinaissuomenhyvinvointialue.example/hymio"),
    ],
    ids=["short", "long", "unbreakable", "endpoint"],
)
def test_nothing_overflows_a_label_or_touches_its_code(name: str, made: labels.Label) -> None:
    sheet = labels.SHEETS[name]
    raw = labels.pdf([made], sheet)
    found = [(letter, box) for letter, box in letters(raw) if letter.strip()]
    left, top = sheet.offset
    # What the reader makes of a hyphen at a line's end.
    text = "".join(letter for letter, _ in found).replace("\ufffe", "-")
    for part in (made.place, made.spot, made.ticket.endpoint, made.ticket.code, "24.12.2026"):
        assert part.replace(" ", "") in text
    (((said, side),),) = scanned(raw)
    modules = len(segno.make(said, error="l", micro=False).matrix)
    for letter, (x1, y1, x2, y2) in found:
        assert left + 3 < x1 and x2 < left + sheet.width - 3, letter
        assert top + 2 < y1 and y2 < top + sheet.height - 3, letter
        white = side + labels.QUIET * side / modules - 0.2
        apart = x1 > left + labels.EDGE + white or y1 > top + labels.TOP + white
        assert apart, f"{letter} in the quiet zone"
    for (_, one), (_, other) in itertools.combinations(found, 2):
        wide = min(one[2], other[2]) - max(one[0], other[0])
        high = min(one[3], other[3]) - max(one[1], other[1])
        assert wide < 0.4 or high < 0.2, "two letters lie on each other"
    sizes = sorted(y2 - y1 for letter, (_, y1, _, y2) in found if letter.isupper())
    assert sizes[0] > 0.9, "capitals under a millimetre are not read"


@settings(max_examples=30, deadline=None)
@given(
    st.text("abcdefghijklmnopqrstuvwxyzåäöÅÄÖ -/()", max_size=60),
    st.floats(5, 40),
    st.floats(2, 15),
)
def test_any_text_fits_any_room(text: str, width: float, height: float) -> None:
    labels.pdf([], labels.SHEETS["single"])  # makes the fonts known
    block = labels.fit(text, width, height, em=3, least=2)
    assert block.width <= width
    assert block.height <= height
    assert "".join(block.lines).replace(" ", "") == text.replace(" ", "")


def test_a_label_tells_the_first_language_swedish_and_english() -> None:
    def said(*languages: str) -> str:
        raw = labels.pdf([label(languages=languages)], labels.SHEETS["single"])
        return "".join(letter for letter, _ in letters(raw))

    assert "Skannaa tai kirjoita · Skanna eller skriv · Scan or type" in said("fi", "sv")
    assert "Skanna eller skriv · Scan or type" in said("sv", "fi")
    assert "Voimassa" in said("fi")
    assert "Действует до" in said("ru")
    assert "Scan or type" in said("ar")


def test_a_name_the_font_cannot_write_gives_way_to_one_it_can() -> None:
    names = {"ar": "المركز الصحي", "en": "Health centre"}
    assert labels.name_of(names, ("ar", "fi")) == "Health centre"
    assert labels.name_of({"fi": "Terveysasema", "sv": "x"}, ("fi",)) == "Terveysasema"
    assert labels.name_of({}, ("fi",)) == ""


def test_a_label_carries_no_lasting_secret_and_nothing_of_the_machine() -> None:
    made = [label()]
    raw = labels.pdf(made, labels.SHEETS["single"])
    assert raw == labels.pdf(made, labels.SHEETS["single"])
    (((text, _),),) = scanned(raw)
    fields = codes.from_qr(text)
    assert (fields.device, fields.name) == ("", "")
    assert KEY not in text

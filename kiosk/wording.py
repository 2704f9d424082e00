"""The terminal's own wording and the bank of statements, as they lie in assets/wording."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from kiosk import paths
from sync.contract.bundle import LANGUAGES, Bundle

STAFF_LANGUAGES = ("fi", "sv", "en")
"""Languages of the screens for staff."""


class WordingError(Exception):
    """A wording file that is missing or broken: the installation is damaged."""


@cache
def wording(language: str) -> Mapping[str, str]:
    """Key -> text of one language. Raises WordingError."""
    if language not in LANGUAGES:
        raise WordingError(f"no wording in {language!r}; there is {', '.join(LANGUAGES)}")
    return MappingProxyType(_read(language))


def completed(bundle: Bundle) -> Bundle:
    """A bundle with this program's wording where it has none: it may be older than the program.

    A form for the ear is taken only where the written text is the program's own. Raises
    WordingError.
    """
    texts = {}
    for language, known in bundle.texts.items():
        own = wording(language) if language in LANGUAGES else {}
        more = {key: text for key, text in own.items() if _lacking(key, own, known)}
        texts[language] = {**known, **more}
    return msgspec.structs.replace(bundle, texts=texts)


def _lacking(key: str, own: Mapping[str, str], known: Mapping[str, str]) -> bool:
    written = key.removesuffix(".spoken")
    if key in known or (written.startswith("statement.") and written not in known):
        return False
    return written == key or known.get(written, own.get(written)) == own.get(written)


@cache
def themes() -> Mapping[str, str]:
    """The statement bank: statement id -> theme. Raises WordingError."""
    return MappingProxyType(_read("statements"))


@cache
def staff(language: str) -> Mapping[str, str]:
    """Key -> text of the screens for staff; English for a language without. Raises WordingError."""
    return MappingProxyType(_read(f"staff-{staff_language(language)}"))


def staff_language(language: str) -> str:
    """The language the screens for staff use where `language` is asked for."""
    return language if language in STAFF_LANGUAGES else "en"


def _read(name: str) -> dict[str, str]:
    path = paths.assets() / "wording" / f"{name}.toml"
    try:
        with path.open("rb") as file:
            return {key: str(text) for key, text in tomllib.load(file).items()}
    except (OSError, ValueError, RecursionError) as error:
        raise WordingError(f"{path}: {error}") from None

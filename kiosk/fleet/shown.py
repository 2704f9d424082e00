"""Which of IT's texts stands behind what a screen says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kiosk.fleet.errors import ConfigError
from kiosk.fleet.lines import Path, dotted
from kiosk.fleet.tree import Source, Tree
from kiosk.layout.compose import Composer
from kiosk.layout.page import Page, Run
from sync.contract.bundle import Bundle

_TEXT = re.compile(r"text ([^ ]+) ")
_LEAST = 8
"""Letters below which a text inside another is chance."""
_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Known:
    """A text that stands in one of the files."""

    file: str
    line: int
    key: str
    remedy: str

    def error(self, what: str, remedy: str) -> ConfigError:
        """An error where the text stands."""
        return ConfigError(self.file, self.line, self.key, what, remedy)


class Texts:
    """IT's own texts on one device's screens; the program's own wording is not among them."""

    def __init__(self, tree: Tree, bundle: Bundle, device: str) -> None:
        self._tree = tree
        self._device = tree.devices[device]
        self._merged = tree.merged(self._device)
        self.panel = Composer(bundle).panel
        self._known: dict[tuple[str, str], Known] = {}
        for language in bundle.languages:
            for text, known in self._texts(bundle, language):
                if letters := _letters(text):
                    self._known.setdefault((language, letters), known)

    def behind(self, page: Page, problem: str) -> Known | None:
        """The text a page's problem is about; None when it is none of IT's."""
        named = _TEXT.search(problem)
        inside = (run for target in page.targets for run in target.runs)
        runs = [run for run in (*page.runs, *inside) if named and run.name == named[1]]
        # A heading too long shows in what stands below it: then the longest of IT's is to blame.
        return self._longest(runs, page.language) or self._longest(page.runs, page.language)

    def _longest(self, runs: Sequence[Run], language: str) -> Known | None:
        said = [_letters("".join(run.lines)) for run in runs]
        found = [
            (len(letters), known)
            for (shown, letters), known in self._known.items()
            if shown == language and any(_within(letters, text) for text in said)
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    def at_screen(self, what: str, remedy: str) -> ConfigError:
        """An error about the panel, where its width stands."""
        origin = self._merged.origin("screen", "width_mm")
        if not origin.line:
            return self._device.error(("screen",), what, remedy)
        return ConfigError(origin.file, origin.line, "screen", what, remedy)

    def _texts(self, bundle: Bundle, language: str) -> Iterator[tuple[str, Known]]:
        tree = self._tree
        survey = tree.surveys[bundle.survey.id]
        for key, text in survey.data.get("texts", {}).get(language, {}).items():
            yield text, _known(survey, ("texts", language, key), "shorten it")
        if tree.services:
            groups = tree.services.data.get("groups", {})
            for group, names in groups.items():
                at = self._named(names, language)
                yield names[at], _known(tree.services, ("groups", group, at), "shorten it")
            for index, entry in enumerate(tree.services.data.get("service", ())):
                for key in ("short_name", "name"):
                    names = entry.get(key, {})
                    if names:
                        at = self._named(names, language)
                        how = (
                            "shorten it" if key == "short_name" else "shorten it, or add short_name"
                        )
                        path: Path = ("service", index, key, at)
                        yield names[at], _known(tree.services, path, how)
        if tree.organisation:
            for key, names in (
                ("name", bundle.organisation.name),
                ("privacy", bundle.organisation.privacy),
            ):
                yield (
                    names.get(language, ""),
                    _known(tree.organisation, (key, language), "shorten it"),
                )
        for key, names in (
            ("contact", bundle.organisation.contact),
            ("changed", bundle.organisation.changed),
        ):
            origin = self._merged.origin(key, language)
            if names.get(language) and origin.line:
                where = f"{key}.{language}"
                yield names[language], Known(origin.file, origin.line, where, "shorten it")

    @staticmethod
    def _named(names: dict[str, str], language: str) -> str:
        """The language a name is shown in where `language` has none."""
        spare = "en" if names.get("en") else next(iter(names))
        return language if names.get(language) else spare


def _known(source: Source[Any], path: Path, remedy: str) -> Known:
    error = source.error(path, "", "")
    return Known(error.file, error.line, dotted(path), remedy)


def _within(letters: str, text: str) -> bool:
    """Whether a text is said whole, alone or, unless it is very short, among others."""
    return letters == text or (len(letters) >= _LEAST and letters in text)


def _letters(text: str) -> str:
    """A text without what breaking lines changes in it."""
    return _LETTERS.sub("", text).casefold()

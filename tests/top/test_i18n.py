"""What pages say in other languages: all of it, with what varies and what is marked in its place."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from wgig.i18n import LOCALE_FOLDER, PAGE_LANGUAGES
from wgig.settings import CHECKOUT_FOLDER

pytestmark = pytest.mark.slow

KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext_noop": ((1, "c"), 2),
}
OTHERS = [one for one in PAGE_LANGUAGES if one != "en"]
VARIES = re.compile(r"%\(\w+\)s|\{\w+\}")
MARKED = re.compile(r"<[^>]*>")
SPOKEN_ALOUD = re.compile(r' (aria-label|title)="[^"]*"')  # of which the text is translated
TURNS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@cache
def said() -> frozenset[tuple[str, ...]]:
    """The texts of the pages, as `make texts` finds them; one with a number in both forms."""
    mappings = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(one["pattern"], one["method"]) for one in mappings]
    options = {
        one["pattern"]: {key: one[key] for key in one if key not in ("pattern", "method")} for one in mappings
    }
    found = extract_from_dir(CHECKOUT_FOLDER, methods, options, KEYWORDS)
    return frozenset(named(message, context) for _, _, message, _, context in found if message)


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The forms of a text."""
    return (text,) if isinstance(text, str) else tuple(text)


def named(text: str | tuple[str, ...] | list[str], context: str | None) -> tuple[str, ...]:
    """The forms of a text, after its context where it has one."""
    return (context, *forms(text)) if context else forms(text)


@cache
def catalogue(tongue: str) -> Catalog:
    """The catalogue of a language."""
    with (LOCALE_FOLDER / tongue / "LC_MESSAGES" / "wgig.po").open("rb") as file:
        return read_po(file, locale=tongue)


def messages(tongue: str) -> Iterator[Message]:
    """The texts of a catalogue."""
    return (one for one in catalogue(tongue) if one.id)


def marks(text: str) -> Counter[str]:
    """The tags of a text."""
    return Counter(SPOKEN_ALOUD.sub(r" \1", one) for one in MARKED.findall(text))


def test_the_pages_say_something() -> None:
    assert len(said()) > 200
    assert ("Languages",) in said()


@pytest.mark.parametrize("tongue", OTHERS)
def test_a_catalogue_has_what_pages_say_and_no_more(tongue: str) -> None:
    there = {named(one.id, one.context) for one in messages(tongue)}
    assert not sorted(said() - there), "make texts brings them in"
    assert not sorted(there - said()), "make texts takes them out"
    assert not catalogue(tongue).obsolete


@pytest.mark.parametrize("tongue", OTHERS)
def test_all_of_it_is_translated(tongue: str) -> None:
    for one in messages(tongue):
        translated = forms(one.string or "")
        assert all(map(str.strip, translated)), one.id
        assert not one.fuzzy, one.id
        assert len(translated) == (catalogue(tongue).num_plurals if one.pluralizable else 1), one.id


@pytest.mark.parametrize("tongue", OTHERS)
def test_what_varies_and_what_is_marked_is_the_same_in_each_translation(tongue: str) -> None:
    for one in messages(tongue):
        many = forms(one.id)[-1]
        for text in forms(one.string or ""):
            assert marks(text) == marks(many), text
            if one.pluralizable:  # of which some forms say the number in words
                assert set(VARIES.findall(text)) <= set(VARIES.findall(many)), text
            else:
                assert Counter(VARIES.findall(text)) == Counter(VARIES.findall(many)), text


@pytest.mark.parametrize("tongue", OTHERS)
def test_a_translation_begins_and_ends_as_the_text_does_and_turns_nothing(tongue: str) -> None:
    for one in messages(tongue):
        for text in forms(one.string or ""):
            assert not TURNS.search(text), text
            # Where the text of an attribute ends, a quotation mark would end it earlier.
            assert MARKED.sub("", text).count('"') == 0 or '"' in MARKED.sub("", forms(one.id)[-1]), text
            assert text == text.strip(), text

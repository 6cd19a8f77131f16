"""The message catalogs have every message, with the same placeholders and tags in each translation."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from babel.core import get_global
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from hypothesis import given
from hypothesis import strategies as st
from wgig.http import language as interface
from wgig.i18n import (
    LOCALE_FOLDER,
    PAGE_LANGUAGES,
    format_number_in_language,
    format_percent_in_language,
    load_catalog,
    read_cldr_data,
)
from wgig.settings import CHECKOUT_FOLDER

pytestmark = pytest.mark.slow

# The functions that mark messages, with the positions of the arguments that Babel extracts.
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext_noop": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
TRANSLATION_LANGUAGES = [language for language in PAGE_LANGUAGES if language != "en"]
PLACEHOLDER_PATTERN = re.compile(r"%\(\w+\)s|\{\w+\}")
TAG_PATTERN = re.compile(r"<[^>]*>")
TRANSLATED_ATTRIBUTE_PATTERN = re.compile(r' (aria-label|title)="[^"]*"')
BIDI_CONTROL_PATTERN = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@cache
def extract_messages() -> frozenset[tuple[str, ...]]:
    """The messages that `make texts` extracts from the package, some with singular and plural."""
    mappings = tomllib.loads((CHECKOUT_FOLDER / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    options = {
        mapping["pattern"]: {key: mapping[key] for key in mapping if key not in ("pattern", "method")}
        for mapping in mappings
    }
    extracted = extract_from_dir(CHECKOUT_FOLDER, methods, options, KEYWORDS)
    return frozenset(
        build_message_key(message, context) for _, _, message, _, context in extracted if message
    )


def list_forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The singular and plural forms of a text."""
    return (text,) if isinstance(text, str) else tuple(text)


def build_message_key(text: str | tuple[str, ...] | list[str], context: str | None) -> tuple[str, ...]:
    """The forms of a text, after its context if it has one."""
    return (context, *list_forms(text)) if context else list_forms(text)


@cache
def read_catalog(language: str) -> Catalog:
    """The catalog of a language."""
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "wgig.po").open("rb") as file:
        return read_po(file, locale=language)


def iter_messages(language: str) -> Iterator[Message]:
    """The messages of a catalog."""
    return (message for message in read_catalog(language) if message.id)


def count_tags(text: str) -> Counter[str]:
    """The tags of a text, without the values of translated attributes."""
    return Counter(TRANSLATED_ATTRIBUTE_PATTERN.sub(r" \1", tag) for tag in TAG_PATTERN.findall(text))


def test_messages_are_extracted() -> None:
    assert len(extract_messages()) > 200
    assert ("Languages",) in extract_messages()  # a message of all pages


@pytest.mark.parametrize("language", TRANSLATION_LANGUAGES)
def test_a_catalog_has_exactly_the_messages_of_the_package(language: str) -> None:
    catalog_keys = {build_message_key(message.id, message.context) for message in iter_messages(language)}
    assert not sorted(extract_messages() - catalog_keys), "run `make texts` to add these messages"
    assert not sorted(catalog_keys - extract_messages()), "run `make texts` to remove these messages"
    assert not read_catalog(language).obsolete


@pytest.mark.parametrize("language", TRANSLATION_LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    for message in iter_messages(language):
        translations = list_forms(message.string or "")
        assert all(map(str.strip, translations)), message.id
        assert not message.fuzzy, message.id
        assert len(translations) == (read_catalog(language).num_plurals if message.pluralizable else 1), (
            message.id
        )


@pytest.mark.parametrize("language", TRANSLATION_LANGUAGES)
def test_a_translation_has_the_same_placeholders_and_tags(language: str) -> None:
    for message in iter_messages(language):
        plural_form = list_forms(message.id)[-1]
        for translation in list_forms(message.string or ""):
            assert count_tags(translation) == count_tags(plural_form), translation
            if message.pluralizable:  # some forms have the number as a word
                assert set(PLACEHOLDER_PATTERN.findall(translation)) <= set(
                    PLACEHOLDER_PATTERN.findall(plural_form)
                ), translation
            else:
                assert Counter(PLACEHOLDER_PATTERN.findall(translation)) == Counter(
                    PLACEHOLDER_PATTERN.findall(plural_form)
                ), translation


@pytest.mark.parametrize("language", TRANSLATION_LANGUAGES)
def test_a_translation_has_no_bidi_controls_extra_quotes_or_outer_spaces(language: str) -> None:
    for message in iter_messages(language):
        for translation in list_forms(message.string or ""):
            assert not BIDI_CONTROL_PATTERN.search(translation), translation
            # In an attribute, a quotation mark in the translation would end the value.
            assert TAG_PATTERN.sub("", translation).count('"') == 0 or '"' in TAG_PATTERN.sub(
                "", list_forms(message.id)[-1]
            ), translation
            assert translation == translation.strip(), translation


@pytest.mark.parametrize("language", TRANSLATION_LANGUAGES)
def test_the_compiled_catalog_has_the_translations_of_the_catalog(language: str) -> None:
    compiled = load_catalog(language)
    for message in iter_messages(language):
        key, translation = list_forms(message.id)[0], list_forms(message.string or "")[0]
        if not message.pluralizable:
            assert (
                compiled.pgettext(message.context, key) == translation
                if message.context
                else (compiled.gettext(key) == translation)
            ), "run `make texts` to compile the catalogs"


each_language = pytest.mark.parametrize("language", PAGE_LANGUAGES)


@each_language
@given(number=st.integers(-(10**24), 10**24) | st.decimals(-(10**9), 10**9, places=4).map(float))
def test_numbers_are_formatted_as_by_babel(language: str, number: float) -> None:
    assert format_number_in_language(number, language) == format_decimal(number, locale=language)


@each_language
@given(share=st.integers(-2000, 2000).map(lambda thousandths: thousandths / 1000))
def test_percentages_are_formatted_as_by_babel(language: str, share: float) -> None:
    expected = format_percent(share, locale=language, decimal_quantization=False)
    assert format_percent_in_language(share, language) == expected


@each_language
@given(day=st.dates())
def test_days_and_months_are_formatted_as_by_babel(language: str, day: date) -> None:
    pattern = "d MMMM y" if language == "en" else "long"
    with interface.use_language(language):
        assert interface.format_day(day) == format_date(day, pattern, locale=language)
        for skeleton in ("yMMMM", "yMMM", "MMM"):
            assert interface.format_month(day, skeleton) == format_skeleton(skeleton, day, locale=language)


@each_language
@pytest.mark.parametrize(
    ("size", "unit", "number"),
    [(0, "kilobyte", 0), (1049, "kilobyte", 1), (99_999, "kilobyte", 100), (1_250_000, "megabyte", 1.2)],
)
def test_bytes_are_formatted_as_by_babel(language: str, size: int, unit: str, number: float) -> None:
    with interface.use_language(language):
        expected = format_unit(number, f"digital-{unit}", "short", locale=language)
        assert interface.format_byte_count(size) == expected


def test_countries_with_one_zone_are_those_of_babel() -> None:
    zones = {country: names for country, names in get_global("territory_zones").items() if len(names) == 1}
    assert {country: [zone] for country, zone in read_cldr_data()["zones"].items()} == zones

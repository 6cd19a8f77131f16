"""Translations of the pages, and formats of numbers and dates, loaded when first needed.

`service/build_locale.py` makes the files from the catalogs and from CLDR when the package is built, so that
Babel is not needed. What is formatted here is equal to what Babel formats.
"""

import json
import re
from datetime import date
from decimal import MAX_PREC, Decimal, localcontext
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Any

LOCALE_FOLDER = Path(__file__).parent / "locale"
# The official languages of the United Nations by code, each with its name in the language itself.
PAGE_LANGUAGES = MappingProxyType(
    {"ar": "العربية", "en": "English", "es": "Español", "fr": "Français", "ru": "Русский", "zh": "中文"}
)
RTL_LANGUAGES = frozenset({"ar"})
ENGLISH = "en"


@cache
def load_catalog(language: str) -> NullTranslations:
    """The gettext catalog of a language; for English, which has no file, NullTranslations."""
    if language == ENGLISH:
        return NullTranslations()
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "wgig.mo").open("rb") as file:
        return GNUTranslations(file)


def gettext_noop(message: str) -> str:
    """The message, unchanged: marks it for extraction; the code that shows it calls `gettext`."""
    return message


def pgettext_noop(context: str, message: str) -> str:
    """The message, unchanged: like `gettext_noop`, but for `pgettext` with this context."""
    del context
    return message


def writing_direction(language: str) -> str:
    """The value of the HTML attribute `dir` for a language: `rtl` or `ltr`."""
    return "rtl" if language in RTL_LANGUAGES else "ltr"


# Separators of the items of a list, by language; in other languages a comma and a space.
LIST_SEPARATORS = {"ar": "، ", "zh": "、"}


def get_list_separator(language: str) -> str:
    """The separator of the items of a list in a language."""
    return LIST_SEPARATORS.get(language, ", ")


@cache
def read_cldr_data() -> dict[str, Any]:
    """The data of the languages from CLDR (`locales`), and the zones of countries with one zone (`zones`)."""
    data: dict[str, Any] = json.loads((LOCALE_FOLDER / "cldr.json").read_text(encoding="utf-8"))
    return data


def read_locale_data(language: str) -> dict[str, Any]:
    """The data of a language from CLDR."""
    data: dict[str, Any] = read_cldr_data()["locales"][language]
    return data


MAX_DECIMALS = 3  # of a number
DATE_FIELD_PATTERN = re.compile("'([^']*)'|([MLyd]+)")  # a literal text in quotes, or a field


def format_number_in_language(value: float, language: str) -> str:
    """A number with thousands separators and at most three decimals, in a language."""
    return localize_number(Decimal(str(value)), language)


def localize_number(number: Decimal, language: str) -> str:
    """A number of any size with thousands separators and at most three decimals, in a language."""
    symbols = read_locale_data(language)["symbols"]
    with localcontext(prec=MAX_PREC):
        text = f"{number:,.{MAX_DECIMALS}f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans({",": symbols["group"], ".": symbols["decimal"]}))


def format_percent_in_language(share: float, language: str) -> str:
    """A share as a percentage with at most three decimals, in a language."""
    pattern: str = read_locale_data(language)["percent"]
    return pattern.replace("#,##0", localize_number(Decimal(str(share)) * 100, language))


def format_date_in_language(value: date, pattern: str, language: str) -> str:
    """A date by a CLDR pattern of years, months and days, such as `d MMMM y`, in a language."""
    months = read_locale_data(language)["months"]

    def format_field(match: re.Match[str]) -> str:
        letters = match[2]
        if letters is None:
            return match[1]
        if letters in months:
            name: str = months[letters][value.month - 1]
            return name
        return str({"y": value.year, "M": value.month, "L": value.month, "d": value.day}[letters])

    return DATE_FIELD_PATTERN.sub(format_field, pattern)

"""Compile the catalogs of translations, and write the CLDR data that pages use.

The build hook and `make texts` run this, so that the package does not need Babel, of 33 MB, when it is used.
"""

import json
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_global
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

LOCALE_FOLDER = Path(__file__).parent / "wgig" / "locale"
CLDR_FILE = LOCALE_FOLDER / "cldr.json"
ENGLISH = "en"  # has no catalog
MONTH_SKELETONS = ("yMMMM", "yMMM", "MMM")
BYTE_UNITS = ("digital-kilobyte", "digital-megabyte")
NUMBERS_OF_PLURAL_FORMS = (0, 1, 2, 3, 11, 100)  # each form of Arabic, which has most
# The widths of the names of months, by the number of letters in a pattern.
MONTH_WIDTHS = {"MMM": "abbreviated", "MMMM": "wide"}
MONTH_CONTEXTS = {"M": "format", "L": "stand-alone"}


def compile_catalogs() -> list[str]:
    """Compile each catalog to a file that gettext reads. Returns their languages."""
    catalogs = sorted(LOCALE_FOLDER.glob("*/LC_MESSAGES/wgig.po"))
    languages = [path.parts[-3] for path in catalogs]
    for path, language in zip(catalogs, languages, strict=True):
        with path.open("rb") as source, path.with_suffix(".mo").open("wb") as target:
            write_mo(target, read_po(source, locale=language))
    return languages


def read_locale(language: str) -> dict[str, Any]:
    """The data of a language: formats of numbers, dates and bytes, and names of languages and places."""
    locale = Locale(language)
    symbols = locale.number_symbols["latn"]
    skeletons = {name: locale.datetime_skeletons.get(name) for name in MONTH_SKELETONS}
    skeletons["MMM"] = skeletons["MMM"] or "LLL"
    return {
        "symbols": {name: symbols[name] for name in ("decimal", "group")},
        "percent": locale.percent_formats[None].pattern,
        "day": "d MMMM y" if language == ENGLISH else locale.date_formats["long"].pattern,
        "skeletons": {name: getattr(pattern, "pattern", pattern) for name, pattern in skeletons.items()},
        "months": {
            letter * len(letters): list(locale.months[context][width].values())
            for letter, context in MONTH_CONTEXTS.items()
            for letters, width in MONTH_WIDTHS.items()
        },
        "units": {unit: read_unit_pattern(language, unit) for unit in BYTE_UNITS},
        "languages": dict(locale.languages.items()),
        "scripts": dict(locale.scripts.items()),
        "territories": dict(locale.territories.items()),
    }


def read_unit_pattern(language: str, unit: str) -> str:
    """The short pattern of a unit, such as `{0} MB`, which must be the same for all numbers."""
    patterns = {
        format_unit(number, unit, "short", locale=language).replace(str(number), "{0}")
        for number in NUMBERS_OF_PLURAL_FORMS
    }
    (pattern,) = patterns
    return pattern


def build_locale_data() -> None:
    """Compile the catalogs, and write the CLDR data of their languages and the zones of countries."""
    languages = [ENGLISH, *compile_catalogs()]
    zones = {country: names[0] for country, names in get_global("territory_zones").items() if len(names) == 1}
    data = {"locales": {language: read_locale(language) for language in languages}, "zones": zones}
    CLDR_FILE.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    build_locale_data()

"""Translations of the pages: one gettext catalog for each language, loaded when first needed."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

LOCALE_FOLDER = Path(__file__).parent / "locale"
# The official languages of the United Nations by code, each with its name in the language itself.
PAGE_LANGUAGES = MappingProxyType(
    {"ar": "العربية", "en": "English", "es": "Español", "fr": "Français", "ru": "Русский", "zh": "中文"}
)
RTL_LANGUAGES = frozenset({"ar"})


@cache
def load_catalog(language: str) -> NullTranslations:
    """The gettext catalog of a language; for English, which has no file, NullTranslations."""
    po_file = LOCALE_FOLDER / language / "LC_MESSAGES" / "wgig.po"
    if not po_file.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415  costs 17 ms, and query workers do not need it
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = BytesIO()
    with po_file.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


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


ENGLISH = "en"

# Separators of the items of a list, by language; in other languages a comma and a space.
LIST_SEPARATORS = {"ar": "، ", "zh": "、"}


def get_list_separator(language: str) -> str:
    """The separator of the items of a list in a language."""
    return LIST_SEPARATORS.get(language, ", ")

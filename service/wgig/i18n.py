"""What the pages say in other languages: a catalogue of gettext for each, read when first needed."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE_FOLDER = Path(__file__).parent / "locale"
# The languages of the pages, which are those of the United Nations, by what they call themselves.
PAGE_LANGUAGES = MappingProxyType(
    {"ar": "العربية", "en": "English", "es": "Español", "fr": "Français", "ru": "Русский", "zh": "中文"}
)
RTL_LANGUAGES = frozenset({"ar"})


@cache
def load_catalogue(tongue: str) -> NullTranslations:
    """The texts of a language by those in English, which are their own."""
    source = LOCALE_FOLDER / tongue / "LC_MESSAGES" / "wgig.po"
    if not source.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=tongue))
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext_noop(message: str) -> str:
    """The text as it is: it goes to `gettext` where it is shown, and into the catalogues by this mark."""
    return message


def pgettext_noop(context: str, message: str) -> str:
    """The text as it is; as with `gettext_noop`, but for `pgettext` with this context."""
    del context
    return message


def writing_direction(tongue: str) -> str:
    """The direction of writing, as the attribute `dir` of HTML has it."""
    return "rtl" if tongue in RTL_LANGUAGES else "ltr"


ENGLISH = "en"

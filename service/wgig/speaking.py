"""In which language the service speaks to whoever asks: the one of its own that is liked best."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cached_property, lru_cache
from gettext import NullTranslations
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from . import languages
from .catalogues import SPOKEN, catalogue
from .parameters import PARAMETER

if TYPE_CHECKING:
    from starlette.types import Scope

ENGLISH = "en"
FROM_RIGHT = frozenset({"ar"})
COMMAS = {"ar": "، ", "zh": "、"}
LONGEST = 2000  # characters of an address that a refusal repeats, and that is named for search engines


class Reading:
    """Who asks: the address without the choice of a language, and the languages in their order."""

    def __init__(self, scope: "Scope", *, chosen: bool = False) -> None:
        """Take a request, in which the choice is the first of Accept-Language; `chosen`: by its address."""
        self.scope, self.chosen = scope, chosen

    @cached_property
    def language(self) -> str:
        """The language of pages that is liked best."""
        fields = tuple(value for name, value in self.scope["headers"] if name == b"accept-language")
        return spoken(fields)

    @cached_property
    def catalogue(self) -> NullTranslations:
        """What the pages say in it."""
        return catalogue(self.language)

    @property
    def address(self) -> str:
        """Path and query string."""
        path, query = (str(self.scope[part], "latin-1") for part in ("raw_path", "query_string"))
        return f"{path}?{query}" if query else path


NOBODY = Reading({"headers": [], "query_string": b"", "raw_path": b"/"})
reading: ContextVar[Reading] = ContextVar("reading", default=NOBODY)


@lru_cache(1000)
def spoken(fields: tuple[bytes, ...]) -> str:
    """The language of pages for Accept-Language fields."""
    liked = languages.accepted(tuple(one.decode("latin-1") for one in fields))
    return next((one for one in liked if one in SPOKEN), ENGLISH)


def language() -> str:
    """The language in which the service speaks now."""
    return reading.get().language


def is_chosen() -> bool:
    """Whether the address of what is asked for chooses that language."""
    return reading.get().chosen


def direction() -> str:
    """How that is written: `ltr` or `rtl`."""
    return "rtl" if language() in FROM_RIGHT else "ltr"


def ranges() -> tuple[str, ...]:
    """The language of now as labels are asked for in it; none where English is enough."""
    return () if language() == ENGLISH else (language(),)


def address() -> str:
    """The address of what is asked for, in whatever language."""
    return reading.get().address


def short_address() -> str:
    """The address of what is asked for without what makes it long, for a refusal: that stays small."""
    return next((one for one in (address(), address().partition("?")[0]) if len(one) <= LONGEST), "/")


def address_in(tongue: str, there: str = "") -> str:
    """The address of what is asked for, or of what is there, in a language."""
    there = there or address()
    return f"{there}{'&' if '?' in there else '?'}{PARAMETER}={tongue}"


def alternates() -> dict[str, str]:
    """The address of what is asked for in each language, and in whatever one; none where it is long.

    A page has it once more for each language in its switch, which people need however long it is.
    """
    if len(address()) > LONGEST:
        return {}
    return {one: address_in(one) for one in SPOKEN} | {"x-default": address()}


@contextmanager
def speaking_in(tongue: str) -> Iterator[None]:
    """While this lasts, the service speaks a certain language, whatever the request likes."""
    now = Reading(reading.get().scope)
    now.language = tongue
    before = reading.set(now)
    try:
        yield
    finally:
        reading.reset(before)


def gettext(message: str) -> str:
    """A text of the pages in the language of now."""
    return reading.get().catalogue.gettext(message)


def ngettext(one: str, many: str, number: int) -> str:
    """A text of the pages with a number, in the form that the number asks for."""
    return reading.get().catalogue.ngettext(one, many, number)


def translated(message: str) -> tuple[str, str]:
    """A text in the language of now, with the language that it is in: English where it is not translated."""
    said = gettext(message)
    return said, ENGLISH if said == message else language()


def comma() -> str:
    """What stands between the items of a list."""
    return COMMAS.get(language(), ", ")


def name_of(tag: str) -> str:
    """What a language is called, with its script where the tag names one; an unknown one as it is."""
    spoken_now = Locale(language())
    tongue, _, script = tag.partition("-")
    name = spoken_now.languages.get(tongue, tag)
    return f"{name} ({spoken_now.scripts[script.title()]})" if script.title() in spoken_now.scripts else name


def number(value: float) -> str:
    """A number, its thousands apart."""
    return format_decimal(value, locale=language())


def day(value: date) -> str:
    """A day in words, such as 25 January 2005."""
    return a_day(value, language())


@lru_cache(5000)
def a_day(value: date, tongue: str) -> str:
    """A day in words."""
    return format_date(value, "d MMMM y" if tongue == ENGLISH else "long", locale=tongue)


def month(value: date, skeleton: str = "yMMMM") -> str:
    """A month in words, by the skeleton of CLDR for what is said of it."""
    return format_skeleton(skeleton, value, locale=language())


def for_people(fields: dict[str, str]) -> dict[str, str]:
    """The header fields of a page: it differs by language, and by what was chosen before."""
    varies = dict.fromkeys(one.strip() for one in fields.get("Vary", "").split(",") if one.strip())
    varies |= {"Accept-Language": None, "Cookie": None}
    return {"Content-Language": language(), **fields, "Vary": ", ".join(varies)}

"""Language negotiation, for the interface (`_lang`, cookie, Accept-Language) and for the data (`lang`).

Language ranges are matched with fallback, such as `de` for `de-CH` (RFC 4647, section 3.4; RFC 9110, section
12.5.4). `_lang` in a URL puts a language before those of Accept-Language, and a cookie remembers it for
pages. It decides the text around the data, and which of several literals is shown. `lang` instead restricts
the literals of the data to certain languages and leaves out the others.

Also the translated texts, numbers, dates, list separators and text direction of the current language.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from gettext import NullTranslations
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyoxigraph as ox
from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from ..i18n import ENGLISH, SPOKEN, load_catalogue
from ..problems import Problem
from .bodies import parameters, values
from .negotiation import weights
from .parameters import PARAMETER

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request
    from starlette.types import Scope


TAG = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
MOST = 10  # languages of one client that are considered
LISTED = 20  # languages of one answer that are named
NAMED = 100  # languages that a refusal names


class Said(Protocol):
    """A statement."""

    @property
    def subject(self) -> Any:
        """What it is about."""

    @property
    def predicate(self) -> ox.NamedNode:
        """Its property."""

    @property
    def object(self) -> Any:
        """What it says."""


Statements = TypeVar("Statements", bound=Said)


@dataclass(frozen=True)
class Languages:
    """The language ranges that a client likes, in lower case, the best first; none where it does not say.

    `only`: the address asks for them, so that of a text in several languages just the best is wanted.
    """

    ranges: tuple[str, ...] = ()
    only: bool = False


ANY = Languages()


def asked(request: "Request") -> Languages:
    """The languages of a request: `?lang=`, which may list several, beats Accept-Language.

    Raises Problem 400 for a parameter that names none.
    """
    given = values(parameters(request), "lang")
    if given:
        return Languages(named(given[0]), only=True)
    return Languages(accepted(tuple(request.headers.getlist("accept-language"))))


def named(given: str) -> tuple[str, ...]:
    """The ranges in the value of `?lang=`. Raises Problem 400."""
    tags = [one.strip() for one in given.split(",")]
    if len(tags) > MOST or not all(map(TAG.fullmatch, tags)):
        raise Problem(
            400,
            "The parameter lang does not name languages. Give it as in lang=fr or lang=zh-Hant,en: "
            f"at most {MOST} tags, the one that you like best first.",
        )
    return fallbacks(tags)


@lru_cache(256)
def accepted(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The ranges in the values of Accept-Language fields; nothing where English is enough."""
    liked = [(one, q) for one, q in weights(fields).items() if q > 0 and TAG.fullmatch(one)]
    ordered = sorted(liked, key=lambda item: -item[1])[:MOST]
    ranges = fallbacks(one for one, _ in ordered)
    return () if all(one.partition("-")[0] == "en" for one in ranges) else ranges


def fallbacks(tags: Iterable[str]) -> tuple[str, ...]:
    """Each range, followed by what it falls back to: `de-CH` by `de` (RFC 4647, section 3.4)."""
    found: dict[str, None] = {}
    for tag in tags:
        pieces = tag.lower().split("-")
        found |= dict.fromkeys("-".join(pieces[:length]) for length in range(len(pieces), 0, -1))
    return tuple(found)


def place(tag: str, ranges: Sequence[str]) -> tuple[int, bool]:
    """How far a language is from what is liked: the place of its range, and whether it is only below that."""
    tag = tag.lower()
    fitting = ((at, tag != one) for at, one in enumerate(ranges) if tag == one or tag.startswith(f"{one}-"))
    return next(fitting, (len(ranges), False))


def narrowed(statements: Sequence[Statements], ranges: Sequence[str]) -> list[Statements]:
    """The statements, but of the texts of one property of one thing only those in the best language.

    The languages fall back to English, and then to all that there are.
    """
    wanted = (*ranges, "en")
    best: dict[tuple[Any, Any], tuple[int, bool]] = {}
    for one in statements:
        if tag := language_of(one.object):
            text = (one.subject, one.predicate)
            best[text] = min(best.get(text, (len(wanted), False)), place(tag, wanted))
    return [
        one
        for one in statements
        if not (tag := language_of(one.object)) or place(tag, wanted) == best[one.subject, one.predicate]
    ]


def as_asked(statements: Sequence[Statements], languages: Languages) -> list[Statements]:
    """The statements, narrowed where the address asks for languages. Raises Problem 406 for others."""
    if not languages.only:
        return list(statements)
    check(of(statements), languages)
    return narrowed(statements, languages.ranges)


def check(known: Sequence[str], languages: Languages) -> None:
    """Raise Problem 406 where none of the languages that are known here is one that was asked for."""
    if any(place(one, languages.ranges)[0] < len(languages.ranges) for one in known):
        return
    there = f"Ask for one of: {', '.join(known)}." if known else "No text here has a language."
    raise Problem(
        406,
        f"Nothing here is said in {' or '.join(languages.ranges)}. {there}",
        slug="no-language",
        headers={"Vary": "Accept, Accept-Language, Accept-Profile"},
        languages=list(known[:NAMED]),
    )


def of(statements: Iterable[Said]) -> list[str]:
    """The languages of the texts in the statements."""
    return sorted({tag for one in statements if (tag := language_of(one.object))})


def language_of(term: Any) -> str:
    """The language of a term that is a text in one; else nothing."""
    return (term.language or "") if isinstance(term, ox.Literal) else ""


def parameter(languages: Languages) -> list[str]:
    """The parameter of an address that asks for the same languages, if an address did."""
    before = ("", *languages.ranges)
    tags = [
        one for last, one in zip(before, languages.ranges, strict=False) if not last.startswith(f"{one}-")
    ]
    return [f"lang={','.join(tags)}"] if languages.only else []


def field(languages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The Content-Language of an answer with texts in these languages; none where they are too many."""
    tags = sorted(set(languages))
    if 0 < len(tags) <= LISTED:
        yield "Content-Language", ", ".join(tags)


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
        return load_catalogue(self.language)

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
    liked = accepted(tuple(one.decode("latin-1") for one in fields))
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

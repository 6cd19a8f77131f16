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

from ..i18n import ENGLISH, PAGE_LANGUAGES, load_catalogue, writing_direction
from ..problems import Problem
from ..rdf.labels import rank_language
from .bodies import Pairs, get_query_parameters, parameter_values
from .negotiation import parse_accept_weights
from .parameters import LANGUAGE_PARAMETER, add_url_parameters

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request
    from starlette.types import Scope


LANGUAGE_TAG_PATTERN = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
MAX_CLIENT_LANGUAGES = 10  # languages of one client that are considered
MAX_CONTENT_LANGUAGES = 20  # languages of one answer that are named
MAX_PROBLEM_LANGUAGES = 100  # languages that a refusal names


class StatementLike(Protocol):
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


StatementT = TypeVar("StatementT", bound=StatementLike)


@dataclass(frozen=True)
class LanguagePreferences:
    """The language ranges that a client likes, in lower case, the best first; none where it does not say.

    `is_explicit`: the address asks for them, so that of a text in several languages just the best is wanted.
    """

    ranges: tuple[str, ...] = ()
    is_explicit: bool = False


ANY_LANGUAGE = LanguagePreferences()


def requested_languages(request: "Request") -> LanguagePreferences:
    """The languages of a request: `?lang=`, which may list several, beats Accept-Language.

    Raises Problem 400 for a parameter that names none.
    """
    given = parameter_values(get_query_parameters(request), "lang")
    if given:
        return LanguagePreferences(parse_lang_parameter(given[0]), is_explicit=True)
    return LanguagePreferences(parse_accept_language(tuple(request.headers.getlist("accept-language"))))


def parse_lang_parameter(given: str) -> tuple[str, ...]:
    """The ranges in the value of `?lang=`. Raises Problem 400."""
    tags = [one.strip() for one in given.split(",")]
    if len(tags) > MAX_CLIENT_LANGUAGES or not all(map(LANGUAGE_TAG_PATTERN.fullmatch, tags)):
        raise Problem(
            400,
            "The parameter lang does not name languages. Give it as in lang=fr or lang=zh-Hant,en: "
            f"at most {MAX_CLIENT_LANGUAGES} tags, the one that you like best first.",
        )
    return expand_language_ranges(tags)


@lru_cache(256)
def parse_accept_language(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The ranges in the values of Accept-Language fields; nothing where English is enough."""
    liked = [
        (one, q)
        for one, q in parse_accept_weights(fields).items()
        if q > 0 and LANGUAGE_TAG_PATTERN.fullmatch(one)
    ]
    ordered = sorted(liked, key=lambda item: -item[1])[:MAX_CLIENT_LANGUAGES]
    ranges = expand_language_ranges(one for one, _ in ordered)
    return () if all(one.partition("-")[0] == "en" for one in ranges) else ranges


def expand_language_ranges(tags: Iterable[str]) -> tuple[str, ...]:
    """Each range, followed by what it falls back to: `de-CH` by `de` (RFC 4647, section 3.4)."""
    found: dict[str, None] = {}
    for tag in tags:
        pieces = tag.lower().split("-")
        found |= dict.fromkeys("-".join(pieces[:length]) for length in range(len(pieces), 0, -1))
    return tuple(found)


def keep_best_languages(statements: Sequence[StatementT], ranges: Sequence[str]) -> list[StatementT]:
    """The statements, but of the texts of one property of one thing only those in the best language.

    The languages fall back to English, and then to all that there are.
    """
    wanted = (*ranges, "en")
    best: dict[tuple[Any, Any], tuple[int, bool]] = {}
    for one in statements:
        if tag := literal_language(one.object):
            text = (one.subject, one.predicate)
            best[text] = min(best.get(text, (len(wanted), False)), rank_language(tag, wanted))
    return [
        one
        for one in statements
        if not (tag := literal_language(one.object))
        or rank_language(tag, wanted) == best[one.subject, one.predicate]
    ]


def keep_requested_languages(
    statements: Sequence[StatementT], languages: LanguagePreferences
) -> list[StatementT]:
    """The statements, narrowed where the address asks for languages. Raises Problem 406 for others."""
    if not languages.is_explicit:
        return list(statements)
    check_language_available(list_statement_languages(statements), languages)
    return keep_best_languages(statements, languages.ranges)


def check_language_available(known: Sequence[str], languages: LanguagePreferences) -> None:
    """Raise Problem 406 where none of the languages that are known here is one that was asked for."""
    if any(rank_language(one, languages.ranges)[0] < len(languages.ranges) for one in known):
        return
    there = f"Ask for one of: {', '.join(known)}." if known else "No text here has a language."
    raise Problem(
        406,
        f"Nothing here is said in {' or '.join(languages.ranges)}. {there}",
        slug="no-language",
        headers={"Vary": "Accept, Accept-Language, Accept-Profile"},
        languages=list(known[:MAX_PROBLEM_LANGUAGES]),
    )


def list_statement_languages(statements: Iterable[StatementLike]) -> list[str]:
    """The languages of the texts in the statements."""
    return sorted({tag for one in statements if (tag := literal_language(one.object))})


def literal_language(term: Any) -> str:
    """The language of a term that is a text in one; else nothing."""
    return (term.language or "") if isinstance(term, ox.Literal) else ""


def format_lang_parameter(languages: LanguagePreferences) -> Pairs:
    """The parameter of an address that asks for the same languages, if an address did."""
    before = ("", *languages.ranges)
    tags = [
        one for last, one in zip(before, languages.ranges, strict=False) if not last.startswith(f"{one}-")
    ]
    return [("lang", ",".join(tags))] if languages.is_explicit else []


def content_language_field(languages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The Content-Language of an answer with texts in these languages; none where they are too many."""
    tags = sorted(set(languages))
    if 0 < len(tags) <= MAX_CONTENT_LANGUAGES:
        yield "Content-Language", ", ".join(tags)


LIST_SEPARATORS = {"ar": "، ", "zh": "、"}
# Characters of an address that a refusal repeats, and that is named for search engines.
MAX_REPEATED_ADDRESS_CHARACTERS = 2000


class LanguageContext:
    """Who asks: the address without the choice of a language, and the languages in their order."""

    def __init__(self, scope: "Scope", *, chosen: bool = False) -> None:
        """Take a request, in which the choice is the first of Accept-Language; `chosen`: by its address."""
        self.scope, self.is_chosen = scope, chosen

    @cached_property
    def language(self) -> str:
        """The language of pages that is liked best."""
        fields = tuple(value for name, value in self.scope["headers"] if name == b"accept-language")
        return choose_page_language(fields)

    @cached_property
    def translations(self) -> NullTranslations:
        """What the pages say in it."""
        return load_catalogue(self.language)

    @property
    def address(self) -> str:
        """Path and query string."""
        path, query = (str(self.scope[part], "latin-1") for part in ("raw_path", "query_string"))
        return f"{path}?{query}" if query else path


DEFAULT_LANGUAGE_CONTEXT = LanguageContext({"headers": [], "query_string": b"", "raw_path": b"/"})
language_context: ContextVar[LanguageContext] = ContextVar("reading", default=DEFAULT_LANGUAGE_CONTEXT)


@lru_cache(1000)
def choose_page_language(fields: tuple[bytes, ...]) -> str:
    """The language of pages for Accept-Language fields."""
    liked = parse_accept_language(tuple(one.decode("latin-1") for one in fields))
    return next((one for one in liked if one in PAGE_LANGUAGES), ENGLISH)


def current_language() -> str:
    """The language in which the service speaks now."""
    return language_context.get().language


def is_language_chosen() -> bool:
    """Whether the address of what is asked for chooses that language."""
    return language_context.get().is_chosen


def text_direction() -> str:
    """How that is written: `ltr` or `rtl`."""
    return writing_direction(current_language())


def label_languages() -> tuple[str, ...]:
    """The language of now as labels are asked for in it; none where English is enough."""
    return () if current_language() == ENGLISH else (current_language(),)


def current_address() -> str:
    """The address of what is asked for, in whatever language."""
    return language_context.get().address


def short_address() -> str:
    """The address of what is asked for without what makes it long, for a refusal: that stays small."""
    return next(
        (
            one
            for one in (current_address(), current_address().partition("?")[0])
            if len(one) <= MAX_REPEATED_ADDRESS_CHARACTERS
        ),
        "/",
    )


def address_in_language(tongue: str, there: str = "") -> str:
    """The address of what is asked for, or of what is there, in a language."""
    return add_url_parameters(there or current_address(), [(LANGUAGE_PARAMETER, tongue)])


def language_alternates() -> dict[str, str]:
    """The address of what is asked for in each language, and in whatever one; none where it is long.

    A page has it once more for each language in its switch, which people need however long it is.
    """
    if len(current_address()) > MAX_REPEATED_ADDRESS_CHARACTERS:
        return {}
    return {one: address_in_language(one) for one in PAGE_LANGUAGES} | {"x-default": current_address()}


@contextmanager
def use_language(tongue: str) -> Iterator[None]:
    """While this lasts, the service speaks a certain language, whatever the request likes."""
    now = LanguageContext(language_context.get().scope)
    now.language = tongue
    before = language_context.set(now)
    try:
        yield
    finally:
        language_context.reset(before)


def gettext(message: str) -> str:
    """A text of the pages in the language of now."""
    return language_context.get().translations.gettext(message)


def ngettext(one: str, many: str, number: int) -> str:
    """A text of the pages with a number, in the form that the number asks for."""
    return language_context.get().translations.ngettext(one, many, number)


def translate_message(message: str) -> tuple[str, str]:
    """A text in the language of now, with the language that it is in: English where it is not translated."""
    said = gettext(message)
    return said, ENGLISH if said == message else current_language()


def list_separator() -> str:
    """What stands between the items of a list."""
    return LIST_SEPARATORS.get(current_language(), ", ")


def format_language_name(tag: str) -> str:
    """What a language is called, with its script where the tag names one; an unknown one as it is."""
    spoken_now = Locale(current_language())
    tongue, _, script = tag.partition("-")
    name = spoken_now.languages.get(tongue, tag)
    return f"{name} ({spoken_now.scripts[script.title()]})" if script.title() in spoken_now.scripts else name


def format_number(value: float) -> str:
    """A number, its thousands apart."""
    return format_decimal(value, locale=current_language())


def format_day(value: date) -> str:
    """A day in words, such as 25 January 2005."""
    return format_localized_day(value, current_language())


@lru_cache(5000)
def format_localized_day(value: date, tongue: str) -> str:
    """A day in words."""
    return format_date(value, "d MMMM y" if tongue == ENGLISH else "long", locale=tongue)


def format_month(value: date, skeleton: str = "yMMMM") -> str:
    """A month in words, by the skeleton of CLDR for what is said of it."""
    return format_skeleton(skeleton, value, locale=current_language())


def page_header_fields(fields: dict[str, str]) -> dict[str, str]:
    """The header fields of a page: it differs by language, and by what was chosen before."""
    varies = dict.fromkeys(one.strip() for one in fields.get("Vary", "").split(",") if one.strip())
    varies |= {"Accept-Language": None, "Cookie": None}
    return {"Content-Language": current_language(), **fields, "Vary": ", ".join(varies)}

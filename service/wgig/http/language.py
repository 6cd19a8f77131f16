"""Language negotiation, for the interface (`_lang`, cookie, Accept-Language) and for the data (`lang`).

Language ranges are matched with fallback, such as `de` for `de-CH` (RFC 4647, section 3.4; RFC 9110, section
12.5.4). The parameter `_lang` takes precedence over Accept-Language, and a cookie stores it for later pages.
`_lang` selects the language of the interface, and the literal that is shown if there are several. The
parameter `lang` selects literals in the data: of the texts of a property, only those in the best language.

This module also formats messages, numbers, dates and lists in the current language.
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

from ..i18n import (
    ENGLISH,
    PAGE_LANGUAGES,
    format_date_in_language,
    format_number_in_language,
    format_percent_in_language,
    get_list_separator,
    gettext_noop,
    load_catalog,
    read_locale_data,
    writing_direction,
)
from ..problems import Problem, build_sentence
from ..rdf.labels import rank_language
from .bodies import Pairs, get_query_parameters, parameter_values
from .negotiation import parse_accept_weights
from .parameters import LANGUAGE_PARAMETER, add_url_parameters

if TYPE_CHECKING:  # costs 180 ms, and commands do not need it
    from fastapi import Request
    from starlette.types import Scope


LANGUAGE_TAG_PATTERN = re.compile(r"[a-z]{1,8}(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)
MAX_CLIENT_LANGUAGES = 10  # of a request; more in Accept-Language are ignored
MAX_CONTENT_LANGUAGES = 20  # of one response
MAX_PROBLEM_LANGUAGES = 100  # listed in one problem document


class StatementLike(Protocol):
    """A triple or quad."""

    @property
    def subject(self) -> Any:
        """The subject."""

    @property
    def predicate(self) -> ox.NamedNode:
        """The predicate."""

    @property
    def object(self) -> Any:
        """The object."""


StatementT = TypeVar("StatementT", bound=StatementLike)


@dataclass(frozen=True)
class LanguagePreferences:
    """The language ranges that a client prefers, in lower case, the best first; empty without preference.

    `is_explicit`: the ranges are from `?lang=`, so the response contains only texts in the best language.
    """

    ranges: tuple[str, ...] = ()
    is_explicit: bool = False


ANY_LANGUAGE = LanguagePreferences()


def requested_languages(request: "Request") -> LanguagePreferences:
    """The languages of a request: those of `?lang=`, a comma-separated list, or else of Accept-Language.

    Raises Problem 400 for an invalid `?lang=`.
    """
    values = parameter_values(get_query_parameters(request), "lang")
    if values:
        return LanguagePreferences(parse_lang_parameter(values[0]), is_explicit=True)
    return LanguagePreferences(parse_accept_language(tuple(request.headers.getlist("accept-language"))))


def parse_lang_parameter(value: str) -> tuple[str, ...]:
    """The ranges in the value of `?lang=`. Raises Problem 400 if it is not a list of language tags."""
    tags = [tag.strip() for tag in value.split(",")]
    if len(tags) > MAX_CLIENT_LANGUAGES or not all(map(LANGUAGE_TAG_PATTERN.fullmatch, tags)):
        raise Problem(
            400,
            "The parameter lang does not contain valid language tags. Send at most "
            f"{MAX_CLIENT_LANGUAGES}, in order of preference, such as lang=fr or lang=zh-Hant,en.",
        )
    return expand_language_ranges(tags)


@lru_cache(256)
def parse_accept_language(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The ranges in Accept-Language headers, by preference; empty if all are English, the default."""
    accepted = [
        (tag, q)
        for tag, q in parse_accept_weights(fields).items()
        if q > 0 and LANGUAGE_TAG_PATTERN.fullmatch(tag)
    ]
    ordered = sorted(accepted, key=lambda item: -item[1])[:MAX_CLIENT_LANGUAGES]
    ranges = expand_language_ranges(tag for tag, _ in ordered)
    return () if all(range_.partition("-")[0] == "en" for range_ in ranges) else ranges


def expand_language_ranges(tags: Iterable[str]) -> tuple[str, ...]:
    """Each range, followed by its fallbacks: `de-CH` by `de` (RFC 4647, section 3.4)."""
    ranges: dict[str, None] = {}
    for tag in tags:
        subtags = tag.lower().split("-")
        ranges |= dict.fromkeys("-".join(subtags[:length]) for length in range(len(subtags), 0, -1))
    return tuple(ranges)


def keep_best_languages(statements: Sequence[StatementT], ranges: Sequence[str]) -> list[StatementT]:
    """The statements, with the texts of each subject and property only in the best language.

    The fallback is English; if there is no English text either, all texts are kept.
    """
    ranges_with_english = (*ranges, "en")
    worst_rank = (len(ranges_with_english), False)  # of a language that matches no range
    best_ranks: dict[tuple[Any, Any], tuple[int, bool]] = {}
    for statement in statements:
        if tag := literal_language(statement.object):
            key = (statement.subject, statement.predicate)
            best_ranks[key] = min(best_ranks.get(key, worst_rank), rank_language(tag, ranges_with_english))
    return [
        statement
        for statement in statements
        if not (tag := literal_language(statement.object))
        or rank_language(tag, ranges_with_english) == best_ranks[statement.subject, statement.predicate]
    ]


def keep_requested_languages(
    statements: Sequence[StatementT], languages: LanguagePreferences
) -> list[StatementT]:
    """The statements in the languages of `?lang=`, or all without it. Raises Problem 406 if none matches."""
    if not languages.is_explicit:
        return list(statements)
    check_language_available(list_statement_languages(statements), languages)
    return keep_best_languages(statements, languages.ranges)


def check_language_available(available: Sequence[str], languages: LanguagePreferences) -> None:
    """Raise Problem 406 if no available language matches a preferred range."""
    if any(rank_language(tag, languages.ranges)[0] < len(languages.ranges) for tag in available):
        return
    advice = (
        build_sentence(gettext_noop("Request one of: %(names)s."), names=", ".join(available))
        if available
        else build_sentence(gettext_noop("None of the texts has a language tag."))
    )
    missing = build_sentence(
        gettext_noop("None of the texts is in %(language_tags)s."), language_tags=", ".join(languages.ranges)
    )
    raise Problem(
        406,
        [missing, advice],
        slug="no-language",
        headers={"Vary": "Accept, Accept-Language, Accept-Profile, Cookie"},
        languages=list(available[:MAX_PROBLEM_LANGUAGES]),
    )


def list_statement_languages(statements: Iterable[StatementLike]) -> list[str]:
    """The language tags of the texts in the statements."""
    return sorted({tag for statement in statements if (tag := literal_language(statement.object))})


def literal_language(term: Any) -> str:
    """The language tag of a term; empty if it has none."""
    return (term.language or "") if isinstance(term, ox.Literal) else ""


def format_lang_parameter(languages: LanguagePreferences) -> Pairs:
    """The parameter `lang` for these languages, without added fallbacks; empty if the request had none."""
    # A fallback, such as `de`, follows a range that begins with it, such as `de-ch`.
    previous_ranges = ("", *languages.ranges)
    tags = [
        range_
        for previous, range_ in zip(previous_ranges, languages.ranges, strict=False)
        if not previous.startswith(f"{range_}-")
    ]
    return [("lang", ",".join(tags))] if languages.is_explicit else []


def content_language_field(languages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The Content-Language header for these languages; none if there are more than MAX_CONTENT_LANGUAGES."""
    tags = sorted(set(languages))
    if 0 < len(tags) <= MAX_CONTENT_LANGUAGES:
        yield "Content-Language", ", ".join(tags)


# Longer addresses (path and query string) are not repeated on error pages and in links for search engines.
MAX_REPEATED_ADDRESS_CHARACTERS = 2000


class LanguageContext:
    """The interface language of a request, its translations, and the address requested, without `_lang`."""

    def __init__(self, scope: "Scope", *, is_chosen: bool = False) -> None:
        """Use the Accept-Language of a request; `is_chosen`: its first language is that of `_lang`."""
        self.scope, self.is_chosen = scope, is_chosen

    @cached_property
    def language(self) -> str:
        """The best available interface language."""
        fields = tuple(value for name, value in self.scope["headers"] if name == b"accept-language")
        return choose_page_language(fields)

    @cached_property
    def translations(self) -> NullTranslations:
        """The gettext catalog of the interface language."""
        return load_catalog(self.language)

    @property
    def address(self) -> str:
        """The path and query string of the request, from which LanguageMiddleware has removed `_lang`."""
        path, query = (str(self.scope[part], "latin-1") for part in ("raw_path", "query_string"))
        return f"{path}?{query}" if query else path


DEFAULT_LANGUAGE_CONTEXT = LanguageContext({"headers": [], "query_string": b"", "raw_path": b"/"})
language_context: ContextVar[LanguageContext] = ContextVar(
    "language_context", default=DEFAULT_LANGUAGE_CONTEXT
)


@lru_cache(1000)
def choose_page_language(fields: tuple[bytes, ...]) -> str:
    """The interface language for Accept-Language headers: the first available one, or English."""
    ranges = parse_accept_language(tuple(field.decode("latin-1") for field in fields))
    return next((range_ for range_ in ranges if range_ in PAGE_LANGUAGES), ENGLISH)


def current_language() -> str:
    """The interface language of the current request."""
    return language_context.get().language


def is_language_chosen() -> bool:
    """Whether the URL of the current request selects the language by `_lang`."""
    return language_context.get().is_chosen


def text_direction() -> str:
    """The text direction of the current language: `ltr` or `rtl`."""
    return writing_direction(current_language())


def label_languages() -> tuple[str, ...]:
    """The language ranges for labels: the current language; empty for English, the default of labels."""
    return () if current_language() == ENGLISH else (current_language(),)


def current_address() -> str:
    """The path and query string of the current request, without `_lang`."""
    return language_context.get().address


def short_address() -> str:
    """The address of the current request; without its query string, or `/`, if it is too long to repeat."""
    return next(
        (
            address
            for address in (current_address(), current_address().partition("?")[0])
            if len(address) <= MAX_REPEATED_ADDRESS_CHARACTERS
        ),
        "/",
    )


def address_in_language(language: str, address: str = "") -> str:
    """An address, by default that of the current request, with `_lang`."""
    return add_url_parameters(address or current_address(), [(LANGUAGE_PARAMETER, language)])


def language_alternates() -> dict[str, str]:
    """The address of the current request by interface language, and `x-default`; empty if it is too long.

    The language menu of a page has these links even if the address is long, because people need them.
    """
    if len(current_address()) > MAX_REPEATED_ADDRESS_CHARACTERS:
        return {}
    return {language: address_in_language(language) for language in PAGE_LANGUAGES} | {
        "x-default": current_address()
    }


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Use an interface language in the block, instead of the one that the request prefers."""
    context = LanguageContext(language_context.get().scope)
    context.language = language  # instead of the best one for Accept-Language
    token = language_context.set(context)
    try:
        yield
    finally:
        language_context.reset(token)


def gettext(message: str) -> str:
    """A message in the current language."""
    return language_context.get().translations.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """A message in the current language, in the plural form for a number."""
    return language_context.get().translations.ngettext(singular, plural, number)


def translate_message(message: str) -> tuple[str, str]:
    """A message in the current language, and its actual language: English if it has no translation."""
    translation = gettext(message)
    return translation, ENGLISH if translation == message else current_language()


def list_separator() -> str:
    """The separator of the items of a list in the current language."""
    return get_list_separator(current_language())


LATIN_SCRIPT = "latn"


def format_language_name(tag: str) -> str:
    """The name of a language in the current language, with its script and place; an unknown tag itself."""
    locale = read_locale_data(current_language())
    language, *subtags = tag.split("-")
    name: str = locale["languages"].get(language.lower(), "")
    if not name:
        return tag
    if subtags == [LATIN_SCRIPT]:
        return gettext("%(language)s in Latin letters") % {"language": name}
    details = [
        locale["scripts"].get(subtag.title()) or locale["territories"].get(subtag.upper())
        for subtag in subtags
    ]
    return f"{name} ({', '.join(filter(None, details))})" if any(details) else name


def format_number(value: float) -> str:
    """A number with thousands separators, in the current language."""
    return format_localized_number(value, current_language())


@lru_cache(5000, typed=True)
def format_localized_number(value: float, language: str) -> str:
    """A number with thousands separators, in a language."""
    return format_number_in_language(value, language)


def format_percent(share: float) -> str:
    """A share as a percentage with at most one decimal, in the current language."""
    return format_percent_in_language(round(share, 3), current_language())


def format_byte_count(value: int) -> str:
    """A number of bytes in the current language, in kilobytes or megabytes of a thousand, such as 1.2 MB."""
    unit, divisor = ("megabyte", 1_000_000) if value >= 100_000 else ("kilobyte", 1_000)
    number = round(value / divisor, 1 if value < 10 * divisor else None)
    pattern: str = read_locale_data(current_language())["units"][f"digital-{unit}"]
    return pattern.format(format_number(number))


def format_day(value: date) -> str:
    """A date in words in the current language, such as 25 January 2005."""
    return format_localized_day(value, current_language())


@lru_cache(5000)
def format_localized_day(value: date, language: str) -> str:
    """A date in words in a language."""
    return format_date_in_language(value, read_locale_data(language)["day"], language)


def format_month(value: date, skeleton: str = "yMMMM") -> str:
    """A month in words in the current language; `skeleton` is a CLDR skeleton: yMMMM, yMMM or MMM."""
    pattern = read_locale_data(current_language())["skeletons"][skeleton]
    return format_date_in_language(value, pattern, current_language())


def page_header_fields(fields: dict[str, str]) -> dict[str, str]:
    """The header fields of a page, with Content-Language, and Vary for Accept-Language and Cookie."""
    vary = dict.fromkeys(name.strip() for name in fields.get("Vary", "").split(",") if name.strip())
    vary |= {"Accept-Language": None, "Cookie": None}
    return {"Content-Language": current_language(), **fields, "Vary": ", ".join(vary)}

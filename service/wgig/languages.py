"""In which languages a client reads, and which of many texts are for it (RFC 4647; RFC 9110, 12.5.4)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyoxigraph as ox

from .bodies import parameters, values
from .formats import weights
from .problems import Problem

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request

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

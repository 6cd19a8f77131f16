"""Strict query parameters, and URLs and links of responses (RFC 8288).

A parameter that a route does not know, or that is repeated beyond what it takes, gets 400. Values in a header
field are printable ASCII; everything else is percent-encoded.
"""

import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from ..i18n import PAGE_LANGUAGES
from ..problems import Problem
from ..rdf.formats import Format
from ..rdf.sparql_lexer import check_absolute_iri
from ..text import find_near_name
from .bodies import Pairs, get_query_parameters, parameter_values

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request

LANGUAGE_PARAMETER = "_lang"  # of any page; where it means something, it is gone by now
BARE_PARAMETERS = ("default", "explain", "hints", "saved", "versions")  # which say all by being there
MAX_PARAMETER_VALUES = 50  # values of one parameter, if nothing else is said


def check_query_parameters(request: "Request", once: Sequence[str] = (), many: Sequence[str] = ()) -> Pairs:
    """The pairs of the query string, with no other parameters. Raises Problem as `check_parameter_pairs`."""
    return check_parameter_pairs(get_query_parameters(request), once, many)


def check_parameter_pairs(
    pairs: Pairs, once: Sequence[str] = (), many: Sequence[str] = (), most: int = MAX_PARAMETER_VALUES
) -> Pairs:
    """The pairs. Raises Problem 400 for one that means nothing here, and for too many of a kind.

    Those of `once` may be given once, those of `many` as often as `most` says. The member `parameters` of the
    problem lists what there is, and `suggestion` is the one that was probably meant.
    """
    there = [*once, *many]
    for key in dict(pairs):
        if key == LANGUAGE_PARAMETER:
            raise page_language_problem()
        if key not in there:
            raise unknown_parameter_problem(key, there)
        number, allowed = len(parameter_values(pairs, key)), most if key in many else 1
        if number > allowed:
            times = "once" if allowed == 1 else f"{allowed} times at most"
            raise Problem(400, f"The parameter {key} is given {number} times. Give it {times}.")
        if key in BARE_PARAMETERS and any(parameter_values(pairs, key)):
            raise Problem(400, f"The parameter {key} has no value. Give it bare, or leave it out.")
    return pairs


def page_language_problem() -> Problem:
    """The 400 for a language in which no page speaks, or more than one."""
    there = ", ".join(PAGE_LANGUAGES)
    return Problem(
        400,
        f"The parameter {LANGUAGE_PARAMETER} names one language of the pages. "
        f"Give it once, as one of: {there}. "
        "Of a thing or a graph, the parameter lang asks for texts of the data in other languages.",
        languages=list(PAGE_LANGUAGES),
    )


def unknown_parameter_problem(key: str, there: Sequence[str]) -> Problem:
    """The 400 for a parameter that means nothing."""
    meant = find_near_name(key, there)
    guess = f"Did you mean {meant}? " if meant else ""
    there_are = f"There are: {', '.join(there)}." if there else "There are none."
    members: dict[str, Any] = {"suggestion": meant} if meant else {}
    sentence = f"There is no parameter {key!r} here. {guess}{there_are}"
    return Problem(400, sentence, parameters=list(there), **members)


HEADER_SAFE_CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " "
SERVICE_DESC_LINK = '</openapi.json>; rel="service-desc"'


def build_service_path(name: str, pairs: Iterable[tuple[str, str]], suffix: str = "") -> str:
    """The path of what is called so, with these parameters, in the format of a suffix."""
    path = f"/{name}.{suffix}" if suffix else f"/{name}"
    return add_url_parameters(path, [pair for pair in pairs if pair[0] != "_mediatype"])


def add_url_parameters(url: str, pairs: Iterable[tuple[str, str | None]]) -> str:
    """The URL or path with these parameters behind those that it has; one without a value stands bare."""
    query = "&".join(
        quote_plus(name) if value is None else f"{quote_plus(name)}={quote_plus(value, safe=':,/')}"
        for name, value in pairs
    )
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def content_location_field(name: str, pairs: Pairs, format_: Format) -> dict[str, str]:
    """The field that names the address of just this answer."""
    return {"Content-Location": encode_field_value(build_service_path(name, pairs, format_.suffix))}


def request_base_url(request: "Request") -> str:
    """The service as asked, such as `http://localhost/`. Raises Problem 400 for a host that is none."""
    return check_absolute_iri(str(request.base_url), "The address of the service")


def encode_field_value(text: str) -> str:
    """The text as a header field may hold it, in printable ASCII: all else is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=HEADER_SAFE_CHARACTERS)

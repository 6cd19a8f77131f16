"""Strict query parameters, and URLs and links of responses (RFC 8288).

A parameter that is unknown to the route, or repeated too often, results in 400. Values of header fields are
printable ASCII; all other characters are percent-encoded.
"""

import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from ..i18n import PAGE_LANGUAGES, gettext_noop
from ..problems import Problem, build_sentence, suggest_name_sentences
from ..rdf.formats import Format
from ..rdf.sparql_lexer import check_absolute_iri
from ..text import find_near_name
from .bodies import Pairs, get_query_parameters, parameter_values

if TYPE_CHECKING:  # costs 180 ms, and commands do not need it
    from fastapi import Request

LANGUAGE_PARAMETER = "_lang"  # of any page; if valid, LanguageMiddleware has already removed it
# They must have no value.
BARE_PARAMETERS = ("check", "default", "explain", "hints", "names", "saved", "versions", "work")
MAX_PARAMETER_VALUES = 50  # default limit of one parameter


def check_query_parameters(request: "Request", once: Sequence[str] = (), many: Sequence[str] = ()) -> Pairs:
    """Check and return the pairs of the query string. Raises Problem as `check_parameter_pairs`."""
    return check_parameter_pairs(get_query_parameters(request), once, many)


def check_parameter_pairs(
    pairs: Pairs, once: Sequence[str] = (), many: Sequence[str] = (), max_values: int = MAX_PARAMETER_VALUES
) -> Pairs:
    """Return the pairs unchanged. Raises Problem 400 if a parameter is unknown or repeated too often.

    Parameters in `once` may be given once, parameters in `many` at most `max_values` times. The member
    `parameters` of the problem lists the known names, and `suggestion` is the most similar one.
    """
    known_names = [*once, *many]
    for key in dict(pairs):
        if key == LANGUAGE_PARAMETER:
            raise page_language_problem()
        if key not in known_names:
            raise unknown_parameter_problem(key, known_names)
        count, max_count = len(parameter_values(pairs, key)), max_values if key in many else 1
        if count > max_count:
            times = "once" if max_count == 1 else f"at most {max_count} times"
            raise Problem(400, f"The parameter {key} was sent {count} times. Send it {times}.")
        if key in BARE_PARAMETERS and any(parameter_values(pairs, key)):
            raise Problem(400, f"The parameter {key} takes no value. Send it without =, or leave it out.")
    return pairs


def page_language_problem() -> Problem:
    """The Problem 400 for `_lang` with an unavailable language, or given more than once."""
    return Problem(
        400,
        f"The parameter {LANGUAGE_PARAMETER} sets the language of the pages. Send it once, with "
        f"one of: {', '.join(PAGE_LANGUAGES)}. For data about resources and graphs in other "
        "languages, use the parameter lang.",
        languages=list(PAGE_LANGUAGES),
    )


def unknown_parameter_problem(key: str, known_names: Sequence[str]) -> Problem:
    """The Problem 400 for an unknown parameter, with the known names and the most similar one."""
    suggestion = find_near_name(key, known_names)
    # The names of the page first, before technical ones.
    known_names = sorted(known_names, key=lambda name: name.startswith("_") or ":" in name)
    members: dict[str, Any] = {"suggestion": suggestion} if suggestion else {}
    detail = [
        build_sentence(gettext_noop("There is no parameter %(name)s."), name=repr(key)),
        *suggest_name_sentences(suggestion),
        build_sentence(gettext_noop("The parameters are: %(names)s."), names=", ".join(known_names))
        if known_names
        else build_sentence(gettext_noop("This address takes no parameters.")),
    ]
    return Problem(400, detail, parameters=list(known_names), **members)


HEADER_SAFE_CHARACTERS = string.ascii_letters + string.digits + string.punctuation + " "
SERVICE_DESC_LINK = '</openapi.json>; rel="service-desc"'


def build_service_path(name: str, pairs: Iterable[tuple[str, str]], suffix: str = "") -> str:
    """The path of a route with parameters; the suffix for the format replaces `_mediatype`."""
    path = f"/{name}.{suffix}" if suffix else f"/{name}"
    return add_url_parameters(path, [pair for pair in pairs if pair[0] != "_mediatype"])


def add_url_parameters(url: str, pairs: Iterable[tuple[str, str | None]]) -> str:
    """The URL or path with these parameters added; a parameter with the value None has no `=`."""
    query = "&".join(
        quote_plus(name) if value is None else f"{quote_plus(name)}={quote_plus(value, safe=':,/')}"
        for name, value in pairs
    )
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def content_location_field(name: str, pairs: Pairs, format_: Format) -> dict[str, str]:
    """The Content-Location header of a response: its path, with the suffix of its format."""
    return {"Content-Location": encode_field_value(build_service_path(name, pairs, format_.suffix))}


def request_base_url(request: "Request") -> str:
    """The base URL of the request, such as `http://localhost/`. Raises Problem 400 for an invalid host."""
    return check_absolute_iri(str(request.base_url), "The address of the service")


def encode_field_value(text: str) -> str:
    """The text as the value of a header field: percent-encoded unless it is printable ASCII."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=HEADER_SAFE_CHARACTERS)

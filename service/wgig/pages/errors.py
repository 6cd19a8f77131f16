"""Error responses: every error as a problem document (RFC 9457), or as an HTML page for a browser.

Exceptions of handlers, the store and the framework end here. The page has suggestions, the likeliest first:
the corrected request, the page above, a search for the words of the path, a retry.
"""

import json
import logging
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ..files import FileError
from ..http.language import gettext, page_header_fields
from ..http.negotiation import choose_page_or_data
from ..http.responses import NO_STORE_HEADERS
from ..problems import PROBLEM_KINDS, Problem
from ..rdf.formats import HTML, PROBLEM_JSON
from ..store.errors import StoreError, StoreUnavailableError
from ..text import find_near_name
from .names import KIND_TITLES, localized_kind_title
from .rendering import PATH_SAFE_CHARACTERS, render_template

PATH_WORD_PATTERN = re.compile(r"\w+")
MAX_SEARCHED_PATH_CHARACTERS = 100  # characters of a path in which words are looked for
# Problems that may be gone the next time.
RETRYABLE_PROBLEMS = ("internal", "unavailable", "too-slow", "other-service")
RESOURCE_KIND_PATTERN = re.compile(r"/(?:id|doc)/(?P<kind>[\w-]+)/.+")


class SuggestedLink(NamedTuple):
    """A link, and the words that say where it leads."""

    path: str
    text: str


def suggest_links(problem: Problem, path: str, query: str, pages: Collection[str]) -> list[SuggestedLink]:
    """The ways on from a problem at a path with a query string, the likeliest first; `pages` are paths."""
    return [*iter_suggested_links(problem, path, query, pages)]


def iter_suggested_links(
    problem: Problem, path: str, query: str, pages: Collection[str]
) -> Iterator[SuggestedLink]:
    """The ways on, one by one."""
    if problem.status == 400 and (mended := correct_parameters(problem, parse_qsl(query))):
        yield SuggestedLink(
            f"{path}?{urlencode(mended)}",
            gettext("The same with %(value)s") % {"value": problem.members["suggestion"]},
        )
    thing = RESOURCE_KIND_PATTERN.fullmatch(path)
    if problem.slug in RETRYABLE_PROBLEMS:
        yield SuggestedLink(f"{path}?{query}" if query else path, gettext("Try the same once more"))
    if problem.status in (400, 406) and query and path in pages:
        yield SuggestedLink(path, gettext("The page without any condition"))
    if problem.status == 404 and (meant := find_near_name(path, pages)):
        yield SuggestedLink(meant, gettext("The page %(path)s") % {"path": meant})
    if "graph" in problem.members:
        yield SuggestedLink(problem.members["graph"], gettext("The graph as it is"))
    if thing and thing["kind"] in KIND_TITLES:
        yield SuggestedLink(
            f"/doc/{thing['kind']}",
            gettext("The list: %(title)s") % {"title": localized_kind_title(thing["kind"])},
        )


def correct_parameters(problem: Problem, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters with what was probably meant in place of what the problem quotes, if that is known."""
    meant, found = problem.members.get("suggestion"), [*pairs]
    for place, (key, value) in enumerate(pairs if meant else ()):
        if "parameters" in problem.members and repr(key) in problem.detail:
            found[place] = str(meant), value
        elif repr(value) in problem.detail:
            found[place] = key, str(meant)
    return [] if found == pairs else found


def path_search_words(path: str) -> str:
    """The words in the last part of a path, for a search."""
    return " ".join(
        PATH_WORD_PATTERN.findall(
            path.rstrip("/").rpartition("/")[2][:MAX_SEARCHED_PATH_CHARACTERS].replace("_", " ")
        )
    )


log = logging.getLogger("wgig")

# What our paths say when nothing more exact is known.
HTTP_ERROR_DETAILS = {
    404: "Nothing is found at {path}. {guess}The home page / leads to everything there is.",
    405: "{method} is not possible here. Use one of: {allow}.",
}

# What a script of another origin may send (Fetch, section 3.3).
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "Accept-Datetime, Accept-Profile, Authorization, Content-Disposition, "
    "Content-Encoding, Content-Type, If-Match, If-None-Match, If-Range, Range, Slug, Traceparent, "
    "WGIG-Query-Id, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}


# What a handler raises to refuse a request, apart from what the framework raises.
EXPECTED_ERRORS = (Problem, StoreError, FileError)


class ErrorResponses:
    """The responses of a service to what was refused or failed."""

    def __init__(self, base: str) -> None:
        """Take the base IRI of the graph, below which the kinds of problems are named."""
        self.base = base

    def install(self, app: FastAPI) -> None:
        """Let the app answer every kind of self.refusal in the same way."""
        app.add_exception_handler(Problem, self.respond_to_problem)
        app.add_exception_handler(StoreError, self.respond_to_store_error)
        app.add_exception_handler(FileError, self.respond_to_store_error)
        app.add_exception_handler(HTTPException, self.respond_to_http_error)
        app.add_exception_handler(RequestValidationError, self.respond_to_parameter_error)

    def respond_to_expected_error(self, request: Request, error: Exception) -> Response:
        """The answer in place of the one that was refused: `error` is one of EXPECTED."""
        return (
            self.respond_to_problem(request, error)
            if isinstance(error, Problem)
            else self.respond_to_store_error(request, error)
        )

    def respond_to_problem(self, request: Request, problem: Exception) -> Response:
        """A Problem that a handler raised."""
        assert isinstance(problem, Problem)
        return self.respond_with_problem(request, problem)

    def respond_to_store_error(self, request: Request, error: Exception) -> Response:
        """A failure of the disk or of the service behind the store; the log alone says which."""
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        if isinstance(error, StoreUnavailableError):
            sentence = "The service that holds the data does not answer, or others write. Try again soon."
            return self.respond_with_problem(request, Problem(503, sentence, headers={"Retry-After": "5"}))
        sentence = "The store does not work now. Try again later."
        return self.respond_with_problem(request, Problem(503, sentence))

    def respond_to_http_error(self, request: Request, error: Exception) -> Response:
        """What the framework refuses: an unknown path, a wrong method; OPTIONS is told what is allowed."""
        assert isinstance(error, HTTPException)
        allow = ", ".join(sorted(allowed_methods(request)))
        headers = {"Allow": allow} if error.status_code == 405 else {}
        if request.method == "OPTIONS" and headers:
            return Response(
                status_code=204,
                headers={**headers, "Access-Control-Allow-Methods": allow, **PREFLIGHT_HEADERS},
            )
        meant = find_near_name(request.url.path, list_page_paths(request)) if error.status_code == 404 else ""
        guess = f"Did you mean {meant}? " if meant else ""
        sentence = HTTP_ERROR_DETAILS.get(error.status_code, str(error.detail))
        detail = sentence.format(
            path=raw_request_path(request), method=request.method, allow=allow, guess=guess
        )
        members = {"suggestion": meant} if meant else {}
        return self.respond_with_problem(
            request, Problem(error.status_code, detail, headers=headers, **members)
        )

    def respond_to_parameter_error(self, request: Request, error: Exception) -> Response:
        """Parameters that do not fit their description."""
        assert isinstance(error, RequestValidationError)
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return self.respond_with_problem(request, Problem(400, f"The parameters do not fit: {faults}."))

    def respond_with_problem(self, request: Request, problem: Problem) -> Response:
        """The response for a problem: a page where the client likes HTML best, else JSON in any case.

        Where nothing is found at an address that ends in a slash, the way leads to the one without it.
        """
        if (
            problem.status == 404
            and request.method in ("GET", "HEAD")
            and request.scope["path"].endswith("/")
        ):
            return Response(status_code=308, headers={"Location": strip_trailing_slash(request)})
        members = problem.document(self.base, raw_request_path(request))
        headers = {"Vary": "Accept", **NO_STORE_HEADERS, **problem.headers}
        if choose_page_or_data(request, PROBLEM_JSON) is HTML:
            page = render_template(
                "problem.html",
                base=self.base,
                problem=members,
                kind=PROBLEM_KINDS[problem.slug],
                asked=getattr(request.state, "asked", []),
                ways=suggest_links(problem, request.url.path, request.url.query, list_page_paths(request)),
                words=path_search_words(request.url.path),
            )
            return Response(page, problem.status, page_header_fields(headers), HTML.content_type)
        return Response(
            json.dumps(members, ensure_ascii=False), problem.status, headers, PROBLEM_JSON.media_type
        )


def raw_request_path(request: Request) -> str:
    """The path of the request as it was sent, percent signs and all."""
    sent: bytes = request.scope["raw_path"]
    return sent.decode("latin-1")


def allowed_methods(request: Request) -> set[str]:
    """The methods that the request's path knows."""
    matches = ((route, route.matches(request.scope)[0]) for route in request.app.routes)
    return {method for route, match in matches if match != Match.NONE for method in route.methods} | {
        "OPTIONS"
    }


def list_page_paths(request: Request) -> list[str]:
    """The paths of the service that stand for one page each."""
    return [route.path for route in request.app.routes if "{" not in route.path and "GET" in route.methods]


def strip_trailing_slash(request: Request) -> str:
    """The address of the request without a slash at its end, on this host whatever it begins with."""
    shorter = quote(f"/{request.scope['path'].strip('/')}", safe=PATH_SAFE_CHARACTERS)
    return f"{shorter}?{request.url.query}" if request.url.query else shorter

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
from ..http.language import for_people, gettext
from ..http.responses import page_or
from ..problems import KINDS, Problem
from ..rdf.formats import HTML, PROBLEM
from ..store.errors import StoreError, UnavailableError
from ..text import near
from .names import TITLES, called
from .rendering import PATH, render

WORD = re.compile(r"\w+")
LONGEST = 100  # characters of a path in which words are looked for
AGAIN = ("internal", "unavailable", "too-slow", "other-service")  # problems that may be gone the next time
THING = re.compile(r"/(?:id|doc)/(?P<kind>[\w-]+)/.+")


class Way(NamedTuple):
    """A link, and the words that say where it leads."""

    path: str
    text: str


def ways(problem: Problem, path: str, query: str, pages: Collection[str]) -> list[Way]:
    """The ways on from a problem at a path with a query string, the likeliest first; `pages` are paths."""
    return [*likely(problem, path, query, pages)]


def likely(problem: Problem, path: str, query: str, pages: Collection[str]) -> Iterator[Way]:
    """The ways on, one by one."""
    if problem.status == 400 and (mended := mend(problem, parse_qsl(query))):
        yield Way(
            f"{path}?{urlencode(mended)}",
            gettext("The same with %(value)s") % {"value": problem.members["suggestion"]},
        )
    thing = THING.fullmatch(path)
    if problem.slug in AGAIN:
        yield Way(f"{path}?{query}" if query else path, gettext("Try the same once more"))
    if problem.status in (400, 406) and query and path in pages:
        yield Way(path, gettext("The page without any condition"))
    if problem.status == 404 and (meant := near(path, pages)):
        yield Way(meant, gettext("The page %(path)s") % {"path": meant})
    if "graph" in problem.members:
        yield Way(problem.members["graph"], gettext("The graph as it is"))
    if thing and thing["kind"] in TITLES:
        yield Way(f"/doc/{thing['kind']}", gettext("The list: %(title)s") % {"title": called(thing["kind"])})


def mend(problem: Problem, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters with what was probably meant in place of what the problem quotes, if that is known."""
    meant, found = problem.members.get("suggestion"), [*pairs]
    for place, (key, value) in enumerate(pairs if meant else ()):
        if "parameters" in problem.members and repr(key) in problem.detail:
            found[place] = str(meant), value
        elif repr(value) in problem.detail:
            found[place] = key, str(meant)
    return [] if found == pairs else found


def words_of(path: str) -> str:
    """The words in the last part of a path, for a search."""
    return " ".join(WORD.findall(path.rstrip("/").rpartition("/")[2][:LONGEST].replace("_", " ")))


log = logging.getLogger("wgig")

# What our paths say when nothing more exact is known.
SENTENCES = {
    404: "Nothing is found at {path}. {guess}The home page / leads to everything there is.",
    405: "{method} is not possible here. Use one of: {allow}.",
}

# What a script of another origin may send (Fetch, section 3.3).
PREFLIGHT = {
    "Access-Control-Allow-Headers": "Accept-Datetime, Accept-Profile, Authorization, Content-Disposition, "
    "Content-Encoding, Content-Type, If-Match, If-None-Match, If-Range, Range, Slug, Traceparent, "
    "WGIG-Query-Id, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}


def install(app: FastAPI) -> None:
    """Let the app answer every kind of refusal in the same way."""
    app.add_exception_handler(Problem, refuse_problem)
    app.add_exception_handler(StoreError, refuse_store)
    app.add_exception_handler(FileError, refuse_store)
    app.add_exception_handler(HTTPException, refuse_http)
    app.add_exception_handler(RequestValidationError, refuse_parameters)


# What a handler raises to refuse a request, apart from what the framework raises.
EXPECTED = (Problem, StoreError, FileError)


def refused(request: Request, error: Exception) -> Response:
    """The answer in place of the one that was refused: `error` is one of EXPECTED."""
    return refuse_problem(request, error) if isinstance(error, Problem) else refuse_store(request, error)


def refuse_problem(request: Request, problem: Exception) -> Response:
    """A Problem that a handler raised."""
    assert isinstance(problem, Problem)
    return refusal(request, problem)


def refuse_store(request: Request, error: Exception) -> Response:
    """A failure of the disk or of the service behind the store; the log alone says which."""
    log.error("%s %s failed: %s", request.method, request.url.path, error)
    if isinstance(error, UnavailableError):
        sentence = "The service that holds the data does not answer, or others write. Try again soon."
        return refusal(request, Problem(503, sentence, headers={"Retry-After": "5"}))
    sentence = "The store does not work now. Try again later."
    return refusal(request, Problem(503, sentence))


def refuse_http(request: Request, error: Exception) -> Response:
    """What the framework refuses: an unknown path, a wrong method; OPTIONS is told what is allowed."""
    assert isinstance(error, HTTPException)
    allow = ", ".join(sorted(allowed(request)))
    headers = {"Allow": allow} if error.status_code == 405 else {}
    if request.method == "OPTIONS" and headers:
        return Response(
            status_code=204, headers={**headers, "Access-Control-Allow-Methods": allow, **PREFLIGHT}
        )
    meant = near(request.url.path, pages_of(request)) if error.status_code == 404 else ""
    guess = f"Did you mean {meant}? " if meant else ""
    sentence = SENTENCES.get(error.status_code, str(error.detail))
    detail = sentence.format(path=path(request), method=request.method, allow=allow, guess=guess)
    members = {"suggestion": meant} if meant else {}
    return refusal(request, Problem(error.status_code, detail, headers=headers, **members))


def refuse_parameters(request: Request, error: Exception) -> Response:
    """Parameters that do not fit their description."""
    assert isinstance(error, RequestValidationError)
    faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return refusal(request, Problem(400, f"The parameters do not fit: {faults}."))


def path(request: Request) -> str:
    """The path of the request as it was sent, percent signs and all."""
    sent: bytes = request.scope["raw_path"]
    return sent.decode("latin-1")


def allowed(request: Request) -> set[str]:
    """The methods that the request's path knows."""
    matches = ((route, route.matches(request.scope)[0]) for route in request.app.routes)
    return {method for route, match in matches if match != Match.NONE for method in route.methods} | {
        "OPTIONS"
    }


def refusal(request: Request, problem: Problem) -> Response:
    """The response for a problem: a page where the client likes HTML best, else JSON, whatever it accepts.

    Where nothing is found at an address that ends in a slash, the way leads to the one without it.
    """
    if problem.status == 404 and request.method in ("GET", "HEAD") and request.scope["path"].endswith("/"):
        return Response(status_code=308, headers={"Location": without_slash(request)})
    members = problem.document(request.app.state.settings.base, path(request))
    headers = {"Vary": "Accept", "Cache-Control": "no-store", **problem.headers}
    if page_or(request, PROBLEM) is HTML:
        page = render(
            "problem.html",
            base=request.app.state.settings.base,
            problem=members,
            kind=KINDS[problem.slug],
            asked=getattr(request.state, "asked", []),
            ways=ways(problem, request.url.path, request.url.query, pages_of(request)),
            words=words_of(request.url.path),
        )
        return Response(page, problem.status, for_people(headers), HTML.content_type)
    return Response(json.dumps(members, ensure_ascii=False), problem.status, headers, PROBLEM.media_type)


def pages_of(request: Request) -> list[str]:
    """The paths of the service that stand for one page each."""
    return [route.path for route in request.app.routes if "{" not in route.path and "GET" in route.methods]


def without_slash(request: Request) -> str:
    """The address of the request without a slash at its end, on this host whatever it begins with."""
    shorter = quote(f"/{request.scope['path'].strip('/')}", safe=PATH)
    return f"{shorter}?{request.url.query}" if request.url.query else shorter

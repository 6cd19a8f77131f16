"""Error responses: every error as a problem document (RFC 9457), or as an HTML page for a browser.

Exceptions of handlers, the store and the framework are handled here. An error page suggests links: the
corrected request, a retry, the list of resources of the same kind, and a search for the words of the path.
"""

import json
import logging
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

import pyoxigraph as ox
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.routing import Match
from wgig_client.namespaces import BASE_IRI

from ..files import FileError
from ..http.language import (
    current_language,
    format_language_name,
    gettext,
    list_separator,
    page_header_fields,
    translate_message,
)
from ..http.negotiation import choose_page_or_data
from ..http.responses import NO_STORE_HEADERS
from ..http.status import DAMAGED_STORE_DETAIL, ServiceStatus
from ..i18n import gettext_noop
from ..problems import (
    PROBLEM_KINDS,
    DetailSentence,
    Problem,
    build_sentence,
    suggest_name_sentences,
)
from ..rdf.formats import HTML, PROBLEM_JSON
from ..store.errors import DamagedStoreError, StoreError, StoreUnavailableError, is_engine_damage
from ..store.labels import find_labels
from ..text import find_near_name, shorten_untrusted_text
from .dependencies import find_store
from .names import KIND_TITLES, localized_kind_title
from .rendering import ENGLISH_MARKUP, PATH_SAFE_CHARACTERS, render_template

LANGUAGES_VALUE = "language_tags"  # a value in a sentence: tags, which pages replace by names
PATH_WORD_PATTERN = re.compile(r"\w+")
MAX_SEARCHED_PATH_CHARACTERS = 100  # of the last segment of a path, for the words of a search
# Problems after which a retry may succeed.
RETRYABLE_PROBLEMS = ("internal", "unavailable", "too-slow", "other-service")
VALUE_MARKUP = Markup("<bdi>%s</bdi>")  # of a value within a sentence
TRACKING_PARAMETER_PATTERN = re.compile(r"(utm_\w+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid)(=|$)")
RESOURCE_KIND_PATTERN = re.compile(r"/(?:id|doc)/(?P<kind>[\w-]+)/.+")
VALUE_PLACE_PATTERN = re.compile(r"(<?%\(\w+\)s>?)")  # of a sentence; the brackets are those of an IRI
QUOTED_TEXT_PATTERN = re.compile(r"(?<!\w)'([^']*)'(?!\w)")  # a value as Python quotes it
OUR_IRI_PATTERN = re.compile(f"<{re.escape(BASE_IRI)}(?:id|graph)/([^<>]+)>")
ADDRESS_PATTERN = re.compile(r"(?<!\S)(/[a-z][\w/-]*(?:\?versions)?)(?=[.,;]?(?:\s|$))")
CHOICE_MARKUP = Markup('<a href="%s">%s</a>')
ADDRESS_MARKUP = Markup('<a href="%s" dir="ltr">%s</a>')


class SuggestedLink(NamedTuple):
    """A link on an error page: path and text."""

    path: str
    text: str


def suggest_links(problem: Problem, path: str, query: str, pages: Collection[str]) -> list[SuggestedLink]:
    """Links that may help after a problem, the most likely first; `pages` are the paths of pages."""
    return [*iter_suggested_links(problem, path, query, pages)]


def iter_suggested_links(
    problem: Problem, path: str, query: str, pages: Collection[str]
) -> Iterator[SuggestedLink]:
    """The links that `suggest_links` lists."""
    if problem.status == 400 and (corrected := correct_parameters(problem, parse_qsl(query))):
        yield SuggestedLink(
            f"{path}?{urlencode(corrected)}",
            gettext("Repeat the request with %(value)s") % {"value": problem.members["suggestion"]},
        )
    resource = RESOURCE_KIND_PATTERN.fullmatch(path)
    if problem.slug in RETRYABLE_PROBLEMS:
        yield SuggestedLink(f"{path}?{query}" if query else path, gettext("Try again"))
    if problem.status in (400, 406) and query and path in pages:
        if kept := remove_wrong_parameters(problem, parse_qsl(query)):
            yield SuggestedLink(f"{path}?{urlencode(kept)}", gettext("The page without the wrong parameter"))
        yield SuggestedLink(path, gettext("The page without parameters"))
    if "graph" in problem.members:
        yield SuggestedLink(problem.members["graph"], gettext("The current graph"))
    if "last" in problem.members:
        yield SuggestedLink(problem.members["last"], gettext("Go to the last page"))
        yield SuggestedLink(path, gettext("The whole list"))
    if problem.status == 404 and path.startswith("/shapes/"):
        yield SuggestedLink("/shapes", gettext("See all rules"))
    if problem.status in (400, 404) and path.startswith("/graph/"):
        yield SuggestedLink("/graphs", gettext("See all graphs"))
    if resource and resource["kind"] in KIND_TITLES:
        yield SuggestedLink(
            f"/doc/{resource['kind']}",
            gettext("The list: %(title)s") % {"title": localized_kind_title(resource["kind"])},
        )


def find_near_page(path: str, pages: Collection[str]) -> str:
    """The path of a page that is most similar to a path, apart from the slash; empty if none is similar."""
    name = find_near_name(path.removeprefix("/"), [page.removeprefix("/") for page in pages])
    return f"/{name}" if name else ""


def correct_parameters(problem: Problem, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters with the suggestion of the problem in place of the name or value that its detail quotes.

    Empty if the problem has no suggestion, or quotes none of the parameters.
    """
    suggestion, corrected = problem.members.get("suggestion"), [*pairs]
    for index, (key, value) in enumerate(pairs if suggestion else ()):
        if "parameters" in problem.members and repr(key) in problem.detail:
            corrected[index] = str(suggestion), value
        elif repr(value) in problem.detail:
            corrected[index] = key, str(suggestion)
    return [] if corrected == pairs else corrected


def remove_wrong_parameters(problem: Problem, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters without those that the detail of the problem quotes; empty if it quotes none."""
    kept = [
        (key, value)
        for key, value in pairs
        if repr(value) not in problem.detail
        and ("parameters" not in problem.members or repr(key) not in problem.detail)
    ]
    return [] if kept == pairs else kept


def path_search_words(path: str) -> str:
    """The words in the last segment of a path, for a search."""
    return " ".join(
        PATH_WORD_PATTERN.findall(
            path.rstrip("/").rpartition("/")[2][:MAX_SEARCHED_PATH_CHARACTERS].replace("_", " ")
        )
    )


log = logging.getLogger("wgig")


# CORS: the headers that scripts of other origins may send (Fetch, section 3.3).
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": "Accept-Datetime, Accept-Profile, Authorization, Content-Disposition, "
    "Content-Encoding, Content-Type, If-Match, If-None-Match, If-Range, Range, Slug, Traceparent, "
    "WGIG-Query-Id, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}


# The exceptions that handlers raise, except those of the framework.
EXPECTED_ERRORS = (Problem, StoreError, FileError, RuntimeError)


class ErrorResponses:
    """The error responses of a service."""

    def __init__(self, base: str, status: ServiceStatus) -> None:
        """`base` is the base IRI of the graph, with which the IRIs of problem types begin."""
        self.base, self.status = base, status

    def install(self, app: FastAPI) -> None:
        """Register the exception handlers of an app."""
        app.add_exception_handler(Problem, self.respond_to_problem)
        app.add_exception_handler(StoreError, self.respond_to_store_error)
        app.add_exception_handler(FileError, self.respond_to_store_error)
        app.add_exception_handler(RuntimeError, self.respond_to_engine_error)
        app.add_exception_handler(HTTPException, self.respond_to_http_error)
        app.add_exception_handler(RequestValidationError, self.respond_to_parameter_error)

    def respond_to_expected_error(self, request: Request, error: Exception) -> Response:
        """The response to an exception of EXPECTED_ERRORS. Raises an error that is not about damage again."""
        if isinstance(error, Problem):
            return self.respond_to_problem(request, error)
        if isinstance(error, RuntimeError):
            return self.respond_to_engine_error(request, error)
        return self.respond_to_store_error(request, error)

    def respond_to_engine_error(self, request: Request, error: Exception) -> Response:
        """The response to an error of the engine about a damaged file. Raises any other error again."""
        if not is_engine_damage(error):
            raise error
        return self.respond_to_store_error(request, error)

    def respond_to_problem(self, request: Request, problem: Exception) -> Response:
        """The response to a Problem that a handler raised."""
        assert isinstance(problem, Problem)
        return self.respond_with_problem(request, problem)

    def respond_to_store_error(self, request: Request, error: Exception) -> Response:
        """The response to a failure of the disk or the store; the cause is only logged."""
        log.error("%s %s failed: %s", request.method, request.url.path, error)
        if isinstance(error, DamagedStoreError) or is_engine_damage(error):
            self.status.report_damage()
            return self.respond_with_problem(request, Problem(503, DAMAGED_STORE_DETAIL))
        if isinstance(error, StoreUnavailableError):
            detail = [
                build_sentence(gettext_noop("The store does not respond or is busy with other writes.")),
                build_sentence(gettext_noop("Try again soon.")),
            ]
            return self.respond_with_problem(request, Problem(503, detail, headers={"Retry-After": "5"}))
        failure = [
            build_sentence(gettext_noop("The store failed.")),
            build_sentence(gettext_noop("Try again later.")),
        ]
        return self.respond_with_problem(request, Problem(503, failure))

    def respond_to_http_error(self, request: Request, error: Exception) -> Response:
        """The response to an error of the framework, such as 404 or 405, or to OPTIONS."""
        assert isinstance(error, HTTPException)
        allow = ", ".join(sorted(allowed_methods(request)))
        headers = {"Allow": allow} if error.status_code == 405 else {}
        if request.method == "OPTIONS" and headers:
            return Response(
                status_code=204,
                headers={**headers, "Access-Control-Allow-Methods": allow, **PREFLIGHT_HEADERS},
            )
        is_not_found = error.status_code == 404
        suggestion = find_near_page(request.url.path, list_page_paths(request)) if is_not_found else ""
        members = {"suggestion": suggestion} if suggestion else {}
        detail: str | list[DetailSentence] = str(error.detail)
        if is_not_found:
            detail = [
                build_sentence(gettext_noop("There is nothing at %(path)s."), path=raw_request_path(request)),
                *suggest_name_sentences(suggestion),
                build_sentence(gettext_noop("The home page links to all parts of this service.")),
            ]
        elif error.status_code == 405:
            message = gettext_noop("The method %(method)s is not supported here. Use one of: %(methods)s.")
            detail = [build_sentence(message, method=request.method, methods=allow)]
        return self.respond_with_problem(
            request, Problem(error.status_code, detail, headers=headers, **members)
        )

    def respond_to_parameter_error(self, request: Request, error: Exception) -> Response:
        """The response to query parameters that FastAPI finds invalid."""
        assert isinstance(error, RequestValidationError)
        reasons = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        return self.respond_with_problem(request, Problem(400, f"Invalid parameters: {reasons}."))

    def respond_with_problem(self, request: Request, problem: Problem) -> Response:
        """The response for a problem: a page if the client prefers HTML, else always JSON.

        A 404 for a path that ends in a slash becomes a redirect to the path without the slash, and a 400 for
        a page with tracking parameters becomes a redirect to the page without them.
        """
        if problem.status == 404 and request.scope["path"].endswith("/") and is_read_request(request):
            return Response(status_code=308, headers={"Location": strip_trailing_slash(request)})
        is_page = choose_page_or_data(request, PROBLEM_JSON) is HTML
        if problem.status == 400 and is_page and is_read_request(request):
            query = remove_tracking_parameters(request.url.query)
            if query != request.url.query:
                location = build_local_address(request.scope["path"], query)
                return Response(status_code=308, headers={"Location": location, "Vary": "Accept"})
        members = problem.document(self.base, raw_request_path(request))
        headers = {"Vary": "Accept", **NO_STORE_HEADERS, **problem.headers}
        if is_page:
            page = render_template(
                "problem.html",
                base=self.base,
                problem=members,
                detail=render_choices(problem, request.url.path, parse_qsl(request.url.query))
                or render_detail(problem, list_page_paths(request)),
                kind=PROBLEM_KINDS[problem.slug],
                labels=self.find_suggested_labels(request, problem),
                query_parameters=getattr(request.state, "query_parameters", []),
                suggested_links=suggest_links(
                    problem, request.url.path, request.url.query, list_page_paths(request)
                ),
                search_words=path_search_words(request.url.path),
            )
            return Response(page, problem.status, page_header_fields(headers), HTML.content_type)
        return Response(
            json.dumps(members, ensure_ascii=False), problem.status, headers, PROBLEM_JSON.media_type
        )

    def find_suggested_labels(self, request: Request, problem: Problem) -> dict[str, ox.Literal]:
        """The label of the resource that a problem suggests, by its IRI; empty if it suggests none."""
        suggestion = problem.members.get("suggestion", "")
        is_resource = suggestion.startswith(f"{self.base}id/")
        return find_labels(find_store(request), [suggestion] if is_resource else ())


def render_detail(problem: Problem, pages: Collection[str] = ()) -> Markup:
    """The detail of a problem, translated as far as possible; what is in English is marked as such.

    Addresses of these pages become links. A question whether a resource was meant is left out, because the
    page asks it with a link.
    """
    if not problem.sentences:
        return ENGLISH_MARKUP % render_detail_text(problem.detail, pages)
    suggestion = problem.members.get("suggestion", "")
    return Markup(" ").join(
        render_detail_sentence(sentence, pages)
        for sentence in problem.sentences
        if not suggestion.startswith("http") or suggestion not in sentence.values.values()
    )


def render_choices(problem: Problem, path: str, pairs: Sequence[tuple[str, str]]) -> Markup | None:
    """The detail of a problem that lists values of a parameter, each a link to the request with that value.

    None for other problems.
    """
    wrong = next((index for index, (_, value) in enumerate(pairs) if repr(value) in problem.detail), None)
    if wrong is None or "choices" not in problem.members:
        return None
    key = pairs[wrong][0]
    links = [
        CHOICE_MARKUP % (f"{path}?{urlencode([*pairs[:wrong], (key, name), *pairs[wrong + 1 :]])}", name)
        for name in problem.members["choices"]
    ]
    message = escape(gettext("“%(value)s” is not a value of “%(name)s”. Choose one:"))
    ellipsis = list_separator() + "…" if problem.detail.endswith("….") else ""
    values = {"value": VALUE_MARKUP % shorten_untrusted_text(pairs[wrong][1]), "name": VALUE_MARKUP % key}
    return message % values + " " + escape(list_separator()).join(links) + ellipsis


def render_detail_sentence(sentence: DetailSentence, pages: Collection[str]) -> Markup:
    """A sentence of a detail in the language of the page, or marked as English."""
    values = {name: shorten_untrusted_text(text) for name, text in sentence.values.items()}
    if LANGUAGES_VALUE in values:
        names = map(format_language_name, values[LANGUAGES_VALUE].split(", "))
        values[LANGUAGES_VALUE] = list_separator().join(names)
    translation, text_language = translate_message(sentence.message)
    parts = VALUE_PLACE_PATTERN.split(translation)
    markup = Markup().join(
        VALUE_MARKUP % render_detail_text(part % values, pages)
        if index % 2
        else render_detail_text(part, pages)
        for index, part in enumerate(parts)
    )
    return markup if text_language == current_language() else ENGLISH_MARKUP % markup


def render_detail_text(text: str, pages: Collection[str]) -> Markup:
    """A text of a detail, with quotation marks, short names for IRIs, and links to the addresses of pages."""
    for pattern in (QUOTED_TEXT_PATTERN, OUR_IRI_PATTERN):
        text = pattern.sub(r"“\1”", text)
    parts = enumerate(ADDRESS_PATTERN.split(text))
    return Markup().join(
        ADDRESS_MARKUP % (part, part)
        if index % 2 and (part in pages or part.startswith("/graph/"))
        else escape(part)
        for index, part in parts
    )


def raw_request_path(request: Request) -> str:
    """The path of the request as it was sent, with its percent-encoding."""
    raw_path: bytes = request.scope["raw_path"]
    return raw_path.decode("latin-1")


def allowed_methods(request: Request) -> set[str]:
    """The methods that the path of the request supports."""
    matches = ((route, route.matches(request.scope)[0]) for route in request.app.routes)
    return {method for route, match in matches if match != Match.NONE for method in route.methods} | {
        "OPTIONS"
    }


def list_page_paths(request: Request) -> list[str]:
    """The paths of GET routes without path parameters."""
    return [route.path for route in request.app.routes if "{" not in route.path and "GET" in route.methods]


def is_read_request(request: Request) -> bool:
    """Whether the method is GET or HEAD."""
    return request.method in ("GET", "HEAD")


def strip_trailing_slash(request: Request) -> str:
    """The path and query string of the request without trailing slashes; never a URL of another host."""
    return build_local_address(request.scope["path"].rstrip("/"), request.url.query)


def remove_tracking_parameters(query: str) -> str:
    """The query string without the parameters that other sites add to links."""
    return "&".join(pair for pair in query.split("&") if not TRACKING_PARAMETER_PATTERN.match(pair))


def build_local_address(path: str, query: str) -> str:
    """The address of a path with a query string, which may be empty; never a URL of another host."""
    encoded_path = quote(f"/{path.lstrip('/')}", safe=PATH_SAFE_CHARACTERS)
    return f"{encoded_path}?{query}" if query else encoded_path

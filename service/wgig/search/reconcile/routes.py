"""/reconcile: the Reconciliation Service API 0.2, by which OpenRefine matches tables to our things."""

from typing import Any

from fastapi import Request, Response

from ..._version import __version__
from ...http import bodies
from ...http.bodies import FORM_MEDIA_TYPE, Pairs, get_query_parameters, parameter_values, parse_form
from ...http.language import label_languages
from ...http.negotiation import choose_page_or_data, choose_response_format
from ...http.parameters import check_parameter_pairs, check_query_parameters
from ...http.responses import respond_with_body, respond_with_json
from ...pages import rendering
from ...pages.dependencies import ContextDep, RequestContext
from ...pages.names import KIND_TITLES
from ...problems import Problem
from ...rdf.formats import HTML, JSON
from ...resources.description import is_known_iri
from ...resources.labels import find_labels
from ...resources.representation import render_site_page
from ...settings import SERVICE_TITLE
from ..database import list_distinct_values, read_index_entry
from ..dependencies import IndexDep, SearchesDep
from ..entries import EntryKey
from ..index import FullTextIndex
from ..routes import parse_unique_parameters
from .candidates import (
    MAX_SUGGESTIONS,
    build_reconciliation_result,
    entry_description,
    propose_kind_properties,
    suggest_entities,
    suggest_properties,
    suggest_types,
)
from .extend import build_extension_answer
from .request import MAX_BATCH_QUERIES, build_kind_types, identifier_space, parse_iri_node, parse_query_batch

MAX_RECONCILIATION_BYTES = 1024 * 1024  # bytes of a batch
RECONCILIATION_OPERATIONS = ("queries", "extend")
PREVIEW_WIDTH_PIXELS, PREVIEW_HEIGHT_PIXELS = 430, 260  # pixels of a preview
# A preview stands in the pages of others, and does no more than any page.
PREVIEW_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors *"
)


async def get_reconciliation(context: ContextDep, index: IndexDep, searches: SearchesDep) -> Response:
    """What the service can do (the manifest), or the candidates of a batch of queries in the address."""
    return await searches.run(
        answer_reconciliation,
        context,
        index,
        parse_reconciliation_parameters(context.request, *RECONCILIATION_OPERATIONS),
    )


async def post_reconciliation(context: ContextDep, index: IndexDep, searches: SearchesDep) -> Response:
    """The candidates of a batch of queries, or values of properties, asked for by a form."""
    request = context.request
    bodies.check_content_type(request, (FORM_MEDIA_TYPE,))
    check_query_parameters(request)
    pairs = parse_form(await bodies.read_request_body(request, MAX_RECONCILIATION_BYTES))
    refuse_callback(pairs)
    check_parameter_pairs(pairs, RECONCILIATION_OPERATIONS)
    if not pairs:
        raise Problem(400, f"The form is empty. Send {' or '.join(RECONCILIATION_OPERATIONS)}.")
    return await searches.run(answer_reconciliation, context, index, dict(pairs))


async def get_suggestions(request: Request, index: IndexDep, searches: SearchesDep, what: str) -> Response:
    """What somebody may mean who began to type: `entity`, `type` or `property`."""
    return await searches.run(
        answer_suggestion_request,
        request,
        index,
        what,
        parse_reconciliation_parameters(request, "prefix", "cursor", "type"),
    )


async def get_preview(request: Request, index: IndexDep, searches: SearchesDep) -> Response:
    """A thing in short, to stand in the page of a client."""
    asked = parse_reconciliation_parameters(request, "id")
    choose_response_format(request, (HTML,))
    return await searches.run(answer_preview_request, request, index, asked)


async def get_property_proposals(request: Request, index: IndexDep, searches: SearchesDep) -> Response:
    """The properties that things of a type have, for data extension."""
    return await searches.run(
        answer_proposal_request, request, index, parse_reconciliation_parameters(request, "type", "limit")
    )


def parse_reconciliation_parameters(request: Request, *known: str) -> dict[str, str]:
    """The parameters of a request, of which these are known. Raises Problem 400."""
    refuse_callback(get_query_parameters(request))
    return parse_unique_parameters(request, known)


def answer_reconciliation(context: RequestContext, index: FullTextIndex, given: dict[str, str]) -> Response:
    """The answer to a batch or data extension; without one, the manifest."""
    request = context.request
    if len(given) > 1:
        raise Problem(400, "Both queries and extend were sent. Send one of them.")
    if "queries" in given:
        asked = parse_query_batch(
            given["queries"], index.query(list_distinct_values, "kind"), index.store, index.base
        )
        return respond_with_json(
            request, {key: build_reconciliation_result(one, index) for key, one in asked.items()}
        )
    if "extend" in given:
        return respond_with_json(request, build_extension_answer(given["extend"], index.store, index.base))
    told = build_service_manifest(
        str(request.base_url), index.query(list_distinct_values, "kind"), index.base
    )
    return (
        respond_with_manifest_page(context, told)
        if choose_page_or_data(request, JSON) is HTML
        else respond_with_json(request, told)
    )


def build_service_manifest(home: str, there: list[str], base: str) -> dict[str, Any]:
    """What the service can do (section 3 of the specification); `home` is its address."""
    service = f"{home}reconcile"
    return {
        "versions": ["0.2"],
        "name": SERVICE_TITLE,
        "identifierSpace": identifier_space(base),
        "schemaSpace": identifier_space(base),
        "documentation": home,
        "serviceVersion": __version__,
        "logo": f"{home}{rendering.build_static_path('icon.svg').removeprefix('/')}",
        "batchSize": MAX_BATCH_QUERIES,
        "defaultTypes": [one.to_json() for one in build_kind_types(there)],
        "view": {"url": f"{home}doc/{{{{id}}}}"},
        "preview": {
            "url": f"{service}/preview?id={{{{id}}}}",
            "width": PREVIEW_WIDTH_PIXELS,
            "height": PREVIEW_HEIGHT_PIXELS,
        },
        "suggest": {
            what: {"service_url": service, "service_path": f"/suggest/{what}"}
            for what in ("entity", "type", "property")
        },
        "extend": {
            "propose_properties": {"service_url": service, "service_path": "/properties"},
            "property_settings": [],
        },
    }


def respond_with_manifest_page(context: RequestContext, manifest: dict[str, Any]) -> Response:
    """The page of what the service can do, and how to use it."""
    page = render_site_page(
        context,
        "reconcile.html",
        service=f"{context.request.base_url}reconcile",
        kinds={one["id"]: one["name"] for one in manifest["defaultTypes"]},
        listed=KIND_TITLES,
        batch=manifest["batchSize"],
    )
    return respond_with_body(context.request, page, HTML)


def answer_suggestion_request(
    request: Request, index: FullTextIndex, what: str, given: dict[str, str]
) -> Response:
    """The suggestions of a kind. Raises Problem 400 and 404."""
    if "prefix" not in given:
        raise Problem(400, "Nothing is typed yet. Give it as the parameter prefix.")
    prefix, start = given["prefix"], parse_bounded_number(given, "cursor", 0, 10_000)
    of_kind = parse_kind_identifier(given.get("type", ""), index) if what == "entity" else ""
    match what:
        case "entity":
            return respond_with_json(request, {"result": suggest_entities(prefix, of_kind, start, index)})
        case "type":
            return respond_with_json(
                request, {"result": suggest_types(prefix, start, index.query(list_distinct_values, "kind"))}
            )
        case "property":
            return respond_with_json(request, {"result": suggest_properties(prefix, start, index)})
    raise Problem(404, f"There are no suggestions of {what!r}. There are those of entity, type and property.")


def answer_proposal_request(request: Request, index: FullTextIndex, given: dict[str, str]) -> Response:
    """The properties of a type. Raises Problem 400."""
    of_kind, limit = (
        parse_kind_identifier(given.get("type", ""), index),
        parse_bounded_number(given, "limit", MAX_SUGGESTIONS, 100),
    )
    if not of_kind:
        raise Problem(
            400, f"No type is given. Give one of: {', '.join(index.query(list_distinct_values, 'kind'))}."
        )
    found = propose_kind_properties(of_kind, limit, index)
    return respond_with_json(request, {"type": of_kind, "limit": limit, "properties": found})


def answer_preview_request(request: Request, index: FullTextIndex, given: dict[str, str]) -> Response:
    """The page of a thing in short. Raises Problem 400 and 404."""
    iri = identifier_space(index.base) + given.get("id", "")
    if not given.get("id"):
        raise Problem(400, "No thing is named. Give its identifier as the parameter id, such as issue/spam.")
    if parse_iri_node(iri) is None or not is_known_iri(index.store, iri):
        raise Problem(404, f"There is nothing with the identifier {given['id']!r}.")
    label = find_labels(index.store, [iri], label_languages()).get(iri)
    language = (label.language or "").lower() if label else ""
    text = entry_description(index.query(read_index_entry, EntryKey(iri, language))[1])
    body = rendering.render_template("preview.html", base=index.base, iri=iri, label=label, text=text)
    return respond_with_body(
        request, body, HTML, headers={"Content-Security-Policy": PREVIEW_SECURITY_POLICY}
    )


def parse_kind_identifier(id_: str, index: FullTextIndex) -> str:
    """A kind by its identifier; empty for none. Raises Problem 400 where nothing is of it."""
    short = id_.removeprefix(identifier_space(index.base))
    if short and short not in index.query(list_distinct_values, "kind"):
        raise Problem(
            400,
            f"There is no type {id_!r}. There are: {', '.join(index.query(list_distinct_values, 'kind'))}.",
        )
    return short


def parse_bounded_number(given: dict[str, str], name: str, default: int, most: int) -> int:
    """A number that is given, up to `most`. Raises Problem 400."""
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > most:
        raise Problem(400, f"The parameter {name} is a number from 0 to {most}, not {text!r}.")
    return int(text)


def refuse_callback(pairs: Pairs) -> None:
    """Raises Problem 400 where a script is asked for."""
    if parameter_values(pairs, "callback"):
        raise Problem(
            400, "Answers are no scripts (JSONP): any page may read them as JSON. Leave out callback."
        )

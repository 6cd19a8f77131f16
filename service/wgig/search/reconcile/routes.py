"""/reconcile: the Reconciliation Service API 0.2, with which OpenRefine matches tables to our resources."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import WithJsonSchema

from ..._version import __version__
from ...http import bodies
from ...http.bodies import FORM_MEDIA_TYPE, Pairs, get_query_parameters, parameter_values, parse_form
from ...http.language import label_languages
from ...http.negotiation import choose_page_or_data, choose_response_format
from ...http.operations import Operation
from ...http.parameter_models import ParameterModel, Text, describe_parameter
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
from ..schemas import PropertyProposals, ReconciliationAnswer, ServiceManifest, SuggestionList
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

MAX_RECONCILIATION_BYTES = 1024 * 1024  # of a request body
RECONCILIATION_OPERATIONS = ("queries", "extend")
MAX_SUGGESTION_CURSOR, MAX_PROPOSED_PROPERTIES = 10_000, 100
CURSOR_SCHEMA: dict[str, Any] = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_SUGGESTION_CURSOR,
    "default": 0,
    "examples": [1],
}
LIMIT_SCHEMA: dict[str, Any] = {
    "type": "integer",
    "minimum": 0,
    "maximum": MAX_PROPOSED_PROPERTIES,
    "default": MAX_SUGGESTIONS,
    "examples": [5],
}
PREVIEW_WIDTH_PIXELS, PREVIEW_HEIGHT_PIXELS = 430, 260  # pixels of a preview
# A preview stands in the pages of others, and does no more than any page.
PREVIEW_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors *"
)


class ReconciliationParameters(ParameterModel):
    """Query parameters of GET /reconcile."""

    queries: Text = describe_parameter(
        "A batch of reconciliation queries as JSON; without it, the manifest.",
        examples=['{"q0": {"query": "spam", "type": "issue"}}'],
    )
    extend: Text = describe_parameter(
        "A query for data extension as JSON.",
        examples=['{"ids": ["issue/spam"], "properties": [{"id": "wgig:category"}]}'],
    )


class SuggestionParameters(ParameterModel):
    """Query parameters of /reconcile/suggest."""

    prefix: Text = describe_parameter("What was typed.", examples=["sp"])
    cursor: Annotated[Text, WithJsonSchema(CURSOR_SCHEMA)] = describe_parameter(
        "How many suggestions to leave out."
    )
    type: Text = describe_parameter("A kind that things are of.", examples=["issue"])


class PreviewParameters(ParameterModel):
    """Query parameters of /reconcile/preview."""

    id: Text = describe_parameter("The identifier of a thing.", examples=["issue/spam"])


class ProposalParameters(ParameterModel):
    """Query parameters of /reconcile/properties."""

    type: Text = describe_parameter("A kind of things.", examples=["issue"])
    limit: Annotated[Text, WithJsonSchema(LIMIT_SCHEMA)] = describe_parameter(
        f"How many properties, at most {MAX_PROPOSED_PROPERTIES}."
    )


async def refuse_callback_parameter(request: Request) -> None:
    """Raises Problem 400 where the address asks for a script."""
    refuse_callback(get_query_parameters(request))


MANIFEST_OPERATION = Operation(
    formats=(JSON, HTML), json=ServiceManifest | ReconciliationAnswer, first=(refuse_callback_parameter,)
)
BATCH_OPERATION = Operation(
    formats=(JSON,),
    json=ReconciliationAnswer,
    bodies=(FORM_MEDIA_TYPE,),
    parameters=ParameterModel,
    is_self_checked=True,  # after the type of the body
)
SUGGESTION_OPERATION = Operation(formats=(JSON,), json=SuggestionList, first=(refuse_callback_parameter,))
PREVIEW_OPERATION = Operation(formats=(HTML,), first=(refuse_callback_parameter,))
PROPOSAL_OPERATION = Operation(formats=(JSON,), json=PropertyProposals, first=(refuse_callback_parameter,))
SuggestedWhat = Annotated[
    str, Path(description="What is suggested: `entity`, `type` or `property`.", examples=["entity"])
]


async def get_reconciliation(
    context: ContextDep,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[ReconciliationParameters, Query()],
) -> Response:
    """What the service can do (the manifest), or the candidates of a batch of queries in the address."""
    given = {name: value for name, value in parameters if value}
    return await searches.run(answer_reconciliation, context, index, given)


async def post_reconciliation(context: ContextDep, index: IndexDep, searches: SearchesDep) -> Response:
    """The candidates of a batch of queries, or property values of resources, requested by a form."""
    request = context.request
    bodies.check_content_type(request, (FORM_MEDIA_TYPE,))
    check_query_parameters(request)
    pairs = parse_form(await bodies.read_request_body(request, MAX_RECONCILIATION_BYTES))
    refuse_callback(pairs)
    check_parameter_pairs(pairs, RECONCILIATION_OPERATIONS)
    if not pairs:
        raise Problem(400, f"The form is empty. Send {' or '.join(RECONCILIATION_OPERATIONS)}.")
    return await searches.run(answer_reconciliation, context, index, dict(pairs))


async def get_suggestions(
    request: Request,
    index: IndexDep,
    searches: SearchesDep,
    what: SuggestedWhat,
    parameters: Annotated[SuggestionParameters, Query()],
) -> Response:
    """What somebody may mean who began to type: `entity`, `type` or `property`."""
    return await searches.run(answer_suggestion_request, request, index, what, parameters)


async def get_preview(
    request: Request,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[PreviewParameters, Query()],
) -> Response:
    """A thing in short, to stand in the page of a client."""
    choose_response_format(request, (HTML,))
    return await searches.run(answer_preview_request, request, index, parameters.id)


async def get_property_proposals(
    request: Request,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[ProposalParameters, Query()],
) -> Response:
    """The properties that things of a type have, for data extension."""
    return await searches.run(answer_proposal_request, request, index, parameters)


def answer_reconciliation(
    context: RequestContext, index: FullTextIndex, parameters: dict[str, str]
) -> Response:
    """The response to a batch or a data extension query; without one, the manifest."""
    request = context.request
    if len(parameters) > 1:
        raise Problem(400, "Both queries and extend were sent. Send only one of them.")
    if "queries" in parameters:
        reconciliation_queries = parse_query_batch(
            parameters["queries"], index.query(list_distinct_values, "kind"), index.store, index.base
        )
        return respond_with_json(
            request,
            {key: build_reconciliation_result(query, index) for key, query in reconciliation_queries.items()},
        )
    if "extend" in parameters:
        return respond_with_json(
            request, build_extension_answer(parameters["extend"], index.store, index.base)
        )
    manifest = build_service_manifest(
        str(request.base_url), index.query(list_distinct_values, "kind"), index.base
    )
    return (
        respond_with_manifest_page(context, manifest)
        if choose_page_or_data(request, JSON) is HTML
        else respond_with_json(request, manifest)
    )


def build_service_manifest(base_url: str, kinds: list[str], base: str) -> dict[str, Any]:
    """The service manifest (section 3 of the specification); `base_url` is the address of the service."""
    endpoint = f"{base_url}reconcile"
    return {
        "versions": ["0.2"],
        "name": SERVICE_TITLE,
        "identifierSpace": identifier_space(base),
        "schemaSpace": identifier_space(base),
        "documentation": base_url,
        "serviceVersion": __version__,
        "logo": f"{base_url}{rendering.build_static_path('icon.svg').removeprefix('/')}",
        "batchSize": MAX_BATCH_QUERIES,
        "defaultTypes": [kind_type.to_json() for kind_type in build_kind_types(kinds)],
        "view": {"url": f"{base_url}doc/{{{{id}}}}"},
        "preview": {
            "url": f"{endpoint}/preview?id={{{{id}}}}",
            "width": PREVIEW_WIDTH_PIXELS,
            "height": PREVIEW_HEIGHT_PIXELS,
        },
        "suggest": {
            suggestion_kind: {"service_url": endpoint, "service_path": f"/suggest/{suggestion_kind}"}
            for suggestion_kind in ("entity", "type", "property")
        },
        "extend": {
            "propose_properties": {"service_url": endpoint, "service_path": "/properties"},
            "property_settings": [],
        },
    }


def respond_with_manifest_page(context: RequestContext, manifest: dict[str, Any]) -> Response:
    """The page that describes the reconciliation service and how to use it."""
    page = render_site_page(
        context,
        "reconcile.html",
        service=f"{context.request.base_url}reconcile",
        kinds={kind_type["id"]: kind_type["name"] for kind_type in manifest["defaultTypes"]},
        listed=KIND_TITLES,
        batch=manifest["batchSize"],
    )
    return respond_with_body(context.request, page, HTML)


def answer_suggestion_request(
    request: Request, index: FullTextIndex, suggestion_kind: str, parameters: SuggestionParameters
) -> Response:
    """The suggestions of a kind. Raises Problem 400 and 404."""
    prefix = parameters.prefix
    if not prefix:
        raise Problem(400, "Nothing is typed yet. Give it as the parameter prefix.")
    start = parse_bounded_number(parameters.cursor, "cursor", 0, MAX_SUGGESTION_CURSOR)
    kind = parse_kind_identifier(parameters.type or "", index) if suggestion_kind == "entity" else ""
    match suggestion_kind:
        case "entity":
            return respond_with_json(request, {"result": suggest_entities(prefix, kind, start, index)})
        case "type":
            return respond_with_json(
                request, {"result": suggest_types(prefix, start, index.query(list_distinct_values, "kind"))}
            )
        case "property":
            return respond_with_json(request, {"result": suggest_properties(prefix, start, index)})
    raise Problem(404, f"There are no suggestions of {suggestion_kind!r}, only of entity, type and property.")


def answer_proposal_request(
    request: Request, index: FullTextIndex, parameters: ProposalParameters
) -> Response:
    """The properties of a type. Raises Problem 400."""
    kind = parse_kind_identifier(parameters.type or "", index)
    limit = parse_bounded_number(parameters.limit, "limit", MAX_SUGGESTIONS, MAX_PROPOSED_PROPERTIES)
    if not kind:
        raise Problem(
            400, f"No type is given. Give one of: {', '.join(index.query(list_distinct_values, 'kind'))}."
        )
    properties = propose_kind_properties(kind, limit, index)
    return respond_with_json(request, {"type": kind, "limit": limit, "properties": properties})


def answer_preview_request(request: Request, index: FullTextIndex, id_: str | None) -> Response:
    """The page of a thing in short. Raises Problem 400 and 404."""
    iri = identifier_space(index.base) + (id_ or "")
    if not id_:
        raise Problem(400, "No thing is named. Give its identifier as the parameter id, such as issue/spam.")
    if parse_iri_node(iri) is None or not is_known_iri(index.store, iri):
        raise Problem(404, f"There is nothing with the identifier {id_!r}.")
    label = find_labels(index.store, [iri], label_languages()).get(iri)
    language = (label.language or "").lower() if label else ""
    text = entry_description(index.query(read_index_entry, EntryKey(iri, language))[1])
    body = rendering.render_template("preview.html", base=index.base, iri=iri, label=label, text=text)
    return respond_with_body(
        request, body, HTML, headers={"Content-Security-Policy": PREVIEW_SECURITY_POLICY}
    )


def parse_kind_identifier(id_: str, index: FullTextIndex) -> str:
    """The kind with the identifier; empty for none. Raises Problem 400 for a kind without resources."""
    kind = id_.removeprefix(identifier_space(index.base))
    if kind and kind not in index.query(list_distinct_values, "kind"):
        raise Problem(
            400,
            f"There is no type {id_!r}. There are: {', '.join(index.query(list_distinct_values, 'kind'))}.",
        )
    return kind


def parse_bounded_number(given: str | None, name: str, default: int, most: int) -> int:
    """A number that is given, up to `most`. Raises Problem 400."""
    text = given or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > most:
        raise Problem(400, f"The parameter {name} must be a number from 0 to {most}, not {text!r}.")
    return int(text)


def refuse_callback(pairs: Pairs) -> None:
    """Raise Problem 400 for a JSONP request."""
    if parameter_values(pairs, "callback"):
        raise Problem(
            400, "JSONP is not supported: any page may read the response as JSON (CORS). Leave out callback."
        )

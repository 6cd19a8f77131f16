"""/reconcile: the Reconciliation Service API 0.2, by which OpenRefine matches table cells to resources."""

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
from ...resources.representation import render_site_page
from ...settings import SERVICE_TITLE
from ...store.labels import find_labels
from ..database import list_distinct_values, read_index_entry
from ..dependencies import IndexDep, SearchesDep
from ..entries import EntryKey
from ..index import FullTextIndex
from ..schemas import PropertyProposals, ReconciliationResult, ServiceManifest, SuggestionList
from .candidates import (
    MAX_SUGGESTIONS,
    build_reconciliation_result,
    entry_description,
    propose_kind_properties,
    suggest_entities,
    suggest_properties,
    suggest_types,
)
from .extend import build_extension_result
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
PREVIEW_WIDTH_PIXELS, PREVIEW_HEIGHT_PIXELS = 430, 260
# Unlike other pages, a preview may be framed by other sites.
PREVIEW_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors *"
)


class ReconciliationParameters(ParameterModel):
    """Query parameters of GET /reconcile."""

    queries: Text = describe_parameter(
        "A batch of reconciliation queries as JSON. Without it, the response is the manifest.",
        examples=['{"q0": {"query": "spam", "type": "issue"}}'],
    )
    extend: Text = describe_parameter(
        "A data extension query as JSON.",
        examples=['{"ids": ["issue/spam"], "properties": [{"id": "wgig:category"}]}'],
    )


class SuggestionParameters(ParameterModel):
    """Query parameters of /reconcile/suggest."""

    prefix: Text = describe_parameter("The text that the user typed.", examples=["sp"])
    cursor: Annotated[Text, WithJsonSchema(CURSOR_SCHEMA)] = describe_parameter(
        "The number of suggestions to skip."
    )
    type: Text = describe_parameter("The kind of the resources.", examples=["issue"])


class PreviewParameters(ParameterModel):
    """Query parameters of /reconcile/preview."""

    id: Text = describe_parameter("The identifier of a resource.", examples=["issue/spam"])


class ProposalParameters(ParameterModel):
    """Query parameters of /reconcile/properties."""

    type: Text = describe_parameter("The kind of the resources.", examples=["issue"])
    limit: Annotated[Text, WithJsonSchema(LIMIT_SCHEMA)] = describe_parameter(
        f"The maximum number of properties, up to {MAX_PROPOSED_PROPERTIES}."
    )


async def refuse_callback_parameter(request: Request) -> None:
    """Raise Problem 400 for a JSONP request."""
    refuse_callback(get_query_parameters(request))


MANIFEST_OPERATION = Operation(
    formats=(JSON, HTML),
    json=ServiceManifest | ReconciliationResult,
    early_dependencies=(refuse_callback_parameter,),
)
BATCH_OPERATION = Operation(
    formats=(JSON,),
    json=ReconciliationResult,
    bodies=(FORM_MEDIA_TYPE,),
    form=ReconciliationParameters,
    parameters=ParameterModel,
    is_self_checked=True,  # the handler checks the parameters after the type of the body
)
SUGGESTION_OPERATION = Operation(
    name="getReconciliationSuggestions",
    formats=(JSON,),
    json=SuggestionList,
    early_dependencies=(refuse_callback_parameter,),
)
PREVIEW_OPERATION = Operation(
    name="getReconciliationPreview", formats=(HTML,), early_dependencies=(refuse_callback_parameter,)
)
PROPOSAL_OPERATION = Operation(
    formats=(JSON,), json=PropertyProposals, early_dependencies=(refuse_callback_parameter,)
)
SuggestionKind = Annotated[
    str, Path(description="The kind of suggestions: `entity`, `type` or `property`.", examples=["entity"])
]


async def get_reconciliation(
    context: ContextDep,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[ReconciliationParameters, Query()],
) -> Response:
    """The service manifest, or for a batch of queries their candidates, or a data extension."""
    query_values = {name: value for name, value in parameters if value}
    return await searches.run(answer_reconciliation, context, index, query_values)


async def post_reconciliation(context: ContextDep, index: IndexDep, searches: SearchesDep) -> Response:
    """The candidates for a batch of queries, or a data extension, requested by a form."""
    request = context.request
    bodies.require_content_type(request, (FORM_MEDIA_TYPE,))
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
    what: SuggestionKind,
    parameters: Annotated[SuggestionParameters, Query()],
) -> Response:
    """Suggestions of entities, types or properties for a typed prefix."""
    return await searches.run(answer_suggestion_request, request, index, what, parameters)


async def get_preview(
    request: Request,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[PreviewParameters, Query()],
) -> Response:
    """A short description of a resource, for an iframe in a client."""
    choose_response_format(request, (HTML,))
    return await searches.run(answer_preview_request, request, index, parameters.id)


async def get_property_proposals(
    request: Request,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[ProposalParameters, Query()],
) -> Response:
    """The properties of resources of a type, for data extension."""
    return await searches.run(answer_proposal_request, request, index, parameters)


def answer_reconciliation(
    context: RequestContext, index: FullTextIndex, parameters: dict[str, str]
) -> Response:
    """The response to a batch or a data extension query; without one, the manifest.

    Raises Problem 400 for both, or if the query is invalid, and 413 if it is too large.
    """
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
            request, build_extension_result(parameters["extend"], index.store, index.base)
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
    """The service manifest (section 3 of the API); `base_url` is the URL of the service."""
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
    """The response with a page that describes the reconciliation service."""
    page = render_site_page(
        context,
        "reconcile.html",
        service=f"{context.request.base_url}reconcile",
        kinds={kind_type["id"]: kind_type["name"] for kind_type in manifest["defaultTypes"]},
        listed_kinds=KIND_TITLES,
        max_batch_names=manifest["batchSize"],
    )
    return respond_with_body(context.request, page, HTML)


def answer_suggestion_request(
    request: Request, index: FullTextIndex, suggestion_kind: str, parameters: SuggestionParameters
) -> Response:
    """The response with suggestions.

    Raises Problem 400 for an invalid parameter, and 404 for an unknown kind of suggestions.
    """
    prefix = parameters.prefix
    if not prefix:
        raise Problem(400, "The parameter prefix is missing. Set it to the text that the user typed.")
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
    raise Problem(
        404, f"There are no suggestions for {suggestion_kind!r}, only for entity, type and property."
    )


def answer_proposal_request(
    request: Request, index: FullTextIndex, parameters: ProposalParameters
) -> Response:
    """The response with the properties of a type. Raises Problem 400 for an invalid parameter."""
    kind = parse_kind_identifier(parameters.type or "", index)
    limit = parse_bounded_number(parameters.limit, "limit", MAX_SUGGESTIONS, MAX_PROPOSED_PROPERTIES)
    if not kind:
        kinds = ", ".join(index.query(list_distinct_values, "kind"))
        raise Problem(400, f"The parameter type is missing. Set it to one of: {kinds}.")
    properties = propose_kind_properties(kind, limit, index)
    return respond_with_json(request, {"type": kind, "limit": limit, "properties": properties})


def answer_preview_request(request: Request, index: FullTextIndex, id_: str | None) -> Response:
    """The response with the preview of a resource. Raises Problem 400 without an ID, 404 if it is unknown."""
    iri = identifier_space(index.base) + (id_ or "")
    if not id_:
        raise Problem(
            400, "The parameter id is missing. Set it to the identifier of a resource, such as issue/spam."
        )
    if parse_iri_node(iri) is None or not is_known_iri(index.store, iri):
        raise Problem(404, f"There is no resource with the identifier {id_!r}.")
    label = find_labels(index.store, [iri], label_languages()).get(iri)
    language = (label.language or "").lower() if label else ""
    text = entry_description(index.query(read_index_entry, EntryKey(iri, language))[1])
    body = rendering.render_template("preview.html", base=index.base, iri=iri, label=label, text=text)
    return respond_with_body(
        request, body, HTML, headers={"Content-Security-Policy": PREVIEW_SECURITY_POLICY}
    )


def parse_kind_identifier(id_: str, index: FullTextIndex) -> str:
    """The kind with an identifier or IRI; empty if empty. Raises Problem 400 for a kind without resources."""
    kind = id_.removeprefix(identifier_space(index.base))
    if kind and kind not in index.query(list_distinct_values, "kind"):
        raise Problem(
            400,
            f"There is no type {id_!r}. Use one of: {', '.join(index.query(list_distinct_values, 'kind'))}.",
        )
    return kind


def parse_bounded_number(text: str | None, name: str, default: int, maximum: int) -> int:
    """The number in a parameter, `default` if it is empty. Raises Problem 400 if not from 0 to `maximum`."""
    text = text or str(default)
    # At most five digits, because the greatest maximum is 10,000, and `int` is slow for long texts.
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > maximum:
        raise Problem(400, f"The parameter {name} must be a number from 0 to {maximum}, not {text!r}.")
    return int(text)


def refuse_callback(pairs: Pairs) -> None:
    """Raise Problem 400 for a JSONP request."""
    if parameter_values(pairs, "callback"):
        raise Problem(
            400,
            "JSONP is not supported: any page may read the response as JSON (CORS). Omit callback.",
        )

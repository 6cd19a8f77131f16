"""/coverage: how many papers assess each issue, category or stakeholder group by each criterion."""

from functools import partial
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.parameter_models import Text, describe_media_type, describe_parameter
from ..http.parameters import (
    SERVICE_DESC_LINK,
    build_service_path,
    check_parameter_pairs,
    request_base_url,
)
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import unknown_name_problem
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, SVG, TURTLE, Format
from ..rdf.values import parse_parameter_term
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.existence import check_known_iri
from ..resources.parameters import ProfileParameters, make_profile_operation
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import DEFAULT_PROFILE_TOKEN, default_profile
from ..resources.representation import render_site_page, respond_with_resource, serialize_graph_body
from ..sparql.dependencies import QueriesDep
from ..sparql.service import QueryService, select_internal_rows
from .counts import PaperCounts
from .coverage_matrix import (
    ROW_DIMENSIONS,
    CoverageMatrix,
    build_coverage_matrix,
    build_matrix_query,
    build_matrix_view,
    iter_matrix_triples,
    serialize_matrix_csv,
    serialize_matrix_json,
)
from .dependencies import CountsDep
from .parameters import NameTexts
from .schemas import CoverageMatrixDocument

COVERAGE_DESCRIPTION = "How many papers measure each issue by each criterion, and with what verdicts."
DEFAULT_ROW_DIMENSION = "issue"  # the rows of the matrix without the parameter `by`
COVERAGE_FORMATS = (JSON, JSON_LD, CSV, TURTLE, SVG, HTML)
# The property wgig:measuredAgainst has issues as subjects, so there is no RDF for other rows.
ISSUE_ONLY_FORMATS = (JSON_LD, TURTLE)
# The type of resource that each filter names, and the filters of each dimension of rows.
COVERAGE_FILTER_TYPES = {
    "issue": "issue",
    "criterion": "principle",
    "category": "category",
    "stakeholderGroup": "group",
}
ROW_DIMENSION_FILTERS = {
    "issue": ("issue", "criterion", "category"),
    "category": ("category", "criterion"),
    "stakeholder-group": ("stakeholderGroup", "criterion"),
}


class CoverageParameters(ProfileParameters):
    """Query parameters of /coverage."""

    media_type: Text = describe_media_type(COVERAGE_FORMATS)
    by: Text = describe_parameter(
        "The type of the rows.",
        json_schema_extra={
            "enum": [*ROW_DIMENSIONS],
            "default": DEFAULT_ROW_DIMENSION,
            "examples": ["category"],
        },
    )
    issue: NameTexts = describe_parameter("Only this issue.", examples=[["spam"]])
    criterion: NameTexts = describe_parameter("Only this criterion.", examples=[["transparency"]])
    category: NameTexts = describe_parameter("Only this category.", examples=[["access-for-all"]])
    stakeholder_group: NameTexts = describe_parameter(
        "Only this stakeholder group, if the rows are stakeholder groups.",
        alias="stakeholderGroup",
        examples=[["civil-society"]],
    )


COVERAGE_OPERATION = make_profile_operation(COVERAGE_FORMATS, CoverageMatrixDocument)


async def get_coverage(
    context: ContextDep,
    queries: QueriesDep,
    counts: CountsDep,
    parameters: Annotated[CoverageParameters, Query()],
) -> Response:
    """How many papers measure each issue by each criterion, and with what verdicts; empty cells are shown.

    `by` selects the rows: `issue`, `category` or `stakeholder-group` (the groups of a paper's actors and
    drafters). `issue`, `category` (also filters issues), `stakeholderGroup` and `criterion` are filters; a
    repeated filter matches any of its values.
    """
    request = context.request
    base = context.base
    pairs = get_query_parameters(request)
    dimension = parse_row_dimension(pairs)
    formats = [
        format_
        for format_ in COVERAGE_FORMATS
        if dimension == DEFAULT_ROW_DIMENSION or format_ not in ISSUE_ONLY_FORMATS
    ]
    suffix, profiles = request.path_params.get("suffix", ""), {DEFAULT_PROFILE_TOKEN: default_profile(base)}
    preferences = parse_format_preferences(context, parameters, formats, suffix, profiles)
    filters = parse_coverage_filters(dimension, pairs, base)
    for name, terms in filters.items():
        for term in terms:
            await check_known_iri(request, queries, name, COVERAGE_FILTER_TYPES[name], term.value)
    matrix = await read_coverage_matrix(request, queries, counts[dimension], dimension, filters)
    matrix_parameters = [pair for pair in pairs if pair[0] in ("by", *COVERAGE_FILTER_TYPES)]
    iri = base.rstrip("/") + build_service_path("coverage", matrix_parameters)
    serialize = partial(serialize_coverage_matrix, context, matrix, matrix_parameters)
    resource = Resource(
        iri, "/coverage", triples=lambda: (), write=serialize, formats=formats, pairs=matrix_parameters
    )
    return await run_in_threadpool(
        respond_with_resource,
        context,
        preferences,
        resource,
        extra_links=[SERVICE_DESC_LINK],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


async def read_coverage_matrix(
    request: Request,
    queries: QueryService,
    counts: PaperCounts,
    dimension: str,
    filters: dict[str, list[Any]],
) -> CoverageMatrix:
    """The coverage matrix with rows of this dimension. Raises Problem 503 if counting papers takes long."""
    result_rows = await select_internal_rows(
        request, queries, build_matrix_query(dimension, filters, queries.settings.base)
    )
    return build_coverage_matrix(dimension, result_rows, await counts.get_counts())


def serialize_coverage_matrix(
    context: RequestContext, matrix: CoverageMatrix, matrix_parameters: Pairs, format_: Format
) -> bytes:
    """The matrix in the format; `matrix_parameters` are the query parameters that select it."""
    base = context.base
    if format_ is HTML:
        return render_site_page(
            context,
            "coverage.html",
            **build_coverage_links(matrix_parameters),
            view=build_matrix_view(matrix, base, language.label_languages()),
            markup=build_coverage_markup(context),
        )
    if format_ is SVG:
        return render_site_page(context, "coverage.svg", view=build_matrix_view(matrix, base))
    if format_ in COVERAGE_SERIALIZERS:
        return COVERAGE_SERIALIZERS[format_](matrix)
    return serialize_graph_body(context, iter_matrix_triples(matrix, base), format_)


def build_coverage_markup(context: RequestContext) -> dict[str, Any]:
    """The schema.org markup of the whole matrix, for search engines."""
    iri, page = f"{context.base}coverage", f"{request_base_url(context.request)}coverage"
    formats = [format_ for format_ in COVERAGE_FORMATS if format_ is not HTML]
    return mappings.build_dataset_markup(
        iri, page, "Coverage of issues by criteria", COVERAGE_DESCRIPTION, formats
    )


def build_coverage_links(matrix_parameters: Pairs) -> dict[str, Any]:
    """The template variables with links to matrices with other rows, and to this matrix in other formats."""
    dimension = parse_row_dimension(matrix_parameters)
    criteria = [pair for pair in matrix_parameters if pair[0] == "criterion"]
    return {
        "by": dimension,
        "dimension_links": {
            row_dimension: build_service_path(
                "coverage",
                [*([("by", row_dimension)] if row_dimension != DEFAULT_ROW_DIMENSION else []), *criteria],
            )
            for row_dimension in ROW_DIMENSIONS
        },
        "is_filtered": any(key != "by" for key, _ in matrix_parameters),
        "other_formats": [
            (format_.title, build_service_path("coverage", matrix_parameters, format_.suffix))
            for format_ in COVERAGE_FORMATS
            if format_ is not HTML
            and (dimension == DEFAULT_ROW_DIMENSION or format_ not in ISSUE_ONLY_FORMATS)
        ],
    }


def parse_row_dimension(pairs: Pairs) -> str:
    """The dimension of the rows: the value of the parameter `by`. Raises Problem 400 for an unknown value."""
    dimension = next(iter(parameter_values(pairs, "by")), DEFAULT_ROW_DIMENSION)
    if dimension not in ROW_DIMENSIONS:
        raise unknown_name_problem("The matrix cannot have as its rows", dimension, ROW_DIMENSIONS)
    return dimension


def parse_coverage_filters(dimension: str, pairs: Pairs, base: str) -> dict[str, list[Any]]:
    """The terms of each filter.

    Raises Problem 400 for an invalid value, and for a filter that does not apply to rows of this dimension.
    """
    check_parameter_pairs(pairs, ("by", "_mediatype", "_profile"), ROW_DIMENSION_FILTERS[dimension])
    return {
        name: [
            parse_parameter_term(name, COVERAGE_FILTER_TYPES[name], text, base)
            for text in parameter_values(pairs, name)
        ]
        for name in ROW_DIMENSION_FILTERS[dimension]
    }


# By format; the other formats need the request.
COVERAGE_SERIALIZERS = {JSON: serialize_matrix_json, CSV: serialize_matrix_csv}

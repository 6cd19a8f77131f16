"""/coverage: how papers and the Background Report judge each issue by each criterion.

The rows can also be categories or stakeholder groups: then only papers are counted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

import pyoxigraph as ox
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
from ..pages.names import short_criterion_name
from ..problems import unknown_name_problem
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, SVG, TURTLE, Format
from ..rdf.labels import best_text, words_of_iri
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
from .counts import CellCounts, CellKey
from .coverage_matrix import (
    COVERAGE_LAYERS,
    LAYER_JUDGMENTS,
    LAYER_PAPERS,
    ROW_DIMENSIONS,
    CoverageMatrix,
    MatrixRequest,
    build_coverage_matrix,
    build_matrix_query,
    iter_matrix_triples,
    serialize_matrix_csv,
    serialize_matrix_json,
)
from .definitions import LIST_DEFINITIONS
from .dependencies import CountsDep, JudgmentCountsDep
from .matrix_view import build_matrix_view
from .parameters import NameTexts
from .schemas import CoverageMatrixDocument

COVERAGE_DESCRIPTION = "How papers and the Background Report judge each issue, criterion by criterion."
DEFAULT_ROW_DIMENSION = "issue"  # the rows of the matrix without the parameter `by`
COVERAGE_FORMATS = (JSON, JSON_LD, CSV, TURTLE, SVG, HTML)
# The RDF is wgig:measuredAgainst, which papers state of issues, so there is none for other rows or judgments.
PAPER_MATRIX_FORMATS = (JSON_LD, TURTLE)
JUDGMENT_FILTERS = ("viewHolder", "verdict")  # of the layer of the judgments only
# The type of resource that each filter names, and the filters of each dimension of rows.
COVERAGE_FILTER_TYPES = {
    "issue": "issue",
    "criterion": "criterion",
    "category": "category",
    "viewHolder": "view-holder",
    "verdict": "verdict",
    "stakeholderGroup": "group",
}
ROW_DIMENSION_FILTERS = {
    "issue": ("issue", "criterion", "category", *JUDGMENT_FILTERS),
    "category": ("category", "criterion"),
    "stakeholder-group": ("stakeholderGroup", "criterion"),
}


class CoverageParameters(ProfileParameters):
    """Query parameters of /coverage."""

    media_type: Text = describe_media_type(COVERAGE_FORMATS)
    by: Text = describe_parameter(
        "What the rows are.",
        json_schema_extra={
            "enum": [*ROW_DIMENSIONS],
            "default": DEFAULT_ROW_DIMENSION,
            "examples": ["category"],
        },
    )
    issue: NameTexts = describe_parameter("Only this issue.", examples=[["spam"]])
    criterion: NameTexts = describe_parameter("Only this criterion.", examples=[["transparency"]])
    category: NameTexts = describe_parameter(
        "Only this category, or only issues of this category or cluster.", examples=[["access-for-all"]]
    )
    view_holder: NameTexts = describe_parameter(
        "Only the views of these holders.", alias="viewHolder", examples=[["some-members"]]
    )
    verdict: NameTexts = describe_parameter("Only judgments with these verdicts.", examples=[["inadequate"]])
    layer: Text = describe_parameter(
        "Only the judgments of the Background Report, or only the papers, if the rows are issues.",
        json_schema_extra={"enum": [*COVERAGE_LAYERS], "examples": [LAYER_JUDGMENTS]},
    )
    roll_up: Text = describe_parameter(
        "Whether judgments on a kind of involvement also count as judgments on involvement; for issues only.",
        alias="rollUp",
        json_schema_extra={"enum": ["true", "false"], "default": "false", "examples": ["true"]},
    )
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
    judgment_counts: JudgmentCountsDep,
    parameters: Annotated[CoverageParameters, Query()],
) -> Response:
    """How papers and the Background Report judge each issue, criterion by criterion; empty cells are shown.

    `by` selects the rows: `issue`, `category` or `stakeholder-group` (the groups of a paper's actors and
    drafters); judgments are shown for issues only. `layer` selects one of the two layers, `judgments` or
    `papers`. `rollUp=true` counts judgments by a kind of involvement as involvement. `issue`, `category`
    (also filters issues, also by cluster), `stakeholderGroup`, `criterion`, `viewHolder` and `verdict` (of
    judgments) are filters; a repeated filter matches any of its values.
    """
    request = context.request
    base = context.base
    pairs = get_query_parameters(request)
    matrix_request = parse_matrix_request(pairs, base)
    formats = list_matrix_formats(matrix_request)
    suffix, profiles = request.path_params.get("suffix", ""), {DEFAULT_PROFILE_TOKEN: default_profile(base)}
    preferences = parse_format_preferences(context, parameters, formats, suffix, profiles)
    for name, terms in matrix_request.filters.items():
        for term in terms:
            await check_known_iri(request, queries, name, COVERAGE_FILTER_TYPES[name], term.value)
    paper_counts = counts[matrix_request.dimension]
    matrix = await read_coverage_matrix(request, queries, paper_counts, judgment_counts, matrix_request)
    dimensions = [
        dimension
        for dimension in ROW_DIMENSIONS
        if dimension in (DEFAULT_ROW_DIMENSION, matrix_request.dimension)
        or has_assessments(await counts[dimension].get_counts())
    ]
    # A form sends an empty value for each filter that is not selected.
    matrix_parameters = [pair for pair in pairs if pair[1] and pair[0] not in ("_mediatype", "_profile")]
    iri = base.rstrip("/") + build_service_path("coverage", matrix_parameters)
    shown = ShownMatrix(matrix, matrix_request, matrix_parameters, dimensions)
    serialize = partial(serialize_coverage_matrix, context, shown)
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
    paper_counts: CellCounts,
    judgment_counts: CellCounts,
    matrix_request: MatrixRequest,
) -> CoverageMatrix:
    """The coverage matrix; without filters, it is kept until the next write.

    Raises Problem 503 if counting papers or judgments takes long.
    """

    async def read_matrix() -> CoverageMatrix:
        judged = await judgment_counts.get_counts()
        result_rows = await select_internal_rows(
            request, queries, build_matrix_query(matrix_request, judged, queries.settings.base)
        )
        return build_coverage_matrix(matrix_request, result_rows, await paper_counts.get_counts(), judged)

    if any(matrix_request.filters.values()):
        return await read_matrix()
    layers, is_rolled_up = tuple(matrix_request.layers), matrix_request.is_rolled_up
    key = ("coverage", matrix_request.dimension, layers, is_rolled_up)
    return await queries.kept_results.get_or_compute(key, read_matrix)


def list_matrix_formats(matrix_request: MatrixRequest) -> list[Format]:
    """The formats of a matrix: RDF only with papers that measure issues."""
    has_rdf = matrix_request.dimension == DEFAULT_ROW_DIMENSION and LAYER_PAPERS in matrix_request.layers
    return [format_ for format_ in COVERAGE_FORMATS if has_rdf or format_ not in PAPER_MATRIX_FORMATS]


def has_assessments(papers: Iterable[CellKey]) -> bool:
    """Whether the cells of papers have any assessment, so that a matrix of them would not be empty."""
    return any(len(cell) > 1 for cell in papers)


@dataclass(frozen=True)
class ShownMatrix:
    """A matrix, what was asked for, the query parameters that select it, and other dimensions with data."""

    matrix: CoverageMatrix
    request: MatrixRequest
    parameters: Pairs
    dimensions: Sequence[str]


def serialize_coverage_matrix(context: RequestContext, shown: ShownMatrix, format_: Format) -> bytes:
    """The matrix in the format."""
    base, matrix = context.base, shown.matrix
    judgment_filters = [pair for pair in shown.parameters if pair[0] in JUDGMENT_FILTERS]
    if format_ is HTML:
        return render_site_page(
            context,
            "coverage.html",
            **build_coverage_links(shown),
            view=build_matrix_view(matrix, base, language.label_languages(), judgment_filters),
            has_judgment_filter=bool(judgment_filters),
            markup=build_coverage_markup(context),
            form=build_filter_form(shown),
            lists=LIST_DEFINITIONS,
        )
    if format_ is SVG:
        return render_site_page(
            context,
            "coverage.svg",
            view=build_matrix_view(matrix, base),
            has_judgment_filter=bool(judgment_filters),
        )
    if format_ in COVERAGE_SERIALIZERS:
        return COVERAGE_SERIALIZERS[format_](matrix)
    return serialize_graph_body(context, iter_matrix_triples(matrix, base), format_)


class FilterOption(NamedTuple):
    """An option of a filter of the page: its value, its label, and whether it is selected.

    `short_name` is the message of the short name of a criterion, empty for other options. `path_without` is
    the path of the page without this option, if it is selected.
    """

    value: str
    label: ox.Literal
    is_selected: bool
    short_name: str
    path_without: str


def build_filter_form(shown: ShownMatrix) -> dict[str, list[FilterOption]]:
    """The options of the filters of the page by parameter."""
    selected = {term.value for terms in shown.request.filters.values() for term in terms}
    ranges = language.label_languages()

    def path_without(name: str, value: str) -> str:
        others = [pair for pair in shown.parameters if pair[0] != name or pair[1].rpartition("/")[2] != value]
        return build_service_path("coverage", others)

    return {
        name: [
            FilterOption(
                iri.rpartition("/")[2],
                best_text(texts, ranges, words_of_iri(iri)),
                iri in selected,
                short_criterion_name(iri),
                path_without(name, iri.rpartition("/")[2]),
            )
            for iri, texts in labels.items()
        ]
        for name, labels in shown.matrix.options.items()
    }


def build_coverage_markup(context: RequestContext) -> dict[str, Any]:
    """The schema.org markup of the whole matrix, for search engines."""
    iri, page = f"{context.base}coverage", f"{request_base_url(context.request)}coverage"
    formats = [format_ for format_ in COVERAGE_FORMATS if format_ is not HTML]
    return mappings.build_dataset_markup(iri, page, "Judgments by issue", COVERAGE_DESCRIPTION, formats)


def build_coverage_links(shown: ShownMatrix) -> dict[str, Any]:
    """The template variables with links to matrices with other rows, and to this matrix in other formats."""
    matrix_request = shown.request
    criteria = [pair for pair in shown.parameters if pair[0] == "criterion"]
    return {
        "by": matrix_request.dimension,
        "layers": matrix_request.layers,
        "is_rolled_up": matrix_request.is_rolled_up,
        "dimension_links": {
            row_dimension: build_service_path(
                "coverage",
                [*([("by", row_dimension)] if row_dimension != DEFAULT_ROW_DIMENSION else []), *criteria],
            )
            for row_dimension in shown.dimensions
        },
        "is_filtered": any(matrix_request.filters.values()),
        "unfiltered_path": build_service_path(
            "coverage", [pair for pair in shown.parameters if pair[0] not in COVERAGE_FILTER_TYPES]
        ),
        "other_formats": [
            (format_.title, build_service_path("coverage", shown.parameters, format_.suffix))
            for format_ in list_matrix_formats(matrix_request)
            if format_ is not HTML
        ],
    }


def parse_matrix_request(pairs: Pairs, base: str) -> MatrixRequest:
    """What the query parameters ask for.

    Raises Problem 400 for an invalid value, and for a parameter that does not apply to rows of this type.
    """
    dimension = parse_named_value(pairs, "by", ROW_DIMENSIONS, "The matrix cannot have as its rows")
    dimension = dimension or DEFAULT_ROW_DIMENSION
    is_issue_matrix = dimension == DEFAULT_ROW_DIMENSION
    once = ["by", "_mediatype", "_profile", *(("layer", "rollUp") if is_issue_matrix else ())]
    check_parameter_pairs(pairs, once, ROW_DIMENSION_FILTERS[dimension])
    layer = parse_named_value(pairs, "layer", COVERAGE_LAYERS, "The matrix has no layer")
    roll_up = parse_named_value(pairs, "rollUp", ("true", "false"), "rollUp cannot be")
    filters = {
        name: [
            parse_parameter_term(name, COVERAGE_FILTER_TYPES[name], text, base)
            for text in parameter_values(pairs, name)
            if text  # a form sends an empty value for a filter that is not selected
        ]
        for name in ROW_DIMENSION_FILTERS[dimension]
        if name not in JUDGMENT_FILTERS or layer != LAYER_PAPERS
    }
    layers = COVERAGE_LAYERS if is_issue_matrix else (LAYER_PAPERS,)
    return MatrixRequest(dimension, filters, [layer] if layer else layers, roll_up == "true")


def parse_named_value(pairs: Pairs, name: str, known: Collection[str], message: str) -> str:
    """The value of a parameter, empty if it is not given. Raises Problem 400 if it is not a known one."""
    value = next(iter(parameter_values(pairs, name)), "")
    if value and value not in known:
        raise unknown_name_problem(message, value, known)
    return value


# By format; the other formats need the request.
COVERAGE_SERIALIZERS = {JSON: serialize_matrix_json, CSV: serialize_matrix_csv}

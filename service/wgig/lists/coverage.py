"""/coverage: how many papers measure each issue, category or stakeholder group by each criterion."""

from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.bodies import Pairs, parameter_values
from ..http.parameters import (
    SERVICE_DESC_LINK,
    build_service_path,
    check_parameter_pairs,
    check_query_parameters,
    request_base_url,
)
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import unknown_name_problem
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, SVG, TURTLE, Format
from ..rdf.values import parse_parameter_term
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.existence import check_known_iri
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import OWN_PROFILE_TOKEN, own_profile
from ..resources.representation import render_site_page, respond_with_resource, serialize_graph_body
from ..sparql.dependencies import QueriesDep
from ..sparql.service import QueryService, select_own_rows
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

COVERAGE_DESCRIPTION = "How many papers measure each issue by each criterion, and with what verdicts."
DEFAULT_ROW_DIMENSION = "issue"  # the rows, if nothing is said
COVERAGE_FORMATS = (JSON, JSON_LD, CSV, TURTLE, SVG, HTML)
# What the ontology says of issues alone is no RDF of others.
ISSUE_ONLY_FORMATS = (JSON_LD, TURTLE)
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


async def get_coverage(context: ContextDep, queries: QueriesDep, counts: CountsDep) -> Response:
    """How many papers measure each issue by each criterion, and with what verdicts; empty cells are shown.

    `by` lays the papers out by `issue`, `category` or `stakeholder-group` (of their actors and drafters).
    `issue`, `category` (of issues, too), `stakeholderGroup` and `criterion` choose some; one that is given
    several times, any of them.
    """
    request = context.request
    base = context.base
    pairs = check_query_parameters(request, ("by", "_mediatype", "_profile"), tuple(COVERAGE_FILTER_TYPES))
    by = parse_row_dimension(pairs)
    offered = [
        one for one in COVERAGE_FORMATS if by == DEFAULT_ROW_DIMENSION or one not in ISSUE_ONLY_FORMATS
    ]
    wish = parse_format_preferences(
        context, offered, request.path_params.get("suffix", ""), {OWN_PROFILE_TOKEN: own_profile(base)}
    )
    chosen = parse_coverage_filters(by, pairs, base)
    for name, terms in chosen.items():
        for one in terms:
            await check_known_iri(request, queries, name, COVERAGE_FILTER_TYPES[name], one.value)
    found = await read_coverage_matrix(request, queries, counts[by], by, chosen)
    kept = [pair for pair in pairs if pair[0] in ("by", *COVERAGE_FILTER_TYPES)]
    iri = base.rstrip("/") + build_service_path("coverage", kept)
    write = partial(serialize_coverage_matrix, context, found, kept)
    subject = Resource(iri, "/coverage", lambda: (), write, formats=offered, pairs=kept)
    return await run_in_threadpool(
        respond_with_resource,
        context,
        wish,
        subject,
        extra_links=[SERVICE_DESC_LINK],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


async def read_coverage_matrix(
    request: Request, queries: QueryService, cells: PaperCounts, by: str, chosen: dict[str, list[Any]]
) -> CoverageMatrix:
    """The matrix by rows of this kind. Raises Problem."""
    sides = await select_own_rows(request, queries, build_matrix_query(by, chosen, queries.settings.base))
    return build_coverage_matrix(by, sides, await cells.get_counts())


def serialize_coverage_matrix(
    context: RequestContext, found: CoverageMatrix, kept: Pairs, format_: Format
) -> bytes:
    """The matrix in a format."""
    base = context.base
    if format_ is HTML:
        return render_site_page(
            context,
            "coverage.html",
            **build_coverage_links(kept),
            shown=build_matrix_view(found, base, language.label_languages()),
            markup=build_coverage_markup(context),
        )
    if format_ is SVG:
        return render_site_page(context, "coverage.svg", shown=build_matrix_view(found, base))
    if format_ in COVERAGE_SERIALIZERS:
        return COVERAGE_SERIALIZERS[format_](found)
    return serialize_graph_body(context, iter_matrix_triples(found, base), format_)


def build_coverage_markup(context: RequestContext) -> dict[str, Any]:
    """What the page tells search engines: schema.org for the whole matrix."""
    iri, page = f"{context.base}coverage", f"{request_base_url(context.request)}coverage"
    files = [one for one in COVERAGE_FORMATS if one is not HTML]
    return mappings.build_dataset_markup(
        iri, page, "Coverage of issues by criteria", COVERAGE_DESCRIPTION, files
    )


def build_coverage_links(kept: Pairs) -> dict[str, Any]:
    """Where the matrix is by other rows, and where this one is in other formats."""
    by = parse_row_dimension(kept)
    criteria = [pair for pair in kept if pair[0] == "criterion"]
    return {
        "by": by,
        "ways": {
            one: build_service_path(
                "coverage", [*([("by", one)] if one != DEFAULT_ROW_DIMENSION else []), *criteria]
            )
            for one in ROW_DIMENSIONS
        },
        "is_part": any(key != "by" for key, _ in kept),
        "others": [
            (one.title, build_service_path("coverage", kept, one.suffix))
            for one in COVERAGE_FORMATS
            if one is not HTML and (by == DEFAULT_ROW_DIMENSION or one not in ISSUE_ONLY_FORMATS)
        ],
    }


def parse_row_dimension(pairs: Pairs) -> str:
    """By what the papers are laid out. Raises Problem 400."""
    by = next(iter(parameter_values(pairs, "by")), DEFAULT_ROW_DIMENSION)
    if by not in ROW_DIMENSIONS:
        raise unknown_name_problem("The matrix is not laid out by", by, ROW_DIMENSIONS)
    return by


def parse_coverage_filters(by: str, pairs: Pairs, base: str) -> dict[str, list[Any]]:
    """The terms of each filter. Raises Problem 400, also for one that chooses nothing among these rows."""
    check_parameter_pairs(pairs, ("by", "_mediatype", "_profile"), ROW_DIMENSION_FILTERS[by])
    return {
        name: [
            parse_parameter_term(name, COVERAGE_FILTER_TYPES[name], text, base)
            for text in parameter_values(pairs, name)
        ]
        for name in ROW_DIMENSION_FILTERS[by]
    }


COVERAGE_SERIALIZERS = {JSON: serialize_matrix_json, CSV: serialize_matrix_csv}

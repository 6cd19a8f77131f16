"""The HTML page with the result of a query."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..http.language import gettext
from ..pages.rendering import build_query_path, render_template
from ..rdf.formats import CSV, FORMATS_BY_FORM, Format
from ..rdf.sparql_lexer import SparqlText
from ..store.store import Store
from .examples import recognize_example_query
from .result_table import Row, Solutions, TableOptions, build_result_table

MAX_RESULT_PAGE_ROWS = 1000
# In a query, the properties whose texts are our summaries.
SUMMARY_PATTERN = re.compile(
    r"\b(?:skos:definition|dcterms:description)\b|/core#definition>|/terms/description>"
)


def has_summaries(query: str) -> bool:
    """Whether a query asks for texts that are our summaries."""
    return SUMMARY_PATTERN.search(query) is not None


def page_source_format(form: str) -> Format:
    """The format from which the page for a query of this form is made."""
    return FORMATS_BY_FORM[form][0]


class PageResult(NamedTuple):
    """The result of a query or its beginning, in the `page_source_format` of the query form, and hints."""

    body: bytes
    form: str
    is_whole: bool = True
    hints: Sequence[object] = ()


def render_results_page(
    result: PageResult, query: SparqlText, parameters: list[tuple[str, str]], store: Store, base: str
) -> bytes:
    """The page with the table of a SELECT, the boolean of an ASK, or the graph of a CONSTRUCT or DESCRIBE.

    `parameters` are those of the request. If the table has more than MAX_RESULT_PAGE_ROWS rows or the result
    is incomplete, the page says so and links to the complete result.
    """
    page_parameters = [(key, value) for key, value in parameters if key != "_mediatype"]
    view = build_result_view(result)
    solutions = view.pop("solutions", None)
    return render_template(
        "results.html",
        base=base,
        form=result.form,
        query_parameters=page_parameters,
        example=recognize_example_query(query.text),
        has_summaries=has_summaries(query.text),
        hints=result.hints,
        is_complete=result.is_whole,
        table=build_result_table(solutions, query, store, TableOptions(MAX_RESULT_PAGE_ROWS))
        if solutions
        else None,
        other_formats=[
            (format_.title, build_query_path([*page_parameters, ("_mediatype", format_.media_type)]))
            for format_ in FORMATS_BY_FORM[result.form]
        ],
        named_csv_path=build_query_path([*page_parameters, ("_mediatype", CSV.media_type), ("names", "")]),
        **view,
    )


def build_result_view(page_result: PageResult) -> dict[str, Any]:
    """The variables of a template: `solutions` for a table, else `text`."""
    if page_result.form not in ("SELECT", "ASK"):
        text = page_result.body.decode("utf-8", "ignore")
        # The last line of an incomplete result may be cut off.
        return {"text": text if page_result.is_whole else text[: text.rfind("\n")]}
    results = ox.parse_query_results(page_result.body, format=ox.QueryResultsFormat.JSON)
    if isinstance(results, ox.QueryBoolean):
        return {"text": gettext("yes") if results else gettext("no")}
    assert isinstance(results, ox.QuerySolutions)
    names = [variable.value for variable in results.variables]
    rows = list(iter_solution_rows(results, page_result))
    return {"solutions": Solutions(names, rows, page_result.is_whole)}


def iter_solution_rows(results: ox.QuerySolutions, page_result: PageResult) -> Iterator[Row]:
    """The rows of a table; of an incomplete result, those that are complete."""
    try:
        for solution in results:
            yield list(solution)
    except SyntaxError:
        if page_result.is_whole:
            raise

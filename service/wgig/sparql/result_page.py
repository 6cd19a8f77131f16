"""The result of a query as a page."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..http.language import gettext
from ..pages.rendering import build_query_path, render_template
from ..rdf.formats import FORMATS_BY_FORM, Format
from .examples import recognize_example_query

MAX_RESULT_PAGE_ROWS = 1000


def page_source_format(form: str) -> Format:
    """The format in which a page takes the result of a query of this form."""
    return FORMATS_BY_FORM[form][0]


class PageResult(NamedTuple):
    """What a query found, whole or its begin, in the `source_format` of its form; and hints about it."""

    body: bytes
    form: str
    is_whole: bool = True
    hints: Sequence[object] = ()


def render_results_page(found: PageResult, parameters: list[tuple[str, str]], base: str) -> bytes:
    """A page with the table of a SELECT, the answer of an ASK, or the graph of a CONSTRUCT or DESCRIBE.

    `parameters` are those of the request. A table of more than MAX_RESULT_PAGE_ROWS rows, and what is not
    whole, says that it is cut, and where the whole is.
    """
    asked = [(key, value) for key, value in parameters if key != "_mediatype"]
    text = dict(parameters).get("query", "")
    known = recognize_example_query(text)
    return render_template(
        "results.html",
        base=base,
        form=found.form,
        asked=asked,
        known=known,
        is_narrowed=known is not None and text.split() != known.text.split(),
        hints=found.hints,
        whole=found.is_whole,
        others=[
            (one.title, build_query_path([*asked, ("_mediatype", one.media_type)]))
            for one in FORMATS_BY_FORM[found.form]
        ],
        **build_result_view(found),
    )


def build_result_view(found: PageResult) -> dict[str, Any]:
    """What the template shows: a `text`, or `names` and `rows` of a table and their `total`, if known."""
    if found.form not in ("SELECT", "ASK"):
        text = found.body.decode("utf-8", "ignore")
        return {"text": text if found.is_whole else text[: text.rfind("\n")]}
    results = ox.parse_query_results(found.body, format=ox.QueryResultsFormat.JSON)
    if isinstance(results, ox.QueryBoolean):
        return {"text": gettext("yes") if results else gettext("no")}
    assert isinstance(results, ox.QuerySolutions)
    rows = list(iter_solution_rows(results, found))
    return {
        "names": [variable.value for variable in results.variables],
        "rows": rows[:MAX_RESULT_PAGE_ROWS],
        "total": len(rows) if found.is_whole else None,
    }


def iter_solution_rows(results: ox.QuerySolutions, found: PageResult) -> Iterator[list[object]]:
    """The rows of a table, as far as they are there."""
    try:
        for solution in results:
            yield list(solution)
    except SyntaxError:
        if found.is_whole:
            raise

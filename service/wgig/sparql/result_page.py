"""The result of a query as a page."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..http.language import gettext
from ..pages.rendering import render, run
from ..rdf.formats import BY_FORM, Format
from .examples import recognized

ROWS = 1000


def source_format(form: str) -> Format:
    """The format in which a page takes the result of a query of this form."""
    return BY_FORM[form][0]


class Found(NamedTuple):
    """What a query found, whole or its begin, in the `source_format` of its form; and hints about it."""

    body: bytes
    form: str
    whole: bool = True
    hints: Sequence[object] = ()


def results_page(found: Found, parameters: list[tuple[str, str]], base: str) -> bytes:
    """A page with the table of a SELECT, the answer of an ASK, or the graph of a CONSTRUCT or DESCRIBE.

    `parameters` are those of the request. A table of more than ROWS rows, and what is not whole, says that it
    is cut, and where the whole is.
    """
    asked = [(key, value) for key, value in parameters if key != "_mediatype"]
    text = dict(parameters).get("query", "")
    known = recognized(text)
    return render(
        "results.html",
        base=base,
        form=found.form,
        asked=asked,
        known=known,
        is_narrowed=known is not None and text.split() != known.text.split(),
        hints=found.hints,
        whole=found.whole,
        others=[(one.title, run([*asked, ("_mediatype", one.media_type)])) for one in BY_FORM[found.form]],
        **shown(found),
    )


def shown(found: Found) -> dict[str, Any]:
    """What the template shows: a `text`, or `names` and `rows` of a table and their `total`, if known."""
    if found.form not in ("SELECT", "ASK"):
        text = found.body.decode("utf-8", "ignore")
        return {"text": text if found.whole else text[: text.rfind("\n")]}
    results = ox.parse_query_results(found.body, format=ox.QueryResultsFormat.JSON)
    if isinstance(results, ox.QueryBoolean):
        return {"text": gettext("yes") if results else gettext("no")}
    assert isinstance(results, ox.QuerySolutions)
    rows = list(rows_of(results, found))
    return {
        "names": [variable.value for variable in results.variables],
        "rows": rows[:ROWS],
        "total": len(rows) if found.whole else None,
    }


def rows_of(results: ox.QuerySolutions, found: Found) -> Iterator[list[object]]:
    """The rows of a table, as far as they are there."""
    try:
        for solution in results:
            yield list(solution)
    except SyntaxError:
        if found.whole:
            raise

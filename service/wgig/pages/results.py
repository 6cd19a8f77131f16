"""The result of a query as a page."""

from collections.abc import Sequence
from typing import Any

import pyoxigraph as ox

from ..formats import BY_FORM, Format
from . import render, run

ROWS = 1000


def source_format(form: str) -> Format:
    """The format in which a page takes the result of a query of this form."""
    return BY_FORM[form][0]


def results_page(
    result: bytes, form: str, parameters: list[tuple[str, str]], base: str, hints: Sequence[object] = ()
) -> bytes:
    """A page with the table of a SELECT, the answer of an ASK, or the graph of a CONSTRUCT or DESCRIBE.

    `result` is in the `source_format`, `parameters` are those of the request, `hints` those about the query.
    A table of more than ROWS rows says that it is cut, and where the whole is.
    """
    asked = [(key, value) for key, value in parameters if key != "_mediatype"]
    return render(
        "results.html",
        base=base,
        form=form,
        asked=asked,
        hints=hints,
        others=[(one.title, run([*asked, ("_mediatype", one.media_type)])) for one in BY_FORM[form]],
        **shown(result, form),
    )


def shown(result: bytes, form: str) -> dict[str, Any]:
    """What the template shows of the result: a `text`, or `names` and `rows` of a table and their `total`."""
    if form not in ("SELECT", "ASK"):
        return {"text": result.decode()}
    found = ox.parse_query_results(result, format=ox.QueryResultsFormat.JSON)
    if isinstance(found, ox.QueryBoolean):
        return {"text": "yes" if found else "no"}
    assert isinstance(found, ox.QuerySolutions)
    rows = [list(solution) for solution in found]
    return {
        "names": [variable.value for variable in found.variables],
        "rows": rows[:ROWS],
        "total": len(rows),
    }

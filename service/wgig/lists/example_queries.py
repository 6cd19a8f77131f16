"""/queries: the example queries, each at an address that answers it with the values of its parameters.

GET /sparql and the page on which queries are edited are in `lists.query_editor`.
"""

import json
from typing import Any

from fastapi import Request, Response

from ..feeds.query_feed import PAGE, example_feed
from ..http.parameters import content_location, host, only
from ..http.responses import answer, pick
from ..rdf.formats import ATOM, BY_FORM, HTML, JSON, Format
from ..rdf.sparql_lexer import form
from ..resources import mappings
from ..resources.existence import bound, names
from ..resources.representation import show
from ..sparql.admission import ROOM
from ..sparql.examples import NONE, Example, example, examples
from ..sparql.request import Question
from ..sparql.service import respond
from ..store.view import Dataset

EXAMPLE_FORMATS = (JSON, HTML)


def list_queries(request: Request) -> Response:
    """The example queries: what each asks, where, and with which parameters."""
    only(request, ("_mediatype",))
    format_ = pick(request, EXAMPLE_FORMATS)
    if format_ is HTML:
        page = show(request, "queries.html", examples=examples(), no_default=NONE, markup=told(request))
        return answer(request, page, HTML)
    body = json.dumps({"queries": [described(one) for one in examples()]}, ensure_ascii=False, indent=2)
    return answer(request, body.encode() + b"\n", JSON)


def told(request: Request) -> dict[str, Any]:
    """What the page tells search engines: schema.org for the list of the queries."""
    items = [
        {
            "@type": "SoftwareSourceCode",
            "name": one.title,
            "description": one.question,
            "programmingLanguage": "SPARQL",
            "url": {"@id": f"{host(request)}queries/{one.name}"},
        }
        for one in examples()
    ]
    return mappings.listed("Example queries", items, len(items))


def described(one: Example) -> dict[str, Any]:
    """An example query as JSON."""
    return {
        "name": one.name,
        "title": one.title,
        "question": one.question,
        "path": f"/queries/{one.name}",
        "form": form(one.text),
        "parameters": [
            {"name": name, "type": type_, "default": None if default == NONE else default, "says": says}
            for name, type_, default, says in one.parameters
        ],
    }


async def ask_example(request: Request, name: str) -> Response:
    """The answer to an example query, with values for its parameters; without one, its default holds.

    A suffix of the name chooses the format; as Atom it is the feed of the query. Raises Problem 404.
    """
    name, _, suffix = name.partition(".")
    one = example(name, "/queries")
    only(request, (*names(one), *(PAGE if one.date else ()), "_mediatype"))
    format_ = pick(request, formats(one), suffix)
    if format_ is ATOM:
        return await example_feed(request, one, "_mediatype")
    pairs = only(request, (*names(one), "_mediatype"))
    text = await bound(request, one, pairs)
    asked = Question(text + ROOM, form(one.text), Dataset())
    here = content_location(f"queries/{name}", pairs, format_)
    return await respond(request, [("query", text)], asked, format_, here)


def formats(one: Example) -> tuple[Format, ...]:
    """What an example query is answered in; where its rows have a date, as a feed, too."""
    return (*BY_FORM[form(one.text)], HTML, *((ATOM,) if one.date else ()))

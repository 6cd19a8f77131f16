"""/queries: the example queries, each to be asked with parameters of its own."""

import json
from typing import Any

from fastapi import Request, Response

from .admission import ROOM
from .answers import answer, pick
from .binding import bind
from .bodies import Pairs
from .examples import NONE, Example, example, examples
from .existing import known_term
from .feeds import findings
from .formats import ATOM, BY_FORM, HTML, JSON, Format
from .links import content_location, host
from .parameters import only
from .problems import Problem
from .profiles import schema_org
from .query import respond
from .question import Question
from .represent import show
from .sparql import form
from .view import Dataset

OFFERED = (JSON, HTML)
PAGE = ("page",)  # of a feed


def list_queries(request: Request) -> Response:
    """The example queries: what each asks, where, and with which parameters."""
    only(request, ("_mediatype",))
    format_ = pick(request, OFFERED)
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
    return schema_org.listed("Example queries", items, len(items))


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
        return await feed(request, one, "_mediatype")
    pairs = only(request, (*names(one), "_mediatype"))
    text = await bound(request, one, pairs)
    asked = Question(text + ROOM, form(one.text), Dataset())
    here = content_location(f"queries/{name}", pairs, format_)
    return await respond(request, [("query", text)], asked, format_, here)


async def feed_of_example(request: Request, name: str) -> Response:
    """What an example query finds, by the date in its rows, the last one first. Raises Problem 404."""
    dated = {f"{one.name}.atom": one for one in examples() if one.date}
    if name not in dated:
        feeds = ", ".join(f"/feed/query/{one}" for one in dated)
        raise Problem(404, f"There is no feed of a query {name!r}. Rows with a date make one: {feeds}.")
    return await feed(request, dated[name])


async def feed(request: Request, one: Example, *others: str) -> Response:
    """The feed of an example query, with values for its parameters; `others` mean something before that.

    Raises Problem 400, 404.
    """
    pairs = only(request, (*names(one), *PAGE, *others))
    return await findings.feed(request, one, await bound(request, one, pairs), pairs)


def formats(one: Example) -> tuple[Format, ...]:
    """What an example query is answered in; where its rows have a date, as a feed, too."""
    return (*BY_FORM[form(one.text)], HTML, *((ATOM,) if one.date else ()))


def names(one: Example) -> tuple[str, ...]:
    """The names of the parameters of a query."""
    return tuple(parameter.name for parameter in one.parameters)


async def bound(request: Request, one: Example, pairs: Pairs) -> str:
    """A query with the values in the pairs. Raises Problem 400 for those that there are not."""
    given = dict(pairs)
    return bind(
        one.text,
        {
            parameter.name: await known_term(request, parameter, given[parameter.name])
            for parameter in one.parameters
            if parameter.name in given
        },
    )

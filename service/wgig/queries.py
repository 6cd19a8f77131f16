"""/queries: the example queries, each to be asked with parameters of its own."""

import json
from typing import Any

from fastapi import Request, Response

from .admission import ROOM
from .answers import answer, pick
from .binding import bind
from .bodies import parameters
from .examples import NONE, Example, example, examples
from .existing import check_known
from .formats import BY_FORM, HTML, JSON
from .links import content_location
from .parameters import checked, only
from .prepared import terms
from .query import respond
from .question import Question
from .represent import show
from .settings import Settings
from .sparql import form
from .typed import is_thing
from .view import Dataset

OFFERED = (JSON, HTML)


def list_queries(request: Request) -> Response:
    """The example queries: what each asks, where, and with which parameters."""
    only(request, ("_mediatype",))
    format_ = pick(request, OFFERED)
    if format_ is HTML:
        return answer(request, show(request, "queries.html", examples=examples(), no_default=NONE), HTML)
    body = json.dumps({"queries": [described(one) for one in examples()]}, ensure_ascii=False, indent=2)
    return answer(request, body.encode() + b"\n", JSON)


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

    A suffix of the name chooses the format. Raises Problem 404.
    """
    settings: Settings = request.app.state.settings
    name, _, suffix = name.partition(".")
    one = example(name, "/queries")
    pairs = parameters(request)
    given = dict(checked(pairs, (*(parameter.name for parameter in one.parameters), "_mediatype")))
    values = terms(one, given, settings.base)
    for parameter in one.parameters:
        if parameter.name in values and is_thing(parameter.type):
            await check_known(request, parameter.name, values[parameter.name].value)
    asked = Question(bind(one.text, values) + ROOM, form(one.text), Dataset())
    format_ = pick(request, (*BY_FORM[asked.form], HTML), suffix)
    here = content_location(f"queries/{name}", pairs, format_)
    return await respond(request, [("query", asked.text.removesuffix(ROOM))], asked, format_, here)

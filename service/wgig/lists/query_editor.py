"""GET /sparql: the answer to a query; without one, the service description or the query editor."""

from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, parameters, values
from ..http.parameters import only
from ..http.responses import answer
from ..pages.rendering import render
from ..problems import Problem
from ..rdf.formats import GRAPHS, HTML
from ..rdf.values import EXAMPLES
from ..resources.existence import known_term
from ..sparql.examples import NONE, Example, bind, example, examples
from ..sparql.request import MANY, ONCE, picked
from ..sparql.service import reply
from ..sparql.service_description import describe_service, is_description


async def ask(request: Request) -> Response:
    """Ask a query by its address, or get the description of the service when there is none."""
    pairs = parameters(request)
    if not is_description(pairs):
        return await reply(request, pairs)
    names = values(pairs, "example")
    chosen = example(names[0], "/queries") if len(names) == 1 else None
    fields = [one.name for one in chosen.parameters] if chosen else []
    pairs = only(request, ("example", *fields, *ONCE), MANY)
    format_ = picked(pairs, request.headers.getlist("accept"), (*GRAPHS, HTML))
    if format_ is HTML:
        return await editor(request, chosen, [pair for pair in pairs if pair[0] in fields and pair[1]])
    return await run_in_threadpool(describe_service, request, format_)


async def editor(request: Request, chosen: Example | None, pairs: Pairs) -> Response:
    """The page to write queries on, with the example that was chosen and its parameters in it.

    What is wrong with a parameter is told at its field, with status 400.
    """
    given = dict(pairs)
    terms, wrong = await read(request, chosen, given)
    page = render(
        "sparql.html",
        base=request.app.state.settings.base,
        examples=examples(),
        chosen=chosen,
        given=given,
        wrong=wrong,
        text=bind(chosen.text, terms) if chosen else "",
        no_default=NONE,
        such_as=EXAMPLES,
    )
    return answer(request, page, HTML, status=400 if wrong else 200)


async def read(
    request: Request, chosen: Example | None, given: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The terms of those parameters that name one, and what is wrong with the others, by their names."""
    terms: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for parameter in chosen.parameters if chosen else ():
        if parameter.name in given:
            try:
                terms[parameter.name] = await known_term(request, parameter, given[parameter.name])
            except Problem as problem:
                wrong[parameter.name] = problem.detail
    return terms, wrong

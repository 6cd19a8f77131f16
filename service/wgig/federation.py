"""SERVICE and LOAD: ask the other service ourselves, and put what it says into the text for the engine.

The engine would ask by itself, with no bound on time or bytes, once for each row under EXISTS, and repeat
what the other says in its errors. So it is given a table in place of each SERVICE (SPARQL 1.1 Federated
Query, section 4), and INSERT DATA in place of each LOAD (SPARQL 1.1 Update, section 3.1.4).
"""

from collections.abc import Awaitable, Callable

import anyio
import pyoxigraph as ox
from anyio.to_thread import run_sync

from .formats import GRAPHS, N_TRIPLES, named
from .outside.calls import Call, calls, check_syntax, has_calls
from .outside.peers import Answer, PeerError, ask, fetch
from .outside.tables import TABLES, as_values, values
from .problems import Problem
from .rdf import rdf_format, read
from .settings import Settings
from .turns import Turns

# What answers a call that this service need not ask others for.
Own = Callable[[Call], str]

SECONDS = 30  # for all that one text asks of others
MOST = 10  # calls in one text


def nobody(call: Call) -> str:
    """Raises Problem 422, where there is no service to answer a call."""
    raise Problem(422, f"Only a running service answers SERVICE <{call.url}>. Ask one: wgig query --url …")


async def answered(text: str, settings: Settings, turns: Turns, own: Own = nobody) -> str:
    """The admitted text with the answers of others in place of its calls; the same text where it has none.

    `turns` bounds how many texts ask at once; what this service can answer itself is answered by `own`.
    Raises Problem 400 where the text does not parse, before anybody is asked, 403 for a SERVICE within
    another, 413 for too many, 502 where another service fails and the text does not say SILENT, and 503 where
    its turn does not come.
    """
    if not has_calls(text):
        return text
    await run_sync(check_syntax, text, settings.base)
    found = await run_sync(list, calls(text, settings.base))
    if len(found) > MOST:
        raise Problem(413, f"The text asks {len(found)} times beyond this service. Ask {MOST} times at most.")
    pieces: list[str] = []
    done = 0
    async with turns.turn():
        until = anyio.current_time() + SECONDS
        for call in found:
            there = run_sync(own, call) if call.own else answer_to(call, settings, until)
            pieces += [text[done : call.start], await there]
            done = call.end
    return "".join([*pieces, text[done:]])


async def answer_to(call: Call, settings: Settings, until: float) -> str:
    """What stands in the text in place of a call. Raises Problem 502 where it fails and is not SILENT."""
    answer, nothing = ANSWERS[call.word]
    try:
        with anyio.fail_after(until - anyio.current_time()):
            return await answer(call, settings)
    except (PeerError, TimeoutError) as error:
        if call.silent:
            return nothing(call)
        why = error if isinstance(error, PeerError) else f"it did not answer within {SECONDS} seconds"
        raise Problem(
            502,
            f"{call.word} <{call.url}> failed: {why}. Nothing was done. Try again later, or write "
            f"{call.word} SILENT to go on without it.",
        ) from error


async def table(call: Call, _: Settings) -> str:
    """The solutions of a SERVICE, as VALUES."""
    accept = ", ".join(one.media_type for one in TABLES)
    answer = await ask(call.url, accept, f"{call.prologue} SELECT * WHERE {call.inside}")
    return await run_sync(as_values, answer, call.variables)


async def data(call: Call, settings: Settings) -> str:
    """The triples of the document of a LOAD, as INSERT DATA."""
    accept = ", ".join(one.media_type for one in GRAPHS)
    return await run_sync(as_insert, await fetch(call.url, accept, settings.allow), call.inside)


def as_insert(answer: Answer, graph: str) -> str:
    """The update that adds a document to a graph, which is made where there is none. Raises PeerError."""
    try:
        format_ = named(answer.media_type, GRAPHS)
    except Problem as problem:
        raise PeerError("it is in no format for RDF graphs that is read here") from problem
    try:
        triples = read(answer.body, format_.media_type, answer.url)
    except (SyntaxError, ValueError, Problem) as error:
        raise PeerError("it cannot be read as what it says it is") from error
    lines = (ox.serialize(triples, format=rdf_format(N_TRIPLES.media_type)) or b"").decode()
    if not graph:
        return f"INSERT DATA {{ {lines} }}"
    return f"CREATE SILENT GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {lines} }} }}"


def unbound(call: Call) -> str:
    """One solution in which no variable of a SERVICE is bound (SPARQL 1.1 Federated Query, section 2.3)."""
    return values(sorted(call.variables), [[None] * len(call.variables)])


# What answers each kind of call, and what stands for one that fails in silence.
ANSWERS: dict[str, tuple[Callable[[Call, Settings], Awaitable[str]], Callable[[Call], str]]] = {
    "SERVICE": (table, unbound),
    "LOAD": (data, lambda _: "INSERT DATA {}"),
}

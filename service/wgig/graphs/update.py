"""/update: SPARQL Update. It is tried on a copy first, so that all it would do is known before it is done."""

from typing import Any

from anyio import from_thread
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.auth import may, refuse_in_body, refuse_in_form
from ..http.bodies import FORM, MOST_PAIRS, Part, parameters, parse_form, values
from ..http.parameters import checked
from ..http.responses import while_there
from ..problems import Problem
from ..rdf.sparql_lexer import absolute, refuse_query
from ..settings import Settings
from ..shacl.gate import OFF, guards
from ..sparql.admission import admit
from ..sparql.federation import answered
from ..sparql.language.diagnosis import diagnose
from ..sparql.request import check_version, version_of, with_using
from ..store.change import MOST, Change
from ..store.store import Store
from ..store.update import targets
from .provenance import Write, after, graphs_of
from .write_pipeline import UNKEPT, commit, in_turn, pass_gate, without_computed

DIRECT = "application/sparql-update"
USING = ("using-graph-uri", "using-named-graph-uri")
TOO_MUCH = (
    f"The update may touch more than {MOST} statements, so nothing has changed. Name each graph (GRAPH <…>), "
    "do it in several updates, or write whole graphs by PUT."
)


async def update(request: Request) -> Response:
    """Run a SPARQL Update, sent as a form or as `application/sparql-update` (Protocol, section 2.2)."""
    await refuse_in_body(request)
    token = may(request, "update")
    settings: Settings = request.app.state.settings
    given = bodies.content_type(request, (DIRECT, FORM))
    body = await bodies.read(request, settings.body_bytes)
    pairs = parameters(request)
    if values(pairs, "update"):
        raise Problem(400, "The update stands in the address. Send it in the body of the POST.")
    pairs += parse_form(body) if given.media_type == FORM else [("update", bodies.text(body, "update"))]
    pairs += version_of(given)
    refuse_in_form(pairs)
    texts = values(pairs, "update")
    if len(texts) != 1 or values(pairs, "query"):
        raise Problem(400, "Exactly one update is needed, and no query. Give the parameter update once.")
    checked(pairs, ("update", "version"), USING, most=MOST_PAIRS)
    refuse_query(texts[0])
    check_version(pairs)
    graphs, named = ([absolute(iri, key) for iri in values(pairs, key)] for key in USING)
    admitted = await run_in_threadpool(lambda: with_using(admit(texts[0], settings), graphs, named))
    state = request.app.state
    text = await answered(admitted, settings, state.others, state.search_call)
    write = Write(token, "SPARQL Update", [Part("", DIRECT, texts[0].encode())])
    return await in_turn(request, run, request, write, text, admitted)


def run(request: Request, write: Write, text: str, admitted: str) -> Response:
    """Run the update, as it was admitted and as the answers of others fill it.

    Raises Problem 400, 403, 422: nothing has changed then.
    """
    try:
        refused = done(request, write, text, admitted)
    except SyntaxError as error:
        raise diagnose(admitted, error) from error
    except (ValueError, RuntimeError) as error:
        raise Problem(422, f"The update cannot be done, and nothing has changed: {error}.") from error
    return refused or Response(status_code=204, headers=UNKEPT)


def done(request: Request, write: Write, text: str, admitted: str) -> Response | None:
    """Do what the update comes to, or answer with the report on a paper that would not conform."""
    settings: Settings = request.app.state.settings
    store: Store = request.app.state.store
    if request.app.state.record is None and settings.write_profile == OFF:
        store.update(text, settings.base, admitted)
        request.app.state.failed_write = None
        request.app.state.metrics.writes.labels("written").inc()
        return None

    async def wanted(*call: Any) -> Change | None:
        async with while_there(request.receive):
            found: Change | None = await request.app.state.checks.run(*call)
            return found

    def elsewhere(*call: Any) -> Change | None:
        """Evaluate it where papers are checked, within the same limits, while its client is there."""
        return from_thread.run(wanted, *call)

    with store.turn():
        change = store.tried(text, settings.base, admitted, elsewhere)
        if change is None:
            raise Problem(422, TOO_MUCH)
        meant = targets(admitted, settings.base) or ()
        change = without_computed(change, store, settings.base, meant)
        refused = at_gate(request, change)
        if refused is None:
            commit(request, change, write)
        return refused


def at_gate(request: Request, change: Change) -> Response | None:
    """The answer that says why a paper may not become what the change makes of it, if there is one."""
    settings: Settings = request.app.state.settings
    for graph in sorted(filter(None, graphs_of(change))):
        if not guards(graph, settings.base) or settings.write_profile == OFF:
            continue
        lines = b"".join(after(request.app.state.store, graph, change))
        if lines:
            passed = from_thread.run(pass_gate, request, graph, [], lines)
            if isinstance(passed, Response):
                return passed
    return None

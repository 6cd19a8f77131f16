"""/update: SPARQL Update. It is tried on a copy first, so that all it would do is known before it is done."""

from dataclasses import replace
from typing import Any

from anyio import from_thread
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.auth import authorize_request, refuse_token_in_body, refuse_token_in_form
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MAX_FORM_PAIRS,
    BodyPart,
    get_query_parameters,
    parameter_values,
    parse_form,
)
from ..http.dependencies import TokensDep
from ..http.parameters import check_parameter_pairs
from ..http.responses import cancel_on_disconnect
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.sparql_lexer import check_absolute_iri, refuse_query
from ..shacl.gate import PROFILE_OFF, is_paper_graph
from ..sparql.admission import admit_sparql_text
from ..sparql.dependencies import QueriesDep
from ..sparql.federation import resolve_federated_calls
from ..sparql.language.diagnosis import diagnose_syntax_error
from ..sparql.request import add_using_clauses, check_sparql_version, read_version_parameter
from ..store.change import MAX_COMPARED_QUADS, Change
from ..store.commit import CheckResults
from ..store.update import find_target_graphs
from .dependencies import WritesDep
from .provenance import WriteRequest, graph_lines_after, graphs_in_change
from .write_pipeline import (
    WRITE_CACHE_HEADERS,
    WritePipeline,
    commit_with_record,
    drop_computed_graphs,
    pass_gate,
    run_exclusive_write,
)

UPDATE_MEDIA_TYPE = "application/sparql-update"
USING_PARAMETERS = ("using-graph-uri", "using-named-graph-uri")
TOO_MANY_STATEMENTS_MESSAGE = (
    f"The update may touch more than {MAX_COMPARED_QUADS} statements, so nothing has changed. "
    "Name each graph (GRAPH <…>), do it in several updates, or write whole graphs by PUT."
)


async def post_update(
    context: ContextDep, queries: QueriesDep, writes: WritesDep, tokens: TokensDep
) -> Response:
    """Run a SPARQL Update, sent as a form or as `application/sparql-update` (Protocol, section 2.2)."""
    request = context.request
    await refuse_token_in_body(request)
    token = authorize_request(request, tokens, "update")
    settings = context.settings
    given = bodies.check_content_type(request, (UPDATE_MEDIA_TYPE, FORM_MEDIA_TYPE))
    body = await bodies.read_request_body(request, settings.body_bytes)
    pairs = get_query_parameters(request)
    if parameter_values(pairs, "update"):
        raise Problem(400, "The update stands in the address. Send it in the body of the POST.")
    pairs += (
        parse_form(body)
        if given.media_type == FORM_MEDIA_TYPE
        else [("update", bodies.decode_utf8_text(body, "update"))]
    )
    pairs += read_version_parameter(given)
    refuse_token_in_form(pairs)
    texts = parameter_values(pairs, "update")
    if len(texts) != 1 or parameter_values(pairs, "query"):
        raise Problem(400, "Exactly one update is needed, and no query. Give the parameter update once.")
    check_parameter_pairs(pairs, ("update", "version"), USING_PARAMETERS, most=MAX_FORM_PAIRS)
    refuse_query(texts[0])
    check_sparql_version(pairs)
    graphs, named = (
        [check_absolute_iri(iri, key) for iri in parameter_values(pairs, key)] for key in USING_PARAMETERS
    )
    admitted = await run_in_threadpool(
        lambda: add_using_clauses(admit_sparql_text(texts[0], settings), graphs, named)
    )
    text = await resolve_federated_calls(admitted, settings, queries.calls, queries.search_call)
    write = WriteRequest(token, "SPARQL Update", [BodyPart("", UPDATE_MEDIA_TYPE, texts[0].encode())])
    return await run_exclusive_write(request, writes, execute_update, context, writes, write, text, admitted)


def execute_update(
    context: RequestContext, writes: WritePipeline, write: WriteRequest, text: str, admitted: str
) -> Response:
    """Run the update, as it was admitted and as the answers of others fill it.

    Raises Problem 400, 403, 422: nothing has changed then.
    """
    try:
        refused = commit_update(context, writes, write, text, admitted)
    except SyntaxError as error:
        raise diagnose_syntax_error(admitted, error) from error
    except (ValueError, RuntimeError) as error:
        raise Problem(422, f"The update cannot be done, and nothing has changed: {error}.") from error
    return refused or Response(status_code=204, headers=WRITE_CACHE_HEADERS)


def commit_update(
    context: RequestContext, writes: WritePipeline, write: WriteRequest, text: str, admitted: str
) -> Response | None:
    """Do what the update comes to, or answer with the report on a paper that would not conform."""
    settings = context.settings
    store = context.store
    if writes.recorder is None and settings.write_profile == PROFILE_OFF:
        store.update(text, settings.base, admitted)
        writes.count_written()
        return None

    async def wanted(*call: Any) -> Change | None:
        async with cancel_on_disconnect(context.request.receive):
            found: Change | None = await writes.checks.run(*call)
            return found

    def elsewhere(*call: Any) -> Change | None:
        """Evaluate it where papers are checked, within the same limits, while its client is there."""
        return from_thread.run(wanted, *call)

    with store.exclusive_writer():
        change = store.dry_run(text, settings.base, admitted, elsewhere)
        if change is None:
            raise Problem(422, TOO_MANY_STATEMENTS_MESSAGE)
        meant = find_target_graphs(admitted, settings.base) or ()
        change = drop_computed_graphs(change, store, settings.base, meant)
        passed = check_changed_papers(context.request, writes, change)
        if isinstance(passed, Response):
            return passed
        commit_with_record(writes, change, replace(write, checked=passed))
        return None


def check_changed_papers(request: Request, writes: WritePipeline, change: Change) -> CheckResults | Response:
    """What the gate found in papers, or the answer why one may not become what the change makes of it."""
    settings, checked = writes.settings, dict[str, frozenset[Any]]()
    for graph in sorted(filter(None, graphs_in_change(change))):
        if not is_paper_graph(graph, settings.base) or settings.write_profile == PROFILE_OFF:
            continue
        lines = b"".join(graph_lines_after(writes.store, graph, change))
        if lines:
            passed = from_thread.run(pass_gate, request, writes, graph, [], lines)
            if isinstance(passed, Response):
                return passed
            checked |= passed.by_digest
    return checked

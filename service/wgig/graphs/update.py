"""Route of /update (SPARQL Update). A dry run computes the change, which is checked and then committed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from anyio import from_thread
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.auth import authorize_request, refuse_token_in_body
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MAX_FORM_PAIRS,
    SPARQL_UPDATE_MEDIA_TYPE,
    BodyPart,
    get_query_parameters,
    parameter_values,
)
from ..http.dependencies import TokensDep
from ..http.operations import Operation
from ..http.parameter_models import list_parameter_names
from ..http.parameters import check_parameter_pairs
from ..http.responses import NO_STORE_HEADERS, cancel_on_disconnect
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.sparql_lexer import check_absolute_iri, refuse_query
from ..settings import Settings
from ..shacl.gate import PROFILE_OFF, is_paper_graph
from ..sparql.admission import admit_sparql_text
from ..sparql.dependencies import QueriesDep
from ..sparql.federation import resolve_federated_calls
from ..sparql.language.diagnosis import diagnose_syntax_error
from ..sparql.language.parser import ParsedSparqlText
from ..sparql.request import add_using_clauses, check_sparql_version, read_operation_pairs
from ..store.change import MAX_COMPARED_QUADS, Change
from ..store.commit import CheckedQuads
from ..store.update import UpdateTargets, read_update_targets
from .dependencies import WritesDep
from .parameters import UpdateForm, UpdateParameters
from .provenance import WriteRequest, graph_lines_after, graphs_in_change
from .write_pipeline import (
    WritePipeline,
    commit_with_record,
    pass_gate,
    preserve_computed_graphs,
    run_exclusive_write,
)

TOO_MANY_STATEMENTS_MESSAGE = (
    f"The update may change more than {MAX_COMPARED_QUADS} statements, so nothing has changed. "
    "Name each graph (GRAPH <…>), or send several smaller updates."
)


UPDATE_OPERATION = Operation(
    name="runUpdate",
    status=204,
    bodies=(SPARQL_UPDATE_MEDIA_TYPE, FORM_MEDIA_TYPE),
    form=UpdateForm,
    needs_token=True,
    parameters=UpdateParameters,
    is_self_checked=True,  # the handler checks the parameters of the URL together with those of the form
)


async def post_update(
    context: ContextDep, queries: QueriesDep, pipeline: WritesDep, tokens: TokensDep
) -> Response:
    """Run a SPARQL Update, sent as a form or as `application/sparql-update` (Protocol, section 2.2)."""
    request = context.request
    await refuse_token_in_body(request)
    token = authorize_request(request, tokens, "update")
    settings = context.settings
    if parameter_values(get_query_parameters(request), "update"):
        raise Problem(400, "The update is in the query string. Send it in the body of the POST.")
    pairs = await read_operation_pairs(request, "update", SPARQL_UPDATE_MEDIA_TYPE, settings.body_bytes)
    texts = parameter_values(pairs, "update")
    if len(texts) != 1 or parameter_values(pairs, "query"):
        raise Problem(400, "Exactly one update is needed, and no query. Give the parameter update once.")
    single_names, repeatable_names = list_parameter_names(UpdateParameters)
    check_parameter_pairs(pairs, ("update", *single_names), repeatable_names, max_values=MAX_FORM_PAIRS)
    check_sparql_version(pairs)
    graphs, named_graphs = (
        [check_absolute_iri(iri, name) for iri in parameter_values(pairs, name)] for name in repeatable_names
    )
    admitted, targets = await run_in_threadpool(
        admit_update, ParsedSparqlText(texts[0]), graphs, named_graphs, settings
    )
    resolved = await resolve_federated_calls(admitted, settings, queries.calls, queries.search_call)
    update = AdmittedUpdate(admitted, resolved.engine_text, targets)
    write = WriteRequest(token, "SPARQL Update", [BodyPart("", SPARQL_UPDATE_MEDIA_TYPE, texts[0].encode())])
    return await run_exclusive_write(request, pipeline, execute_update, context, pipeline, write, update)


class AdmittedUpdate(NamedTuple):
    """An update that may be run.

    `admitted` is the update as parsed, with USING clauses. `engine_text` is its text with the results of its
    SERVICE calls inserted. `targets` are the graphs that it may change.
    """

    admitted: ParsedSparqlText
    engine_text: str
    targets: UpdateTargets


def admit_update(
    update: ParsedSparqlText, graphs: Sequence[str], named_graphs: Sequence[str], settings: Settings
) -> tuple[ParsedSparqlText, UpdateTargets]:
    """The update with USING clauses for `graphs` and `named_graphs`, and the graphs that it may change.

    Raises Problem 400, 403.
    """
    refuse_query(update)
    admitted = add_using_clauses(admit_sparql_text(update, settings), graphs, named_graphs)
    return admitted, read_update_targets(admitted, settings.base)


def execute_update(
    context: RequestContext, pipeline: WritePipeline, write: WriteRequest, update: AdmittedUpdate
) -> Response:
    """Run the update. Raises Problem 400, 403 or 422 without a change of the store."""
    try:
        refusal = commit_update(context, pipeline, write, update)
    except SyntaxError as error:
        raise diagnose_syntax_error(update.admitted, error) from error
    except (ValueError, RuntimeError) as error:
        raise Problem(422, f"The update failed, and nothing has changed: {error}.") from error
    return refusal or Response(status_code=204, headers=NO_STORE_HEADERS)


def commit_update(
    context: RequestContext, pipeline: WritePipeline, write: WriteRequest, update: AdmittedUpdate
) -> Response | None:
    """Commit the change that the update makes. Returns a response with the report if a paper is refused."""
    settings = context.settings
    store = context.store

    async def run_in_check_queue(*call: Any) -> bytes | None:
        async with cancel_on_disconnect(context.request.receive):
            change: bytes | None = await pipeline.checks.run(*call)
            return change

    def run_trial(*call: Any) -> bytes | None:
        """Evaluate the update in a process of the check queue, within its limits; stop on disconnect."""
        return from_thread.run(run_in_check_queue, *call)

    with store.exclusive_writer():
        change = store.dry_run(update.engine_text, settings.base, update.targets, run_trial)
        if change is None:
            raise Problem(422, TOO_MANY_STATEMENTS_MESSAGE)
        change = preserve_computed_graphs(change, store, settings, update.targets.graphs or ())
        checked_quads = check_changed_papers(context.request, pipeline, change)
        if isinstance(checked_quads, Response):
            return checked_quads
        commit_with_record(pipeline, change, replace(write, checked_quads=checked_quads))
        return None


def check_changed_papers(
    request: Request, pipeline: WritePipeline, change: Change
) -> CheckedQuads | Response:
    """The results of the gate for all changed papers, or a response with the report if one is refused."""
    settings, checked_quads = pipeline.settings, dict[str, bytes]()
    for graph in sorted(filter(None, graphs_in_change(change))):
        if not is_paper_graph(graph, settings.base) or settings.write_profile == PROFILE_OFF:
            continue
        lines = b"".join(graph_lines_after(pipeline.store, graph, change))
        if lines:
            decision = from_thread.run(pass_gate, request, pipeline, graph, [], lines)
            if isinstance(decision, Response):
                return decision
            checked_quads |= decision.by_digest
    return checked_quads

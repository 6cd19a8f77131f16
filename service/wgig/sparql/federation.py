"""SERVICE and LOAD, called by us and replaced in the text by VALUES and INSERT DATA.

The engine would call out itself with no limit on time or bytes, once for each row under EXISTS, and repeat
the remote message in its errors. So each SERVICE becomes a table of solutions (SPARQL 1.1 Federated Query,
section 4) and each LOAD an INSERT DATA (SPARQL 1.1 Update, section 3.1.4). One text may make 10 calls, in 30
seconds together. A failed call is 502, or one solution without bindings under SILENT. Calls inside a call are
left to the other service.

VALUES cannot hold blank nodes: they are made from labels, the same in all rows of a call.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

import anyio
import pyoxigraph as ox
from anyio.to_thread import run_sync

from ..http.outbound import (
    OUTBOUND_SCHEME,
    OWN_SERVICE_SCHEME,
    SERVICE_CALL_SCHEMES,
    OutboundResponse,
    PeerError,
    fetch_document,
    query_endpoint,
)
from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, JSON_RESULTS, TSV, XML_RESULTS, get_named_format
from ..rdf.serialization import parse_graph_document, serialize_n_triples
from ..rdf.sparql_lexer import QUERY_FORMS, SparqlText, SparqlToken, TokenStep, find_first_word, walk_tokens
from ..settings import Settings
from .admission import find_call_targets
from .language.diagnosis import diagnose_syntax_error, diagnose_unfinished_text
from .language.parser import ParsedSparqlText

RESULT_TABLE_FORMATS = (JSON_RESULTS, XML_RESULTS, TSV)


def convert_answer_to_values(answer: OutboundResponse, asked: set[str]) -> str:
    """A table of results as VALUES, with blank nodes of its own. Raises PeerError."""
    format_ = ox.QueryResultsFormat.from_media_type(answer.media_type)
    if format_ is None or format_ == ox.QueryResultsFormat.CSV:  # which loses what terms are
        raise PeerError("its answer is in no format for results that is read here")
    columns, rows = read_results_table(answer.body, format_)
    if not asked.issuperset(columns):
        raise PeerError("its answer has columns that were not asked for")
    return serialize_values_group(columns, rows)


def read_results_table(body: bytes, format_: ox.QueryResultsFormat) -> tuple[list[str], list[list[object]]]:
    """The columns and rows of a table of results. Raises PeerError."""
    rows: list[list[object]] = []
    results: object = None
    try:
        results = ox.parse_query_results(body, format=format_)
        if not isinstance(results, ox.QuerySolutions):
            raise PeerError("it answers yes or no, not with a table")
        columns = [variable.value for variable in results.variables]
        for row in results:
            rows.append(list(row))  # a comprehension would keep the results in a frame of its own
    except (SyntaxError, ValueError) as error:
        raise PeerError("its answer cannot be read") from error
    finally:
        results = None  # it must not leave this thread, not even in a traceback
    return columns, rows


def serialize_values_group(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The table as a group. VALUES holds no blank nodes: they are made from labels, the same by the same."""
    blank = [any(isinstance(row[number], ox.BlankNode) for row in rows) for number in range(len(columns))]
    salt = secrets.token_hex(8)
    longest = max(columns, key=len, default="")  # longer names than this are no columns
    given, bound = [], []
    for number, (column, is_blank) in enumerate(zip(columns, blank, strict=True)):
        if is_blank:
            known, label = f"?{longest}_term{number}", f"?{longest}_label{number}"
            given += [known, label]
            bound.append(f"BIND(COALESCE({known}, BNODE({label})) AS ?{column})")
        else:
            given.append(f"?{column}")
    lines = (f"({' '.join(serialize_values_row(row, blank, salt))})" for row in rows)
    block = f"VALUES ({' '.join(given)}) {{ {' '.join(lines)} }}"
    if not bound:
        return f"{{ {block} }}"
    return f"{{ SELECT {' '.join(f'?{one}' for one in columns)} {{ {block} {' '.join(bound)} }} }}"


def serialize_values_row(row: Sequence[object], blank: Sequence[bool], salt: str) -> Iterator[str]:
    """The terms of a row; in a column with blank nodes, each with the label that it has or has not."""
    for term, is_blank in zip(row, blank, strict=True):
        if isinstance(term, ox.BlankNode):
            yield f'UNDEF "{salt}{term.value}"'
        else:
            yield f"{serialize_values_term(term)} UNDEF" if is_blank else serialize_values_term(term)


def serialize_values_term(term: object) -> str:
    """A term as SPARQL writes it where no variable may stand. Raises PeerError for what it cannot."""
    match term:
        case None:
            return "UNDEF"
        case ox.Triple():
            parts = map(serialize_values_term, (term.subject, term.predicate, term.object))
            return f"<<( {' '.join(parts)} )>>"
        case ox.BlankNode():
            raise PeerError("its answer has a blank node within a triple, which is not taken here")
        case _:
            return str(term)


# What a text declares for what follows, and in how many tokens.
DECLARATION_TOKEN_COUNTS = {"PREFIX": 3, "BASE": 2}


class FederatedCall(NamedTuple):
    """A SERVICE or LOAD of an admitted text: what it stands for, and where.

    `operand` is the pattern of a SERVICE with its brackets, or the graph that a LOAD goes into; `prologue` is
    what was declared before it. `is_own`: this service answers it itself.
    """

    keyword: str
    silent: bool
    url: str
    operand: SparqlText
    prologue: str
    start: int
    end: int
    is_own: bool = False

    @property
    def variables(self) -> set[str]:
        """The names of the variables in it."""
        return {one.text[1:] for one in self.operand.tokens if one.kind == "variable"}


def asks_other_services(admitted: SparqlText) -> bool:
    """Whether an admitted text may have calls, so that what it yields does not hang on our data alone."""
    return f"<{OUTBOUND_SCHEME}" in admitted.text


def has_federated_calls(admitted: SparqlText) -> bool:
    """Whether an admitted text may have calls, of others or of our own search."""
    return asks_other_services(admitted) or f"<{OWN_SERVICE_SCHEME}" in admitted.text


def find_target_mark(target: SparqlToken) -> str:
    """The mark of a target; empty where it has none."""
    return next((one for one in SERVICE_CALL_SCHEMES if target.text.startswith(f"<{one}")), "")


def unmarked_url(target: SparqlToken) -> str:
    """The address of a target that has a mark."""
    return target.text[1 + len(find_target_mark(target)) : -1]


def check_sparql_syntax(source: ParsedSparqlText, base: str) -> None:
    """Raises Problem 400 where the engine refuses the text, which it only reads: a sign too many ends it."""
    text, first = source.text, find_first_word(source.tokens)
    store = ox.Store()
    read_only = store.query if first and first.word in QUERY_FORMS else store.update
    try:
        read_only(f"{text}\n`", base_iri=base)
    except SyntaxError as error:
        line = re.match(r"error at (\d+)", str(error))
        if line is None or int(line[1]) <= text.count("\n") + 1:
            raise diagnose_syntax_error(source, error) from error
    if problem := diagnose_unfinished_text(source):
        raise problem


def iter_federated_calls(admitted: SparqlText, base: str) -> Iterator[FederatedCall]:
    """The calls of an admitted text that parses, in order; those within another are for the one it asks."""
    steps = list(walk_tokens(admitted.tokens))
    called = {start: aim for start, aim in find_call_targets(admitted).items() if find_target_mark(aim.token)}
    targets = {aim.token.start: f"<{unmarked_url(aim.token)}>" for aim in called.values()}
    prologue = f"BASE <{base}>"
    end = 0
    for number, step in enumerate(steps):
        word, start = step.token.word, step.token.start
        if word in DECLARATION_TOKEN_COUNTS:
            declaration = steps[number : number + DECLARATION_TOKEN_COUNTS[word]]
            prologue = " ".join([prologue, *(one.token.text for one in declaration)])
        aim = called.get(start)
        if aim is None or start < end:
            continue
        after = steps[number + 2 + aim.silent :]
        first, last = find_service_group(after) if word == "SERVICE" else find_load_graph(after, aim.token)
        end = last.start + len(last.text)
        operand, own = (
            admitted.with_iris(targets, first, end),
            find_target_mark(aim.token) == OWN_SERVICE_SCHEME,
        )
        yield FederatedCall(word, aim.silent, unmarked_url(aim.token), operand, prologue, start, end, own)


def find_service_group(after: Sequence[TokenStep]) -> tuple[int, SparqlToken]:
    """Where the pattern of a SERVICE begins, and the token that ends it."""
    closing = (one.token for one in after if one.token.text == "}" and one.depth < after[0].depth)
    return after[0].token.start, next(closing, after[-1].token)


def find_load_graph(after: Sequence[TokenStep], target: SparqlToken) -> tuple[int, SparqlToken]:
    """Where the name of the graph begins that a LOAD goes into, if any, and the last token of all."""
    if [one.token.word for one in after[:2]] == ["INTO", "GRAPH"]:
        return after[2].token.start, after[2].token
    return target.start + len(target.text), target


# What answers a call that this service need not ask others for.
OwnCallHandler = Callable[[FederatedCall], str]

FEDERATION_TIMEOUT_SECONDS = 30  # for all that one text asks of others
MAX_FEDERATED_CALLS = 10  # calls in one text


def refuse_own_call(call: FederatedCall) -> str:
    """Raises Problem 422, where there is no service to answer a call."""
    raise Problem(422, f"Only a running service answers SERVICE <{call.url}>. Ask one: wgig query --url …")


async def resolve_federated_calls(
    admitted: ParsedSparqlText, settings: Settings, turns: WorkQueue, own: OwnCallHandler = refuse_own_call
) -> ParsedSparqlText:
    """The admitted text with the answers of others in place of its calls; the same text where it has none.

    `turns` bounds how many texts ask at once; what this service can answer itself is answered by `own`.
    Raises Problem 400 where the text does not parse, before anybody is asked, 403 for a SERVICE within
    another, 413 for too many, 502 where another service fails and the text does not say SILENT, and 503 where
    its turn does not come.
    """
    if not has_federated_calls(admitted):
        return admitted
    await run_sync(check_sparql_syntax, admitted, settings.base)
    found = await run_sync(list, iter_federated_calls(admitted, settings.base))
    if len(found) > MAX_FEDERATED_CALLS:
        raise Problem(
            413,
            f"The text asks {len(found)} times beyond this service. Ask {MAX_FEDERATED_CALLS} times at most.",
        )
    pieces: list[str] = []
    done = 0
    async with turns.slot():
        until = anyio.current_time() + FEDERATION_TIMEOUT_SECONDS
        for call in found:
            there = run_sync(own, call) if call.is_own else answer_federated_call(call, settings, until)
            pieces += [admitted.text[done : call.start], await there]
            done = call.end
    return ParsedSparqlText("".join([*pieces, admitted.text[done:]]))


async def answer_federated_call(call: FederatedCall, settings: Settings, until: float) -> str:
    """What stands in the text in place of a call. Raises Problem 502 where it fails and is not SILENT."""
    answer, nothing = CALL_ANSWERERS[call.keyword]
    try:
        with anyio.fail_after(until - anyio.current_time()):
            return await answer(call, settings)
    except (PeerError, TimeoutError) as error:
        if call.silent:
            return nothing(call)
        why = (
            error
            if isinstance(error, PeerError)
            else f"it did not answer within {FEDERATION_TIMEOUT_SECONDS} seconds"
        )
        raise Problem(
            502,
            f"{call.keyword} <{call.url}> failed: {why}. Nothing was done. Try again later, or write "
            f"{call.keyword} SILENT to go on without it.",
        ) from error


async def fetch_service_solutions(call: FederatedCall, _: Settings) -> str:
    """The solutions of a SERVICE, as VALUES."""
    accept = ", ".join(one.media_type for one in RESULT_TABLE_FORMATS)
    answer = await query_endpoint(call.url, accept, f"{call.prologue} SELECT * WHERE {call.operand.text}")
    return await run_sync(convert_answer_to_values, answer, call.variables)


async def fetch_load_data(call: FederatedCall, settings: Settings) -> str:
    """The triples of the document of a LOAD, as INSERT DATA."""
    accept = ", ".join(one.media_type for one in GRAPH_FORMATS)
    document = await fetch_document(call.url, accept, settings.allow)
    return await run_sync(convert_document_to_insert, document, call.operand.text)


def convert_document_to_insert(answer: OutboundResponse, graph: str) -> str:
    """The update that adds a document to a graph, which is made where there is none. Raises PeerError."""
    try:
        format_ = get_named_format(answer.media_type, GRAPH_FORMATS)
    except Problem as problem:
        raise PeerError("it is in no format for RDF graphs that is read here") from problem
    try:
        triples = parse_graph_document(answer.body, format_.media_type, answer.url)
    except (SyntaxError, ValueError, Problem) as error:
        raise PeerError("it cannot be read as what it says it is") from error
    lines = serialize_n_triples(triples).decode()
    if not graph:
        return f"INSERT DATA {{ {lines} }}"
    return f"CREATE SILENT GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {lines} }} }}"


def build_unbound_solution(call: FederatedCall) -> str:
    """One solution in which no variable of a SERVICE is bound (SPARQL 1.1 Federated Query, section 2.3)."""
    return serialize_values_group(sorted(call.variables), [[None] * len(call.variables)])


# What answers each kind of call, and what stands for one that fails in silence.
CALL_ANSWERERS: dict[
    str, tuple[Callable[[FederatedCall, Settings], Awaitable[str]], Callable[[FederatedCall], str]]
] = {
    "SERVICE": (fetch_service_solutions, build_unbound_solution),
    "LOAD": (fetch_load_data, lambda _: "INSERT DATA {}"),
}

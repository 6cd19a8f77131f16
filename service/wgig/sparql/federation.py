"""SERVICE and LOAD: this module makes the calls, and replaces them in the text by VALUES and INSERT DATA.

If the engine made the calls, they would have no limits on time and size, would be repeated for each row under
EXISTS, and their errors would repeat messages of the other service. So each SERVICE becomes a VALUES block
(SPARQL 1.1 Federated Query, section 4) and each LOAD an INSERT DATA (SPARQL 1.1 Update, section 3.1.4). One
text may make 10 calls, with a time limit of 30 seconds for all. A failed SERVICE causes a 502, or with SILENT
becomes one solution without bindings. A SERVICE inside another one is left to the other service.

VALUES cannot contain blank nodes. BNODE creates them from labels; the same label gives the same node.

An admitted text has passed the checks of the module `admission`, which has put one of SERVICE_CALL_SCHEMES
before the URL of each allowed target.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
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
    find_allowed_url,
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


def convert_results_to_values(response: OutboundResponse, expected_variables: set[str]) -> str:
    """The VALUES group for the results in a response, with fresh blank nodes. Raises PeerError."""
    format_ = ox.QueryResultsFormat.from_media_type(response.media_type)
    if format_ is None or format_ == ox.QueryResultsFormat.CSV:  # CSV does not distinguish IRIs from strings
        raise PeerError("its response is not in a supported results format")
    columns, rows = read_results_table(response.body, format_)
    if not expected_variables.issuperset(columns):
        raise PeerError("its response has variables that are not in the pattern")
    return serialize_values_group(columns, rows)


def read_results_table(body: bytes, format_: ox.QueryResultsFormat) -> tuple[list[str], list[list[object]]]:
    """The columns and rows of a results table. Raises PeerError."""
    rows: list[list[object]] = []
    results: object = None
    try:
        results = ox.parse_query_results(body, format=format_)
        if not isinstance(results, ox.QuerySolutions):
            raise PeerError("its response is a boolean, not a table")
        columns = [variable.value for variable in results.variables]
        for row in results:
            rows.append(list(row))  # a comprehension would keep a reference to the results in its frame
    except (SyntaxError, ValueError) as error:
        raise PeerError("its response cannot be parsed") from error
    finally:
        results = None  # must be freed on this thread; a traceback would keep a reference
    return columns, rows


def serialize_values_group(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The results table as a group graph pattern with VALUES, and with BNODE for blank nodes."""
    has_blank_nodes = [  # by column
        any(isinstance(row[number], ox.BlankNode) for row in rows) for number in range(len(columns))
    ]
    label_prefix = secrets.token_hex(8)
    longest_name = max(columns, key=len, default="")  # longer variable names cannot clash with columns
    value_variables, bindings = [], []
    for number, (column, is_blank) in enumerate(zip(columns, has_blank_nodes, strict=True)):
        if is_blank:
            term, label = f"?{longest_name}_term{number}", f"?{longest_name}_label{number}"
            value_variables += [term, label]
            bindings.append(f"BIND(COALESCE({term}, BNODE({label})) AS ?{column})")
        else:
            value_variables.append(f"?{column}")
    lines = (f"({' '.join(serialize_values_row(row, has_blank_nodes, label_prefix))})" for row in rows)
    block = f"VALUES ({' '.join(value_variables)}) {{ {' '.join(lines)} }}"
    if not bindings:
        return f"{{ {block} }}"
    return f"{{ SELECT {' '.join(f'?{column}' for column in columns)} {{ {block} {' '.join(bindings)} }} }}"


def serialize_values_row(
    row: Sequence[object], has_blank_nodes: Sequence[bool], label_prefix: str
) -> Iterator[str]:
    """The terms of a row; in a column with blank nodes, each term is followed by its label or UNDEF."""
    for term, is_blank in zip(row, has_blank_nodes, strict=True):
        if isinstance(term, ox.BlankNode):
            yield f'UNDEF "{label_prefix}{term.value}"'
        else:
            yield f"{serialize_values_term(term)} UNDEF" if is_blank else serialize_values_term(term)


def serialize_values_term(term: object) -> str:
    """A term as SPARQL text. Raises PeerError for a blank node within a triple term."""
    match term:
        case None:
            return "UNDEF"
        case ox.Triple():
            parts = map(serialize_values_term, (term.subject, term.predicate, term.object))
            return f"<<( {' '.join(parts)} )>>"
        case ox.BlankNode():
            raise PeerError("its response has a blank node within a triple term, which is not supported")
        case _:
            return str(term)


# The declarations of a prologue, with their numbers of tokens.
DECLARATION_TOKEN_COUNTS = {"PREFIX": 3, "BASE": 2}


class FederatedCall(NamedTuple):
    """A SERVICE or LOAD in an admitted text, from offset `start` to offset `end`.

    `operand` is the pattern of a SERVICE with its braces, or the target graph of a LOAD. `prologue` contains
    the declarations before the call. `is_search`: the target is the search of this service.
    """

    keyword: str
    silent: bool
    url: str
    operand: SparqlText
    prologue: str
    start: int
    end: int
    is_search: bool = False

    @property
    def variables(self) -> set[str]:
        """The names of the variables in the pattern."""
        return {token.text[1:] for token in self.operand.tokens if token.kind == "variable"}


def calls_other_services(admitted: SparqlText) -> bool:
    """Whether an admitted text may call other services, whose data its result then depends on."""
    return f"<{OUTBOUND_SCHEME}" in admitted.text


def has_federated_calls(admitted: SparqlText) -> bool:
    """Whether an admitted text may call other services or the search of this service."""
    return calls_other_services(admitted) or f"<{OWN_SERVICE_SCHEME}" in admitted.text


def find_target_scheme(target: SparqlToken) -> str:
    """The scheme that admission has put before the target of a call; empty if there is none."""
    return next((scheme for scheme in SERVICE_CALL_SCHEMES if target.text.startswith(f"<{scheme}")), "")


def original_target_url(target: SparqlToken) -> str:
    """The URL of a target without the scheme that admission has put before it."""
    return target.text[1 + len(find_target_scheme(target)) : -1]


def check_sparql_syntax(source: ParsedSparqlText, base: str) -> None:
    """Raises Problem 400 if the engine finds a syntax error.

    An invalid token is appended to the text, so that the engine only parses it. An error in the line of that
    token is ignored.
    """
    text, first_word = source.text, find_first_word(source.tokens)
    store = ox.Store()
    parse = store.query if first_word and first_word.word in QUERY_FORMS else store.update
    try:
        parse(f"{text}\n`", base_iri=base)
    except SyntaxError as error:
        line_match = re.match(r"error at (\d+)", str(error))
        if line_match is None or int(line_match[1]) <= text.count("\n") + 1:
            raise diagnose_syntax_error(source, error) from error
    if problem := diagnose_unfinished_text(source):
        raise problem


def iter_federated_calls(admitted: SparqlText, base: str) -> Iterator[FederatedCall]:
    """The calls in an admitted text without syntax errors, in order, without calls inside other calls."""
    steps = list(walk_tokens(admitted.tokens))
    marked_targets = {
        start: target
        for start, target in find_call_targets(admitted, base).items()
        if find_target_scheme(target.token)
    }
    original_iris = {
        target.token.start: f"<{original_target_url(target.token)}>" for target in marked_targets.values()
    }
    prologue = f"BASE <{base}>"
    end = 0
    for number, step in enumerate(steps):
        word, start = step.token.word, step.token.start
        if word in DECLARATION_TOKEN_COUNTS:
            declaration = steps[number : number + DECLARATION_TOKEN_COUNTS[word]]
            prologue = " ".join([prologue, *(part.token.text for part in declaration)])
        target = marked_targets.get(start)
        if target is None or start < end:
            continue
        following_steps = steps[number + 2 + target.silent :]  # after the keyword, SILENT and the target
        operand_start, last_token = (
            find_service_group(following_steps)
            if word == "SERVICE"
            else find_load_graph(following_steps, target.token)
        )
        end = last_token.start + len(last_token.text)
        operand = admitted.with_iris(original_iris, operand_start, end)
        is_search = find_target_scheme(target.token) == OWN_SERVICE_SCHEME
        url = original_target_url(target.token)
        yield FederatedCall(word, target.silent, url, operand, prologue, start, end, is_search)


def find_service_group(steps: Sequence[TokenStep]) -> tuple[int, SparqlToken]:
    """The offset of the pattern of a SERVICE, and the closing brace of the pattern."""
    closing_braces = (step.token for step in steps if step.token.text == "}" and step.depth < steps[0].depth)
    return steps[0].token.start, next(closing_braces, steps[-1].token)


def find_load_graph(steps: Sequence[TokenStep], target: SparqlToken) -> tuple[int, SparqlToken]:
    """The offset of the target graph of a LOAD, and the last token of the LOAD.

    Without INTO GRAPH the offset is the end of the LOAD.
    """
    if [step.token.word for step in steps[:2]] == ["INTO", "GRAPH"]:
        return steps[2].token.start, steps[2].token
    return target.start + len(target.text), target


# Returns the text that replaces a call to the search of this service.
SearchCallHandler = Callable[[FederatedCall], str]

FEDERATION_TIMEOUT_SECONDS = 30  # for all calls of one text together
MAX_FEDERATED_CALLS = 10  # in one text


def refuse_search_call(call: FederatedCall) -> str:
    """Raises Problem 422: the command line has no search, which needs a running service."""
    raise Problem(
        422,
        f"SERVICE <{call.url}> needs a running service. Send the query to a running service: "
        "wgig query --url …",
    )


async def resolve_federated_calls(
    admitted: ParsedSparqlText,
    settings: Settings,
    queue: WorkQueue,
    answer_search_call: SearchCallHandler = refuse_search_call,
) -> ParsedSparqlText:
    """The admitted text with its calls replaced by their results; the same object if it has no calls.

    `queue` limits how many texts make calls concurrently. `answer_search_call` evaluates calls to the search
    of this service.

    Raises Problem 400 for a syntax error (before any call is made), 413 for too many calls, 502 if another
    service fails without SILENT, 503 if the queue is full, and the errors of `answer_search_call`.
    """
    if not has_federated_calls(admitted):
        return admitted
    await run_sync(check_sparql_syntax, admitted, settings.base)
    calls = await run_sync(list, iter_federated_calls(admitted, settings.base))
    if len(calls) > MAX_FEDERATED_CALLS:
        raise Problem(
            413,
            f"There are {len(calls)} SERVICE or LOAD calls. At most {MAX_FEDERATED_CALLS} are allowed.",
        )
    parts: list[str] = []
    copied_until = 0
    async with queue.slot():
        deadline = anyio.current_time() + FEDERATION_TIMEOUT_SECONDS
        for call in calls:
            replacement = (
                run_sync(answer_search_call, call)
                if call.is_search
                else fetch_call_replacement(call, settings, deadline)
            )
            parts += [admitted.text[copied_until : call.start], await replacement]
            copied_until = call.end
    return ParsedSparqlText("".join([*parts, admitted.text[copied_until:]]))


async def fetch_call_replacement(call: FederatedCall, settings: Settings, deadline: float) -> str:
    """The text that replaces a call to another service. Raises Problem 502 if it fails without SILENT.

    `deadline` is a time on the clock of `anyio.current_time`.
    """
    fetch, build_fallback = CALL_FUNCTIONS[call.keyword]
    try:
        with anyio.fail_after(deadline - anyio.current_time()):
            return await fetch(call, settings)
    except (PeerError, TimeoutError) as error:
        if call.silent:
            return build_fallback(call)
        reason = (
            error
            if isinstance(error, PeerError)
            else f"it did not respond within {FEDERATION_TIMEOUT_SECONDS} seconds"
        )
        raise Problem(
            502,
            f"{call.keyword} <{call.url}> failed: {reason}. Nothing was changed. Try again "
            f"later, or write {call.keyword} SILENT to ignore such failures.",
        ) from error


async def fetch_service_solutions(call: FederatedCall, _: Settings) -> str:
    """The solutions of a SERVICE, as VALUES."""
    accept = ", ".join(format_.media_type for format_ in RESULT_TABLE_FORMATS)
    response = await query_endpoint(call.url, accept, f"{call.prologue} SELECT * WHERE {call.operand.text}")
    return await run_sync(convert_results_to_values, response, call.variables)


async def fetch_load_data(call: FederatedCall, settings: Settings) -> str:
    """The triples of the document that a LOAD names, as INSERT DATA."""
    accept = ", ".join(format_.media_type for format_ in GRAPH_FORMATS)
    document = await fetch_document(call.url, accept, partial(find_allowed_url, allow_setting=settings.allow))
    return await run_sync(convert_document_to_insert, document, call.operand.text)


def convert_document_to_insert(response: OutboundResponse, graph: str) -> str:
    """The update that adds the triples of a document to a graph. Raises PeerError.

    The update creates the graph if needed. An empty `graph` means the default graph.
    """
    try:
        format_ = get_named_format(response.media_type, GRAPH_FORMATS)
    except Problem as problem:
        raise PeerError("its response is not in a supported RDF format") from problem
    try:
        triples = parse_graph_document(response.body, format_.media_type, response.url)
    except (SyntaxError, ValueError, Problem) as error:
        raise PeerError("its response cannot be parsed as the format in its Content-Type") from error
    lines = serialize_n_triples(triples).decode()
    if not graph:
        return f"INSERT DATA {{ {lines} }}"
    return f"CREATE SILENT GRAPH {graph}; INSERT DATA {{ GRAPH {graph} {{ {lines} }} }}"


def build_unbound_solution(call: FederatedCall) -> str:
    """One solution without bindings, as VALUES (SPARQL 1.1 Federated Query, section 2.3)."""
    return serialize_values_group(sorted(call.variables), [[None] * len(call.variables)])


# For each keyword: the function that makes the call, and the replacement for a failed call with SILENT.
CALL_FUNCTIONS: dict[
    str, tuple[Callable[[FederatedCall, Settings], Awaitable[str]], Callable[[FederatedCall], str]]
] = {
    "SERVICE": (fetch_service_solutions, build_unbound_solution),
    "LOAD": (fetch_load_data, lambda _: "INSERT DATA {}"),
}

"""SPARQL protocol requests: query, dataset, options and result format, validated before the query runs.

Validation takes time linear in the length of the request. For clients of other SPARQL services, the media
type may also be in `format`, `output` or `results`. SPARQL versions are checked (SPARQL 1.2 Protocol). The
dataset of an update request is added to the text as USING clauses (SPARQL 1.1 Protocol, section 2.2.3),
because the engine has no parameter for it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request

from ..http.auth import refuse_token_in_form
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MAX_FORM_PAIRS,
    Pairs,
    decode_utf8_text,
    get_query_parameters,
    parameter_values,
    parse_form,
    read_request_body,
    require_content_type,
)
from ..http.negotiation import negotiate_format
from ..http.parameter_models import list_parameter_names
from ..http.parameters import check_parameter_pairs
from ..problems import Problem
from ..rdf.formats import Format, find_named_format
from ..rdf.sparql_lexer import (
    SparqlText,
    SparqlToken,
    check_absolute_iri,
    get_query_form,
    has_dataset_clause,
    sparql_syntax_problem,
    walk_tokens,
)
from ..settings import Settings
from ..store.view import QueryDataset
from ..text import find_near_name
from .admission import admit_sparql_text, simple_query_form
from .federation import calls_other_services
from .language.diagnosis import diagnose_syntax_error
from .language.parser import ParsedSparqlText
from .parameters import MEDIA_TYPE_ALIASES, SPARQL_VERSIONS, SparqlParameters


def add_using_clauses(
    update: ParsedSparqlText, graphs: Sequence[str], named_graphs: Sequence[str]
) -> ParsedSparqlText:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE` has no USING clause, so `DELETE WHERE {…}` becomes `DELETE {…} USING … WHERE {…}`. Raises
    Problem 400 if the text already has USING or WITH.
    """
    if not graphs and not named_graphs:
        return update
    text = update.text
    clauses = " ".join(
        [
            *(f"USING <{iri}>" for iri in dict.fromkeys(graphs)),
            *(f"USING NAMED <{iri}>" for iri in dict.fromkeys(named_graphs)),
        ]
    )
    parts: list[str] = []
    copied_until = 0
    pattern_start = -1  # offset of the pattern of a DELETE WHERE; -1 outside of one
    for step in walk_tokens(update.tokens):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise dataset_clash_problem(update, token)
        if step.depth == 0 and token.word == "WHERE":
            parts.append(text[copied_until : token.start])
            copied_until = token.start
            if step.previous.word == "DELETE":
                pattern_start = copied_until = token.start + len(token.text)
            else:
                parts.append(f"{clauses} ")
        if step.depth == 0 and token.text == "}" and pattern_start >= 0:
            pattern = text[pattern_start : token.start + 1]
            parts.append(f"{pattern} {clauses} WHERE{pattern}")
            pattern_start, copied_until = -1, token.start + 1
    return ParsedSparqlText("".join([*parts, text[copied_until:]]))


def dataset_clash_problem(update: SparqlText, clause: SparqlToken) -> Problem:
    """The 400 for an update and a request that both specify a dataset."""
    return sparql_syntax_problem(
        update.text,
        clause.start,
        f"The update has {clause.word}, and the request has using-graph-uri or using-named-graph-uri.",
        "Specify the dataset in only one of them.",
    )


SINGLE_QUERY_PARAMETERS, REPEATABLE_QUERY_PARAMETERS = list_parameter_names(SparqlParameters)
KNOWN_QUERY_PARAMETERS = (*SINGLE_QUERY_PARAMETERS, *REPEATABLE_QUERY_PARAMETERS, "example")
MIN_TIMEOUT_SECONDS = 0.1  # at the end of the time the worker is killed, and a new one costs 13 ms of CPU
TIMEOUT_PATTERN = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?)(?P<unit>s|ms)?|", re.ASCII)
LONG_QUERY_CHARS = 2_000  # to parse these takes some milliseconds; longer queries go to another process


# Functions with a different value in each evaluation.
VOLATILE_FUNCTIONS = ("BNODE", "NOW", "RAND", "STRUUID", "UUID")
# Their names, also in strings: finding them in tokens would cost more than the evaluation of a short query.
VOLATILE_WORD_PATTERN = re.compile(rf"(?<![?$\w])(?:{'|'.join(VOLATILE_FUNCTIONS)})(?![\w:])", re.IGNORECASE)


@dataclass(frozen=True)
class QueryRequest:
    """An admitted query: the text from the client (`source`), the text to run (`admitted`), form and dataset.

    Both texts cache their tokens and trees, so that a query is parsed once per request. They are the same
    object if admission changed nothing, and not parsed if the fast path of admission recognized the query.
    """

    source: ParsedSparqlText
    admitted: ParsedSparqlText
    form: str
    dataset: QueryDataset
    unknown_parameters: tuple[str, ...] = ()  # parameters without effect here
    wants_hints: bool = False  # whether the client requests hints on probable mistakes
    max_seconds: float = 0  # time limit that the client asks for; 0: that of the service

    @property
    def is_volatile(self) -> bool:
        """Whether the result may change without a write: by other services, or functions such as NOW."""
        return calls_other_services(self.admitted) or bool(VOLATILE_WORD_PATTERN.search(self.source.text))


def build_internal_query(text: str, form: str = "SELECT") -> QueryRequest:
    """A query of the service itself, over all graphs, without admission."""
    source = ParsedSparqlText(text)
    return QueryRequest(source, source, form, QueryDataset())


def takes_long_to_parse(pairs: Pairs, settings: Settings) -> bool:
    """Whether `parse_query_request` would parse a text that is longer than LONG_QUERY_CHARS."""
    lengths = [len(value) for _, value in pairs]
    # A query longer than `query_length` is refused before parsing.
    if sum(lengths) <= LONG_QUERY_CHARS or max(lengths) > settings.query_length:
        return False
    return not any(
        simple_query_form(text, settings.query_nesting) for text in parameter_values(pairs, "query")
    )


def parse_query_request(pairs: Pairs, settings: Settings) -> QueryRequest:
    """The query in the parameters of a request. Raises Problem 400, 403 or 413."""
    if parameter_values(pairs, "update"):
        raise Problem(400, "This is the query service. Send updates by POST to /update.")
    texts = parameter_values(pairs, "query")
    if len(texts) != 1:
        raise Problem(400, f"Send the parameter query exactly once; it was sent {len(texts)} times.")
    unknown_parameters = list_unknown_parameters(pairs)
    check_parameter_pairs(
        [pair for pair in pairs if pair[0] not in unknown_parameters],
        SINGLE_QUERY_PARAMETERS,
        REPEATABLE_QUERY_PARAMETERS,
        max_values=MAX_FORM_PAIRS,
    )
    check_sparql_version(pairs)
    max_seconds = parse_timeout(pairs)
    if len(texts[0]) > settings.query_length:
        raise Problem(
            413,
            f"The query is longer than {settings.query_length} characters. Split it into smaller queries.",
        )
    query = ParsedSparqlText(texts[0])
    form = simple_query_form(query.text, settings.query_nesting)
    has_dataset = not form and has_dataset_clause(query.tokens)
    dataset = read_query_dataset(pairs, is_union=settings.default_graph == "union" and not has_dataset)
    wants_hints = any(key == "hints" for key, _ in pairs)
    if form:
        return QueryRequest(query, query, form, dataset, unknown_parameters, wants_hints, max_seconds)
    admitted = admit_sparql_text(query, settings)
    form = get_query_form(query)
    return QueryRequest(query, admitted, form, dataset, unknown_parameters, wants_hints, max_seconds)


def read_query_dataset(pairs: Pairs, *, is_union: bool) -> QueryDataset:
    """The dataset in the parameters of a query (SPARQL 1.1 Protocol, section 2.1.4). Raises Problem 400."""
    default, named = (
        tuple(dict.fromkeys(check_absolute_iri(iri, key) for iri in parameter_values(pairs, key)))
        for key in ("default-graph-uri", "named-graph-uri")
    )
    return QueryDataset(default, named, is_union)


def list_unknown_parameters(pairs: Pairs) -> tuple[str, ...]:
    """The names of unknown parameters, which clients of other services send with each query.

    An unknown name similar to a known one that was not sent is left out: it is probably a misspelling, which
    `check_parameter_pairs` refuses.
    """
    sent_names = dict(pairs)
    missing_names = [name for name in KNOWN_QUERY_PARAMETERS if name not in sent_names]
    return tuple(
        name
        for name in sent_names
        if name not in KNOWN_QUERY_PARAMETERS and not find_near_name(name, missing_names)
    )


def check_sparql_version(pairs: Pairs) -> None:
    """Raises Problem 400 for an unsupported version of SPARQL (SPARQL 1.2 Protocol, section 2.1)."""
    for version in parameter_values(pairs, "version"):
        if version not in SPARQL_VERSIONS:
            raise Problem(
                400, f"SPARQL {version!r} is not supported. Use one of: {', '.join(SPARQL_VERSIONS)}."
            )


def parse_timeout(pairs: Pairs) -> float:
    """The time limit in `timeout`, in seconds; 0 if it is not set. Raises Problem 400 if it is malformed."""
    text = "".join(parameter_values(pairs, "timeout"))
    match = TIMEOUT_PATTERN.fullmatch(text)
    if match is None:
        raise Problem(400, f"timeout is {text!r}. Send a number of seconds, such as 2.5, or 2500ms.")
    seconds = float(match["number"] or 0) * (0.001 if match["unit"] == "ms" else 1)
    return max(seconds, MIN_TIMEOUT_SECONDS) if seconds else 0


async def read_operation_pairs(request: Request, name: str, media_type: str, max_bytes: int) -> Pairs:
    """The parameters of an operation sent by POST (SPARQL 1.1 Protocol, sections 2.1 and 2.2).

    The body is a form, or a text of type `media_type`, which becomes the parameter `name`. The version in the
    Content-Type becomes a parameter, too (SPARQL 1.2 Protocol, section 2.1). Raises Problem 400, 413 or 415.
    """
    content_type = require_content_type(request, (media_type, FORM_MEDIA_TYPE))
    body = await read_request_body(request, max_bytes)
    is_form = content_type.media_type == FORM_MEDIA_TYPE
    body_pairs = parse_form(body) if is_form else [(name, decode_utf8_text(body, name))]
    version = (
        [("version", content_type.parameters["version"])] if "version" in content_type.parameters else []
    )
    pairs = [*get_query_parameters(request), *body_pairs, *version]
    refuse_token_in_form(pairs)
    return pairs


def pick_result_format(pairs: Pairs, accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The format of the result, from `_mediatype` or its aliases in the parameters, else from Accept headers.

    Raises Problem 400 if the parameters contradict each other, 406 if the format is not in `offered`.
    """
    values = parameter_values(pairs, "_mediatype") or [
        value for key, value in pairs if key in MEDIA_TYPE_ALIASES
    ]
    # Some clients send several names of one format, separated by commas.
    names = [name for value in values for name in value.split(",")]
    if len({format_ for name in names if (format_ := find_named_format(name, offered))}) > 1:
        raise Problem(
            400,
            f"The parameters {', '.join(MEDIA_TYPE_ALIASES)} request different formats. Send only "
            "_mediatype.",
        )
    return negotiate_format(accept, offered, named=names)


def diagnose_refused_text(source: ParsedSparqlText, message: str, settings: Settings) -> Problem:
    """The Problem for a text with a syntax error; `message` is the error message of the engine."""
    try:
        admit_sparql_text(source, settings)  # finds undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose_syntax_error(source, SyntaxError(message))

"""The SPARQL protocol request: query, dataset, options and result format, validated before anything runs.

Validation takes time linear in the length of the request. Parameters of other SPARQL services (`format`,
`output`, `results`) are accepted for the media type, as their clients expect. SPARQL versions are checked
(SPARQL 1.2 Protocol). The dataset of an update request is written into its text as USING clauses (SPARQL 1.1
Protocol, section 2.2.3), because the engine has no parameter for it; `DELETE WHERE`, which has no such
clause, becomes `DELETE ... WHERE`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request

from ..http.auth import refuse_token_in_form
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MAX_FORM_PAIRS,
    Pairs,
    check_content_type,
    decode_utf8_text,
    get_query_parameters,
    parameter_values,
    parse_form,
    read_request_body,
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
from .language.diagnosis import diagnose_syntax_error
from .language.parser import ParsedSparqlText
from .parameters import MEDIA_TYPE_ALIASES, SPARQL_VERSIONS, SparqlParameters


def add_using_clauses(
    update: ParsedSparqlText, graphs: Sequence[str], named: Sequence[str]
) -> ParsedSparqlText:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE`, which has no such clause, is written out as `DELETE … WHERE`. Raises Problem 400 where the
    text has USING or WITH itself.
    """
    if not graphs and not named:
        return update
    text = update.text
    clauses = " ".join([*(f"USING <{iri}>" for iri in graphs), *(f"USING NAMED <{iri}>" for iri in named)])
    pieces: list[str] = []
    copied_until = 0
    delete_where_begin = -1  # offset of the pattern of a DELETE WHERE; -1 outside of one
    for step in walk_tokens(update.tokens):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise dataset_clash_problem(update, token)
        if step.depth == 0 and token.word == "WHERE":
            pieces.append(text[copied_until : token.start])
            copied_until = token.start
            if step.previous.word == "DELETE":
                delete_where_begin = copied_until = token.start + len(token.text)
            else:
                pieces.append(f"{clauses} ")
        if step.depth == 0 and token.text == "}" and delete_where_begin >= 0:
            pattern = text[delete_where_begin : token.start + 1]
            pieces.append(f"{pattern} {clauses} WHERE{pattern}")
            delete_where_begin, copied_until = -1, token.start + 1
    return ParsedSparqlText("".join([*pieces, text[copied_until:]]))


def dataset_clash_problem(update: SparqlText, clause: SparqlToken) -> Problem:
    """The 400 for a dataset in both the update and the request."""
    return sparql_syntax_problem(
        update.text,
        clause.start,
        f"The update has {clause.word}, and the request has using-graph-uri or using-named-graph-uri.",
        "Specify the dataset in only one of them.",
    )


SINGLE_QUERY_PARAMETERS, REPEATABLE_QUERY_PARAMETERS = list_parameter_names(SparqlParameters)
KNOWN_QUERY_PARAMETERS = (*SINGLE_QUERY_PARAMETERS, *REPEATABLE_QUERY_PARAMETERS, "example")
LONG_QUERY_CHARS = 2_000  # characters that take some milliseconds, so that more are looked at elsewhere


@dataclass(frozen=True)
class QueryRequest:
    """A query that may run: as the client wrote it and as it was admitted, with its form and dataset.

    Both texts keep their tokens and trees, so that a query is parsed once per request. They are the same
    object where admission changed nothing, and not parsed where the fast path recognized the query.
    """

    source: ParsedSparqlText
    admitted: ParsedSparqlText
    form: str
    dataset: QueryDataset
    unknown_parameters: tuple[str, ...] = ()  # parameters without effect here
    wants_hints: bool = False  # whether the client asked for hints on probable mistakes


def build_own_query(text: str, form: str = "SELECT") -> QueryRequest:
    """A query made by the service itself, over all graphs, without admission."""
    source = ParsedSparqlText(text)
    return QueryRequest(source, source, form, QueryDataset())


def takes_long_to_parse(pairs: Pairs, settings: Settings) -> bool:
    """Whether `parse_query_request` would have to parse a long text."""
    lengths = [len(value) for _, value in pairs]
    # A query longer than the setting is refused before parsing.
    if not sum(lengths) > LONG_QUERY_CHARS or max(lengths) > settings.query_length:
        return False
    return not any(
        simple_query_form(text, settings.query_nesting) for text in parameter_values(pairs, "query")
    )


def parse_query_request(pairs: Pairs, settings: Settings) -> QueryRequest:
    """The query in the parameters of a request. Raises Problem 400, 403 and 413 before anything runs."""
    if parameter_values(pairs, "update"):
        raise Problem(400, "This is the query service. Send updates by POST to /update.")
    texts = parameter_values(pairs, "query")
    if len(texts) != 1:
        raise Problem(400, f"Send the parameter query exactly once; the request has it {len(texts)} times.")
    unknown_parameters = list_unknown_parameters(pairs)
    check_parameter_pairs(
        [pair for pair in pairs if pair[0] not in unknown_parameters],
        SINGLE_QUERY_PARAMETERS,
        REPEATABLE_QUERY_PARAMETERS,
        most=MAX_FORM_PAIRS,
    )
    check_sparql_version(pairs)
    if len(texts[0]) > settings.query_length:
        raise Problem(
            413,
            f"The query is longer than {settings.query_length} characters. Split it into smaller queries.",
        )
    query = ParsedSparqlText(texts[0])
    form = simple_query_form(query.text, settings.query_nesting)
    names_dataset = not form and has_dataset_clause(query.tokens)
    dataset = read_query_dataset(pairs, is_union=settings.default_graph == "union" and not names_dataset)
    wants_hints = any(key == "hints" for key, _ in pairs)
    if form:
        return QueryRequest(query, query, form, dataset, unknown_parameters, wants_hints)
    admitted = admit_sparql_text(query, settings)
    return QueryRequest(query, admitted, get_query_form(query), dataset, unknown_parameters, wants_hints)


def read_query_dataset(pairs: Pairs, *, is_union: bool) -> QueryDataset:
    """The dataset in the parameters of a query (SPARQL 1.1 Protocol, section 2.1.4). Raises Problem 400."""
    default, named = (
        tuple([check_absolute_iri(iri, key) for iri in parameter_values(pairs, key)])
        for key in ("default-graph-uri", "named-graph-uri")
    )
    return QueryDataset(default, named, is_union)


def list_unknown_parameters(pairs: Pairs) -> tuple[str, ...]:
    """The parameters that only other services have, which their clients send with each query.

    A parameter spelled nearly like a known one that is missing is left out: it is probably a mistake, which
    would change the result.
    """
    given = dict(pairs)
    missing = [name for name in KNOWN_QUERY_PARAMETERS if name not in given]
    return tuple(
        key for key in given if key not in KNOWN_QUERY_PARAMETERS and not find_near_name(key, missing)
    )


def check_sparql_version(pairs: Pairs) -> None:
    """Raises Problem 400 for an unsupported version of SPARQL (SPARQL 1.2 Protocol, section 2.1)."""
    for version in parameter_values(pairs, "version"):
        if version not in SPARQL_VERSIONS:
            raise Problem(
                400, f"SPARQL {version!r} is not supported. Use one of: {', '.join(SPARQL_VERSIONS)}."
            )


async def read_operation_pairs(request: Request, name: str, media_type: str, max_bytes: int) -> Pairs:
    """The parameters of an operation sent by POST: a form, or its text, which becomes the parameter `name`.

    The version in the media type of the body becomes a parameter as well (SPARQL 1.1 Protocol, sections 2.1
    and 2.2; SPARQL 1.2 Protocol, section 2.1). Raises Problem 400, 413 and 415.
    """
    content_type = check_content_type(request, (media_type, FORM_MEDIA_TYPE))
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
    """The format of the result: `_mediatype` or its aliases in the parameters, else the Accept headers.

    Raises Problem 400 where the parameters contradict each other, 406 for a format that is not offered.
    """
    values = parameter_values(pairs, "_mediatype") or [
        value for key, value in pairs if key in MEDIA_TYPE_ALIASES
    ]
    # Some clients send several names of a format.
    names = [name for value in values for name in value.split(",")]
    if len({format_ for name in names if (format_ := find_named_format(name, offered))}) > 1:
        raise Problem(
            400,
            f"The parameters {', '.join(MEDIA_TYPE_ALIASES)} name different formats. Name one: _mediatype.",
        )
    return negotiate_format(accept, offered, named=names)


def diagnose_refused_text(source: ParsedSparqlText, message: str, settings: Settings) -> Problem:
    """The Problem for a text with a syntax error, given the message of the engine."""
    try:
        admit_sparql_text(source, settings)  # finds undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose_syntax_error(source, SyntaxError(message))

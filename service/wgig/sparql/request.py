"""The SPARQL protocol request: query, dataset, options and result format, validated before anything runs.

Validation takes time linear in the length of the request. Parameters of other SPARQL services (`format`,
`output`, `results`) are accepted as media type, as their clients expect. SPARQL versions are negotiated
(SPARQL 1.2 Protocol). The dataset of an update request is written into its text as USING clauses (SPARQL 1.1
Protocol, section 2.2.3), because the engine takes none beside it; `DELETE WHERE`, which takes no such clause,
becomes `DELETE ... WHERE`.
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


def add_using_clauses(
    update: ParsedSparqlText, graphs: Sequence[str], named: Sequence[str]
) -> ParsedSparqlText:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE`, which takes no such clause, is written out as `DELETE … WHERE`. Raises Problem 400 where
    the text has USING or WITH itself.
    """
    if not graphs and not named:
        return update
    text = update.text
    clauses = " ".join([*(f"USING <{iri}>" for iri in graphs), *(f"USING NAMED <{iri}>" for iri in named)])
    pieces: list[str] = []
    done = 0
    shorthand = -1  # where the pattern of a DELETE WHERE starts, once its keyword is met
    for step in walk_tokens(update.tokens):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise dataset_clash_problem(update, token)
        if step.depth == 0 and token.word == "WHERE":
            pieces.append(text[done : token.start])
            done = token.start
            if step.previous.word == "DELETE":
                shorthand = done = token.start + len(token.text)
            else:
                pieces.append(f"{clauses} ")
        if step.depth == 0 and token.text == "}" and shorthand >= 0:
            pattern = text[shorthand : token.start + 1]
            pieces.append(f"{pattern} {clauses} WHERE{pattern}")
            shorthand, done = -1, token.start + 1
    return ParsedSparqlText("".join([*pieces, text[done:]]))


def dataset_clash_problem(update: SparqlText, clause: SparqlToken) -> Problem:
    """The 400 for two datasets at once."""
    return sparql_syntax_problem(
        update.text,
        clause.start,
        f"The update has {clause.word}, and the request has using-graph-uri or using-named-graph-uri.",
        "Give the dataset in one of the two.",
    )


# What other services call `_mediatype`, so that clients made for them send it.
MEDIA_TYPE_ALIASES = ("format", "output", "results")
# The parameters of a query; with `ac` editors say that a program asks of itself, which changes nothing.
SINGLE_QUERY_PARAMETERS = ("query", "explain", "hints", "version", "_mediatype", "ac")
REPEATABLE_QUERY_PARAMETERS = ("default-graph-uri", "named-graph-uri", *MEDIA_TYPE_ALIASES)
KNOWN_QUERY_PARAMETERS = (*SINGLE_QUERY_PARAMETERS, *REPEATABLE_QUERY_PARAMETERS, "example")
SPARQL_VERSIONS = ("1.0", "1.1", "1.2-basic", "1.2")  # of SPARQL, all of which the engine reads
LONG_QUERY_CHARS = 2_000  # characters that take some milliseconds, so that more are looked at elsewhere


@dataclass(frozen=True)
class QueryRequest:
    """A query that may run: as its client wrote it and as it was admitted, its form, what it runs over.

    The two texts hold their tokens and trees, which all that looks at the query shares. They are one object
    where nothing in the text had to be replaced, and have no tokens yet where a glance told that it may run.
    """

    source: ParsedSparqlText
    admitted: ParsedSparqlText
    form: str
    dataset: QueryDataset
    unknown_parameters: tuple[str, ...] = ()  # parameters that mean nothing here
    wants_hints: bool = False  # whether the client wants to know what is probably not meant


def build_own_query(text: str, form: str = "SELECT") -> QueryRequest:
    """A query of our own over all graphs, which nobody has to admit."""
    source = ParsedSparqlText(text)
    return QueryRequest(source, source, form, QueryDataset())


def takes_long_to_parse(pairs: Pairs, settings: Settings) -> bool:
    """Whether `parse_query_request` has to look closely at much text."""
    lengths = [len(value) for _, value in pairs]
    # What is longer than the setting is refused at once.
    if not sum(lengths) > LONG_QUERY_CHARS or max(lengths) > settings.query_length:
        return False
    return not any(
        simple_query_form(text, settings.query_nesting) for text in parameter_values(pairs, "query")
    )


def parse_query_request(pairs: Pairs, settings: Settings) -> QueryRequest:
    """The query of a request's pairs. Raises Problem 400, 403 and 413 before anything runs."""
    if parameter_values(pairs, "update"):
        raise Problem(400, "An update was sent to the query service. Send it by POST to /update.")
    texts = parameter_values(pairs, "query")
    if len(texts) != 1:
        raise Problem(
            400, f"Exactly one query is needed, and {len(texts)} were sent. Give the parameter query once."
        )
    strangers = list_unknown_parameters(pairs)
    check_parameter_pairs(
        [pair for pair in pairs if pair[0] not in strangers],
        SINGLE_QUERY_PARAMETERS,
        REPEATABLE_QUERY_PARAMETERS,
        most=MAX_FORM_PAIRS,
    )
    check_sparql_version(pairs)
    if len(texts[0]) > settings.query_length:
        raise Problem(
            413, f"The query is longer than {settings.query_length} characters. Ask in smaller parts."
        )
    query = ParsedSparqlText(texts[0])
    plain = simple_query_form(query.text, settings.query_nesting)
    names_dataset = not plain and has_dataset_clause(query.tokens)
    dataset = read_query_dataset(pairs, is_union=settings.default_graph == "union" and not names_dataset)
    hinted = any(key == "hints" for key, _ in pairs)
    if plain:
        return QueryRequest(query, query, plain, dataset, strangers, hinted)
    admitted = admit_sparql_text(query, settings)
    return QueryRequest(query, admitted, get_query_form(query), dataset, strangers, hinted)


def read_query_dataset(pairs: Pairs, *, is_union: bool) -> QueryDataset:
    """The graphs that the pairs name for a query (SPARQL 1.1 Protocol, section 2.1.4). Raises Problem 400."""
    default, named = (
        tuple([check_absolute_iri(iri, key) for iri in parameter_values(pairs, key)])
        for key in ("default-graph-uri", "named-graph-uri")
    )
    return QueryDataset(default, named, is_union)


def list_unknown_parameters(pairs: Pairs) -> tuple[str, ...]:
    """The parameters that are those of other services, as clients made for them send them with each query.

    One of ours that has no place beside a query is not among them, nor what is spelt nearly as one of ours
    that is not given: it is a slip, which may change the answer.
    """
    given = dict(pairs)
    missed = [one for one in KNOWN_QUERY_PARAMETERS if one not in given]
    return tuple(
        key for key in given if key not in KNOWN_QUERY_PARAMETERS and not find_near_name(key, missed)
    )


def check_sparql_version(pairs: Pairs) -> None:
    """Raises Problem 400 for a text in a version of SPARQL that is not read (SPARQL 1.2 Protocol, 2.1)."""
    for version in parameter_values(pairs, "version"):
        if version not in SPARQL_VERSIONS:
            raise Problem(
                400, f"SPARQL {version!r} is not read here. Versions are: {', '.join(SPARQL_VERSIONS)}."
            )


async def read_operation_pairs(request: Request, name: str, media_type: str, max_bytes: int) -> Pairs:
    """The parameters of an operation in a body: a form, or its text, which becomes the parameter of a name.

    The version that the type of the body names becomes one as well (SPARQL 1.1 Protocol, sections 2.1 and
    2.2; SPARQL 1.2 Protocol, section 2.1). Raises Problem 400, 413 and 415.
    """
    given = check_content_type(request, (media_type, FORM_MEDIA_TYPE))
    body = await read_request_body(request, max_bytes)
    is_form = given.media_type == FORM_MEDIA_TYPE
    sent = parse_form(body) if is_form else [(name, decode_utf8_text(body, name))]
    version = [("version", given.parameters["version"])] if "version" in given.parameters else []
    pairs = [*get_query_parameters(request), *sent, *version]
    refuse_token_in_form(pairs)
    return pairs


def pick_result_format(pairs: Pairs, accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The format of the answer: that of the pairs beats the Accept fields, `_mediatype` other names of it.

    Raises Problem 400 where they contradict each other, 406 for one that is not offered.
    """
    asked = parameter_values(pairs, "_mediatype") or [
        value for key, value in pairs if key in MEDIA_TYPE_ALIASES
    ]
    # Some clients send all the names that a format may have.
    names = [name for value in asked for name in value.split(",")]
    if len({one for name in names if (one := find_named_format(name, offered))}) > 1:
        raise Problem(
            400, f"{', '.join(MEDIA_TYPE_ALIASES)} name different formats. Name one, as _mediatype."
        )
    return negotiate_format(accept, offered, named=names)


def diagnose_refused_text(source: ParsedSparqlText, said: str, settings: Settings) -> Problem:
    """The Problem of a text that does not parse, as the engine said of it."""
    try:
        admit_sparql_text(source, settings)  # which knows of undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose_syntax_error(source, SyntaxError(said))

"""The SPARQL protocol request: query, dataset, options and result format, validated before anything runs.

Validation takes time linear in the length of the request. Parameters of other SPARQL services (`format`,
`output`, `results`) are accepted as media type, as their clients expect. SPARQL versions are negotiated
(SPARQL 1.2 Protocol). The dataset of an update request is written into its text as USING clauses (SPARQL 1.1
Protocol, section 2.2.3), because the engine takes none beside it; `DELETE WHERE`, which takes no such clause,
becomes `DELETE ... WHERE`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..http.bodies import MAX_FORM_PAIRS, ContentType, Pairs, parameter_values
from ..http.negotiation import negotiate_format
from ..http.parameters import check_parameter_pairs
from ..problems import Problem
from ..rdf.formats import Format, get_named_format, rate_format_match
from ..rdf.sparql_lexer import (
    check_absolute_iri,
    get_query_form,
    has_dataset_clause,
    sparql_syntax_problem,
    walk_tokens,
)
from ..settings import Settings
from ..store.view import QueryDataset
from ..text import find_near_name
from .admission import LOOKAHEAD_PADDING, admit_sparql_text, simple_query_form
from .language.diagnosis import diagnose_syntax_error


def add_using_clauses(text: str, graphs: Sequence[str], named: Sequence[str]) -> str:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE`, which takes no such clause, is written out as `DELETE … WHERE`. Raises Problem 400 where
    the text has USING or WITH itself.
    """
    if not graphs and not named:
        return text
    clauses = " ".join([*(f"USING <{iri}>" for iri in graphs), *(f"USING NAMED <{iri}>" for iri in named)])
    pieces: list[str] = []
    done = 0
    shorthand = -1  # where the pattern of a DELETE WHERE starts, once its keyword is met
    for step in walk_tokens(text):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise dataset_clash_problem(text, token.start, token.word)
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
    return "".join([*pieces, text[done:]])


def dataset_clash_problem(text: str, start: int, word: str) -> Problem:
    """The 400 for two datasets at once."""
    return sparql_syntax_problem(
        text,
        start,
        f"The update has {word}, and the request has using-graph-uri or using-named-graph-uri.",
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
    """A query that may run: its text as the engine gets it, its form, and the dataset it runs over."""

    text: str
    form: str
    dataset: QueryDataset
    unknown_parameters: tuple[str, ...] = ()  # parameters that mean nothing here
    wants_hints: bool = False  # whether the client wants to know what is probably not meant


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
    text = texts[0]
    if len(text) > settings.query_length:
        raise Problem(
            413, f"The query is longer than {settings.query_length} characters. Ask in smaller parts."
        )
    plain = simple_query_form(text, settings.query_nesting)
    hinted = any(key == "hints" for key, _ in pairs)
    dataset = QueryDataset(
        tuple(
            check_absolute_iri(iri, "default-graph-uri")
            for iri in parameter_values(pairs, "default-graph-uri")
        ),
        tuple(
            check_absolute_iri(iri, "named-graph-uri") for iri in parameter_values(pairs, "named-graph-uri")
        ),
        union=settings.default_graph == "union" and (bool(plain) or not has_dataset_clause(text)),
    )
    if plain:
        return QueryRequest(text + LOOKAHEAD_PADDING, plain, dataset, strangers, hinted)
    return QueryRequest(admit_sparql_text(text, settings), get_query_form(text), dataset, strangers, hinted)


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


def read_version_parameter(given: ContentType) -> Pairs:
    """The version that the type of a body names, as a parameter."""
    return [("version", given.parameters["version"])] if "version" in given.parameters else []


def pick_result_format(pairs: Pairs, accept: Iterable[str], offered: Sequence[Format]) -> Format:
    """The format of the answer: that of the pairs beats the Accept fields, `_mediatype` other names of it.

    Raises Problem 400 where they contradict each other, 406 for one that is not offered.
    """
    asked = parameter_values(pairs, "_mediatype") or [
        value for key, value in pairs if key in MEDIA_TYPE_ALIASES
    ]
    if not asked:
        return negotiate_format(accept, offered)
    # Some clients send all the names that a format may have.
    meant = {
        one for value in asked for name in value.split(",") for one in find_formats_by_alias(name, offered)
    }
    if len(meant) > 1:
        raise Problem(
            400, f"{', '.join(MEDIA_TYPE_ALIASES)} name different formats. Name one, as _mediatype."
        )
    return meant.pop() if meant else get_named_format(asked[0], offered)


def find_formats_by_alias(name: str, offered: Sequence[Format]) -> list[Format]:
    """The offered format that a service calls so, or none."""
    return [one for one in offered if rate_format_match(name, one)][:1]


def diagnose_refused_text(text: str, said: str, settings: Settings) -> Problem:
    """The Problem of a text that does not parse, as the engine said of it."""
    text = text.removesuffix(LOOKAHEAD_PADDING)
    try:
        admit_sparql_text(text, settings)  # which knows of undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose_syntax_error(text, SyntaxError(said))

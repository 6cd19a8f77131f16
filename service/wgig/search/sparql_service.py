"""SERVICE <…/search>: full-text search within a SPARQL query, without an HTTP request.

    PREFIX search: <https://w3id.org/wgig/search#>
    SELECT ?thing ?rank {
      SERVICE <https://w3id.org/wgig/search> { ?thing search:matches "spam" ; search:rank ?rank }
    }

The SERVICE pattern is replaced by VALUES with the matches, which the engine joins with the other patterns.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..sparql.federation import FederatedCall, serialize_values_group
from ..store.inference.rule import RulePattern, parse_triple_patterns, split_statements
from . import index as search_index
from .criteria import SearchCriteria
from .database import IndexRow, read_index_entries
from .entries import IndexEntry
from .index import FullTextIndex
from .ranking import SearchMatches, find_search_matches
from .snippets import build_snippet
from .terms import parse_search_terms

MAX_SERVICE_MATCHES = 500
MATCHES_PROPERTY, BEST_PROPERTY = "matches", "best"
SEARCH_FILTER_PROPERTIES = ("language", "kind")  # with a literal as the object, filters; else outputs
SEARCH_OUTPUT_PROPERTIES = ("label", "snippet", "rank")
SEARCH_PROPERTIES = (MATCHES_PROPERTY, BEST_PROPERTY, *SEARCH_FILTER_PROPERTIES, *SEARCH_OUTPUT_PROPERTIES)
BEST_COUNT_PATTERN = re.compile(r"[1-9][0-9]{0,2}")
SEARCH_PATTERN_HINT = 'Write it as in { ?thing search:matches "spam" ; search:rank ?rank }.'


class SearchPattern(NamedTuple):
    """A parsed search: the variable for resources; by property, the input literals and output variables."""

    variable: str
    inputs: dict[str, str]
    outputs: dict[str, str]


def make_search_matcher(index: FullTextIndex, base: str) -> Callable[[FederatedCall], str]:
    """A function that converts a SERVICE call to VALUES.

    It raises Problem 400 for an invalid search, 413 for more than MAX_SERVICE_MATCHES.
    """

    def match_call(call: FederatedCall) -> str:
        pattern = parse_search_pattern(call, base)
        language = search_index.parse_search_language(index, pattern.inputs.get("language", ""))
        kind = search_index.parse_search_kind(index, pattern.inputs.get("kind", ""))
        criteria = SearchCriteria(
            parse_search_terms(pattern.inputs[MATCHES_PROPERTY]), language, kind, limit=MAX_SERVICE_MATCHES
        )
        matches = index.query(find_search_matches, criteria, index.frequent_terms)
        rows = list(matches.rows[: parse_best_count(pattern.inputs.get(BEST_PROPERTY))])
        if matches.has_more and BEST_PROPERTY not in pattern.inputs:
            raise Problem(
                413,
                f"The search finds more than {MAX_SERVICE_MATCHES} resources. "
                "Search for more words, or for only the best of them: ?thing search:best 100.",
            )
        columns = [pattern.variable, *pattern.outputs.values()]
        return serialize_values_group(
            columns, list(iter_match_rows(index, rows, matches, list(pattern.outputs)))
        )

    return match_call


def parse_best_count(text: str | None) -> int:
    """The number in search:best, at most MAX_SERVICE_MATCHES, the default. Raises Problem 400 for others."""
    if text is not None and not (BEST_COUNT_PATTERN.fullmatch(text) and int(text) <= MAX_SERVICE_MATCHES):
        raise Problem(400, f"search:best is a number from 1 to {MAX_SERVICE_MATCHES}, not {text!r}.")
    return int(text) if text else MAX_SERVICE_MATCHES


def parse_search_pattern(call: FederatedCall, base: str) -> SearchPattern:
    """The search in a SERVICE call. Raises Problem 400 if the pattern is not a valid search."""
    namespace = f"{base}search#"
    inputs, outputs = dict[str, str](), dict[str, str]()
    subjects = set()
    for subject, property_, object_ in parse_search_triples(call):
        name = property_.value.removeprefix(namespace) if isinstance(property_, ox.NamedNode) else ""
        if (
            name not in SEARCH_PROPERTIES
            or not isinstance(subject, ox.Variable)
            or name in {*inputs, *outputs}
        ):
            known = ", ".join(f"search:{known_name}" for known_name in SEARCH_PROPERTIES)
            raise invalid_search_problem(f"Its properties are {known}, each at most once, of a variable.")
        subjects.add(subject.value)
        if isinstance(object_, ox.Variable) and name not in (MATCHES_PROPERTY, BEST_PROPERTY):
            outputs[name] = object_.value
        elif isinstance(object_, ox.Literal) and name not in SEARCH_OUTPUT_PROPERTIES:
            inputs[name] = object_.value
        else:
            required = "a variable" if name in SEARCH_OUTPUT_PROPERTIES else "a literal"
            raise invalid_search_problem(f"The object of search:{name} must be {required}.")
    names = [*subjects, *outputs.values()]
    if len(subjects) != 1 or MATCHES_PROPERTY not in inputs or len(set(names)) != len(names):
        raise invalid_search_problem(
            "It must have one variable for the resources, search:matches with a literal, and another "
            "variable for each output."
        )
    return SearchPattern(subjects.pop(), inputs, outputs)


def parse_search_triples(call: FederatedCall) -> list[RulePattern]:
    """The triple patterns in a SERVICE call. Raises Problem 400 if there are other patterns."""
    tokens = call.operand.tokens
    if any((token.kind == "word" and token.text != "a") or token.text == "(" for token in tokens):
        raise invalid_search_problem(
            "It may have only triple patterns. Move FILTER and other clauses after its closing brace."
        )
    try:
        statements, blank_nodes = split_statements(tokens)
        if blank_nodes:
            raise invalid_search_problem("It must not have square brackets.")
        return parse_triple_patterns(call.prologue, statements)
    except SyntaxError as error:
        raise invalid_search_problem("It may have only triple patterns.") from error


def iter_match_rows(
    index: FullTextIndex, rows: list[IndexRow], matches: SearchMatches, columns: list[str]
) -> Iterator[list[object]]:
    """A VALUES row for each match: the resource, then the columns."""
    entries = index.query(read_index_entries, rows) if "snippet" in columns else {}
    for rank, row in enumerate(rows, 1):
        entry = entries.get(row.id, IndexEntry())
        text = build_snippet(entry, matches.criteria.terms, row.language, row.label).text
        values = {
            "label": result_literal(row.label, row.language),
            "snippet": result_literal(text, row.language),
            "rank": ox.Literal(rank),
            "language": ox.Literal(row.language),
            "kind": ox.Literal(row.kind),
        }
        yield [ox.NamedNode(row.iri), *(values[column] for column in columns)]


def result_literal(text: str, language: str) -> ox.Literal | None:
    """The text as a literal; None if it is empty."""
    if not text:
        return None
    return ox.Literal(text, language=language) if language else ox.Literal(text)


def invalid_search_problem(reason: str) -> Problem:
    """The Problem 400 for an invalid search."""
    return Problem(400, f"The search within the query is invalid. {reason} {SEARCH_PATTERN_HINT}")

"""SERVICE <…/search>: the search of this service within a query; nobody is asked over the network.

    PREFIX search: <https://w3id.org/wgig/search#>
    SELECT ?thing ?rank {
      SERVICE <https://w3id.org/wgig/search> { ?thing search:matches "spam" ; search:rank ?rank }
    }

What is found stands in the query as a table, so that the engine joins it with the graph.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..sparql.federation import FederatedCall, serialize_values_group
from ..store.inference.rule import RulePattern, parse_triple_patterns, split_statements
from . import index as search_index
from .database import IndexRow, read_index_entries
from .index import FullTextIndex
from .ranking import SearchCriteria, SearchMatches, find_search_matches
from .snippets import build_snippet
from .tokenizer import parse_search_terms

MAX_SERVICE_MATCHES = 500  # things
MATCHES_PROPERTY, BEST_PROPERTY = "matches", "best"
SEARCH_FILTER_PROPERTIES = ("language", "kind")  # what is searched for is of these, where they are given
SEARCH_OUTPUT_PROPERTIES = ("label", "snippet", "rank")
SEARCH_PROPERTIES = (MATCHES_PROPERTY, BEST_PROPERTY, *SEARCH_FILTER_PROPERTIES, *SEARCH_OUTPUT_PROPERTIES)
BEST_COUNT_PATTERN = re.compile(r"[1-9][0-9]{0,2}")
SEARCH_PATTERN_HINT = 'Write it as in { ?thing search:matches "spam" ; search:rank ?rank }.'


class SearchPattern(NamedTuple):
    """What a search says: the variable of the things, what is given, and the variables of what is told."""

    variable: str
    inputs: dict[str, str]
    outputs: dict[str, str]


def make_search_matcher(index: FullTextIndex, base: str) -> Callable[[FederatedCall], str]:
    """What stands in a query in place of its search. Raises Problem 400, and 413 where too much is found."""

    def matched(call: FederatedCall) -> str:
        what = parse_search_pattern(call, base)
        language = search_index.parse_search_language(index, what.inputs.get("language", ""))
        kind = search_index.parse_search_kind(index, what.inputs.get("kind", ""))
        wanted = SearchCriteria(
            parse_search_terms(what.inputs[MATCHES_PROPERTY]), language, kind, limit=MAX_SERVICE_MATCHES
        )
        found = index.query(find_search_matches, wanted, index.frequent_terms)
        rows = list(found.rows[: parse_best_count(what.inputs.get(BEST_PROPERTY))])
        if found.has_more and BEST_PROPERTY not in what.inputs:
            raise Problem(
                413,
                f"The search finds more than {MAX_SERVICE_MATCHES} things. "
                "Search for more words, or for the best of them alone: ?thing search:best 100.",
            )
        columns = [what.variable, *what.outputs.values()]
        return serialize_values_group(columns, list(iter_match_rows(index, rows, found, list(what.outputs))))

    return matched


def parse_best_count(text: str | None) -> int:
    """How many things are wanted. Raises Problem 400."""
    if text is not None and not (BEST_COUNT_PATTERN.fullmatch(text) and int(text) <= MAX_SERVICE_MATCHES):
        raise Problem(400, f"The search gives the best 1 to {MAX_SERVICE_MATCHES} things, not {text!r}.")
    return int(text) if text else MAX_SERVICE_MATCHES


def parse_search_pattern(call: FederatedCall, base: str) -> SearchPattern:
    """What the pattern of a search says. Raises Problem 400 where it says anything else."""
    space = f"{base}search#"
    given, told = dict[str, str](), dict[str, str]()
    things = set()
    for subject, property_, object_ in parse_search_triples(call):
        name = property_.value.removeprefix(space) if isinstance(property_, ox.NamedNode) else ""
        if name not in SEARCH_PROPERTIES or not isinstance(subject, ox.Variable) or name in {*given, *told}:
            raise unclear_search_problem(
                f"It knows {', '.join(f'search:{one}' for one in SEARCH_PROPERTIES)}, each once."
            )
        things.add(subject.value)
        if isinstance(object_, ox.Variable) and name not in (MATCHES_PROPERTY, BEST_PROPERTY):
            told[name] = object_.value
        elif isinstance(object_, ox.Literal) and name not in SEARCH_OUTPUT_PROPERTIES:
            given[name] = object_.value
        else:
            raise unclear_search_problem(f"What search:{name} has for an object cannot be used.")
    names = [*things, *told.values()]
    if len(things) != 1 or MATCHES_PROPERTY not in given or len(set(names)) != len(names):
        raise unclear_search_problem("It is about one variable, and has its words written out.")
    return SearchPattern(things.pop(), given, told)


def parse_search_triples(call: FederatedCall) -> list[RulePattern]:
    """The patterns of a search. Raises Problem 400 where it is made of anything else."""
    tokens = call.operand.tokens
    if any((one.kind == "word" and one.text != "a") or one.text == "(" for one in tokens):
        raise unclear_search_problem(
            "It is made of plain statements alone. Put a FILTER and the like behind its brackets."
        )
    try:
        direct, inner = split_statements(tokens)
        if inner:
            raise unclear_search_problem("It has no brackets within.")
        return parse_triple_patterns(call.prologue, direct)
    except SyntaxError as error:
        raise unclear_search_problem("It is made of plain statements alone.") from error


def iter_match_rows(
    index: FullTextIndex, rows: list[IndexRow], found: SearchMatches, columns: list[str]
) -> Iterator[list[object]]:
    """The things with what is to be told of them, row by row."""
    held = index.query(read_index_entries, rows) if "snippet" in columns else {}
    for rank, row in enumerate(rows, 1):
        text = build_snippet(held[row.id], found.criteria.terms).text if row.id in held else ""
        told = {
            "label": result_literal(row.label, row.language),
            "snippet": result_literal(text, row.language),
            "rank": ox.Literal(rank),
            "language": ox.Literal(row.language),
            "kind": ox.Literal(row.kind),
        }
        yield [ox.NamedNode(row.iri), *(told[one] for one in columns)]


def result_literal(text: str, language: str) -> ox.Literal | None:
    """A text in a language; None for no text."""
    if not text:
        return None
    return ox.Literal(text, language=language) if language else ox.Literal(text)


def unclear_search_problem(why: str) -> Problem:
    """The 400 for a search that cannot be understood."""
    return Problem(400, f"The search within the query cannot be understood. {why} {SEARCH_PATTERN_HINT}")

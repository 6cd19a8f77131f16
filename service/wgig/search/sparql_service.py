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
from ..rdf.sparql_lexer import tokens
from ..sparql.federation import Call, values
from ..store.inference.rule import Pattern, patterns, statements
from . import index as search_index
from .database import Row, entries
from .index import Index
from .ranking import Found, Wanted, find
from .snippets import snippet
from .tokenizer import asked

MOST = 500  # things
MATCHES, BEST = "matches", "best"
NARROWING = ("language", "kind")  # what is searched for is of these, where they are given
TOLD = ("label", "snippet", "rank")
PROPERTIES = (MATCHES, BEST, *NARROWING, *TOLD)
NUMBER = re.compile(r"[1-9][0-9]{0,2}")
FORM = 'Write it as in { ?thing search:matches "spam" ; search:rank ?rank }.'


class Asked(NamedTuple):
    """What a search says: the variable of the things, what is given, and the variables of what is told."""

    thing: str
    given: dict[str, str]
    told: dict[str, str]


def matcher(index: Index, base: str) -> Callable[[Call], str]:
    """What stands in a query in place of its search. Raises Problem 400, and 413 where too much is found."""

    def matched(call: Call) -> str:
        what = read(call, base)
        language = search_index.language(index, what.given.get("language", ""))
        kind = search_index.kind(index, what.given.get("kind", ""))
        wanted = Wanted(asked(what.given[MATCHES]), language, kind, most=MOST)
        found = index.ask(find, wanted, index.frequent)
        rows = list(found.rows[: best(what.given.get(BEST))])
        if found.more and BEST not in what.given:
            raise Problem(
                413,
                f"The search finds more than {MOST} things. Search for more words, or for the best of them "
                "alone: ?thing search:best 100.",
            )
        columns = [what.thing, *what.told.values()]
        return values(columns, list(table(index, rows, found, list(what.told))))

    return matched


def best(text: str | None) -> int:
    """How many things are wanted. Raises Problem 400."""
    if text is not None and not (NUMBER.fullmatch(text) and int(text) <= MOST):
        raise Problem(400, f"The search gives the best 1 to {MOST} things, not {text!r}.")
    return int(text) if text else MOST


def read(call: Call, base: str) -> Asked:
    """What the pattern of a search says. Raises Problem 400 where it says anything else."""
    space = f"{base}search#"
    given, told = dict[str, str](), dict[str, str]()
    things = set()
    for subject, property_, object_ in triples(call):
        name = property_.value.removeprefix(space) if isinstance(property_, ox.NamedNode) else ""
        if name not in PROPERTIES or not isinstance(subject, ox.Variable) or name in {*given, *told}:
            raise unclear(f"It knows {', '.join(f'search:{one}' for one in PROPERTIES)}, each once.")
        things.add(subject.value)
        if isinstance(object_, ox.Variable) and name not in (MATCHES, BEST):
            told[name] = object_.value
        elif isinstance(object_, ox.Literal) and name not in TOLD:
            given[name] = object_.value
        else:
            raise unclear(f"What search:{name} has for an object cannot be used.")
    names = [*things, *told.values()]
    if len(things) != 1 or MATCHES not in given or len(set(names)) != len(names):
        raise unclear("It is about one variable, and has its words written out.")
    return Asked(things.pop(), given, told)


def triples(call: Call) -> list[Pattern]:
    """The patterns of a search. Raises Problem 400 where it is made of anything else."""
    if any((one.kind == "word" and one.text != "a") or one.text == "(" for one in tokens(call.inside)):
        raise unclear("It is made of plain statements alone. Put a FILTER and the like behind its brackets.")
    try:
        direct, inner = statements(call.inside)
        if inner:
            raise unclear("It has no brackets within.")
        return patterns(call.prologue, direct)
    except SyntaxError as error:
        raise unclear("It is made of plain statements alone.") from error


def table(index: Index, rows: list[Row], found: Found, columns: list[str]) -> Iterator[list[object]]:
    """The things with what is to be told of them, row by row."""
    held = index.ask(entries, rows) if "snippet" in columns else {}
    for rank, row in enumerate(rows, 1):
        text = snippet(held[row.id], found.wanted.terms).text if row.id in held else ""
        told = {
            "label": literal(row.label, row.language),
            "snippet": literal(text, row.language),
            "rank": ox.Literal(rank),
            "language": ox.Literal(row.language),
            "kind": ox.Literal(row.kind),
        }
        yield [ox.NamedNode(row.iri), *(told[one] for one in columns)]


def literal(text: str, language: str) -> ox.Literal | None:
    """A text in a language; None for no text."""
    if not text:
        return None
    return ox.Literal(text, language=language) if language else ox.Literal(text)


def unclear(why: str) -> Problem:
    """The 400 for a search that cannot be understood."""
    return Problem(400, f"The search within the query cannot be understood. {why} {FORM}")

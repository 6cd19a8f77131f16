"""The SPARQL test suites of the W3C: what the engine reads, the grammar reads and finds no fault in."""

from functools import cache

import pyoxigraph as ox
from wgig.sparql.language.hints import find_query_hints
from wgig.sparql.language.parser import GrammarMismatch, ParsedSparqlText
from wgig.sparql.language.scope import find_scope_problem
from wgig.store.store import Store

from tests.fixtures.shared_facts import require_shared

SUITES = require_shared("w3c", "sparql")
BASE = "http://example.org/"


@cache
def texts() -> dict[str, str]:
    """The texts of the suites that the engine reads, by their paths. No other host is asked for data."""
    found = {}
    for path in sorted(SUITES.rglob("*.r[qu]")):
        text = path.read_bytes().decode("utf-8", "replace")
        if "SERVICE" not in text.upper() and "LOAD" not in text.upper() and runs(text, path.suffix):
            found[str(path.relative_to(SUITES))] = text
    return found


def runs(text: str, suffix: str) -> bool:
    """Whether the engine reads a text."""
    store = ox.Store()
    try:
        (store.query if suffix == ".rq" else store.update)(text, base_iri=BASE)
    except (SyntaxError, ValueError, RuntimeError):
        return False
    return True


def test_the_grammar_reads_what_the_engine_reads() -> None:
    assert len(texts()) > 1000
    for path, text in texts().items():
        tree = ParsedSparqlText(text).tree
        assert not isinstance(tree, GrammarMismatch), (path, tree.token)
        assert find_scope_problem(text, tree) is None, path


def test_every_query_can_be_looked_through_for_what_is_not_meant() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { <x:s> <x:p> <x:o> }")
    for text in texts().values():
        find_query_hints(ParsedSparqlText(text), store, BASE)

"""The SPARQL test suites of the W3C: the parser of the service accepts each text that pyoxigraph accepts."""

from contextlib import suppress
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.sparql.language.hints import find_query_hints
from wgig.sparql.language.parser import GrammarMismatch, ParsedSparqlText
from wgig.sparql.language.scope import find_scope_problem
from wgig.sparql.workers import join_order
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.sparql.workers.join_order import order_joins
from wgig.store.store import Store

from tests.fixtures.result_rows import summarize_results
from tests.fixtures.shared_facts import require_shared

SUITES = require_shared("w3c", "sparql")
BASE = "http://example.org/"


@cache
def read_valid_texts() -> dict[str, str]:
    """The texts of the suites that pyoxigraph accepts, by path, except texts that would use the network."""
    texts = {}
    for path in sorted(SUITES.rglob("*.r[qu]")):
        text = path.read_bytes().decode("utf-8", "replace")
        if "SERVICE" not in text.upper() and "LOAD" not in text.upper() and is_accepted(text, path.suffix):
            texts[str(path.relative_to(SUITES))] = text
    return texts


def is_accepted(text: str, suffix: str) -> bool:
    """Whether pyoxigraph runs a query or update without an error."""
    store = ox.Store()
    try:
        (store.query if suffix == ".rq" else store.update)(text, base_iri=BASE)
    except (SyntaxError, ValueError, RuntimeError):
        return False
    return True


def test_the_parser_accepts_all_texts_that_pyoxigraph_accepts() -> None:
    assert len(read_valid_texts()) > 1000
    for path, text in read_valid_texts().items():
        tree = ParsedSparqlText(text).tree
        assert not isinstance(tree, GrammarMismatch), (path, tree.token)
        assert find_scope_problem(text, tree) is None, path


def test_hints_can_be_computed_for_every_text() -> None:
    store = Store.in_memory()
    store.update("INSERT DATA { <x:s> <x:p> <x:o> }")
    for text in read_valid_texts().values():
        find_query_hints(ParsedSparqlText(text), store, BASE)


def test_joins_in_another_order_have_the_same_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_order, "MIN_COSTLY_ROWS", 0)
    monkeypatch.setattr(join_order, "MIN_GAIN", 0)
    ordered_texts = 0
    for path, text in read_valid_texts().items():
        copy = load_data(SUITES / Path(path).parent)
        ordered = order_joins(copy, text, BASE) if path.endswith(".rq") else None
        if ordered is None:
            continue
        ordered_texts += 1
        expected, results = (
            summarize_results(copy.quads.query(query, base_iri=BASE, use_default_graph_as_union=True))
            for query in (text, ordered)
        )
        assert results == expected, (path, ordered)
    assert ordered_texts > 50


@cache
def load_data(folder: Path) -> CountedQuads:
    """The data of all tests in a folder, together in one graph."""
    quads = ox.Store()
    for path in sorted(folder.glob("*.ttl")):
        with suppress(SyntaxError, ValueError):  # invalid data, and tests of other things
            quads.load(path=path, base_iri=BASE, to_graph=ox.NamedNode(BASE))
    return CountedQuads(quads)

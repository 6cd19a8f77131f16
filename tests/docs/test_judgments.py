"""The numbers and the query on the page about judgments are those of the shipped graph."""

import re

import pyoxigraph as ox
import pytest

from tests.docs.blocks import find_code_blocks, read_docs_page

PAGE = read_docs_page("explanation/judgments.md")
PAGE_TEXT = " ".join(PAGE.split())
PREFIXES = (
    "PREFIX confidence: <https://w3id.org/wgig/id/confidence/> "
    "PREFIX wgig: <https://w3id.org/wgig/ontology#> "
    "PREFIX view-holder: <https://w3id.org/wgig/id/view-holder/> "
)
VIEW_HOLDER_ROWS = re.findall(r"^\| `(view-holder:[\w-]+)` \| .+ \| (\d+) \|$", PAGE, re.MULTILINE)


def count_solutions(store: ox.Store, pattern: str) -> int:
    """The number of solutions of a graph pattern."""
    solutions = store.query(f"{PREFIXES} SELECT * WHERE {{ {pattern} }}", use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    return len(list(solutions))


@pytest.mark.parametrize(
    ("sentence", "patterns"),
    [
        (r"1 is known \| (\d+) \|", ["?judgment a wgig:Judgment"]),
        (
            r": (\d+) judgments are sides of (\d+) disputes",
            ["?judgment wgig:dispute ?dispute", "?dispute a wgig:Dispute"],
        ),
        (
            r"high for (\d+) judgments, medium for (\d+), low for (\d+)\.",
            [
                f"?judgment a wgig:Judgment ; wgig:confidence confidence:{level}"
                for level in ("high", "medium", "low")
            ],
        ),
        (
            r"Of the (\d+) judgments that both read, (\d+) agree \(91 %\), (\d+) were changed after the "
            r"second reading, and for (\d+) the",
            [
                '?judgment wgig:secondReading ?reading FILTER (?reading != "added")',
                '?judgment wgig:secondReading "agree"',
                '?judgment wgig:secondReading "changed"',
                '?judgment wgig:secondReading ?reading FILTER (STRSTARTS(?reading, "differs"))',
            ],
        ),
        (
            r"Of the (\d+) paragraphs of the Tunis Agenda in the graph, (\d+) were not seen and (\d+) only",
            [
                f"?paragraph wgig:partOf <https://w3id.org/wgig/id/document/tunis-agenda> ; "
                f"a wgig:Paragraph ; wgig:evidence ?evidence FILTER ({condition})"
                for condition in (
                    "true",
                    '?evidence = "not seen"',
                    '?evidence NOT IN ("not seen", "full text")',
                )
            ],
        ),
        (r": (\d+) judgments were added", ['?judgment wgig:secondReading "added"']),
    ],
)
def test_numbers_are_those_of_the_graph(shipped_store: ox.Store, sentence: str, patterns: list[str]) -> None:
    match = re.search(sentence, PAGE_TEXT)
    assert match
    assert [int(number) for number in match.groups()] == [
        count_solutions(shipped_store, pattern) for pattern in patterns
    ]


@pytest.mark.parametrize(("holder", "number"), VIEW_HOLDER_ROWS)
def test_holders_have_this_number_of_judgments(shipped_store: ox.Store, holder: str, number: str) -> None:
    assert count_solutions(shipped_store, f"?judgment a wgig:Judgment ; wgig:viewHolder {holder}") == int(
        number
    )


def test_all_holders_are_on_the_page(shipped_store: ox.Store) -> None:
    total = sum(int(number) for _, number in VIEW_HOLDER_ROWS)
    assert total == count_solutions(shipped_store, "?judgment a wgig:Judgment")


def test_query_over_both_layers_has_the_result_that_the_page_shows(shipped_store: ox.Store) -> None:
    (query,), (expected,) = (find_code_blocks(PAGE, language) for language in ("sparql", "csv"))
    solutions = shipped_store.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    result = solutions.serialize(format=ox.QueryResultsFormat.CSV)
    assert result is not None
    assert result.decode().splitlines() == expected.splitlines()

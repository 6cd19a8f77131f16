"""Searches as people type them, with the result that each should find first.

`queries.tsv` was written by somebody who did not know the search. It changes only where the facts change.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from wgig.settings import Settings

QUERY_FILE = Path(__file__).with_name("queries.tsv")
MIN_FIRST, MIN_AMONG_FIVE = 90, 98  # of the 100 queries


class TypedQuery(NamedTuple):
    """A row of the file: what is typed, the language of the page, the result that is expected, and why."""

    query: str
    lang: str
    expected: str
    kind: str


def read_typed_queries() -> list[TypedQuery]:
    with QUERY_FILE.open(encoding="utf-8", newline="") as file:
        return [TypedQuery(**row) for row in csv.DictReader(file, delimiter="\t")]


def find_position(client: httpx2.Client, query: TypedQuery) -> int:
    """The position of the expected result on the first page, from 1; 0 if it is not there."""
    response = client.get("/search", params={"q": query.query}, headers={"Accept-Language": query.lang})
    ids = [item["id"].removeprefix(Settings.base).removeprefix("id/") for item in response.json()["items"]]
    return ids.index(query.expected) + 1 if query.expected in ids else 0


@pytest.mark.slow
def test_expected_result_is_first_for_nearly_all_typed_queries(filled_client: httpx2.Client) -> None:
    queries = read_typed_queries()
    positions = {query: find_position(filled_client, query) for query in queries}
    misses = {query: position for query, position in positions.items() if position != 1}
    first_count = len(queries) - len(misses)
    five_count = sum([1 <= position <= 5 for position in positions.values()])
    print(f"{first_count} of {len(queries)} are first, {five_count} among the first five. The others:")
    for query, position in misses.items():
        print(f"  {position or 'not found'}: {query.query!r} ({query.kind}) should find {query.expected}")
    print(Counter(query.kind for query in misses))
    assert first_count >= MIN_FIRST
    assert five_count >= MIN_AMONG_FIVE

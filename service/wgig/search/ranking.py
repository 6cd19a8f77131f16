"""Search the index. Name matches rank before text matches, and records for programs come last."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from .criteria import SearchCriteria, count_text_matches
from .database import IndexRow, next_kind_row_number, whole_name_token
from .entries import MACHINE_KINDS
from .name_ranking import list_typed_words, name_sort_key
from .relaxation import iter_relaxed_criteria
from .terms import SearchTerm, parse_typed_words

MAX_RANKED_NAMES = 500  # names that are compared to find the closest
FREQUENT_TERM_MATCHES = 1000  # a term in more resources is not ranked by BM25
MAX_COUNTED_ROWS = 1000  # index rows of a kind; of more, only these are counted
FIRST_TEXT_ROW_SQL = "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid >= ? ORDER BY rowid LIMIT 1"
COUNTED_KINDS_SQL = """SELECT kind, count(DISTINCT iri), count(*) FROM
    (SELECT rowid FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?) AS matches
    JOIN things ON things.id = matches.rowid GROUP BY kind"""

# A function that returns the matching rows in order, and whether there are more.
FindRows = Callable[[sqlite3.Connection, SearchCriteria], tuple[list[IndexRow], bool]]


@dataclass(frozen=True)
class SearchMatches:
    """The rows of the matching resources, one for each, the best first, and whether there are more.

    `criteria` found the rows: the given criteria, with corrected words, or with any instead of all words.
    `replacements` maps words to the words, or beginnings of words, that replace them. Without rows,
    `criteria.match_all` is False.
    """

    rows: Sequence[IndexRow]
    has_more: bool
    criteria: SearchCriteria
    replacements: dict[str, str]


def find_search_matches(
    connection: sqlite3.Connection, criteria: SearchCriteria, frequent_terms: set[SearchTerm] | None = None
) -> SearchMatches:
    """The resources with matching names or texts. `frequent_terms` is the cache of `is_frequent_term`."""
    if frequent_terms is None:
        frequent_terms = set()
    return find_closest_matches(
        connection, criteria, partial(find_rows_anywhere, frequent_terms=frequent_terms)
    )


def find_name_matches(connection: sqlite3.Connection, criteria: SearchCriteria) -> SearchMatches:
    """The resources with matching names."""
    return find_closest_matches(connection, criteria, find_rows_by_name)


def find_completed_names(connection: sqlite3.Connection, text: str, kind: str = "") -> list[IndexRow]:
    """The rows of the resources with names that match all words of a text, whose last word may be incomplete.

    If there are none, the last word is taken as complete, so that it may be corrected.
    """
    *terms, last_term = parse_typed_words(text) or [SearchTerm(())]
    if not last_term.words:
        return []
    for term in (SearchTerm(last_term.words, is_prefix=True), last_term):
        matches = find_name_matches(connection, SearchCriteria([*terms, term], kind=kind))
        if matches.criteria.match_all:
            return keep_first_rows(matches.rows)
    return []


def find_closest_matches(
    connection: sqlite3.Connection, criteria: SearchCriteria, find_rows: FindRows
) -> SearchMatches:
    """The matches of all words, else of all completed or corrected words, else of any of them."""
    for relaxed_criteria, replacements in iter_relaxed_criteria(connection, criteria):
        rows, has_more = find_rows(connection, relaxed_criteria)
        if rows:
            return SearchMatches(rows, has_more, relaxed_criteria, replacements)
    return SearchMatches([], False, replace(criteria, match_all=False), {})


def find_rows_anywhere(
    connection: sqlite3.Connection, criteria: SearchCriteria, frequent_terms: set[SearchTerm]
) -> tuple[list[IndexRow], bool]:
    """The rows with matching names, then the rows with matching texts, and whether there are more."""
    rows, has_more = find_rows_by_name(connection, criteria)
    if not has_more:
        text_rows, has_more = find_rows_by_text(connection, criteria, frequent_terms)
        rows += text_rows
    unique_rows = sorted(keep_first_rows(rows), key=lambda row: row.kind in MACHINE_KINDS)
    return unique_rows[: criteria.limit], has_more or len(unique_rows) > criteria.limit


def keep_first_rows(rows: Iterable[IndexRow]) -> list[IndexRow]:
    """The first row of each resource."""
    rows_by_iri: dict[str, IndexRow] = {}
    for row in rows:
        rows_by_iri.setdefault(row.iri, row)
    return list(rows_by_iri.values())


def find_rows_by_name(
    connection: sqlite3.Connection, criteria: SearchCriteria
) -> tuple[list[IndexRow], bool]:
    """The rows with matching names, the closest first, and whether there are more."""
    limit = max(MAX_RANKED_NAMES, criteria.limit)
    whole_name = whole_name_token(word for term in criteria.terms for word in term.words)
    rows = {
        row.id: row
        for query in (criteria.add_filters(f'"{whole_name}"'), str(criteria))
        for row in list_matching_rows(connection, "names", query, limit)
    }.values()
    typed_words = {
        language: list_typed_words(criteria, language) for language in {row.language for row in rows}
    }
    ranked_rows = sorted(rows, key=lambda row: name_sort_key(row, typed_words[row.language]))
    return ranked_rows[: criteria.limit + 1], len(ranked_rows) > criteria.limit


def find_rows_by_text(
    connection: sqlite3.Connection, criteria: SearchCriteria, frequent_terms: set[SearchTerm]
) -> tuple[list[IndexRow], bool]:
    """The rows with matching texts, ranked by BM25, and whether there are more.

    With a frequent term they are ordered by row number, as BM25 would read all rows with the term.
    """
    is_frequent = any(is_frequent_term(connection, term, frequent_terms) for term in criteria.required_terms)
    order = "" if is_frequent else "ORDER BY rank"
    rows = list_matching_rows(connection, "texts", str(criteria), criteria.limit, order)
    return rows, len(rows) > criteria.limit


class KindCount(NamedTuple):
    """The number of matching resources of a kind; if there may be more, it is not complete."""

    resources: int
    is_complete: bool = True


def count_matches_by_kind(connection: sqlite3.Connection, matches: SearchMatches) -> dict[str, KindCount]:
    """The numbers of resources of each kind, whatever the kind in the criteria."""
    if not matches.has_more and not matches.criteria.kind:
        return {kind: KindCount(count) for kind, count in Counter(row.kind for row in matches.rows).items()}
    # The rows of a kind are consecutive: the first row after a kind is of the next kind that has any.
    query = str(replace(matches.criteria, kind=""))
    counts: dict[str, KindCount] = {}
    position = 0
    while True:
        first = connection.execute(FIRST_TEXT_ROW_SQL, (query, position)).fetchone()
        if first is None:
            return counts
        position = next_kind_row_number(first[0])
        rows = connection.execute(
            COUNTED_KINDS_SQL, (query, first[0], position - 1, MAX_COUNTED_ROWS)
        ).fetchall()
        is_complete = sum(row_count for _, _, row_count in rows) < MAX_COUNTED_ROWS
        counts |= {kind: KindCount(count, is_complete) for kind, count, _ in rows}


def list_matching_rows(
    connection: sqlite3.Connection, table: str, query: str, limit: int, order: str = ""
) -> list[IndexRow]:
    """The rows that match an FTS5 query, at most one more than the limit."""
    results = connection.execute(
        f"SELECT things.* FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? {order} LIMIT ?) "  # noqa: S608
        "AS matches JOIN things ON things.id = matches.rowid",
        (query, limit + 1),
    )
    return [IndexRow(*result) for result in results]


def is_frequent_term(
    connection: sqlite3.Connection, term: SearchTerm, frequent_terms: set[SearchTerm]
) -> bool:
    """Whether all words of a term are in more than FREQUENT_TERM_MATCHES resources.

    Frequent words are added to `frequent_terms`.
    """
    for word_term in iter_word_terms(term):
        if word_term not in frequent_terms:
            if count_text_matches(connection, word_term, FREQUENT_TERM_MATCHES) <= FREQUENT_TERM_MATCHES:
                return False
            frequent_terms.add(word_term)
    return True


def iter_word_terms(term: SearchTerm) -> Iterable[SearchTerm]:
    """A term for each word of a phrase; a single word as it is."""
    if len(term.words) == 1:
        return [term]
    *other_words, last_word = term.words
    return [
        *(SearchTerm((word,)) for word in other_words),
        SearchTerm((last_word,), is_prefix=True) if term.is_prefix else SearchTerm((last_word,)),
    ]

"""Search the index. Name matches rank before text matches, and records for programs come last."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from .criteria import SearchCriteria, count_text_matches
from .database import IndexRow, whole_name_token
from .entries import (
    MACHINE_KINDS,
    NAMESAKE_KINDS,
    STATEMENT_KINDS,
    SUBJECT_KINDS,
    VOCABULARY_VALUE_KINDS,
    NameForm,
    parse_name_forms,
)
from .relaxation import iter_relaxed_criteria
from .stemming import find_word_stems
from .terms import STOP_WORDS, SearchTerm

MAX_RANKED_NAMES = 500  # names that are compared to find the closest
FREQUENT_TERM_MATCHES = 1000  # a term in more resources is not ranked by BM25

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
    rows_by_iri: dict[str, IndexRow] = {}
    for row in rows:
        rows_by_iri.setdefault(row.iri, row)
    unique_rows = sorted(rows_by_iri.values(), key=lambda row: row.kind in MACHINE_KINDS)
    return unique_rows[: criteria.limit], has_more or len(unique_rows) > criteria.limit


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


class TypedWord(NamedTuple):
    """A folded word of a search, and the stems of the words that match it."""

    word: str
    stems: frozenset[str]
    is_prefix: bool
    is_optional: bool

    def matches(self, word: str, stem: str) -> bool:
        """Whether it matches a word of a name, which has this stem."""
        return stem in self.stems or word == self.word or (self.is_prefix and word.startswith(self.word))


def list_typed_words(criteria: SearchCriteria, language: str) -> list[TypedWord]:
    """The words of all terms in order, with their stems in a language."""
    required_terms = criteria.required_terms
    return [
        TypedWord(
            word,
            frozenset((word, *find_word_stems(term.written, language)) if term.written else ()),
            term.is_prefix and number == len(term.words),
            term not in required_terms,
        )
        for term in criteria.terms
        for number, word in enumerate(term.words, 1)
    ]


NameSortKey = tuple[int, int, int, bool, int, int]


def name_sort_key(row: IndexRow, typed_words: Sequence[TypedWord]) -> tuple[NameSortKey, int]:
    """The sort key of a name match: that of the closest form of the names, and the position of the form."""
    return min(
        (name_distance(form, row.kind, typed_words), position)
        for position, form in enumerate(parse_name_forms(row.names))
    )


def kind_tier(kind: str) -> int:
    """The rank of a kind among those whose names match equally well, from 0."""
    if kind in STATEMENT_KINDS:
        return 3
    if kind in NAMESAKE_KINDS or kind == "concept":
        return 2
    return 0 if kind in SUBJECT_KINDS else 1


def min_name_difference(kind: str) -> int:
    """The difference of a name of a kind that is exactly the typed words."""
    if kind in NAMESAKE_KINDS:
        return 2
    return 1 if kind in VOCABULARY_VALUE_KINDS or kind in MACHINE_KINDS else 0


def name_distance(form: NameForm, kind: str, typed_words: Sequence[TypedWord]) -> NameSortKey:
    """How far a form of a name is from the typed words.

    It has the number of missing words; 0 for exactly the words, 1 for the words in another order or
    inflection, 2 for others, too; the tier of the kind; whether the name starts with another word; the number
    of words that match only by their stem; and the number of words. Stop words do not count.
    """
    missing_count = inexact_count = 0
    for typed_word in typed_words:
        if typed_word.word in form.words or typed_word.is_optional:
            continue
        if any(map(typed_word.matches, form.words, form.stems)):
            inexact_count += 1
        else:
            missing_count += 1
    content_words = [word for word in form.words if word not in STOP_WORDS]
    typed_content_words = [word.word for word in typed_words if not word.is_optional]
    if [word.word for word in typed_words] == form.words or content_words == typed_content_words:
        difference = 0
    else:
        difference = 1 if not missing_count and len(content_words) == len(typed_content_words) else 2
    has_other_start = not typed_words[0].matches(form.words[0], form.stems[0])
    return (
        missing_count,
        max(difference, min_name_difference(kind)),
        kind_tier(kind),
        has_other_start,
        inexact_count,
        len(form.words),
    )


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

"""Search the index. Name matches rank before text matches, and misspelled words are corrected."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .database import IndexRow, filter_token
from .entries import STATEMENT_KINDS, SUBJECT_KINDS
from .tokenizer import SearchTerm, tokenize_text

MAX_SEARCH_MATCHES = 200  # resources, unless the criteria have another limit
MAX_RANKED_NAMES = 500  # names that are compared to find the closest
FREQUENT_TERM_MATCHES = 1000  # a term in more resources is not ranked by BM25
MAX_NEAR_WORDS = 20  # near words whose frequency is compared
MAX_SPELLING_CANDIDATES = 20_000  # words that are compared with a misspelled one
ROW_COLUMNS_SQL = "things.id, things.iri, things.language, things.kind, things.label"


@dataclass(frozen=True)
class SearchCriteria:
    """Search terms, of which all or any must match, and filters by language and kind (empty: any).

    Texts without a language match every language. At most `limit` resources are returned.
    """

    terms: Sequence[SearchTerm]
    language: str = ""
    kind: str = ""
    match_all: bool = True
    limit: int = MAX_SEARCH_MATCHES

    def __str__(self) -> str:
        """The criteria as an FTS5 query."""
        parts = [f"({(' AND ' if self.match_all else ' OR ').join(map(str, self.terms))})"]
        if self.language:
            parts.append(f'("{filter_token("l", self.language)}" OR "{filter_token("l", "")}")')
        if self.kind:
            parts.append(f'"{filter_token("k", self.kind)}"')
        return " AND ".join(parts)


# A function that returns the matching rows in order, and whether there are more.
FindRows = Callable[[sqlite3.Connection, SearchCriteria], tuple[list[IndexRow], bool]]


@dataclass(frozen=True)
class SearchMatches:
    """The rows of the matching resources, one for each, the best first, and whether there are more.

    `criteria` found the rows: the given criteria, with corrected words, or with any instead of all words.
    `replacements` maps misspelled words to corrected words. Without rows, `criteria.match_all` is False.
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
    """The matches of all words, else of all corrected words, else of any corrected word."""
    for relaxed_criteria, replacements in iter_relaxed_criteria(connection, criteria):
        rows, has_more = find_rows(connection, relaxed_criteria)
        if rows:
            return SearchMatches(rows, has_more, relaxed_criteria, replacements)
    return SearchMatches([], False, replace(criteria, match_all=False), {})


def iter_relaxed_criteria(
    connection: sqlite3.Connection, criteria: SearchCriteria
) -> Iterator[tuple[SearchCriteria, dict[str, str]]]:
    """The criteria and increasingly relaxed variants, each with the replacements of words in it."""
    yield criteria, {}
    replacements: dict[str, str] = {}
    separated = replace(
        criteria, terms=list(dict.fromkeys(iter_separated_terms(connection, criteria, replacements)))
    )
    if separated != criteria:
        yield separated, replacements
    replacements = replacements | {
        word: correction
        for word in dict.fromkeys(list_misspelled_words(connection, separated.terms))
        if (correction := find_nearest_word(connection, word)) is not None
    }
    corrected = replace(separated, terms=[replace_term_words(term, replacements) for term in separated.terms])
    if corrected != separated:
        yield corrected, replacements
    yield replace(corrected, match_all=False), replacements


def iter_separated_terms(
    connection: sqlite3.Connection, criteria: SearchCriteria, replacements: dict[str, str]
) -> Iterator[SearchTerm]:
    """The terms, with each compound (multi-stakeholder) split, or as one word if only that has matches.

    The replacements of joined compounds are added to `replacements`.
    """
    for term in criteria.terms:
        separate_criteria, joined_criteria = (
            replace(criteria, terms=terms) for terms in (term.separate_terms, [term.joined_term])
        )
        if (
            term.parts
            and not count_term_matches(connection, separate_criteria, limit=0)
            and count_term_matches(connection, joined_criteria, limit=0)
        ):
            replacements[" ".join(term.words)] = term.joined_term.words[0]
            yield term.joined_term
        else:
            yield from term.separate_terms


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
    unique_rows = list(rows_by_iri.values())
    return unique_rows[: criteria.limit], has_more or len(unique_rows) > criteria.limit


def find_rows_by_name(
    connection: sqlite3.Connection, criteria: SearchCriteria
) -> tuple[list[IndexRow], bool]:
    """The rows with matching names, the closest first, and whether there are more."""
    ranked_criteria = replace(criteria, limit=max(MAX_RANKED_NAMES, criteria.limit))
    rows = list_matching_rows(connection, "names", ranked_criteria, "")
    words = [word for term in criteria.terms for word in term.words]
    rows.sort(key=lambda row: label_word_distance(row, words))
    return rows[: criteria.limit + 1], len(rows) > criteria.limit


def label_word_distance(row: IndexRow, words: Sequence[str]) -> tuple[int, bool, int, bool, int]:
    """The sort key of a name match.

    It has the number of missing words, whether there are other words, the rank of the kind (subjects first,
    statements last), whether the name starts with other words, and the number of words.
    """
    label_words = tokenize_text(row.label)
    missing_count = sum([word not in label_words for word in words])
    kind_rank = (row.kind in STATEMENT_KINDS) - (row.kind in SUBJECT_KINDS)
    has_other_start = label_words[: len(words)] != words
    return missing_count, label_words != words, kind_rank, has_other_start, len(label_words)


def find_rows_by_text(
    connection: sqlite3.Connection, criteria: SearchCriteria, frequent_terms: set[SearchTerm]
) -> tuple[list[IndexRow], bool]:
    """The rows with matching texts, ranked by BM25, and whether there are more.

    With a frequent term they are ordered by row number, as BM25 would read all rows with the term.
    """
    is_frequent = any(is_frequent_term(connection, term, frequent_terms) for term in criteria.terms)
    rows = list_matching_rows(connection, "texts", criteria, "" if is_frequent else "ORDER BY rank")
    return rows, len(rows) > criteria.limit


def list_matching_rows(
    connection: sqlite3.Connection, table: str, criteria: SearchCriteria, order: str
) -> list[IndexRow]:
    """The matching rows, at most one more than the limit."""
    results = connection.execute(
        f"SELECT {ROW_COLUMNS_SQL} FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? {order} LIMIT ?) "  # noqa: S608
        "AS matches JOIN things ON things.id = matches.rowid",
        (str(criteria), criteria.limit + 1),
    )
    return [IndexRow(*result) for result in results]


def is_frequent_term(
    connection: sqlite3.Connection, term: SearchTerm, frequent_terms: set[SearchTerm]
) -> bool:
    """Whether all words of a term are in more than FREQUENT_TERM_MATCHES resources.

    Frequent words are added to `frequent_terms`.
    """
    *other_words, last_word = term.words
    for word_term in (
        *(SearchTerm((word,)) for word in other_words),
        SearchTerm((last_word,), term.is_prefix),
    ):
        if word_term not in frequent_terms:
            if count_term_matches(connection, word_term) <= FREQUENT_TERM_MATCHES:
                return False
            frequent_terms.add(word_term)
    return True


def count_term_matches(
    connection: sqlite3.Connection, term: SearchTerm | SearchCriteria, limit: int = FREQUENT_TERM_MATCHES
) -> int:
    """The number of resources with matching texts, at most one more than `limit`."""
    subquery = f"SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {limit + 1}"  # noqa: S608
    (count,) = connection.execute(f"SELECT count(*) FROM ({subquery})", (str(term),)).fetchone()  # noqa: S608
    return int(count)


def list_misspelled_words(connection: sqlite3.Connection, terms: Iterable[SearchTerm]) -> list[str]:
    """The words of the terms, without prefixes, that no resource has."""
    return [
        word
        for term in terms
        for word in (term.words[:-1] if term.is_prefix else term.words)
        if not count_term_matches(connection, SearchTerm((word,)), limit=0)
    ]


def find_nearest_word(connection: sqlite3.Connection, word: str) -> str | None:
    """The correction of a misspelled word: the nearest indexed word, of several the most frequent, or None.

    The edit distance, with transpositions, is at most 1, or 2 for words of six letters and more.
    """
    max_distance = 1 if len(word) < 6 else 2
    candidates = connection.execute(
        "SELECT word FROM words WHERE length BETWEEN ? AND ? LIMIT ?",
        (len(word) - max_distance, len(word) + max_distance, MAX_SPELLING_CANDIDATES),
    )
    near_words = process.extract(
        word,
        [candidate for (candidate,) in candidates],
        scorer=OSA.distance,
        score_cutoff=max_distance,
        limit=MAX_NEAR_WORDS,
    )
    ranked = (
        (distance, -count_term_matches(connection, SearchTerm((candidate,))), candidate)
        for candidate, distance, _ in near_words
    )
    # The table `words` may have words of deleted entries, which have no matches.
    return min((match for match in ranked if match[1]), default=(0, 0, None))[2]


def replace_term_words(term: SearchTerm, replacements: dict[str, str]) -> SearchTerm:
    """The term with misspelled words replaced."""
    return replace(term, words=tuple(replacements.get(word, word) for word in term.words))

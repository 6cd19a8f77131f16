"""Find things by words: names before texts, the nearest name first; and what a misspelt word may mean."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .database import IndexRow, filter_token
from .tokenizer import SearchTerm, tokenize_text

MAX_SEARCH_MATCHES = 200  # things that are found, unless more are wanted; where there are more, that is said
# Things with a word, beyond which its weight is not computed anew for each search.
FREQUENT_TERM_MATCHES = 1000
MAX_SPELLING_CANDIDATES = 20_000  # words that are compared with a misspelt one
ROW_COLUMNS_SQL = "things.id, things.iri, things.language, things.kind, things.label"


@dataclass(frozen=True)
class SearchCriteria:
    """What is searched for: terms, all of them or any, in a language and of a kind (empty: of whichever).

    Texts of no language are in every one. Up to `limit` things are found.
    """

    terms: Sequence[SearchTerm]
    language: str = ""
    kind: str = ""
    match_all: bool = True
    limit: int = MAX_SEARCH_MATCHES

    def __str__(self) -> str:
        """The search as FTS5 has it."""
        parts = [f"({(' AND ' if self.match_all else ' OR ').join(map(str, self.terms))})"]
        if self.language:
            parts.append(f'("{filter_token("l", self.language)}" OR "{filter_token("l", "")}")')
        if self.kind:
            parts.append(f'"{filter_token("k", self.kind)}"')
        return " AND ".join(parts)


# Looks for what is wanted: the things that have it, in their order, and whether there are more.
FindRows = Callable[[sqlite3.Connection, SearchCriteria], tuple[list[IndexRow], bool]]


@dataclass(frozen=True)
class SearchMatches:
    """What was found, each thing once, the best first.

    `has_more`: there is more that is not in it. `criteria` is what was searched for in truth, where nothing
    has all the words or some were misspelt; `replacements` holds the words that were taken for others, by
    these. Where nothing was found, not every word was.
    """

    rows: Sequence[IndexRow]
    has_more: bool
    criteria: SearchCriteria
    replacements: dict[str, str]


def find_search_matches(
    connection: sqlite3.Connection, wanted: SearchCriteria, frequent: set[SearchTerm] | None = None
) -> SearchMatches:
    """The things that have what is wanted in their names or texts.

    `frequent` are words that are known to be in very many things, and takes in those that are found to be.
    """
    return find_closest_matches(
        connection, wanted, partial(find_rows_anywhere, frequent=set() if frequent is None else frequent)
    )


def find_name_matches(connection: sqlite3.Connection, wanted: SearchCriteria) -> SearchMatches:
    """The things that have what is wanted in their names."""
    return find_closest_matches(connection, wanted, find_rows_by_name)


def find_closest_matches(
    connection: sqlite3.Connection, wanted: SearchCriteria, having: FindRows
) -> SearchMatches:
    """The things that have all the words, else all that they may mean, else any of those."""
    for one, instead in iter_search_meanings(connection, wanted):
        rows, more = having(connection, one)
        if rows:
            return SearchMatches(rows, more, one, instead)
    return SearchMatches([], False, replace(wanted, match_all=False), {})


def iter_search_meanings(
    connection: sqlite3.Connection, wanted: SearchCriteria
) -> Iterator[tuple[SearchCriteria, dict[str, str]]]:
    """What a search may mean, the nearest first, each with the words that are taken for others."""
    yield wanted, {}
    instead: dict[str, str] = {}
    loose = replace(wanted, terms=list(dict.fromkeys(iter_loose_terms(connection, wanted, instead))))
    if loose != wanted:
        yield loose, instead
    instead = instead | {
        word: meant
        for word in dict.fromkeys(list_misspelt_words(connection, loose.terms))
        if (meant := find_nearest_word(connection, word)) is not None
    }
    mended = replace(loose, terms=[replace_term_words(one, instead) for one in loose.terms])
    if mended != loose:
        yield mended, instead
    yield replace(mended, match_all=False), instead


def iter_loose_terms(
    connection: sqlite3.Connection, wanted: SearchCriteria, instead: dict[str, str]
) -> Iterator[SearchTerm]:
    """The terms with what is joined as parts; as one word, noted in `instead`, where only that is found."""
    for term in wanted.terms:
        apart, whole = (replace(wanted, terms=one) for one in (term.separate_terms, [term.joined_term]))
        if (
            term.parts
            and not count_term_matches(connection, apart, 0)
            and count_term_matches(connection, whole, 0)
        ):
            instead[" ".join(term.words)] = term.joined_term.words[0]
            yield term.joined_term
        else:
            yield from term.separate_terms


def find_rows_anywhere(
    connection: sqlite3.Connection, wanted: SearchCriteria, frequent: set[SearchTerm]
) -> tuple[list[IndexRow], bool]:
    """The things that have what is wanted in names or texts, in their order, and whether there are more."""
    rows, more = find_rows_by_name(connection, wanted)
    if not more:
        texts, more = find_rows_by_text(connection, wanted, frequent)
        rows += texts
    once: dict[str, IndexRow] = {}
    for row in rows:
        once.setdefault(row.iri, row)
    found = list(once.values())
    return found[: wanted.limit], more or len(found) > wanted.limit


def find_rows_by_name(connection: sqlite3.Connection, wanted: SearchCriteria) -> tuple[list[IndexRow], bool]:
    """The things whose names have what is wanted, the nearest first, and whether there are more."""
    rows = list_matching_rows(connection, "names", wanted, "")
    asked = [word for term in wanted.terms for word in term.words]
    return sorted(rows, key=lambda row: label_word_distance(row, asked)), len(rows) > wanted.limit


def label_word_distance(row: IndexRow, asked: Sequence[str]) -> tuple[int, bool, int]:
    """How far the label of a thing is from the words: it lacks some, begins otherwise, is longer."""
    label = tokenize_text(row.label)
    return sum([one not in label for one in asked]), label[: len(asked)] != asked, len(label)


def find_rows_by_text(
    connection: sqlite3.Connection, wanted: SearchCriteria, frequent: set[SearchTerm]
) -> tuple[list[IndexRow], bool]:
    """The things whose texts have what is wanted, and whether there are more.

    They are ranked by how often and how rare the words are (BM25). That is not done for words that are in
    very many things, as all of these would have to be counted; they come as they are.
    """
    too_many = any(is_frequent_term(connection, one, frequent) for one in wanted.terms)
    rows = list_matching_rows(connection, "texts", wanted, "" if too_many else "ORDER BY rank")
    return rows, len(rows) > wanted.limit


def list_matching_rows(
    connection: sqlite3.Connection, table: str, wanted: SearchCriteria, order: str
) -> list[IndexRow]:
    """The rows of things that match, up to one more than are wanted."""
    found = connection.execute(
        f"SELECT {ROW_COLUMNS_SQL} FROM (SELECT rowid FROM {table} WHERE {table} MATCH ? {order} LIMIT ?) "  # noqa: S608
        "AS found JOIN things ON things.id = found.rowid",
        (str(wanted), wanted.limit + 1),
    )
    return [IndexRow(*one) for one in found]


def is_frequent_term(connection: sqlite3.Connection, term: SearchTerm, frequent: set[SearchTerm]) -> bool:
    """Whether a word, or each word of a phrase, is in very many things; such a word stays `frequent`."""
    *first, last = term.words
    for one in (*(SearchTerm((one,)) for one in first), SearchTerm((last,), term.is_prefix)):
        if one not in frequent:
            if count_term_matches(connection, one) <= FREQUENT_TERM_MATCHES:
                return False
            frequent.add(one)
    return True


def count_term_matches(
    connection: sqlite3.Connection, term: SearchTerm | SearchCriteria, most: int = FREQUENT_TERM_MATCHES
) -> int:
    """How many things have a term, or all that is wanted; one more than `most` where there are more."""
    some = f"SELECT 1 FROM texts WHERE texts MATCH ? LIMIT {most + 1}"  # noqa: S608
    (number,) = connection.execute(f"SELECT count(*) FROM ({some})", (str(term),)).fetchone()  # noqa: S608
    return int(number)


def list_misspelt_words(connection: sqlite3.Connection, terms: Iterable[SearchTerm]) -> list[str]:
    """The words of the terms that nothing has."""
    return [
        word
        for term in terms
        for word in (term.words[:-1] if term.is_prefix else term.words)
        if not count_term_matches(connection, SearchTerm((word,)), 0)
    ]


def find_nearest_word(connection: sqlite3.Connection, word: str) -> str | None:
    """The word of the index that is nearest to a misspelt one, the most frequent of those, if any is near.

    A letter may be missing, too many, another, or changed places with its neighbor; in a long word, two.
    """
    slips = 1 if len(word) < 6 else 2
    candidates = connection.execute(
        "SELECT word FROM words WHERE length BETWEEN ? AND ? LIMIT ?",
        (len(word) - slips, len(word) + slips, MAX_SPELLING_CANDIDATES),
    )
    near = process.extract(
        word, [one for (one,) in candidates], scorer=OSA.distance, score_cutoff=slips, limit=20
    )
    ranked = ((slip, -count_term_matches(connection, SearchTerm((one,))), one) for one, slip, _ in near)
    # A word that is in nothing any more may still be on the list.
    return min((one for one in ranked if one[1]), default=(0, 0, None))[2]


def replace_term_words(term: SearchTerm, instead: dict[str, str]) -> SearchTerm:
    """The term with other words for those that were misspelt."""
    return replace(term, words=tuple(instead.get(one, one) for one in term.words))

"""Variants of a search without matches: compounds are split, words completed, corrected, or not required."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from .criteria import SearchCriteria, count_text_matches
from .terms import SearchTerm, build_part_term

MIN_COMPLETED_LETTERS = 3  # of a last word that may be the beginning of another
MIN_CORRECTED_LETTERS = 4
LONG_WORD_LETTERS = 6  # a word of so many letters may have two typing errors, a shorter one only one
MAX_NEAR_WORDS = 20  # near words whose frequency is compared
MAX_SPELLING_CANDIDATES = 20_000  # words that are compared with a misspelled one
FREQUENCY_LIMIT = 1000  # resources with a near word; words that are in more are equally frequent


def iter_relaxed_criteria(
    connection: sqlite3.Connection, criteria: SearchCriteria
) -> Iterator[tuple[SearchCriteria, dict[str, str]]]:
    """The criteria and increasingly relaxed variants, each with the replacements of words in it."""
    yield criteria, {}
    joined_words: dict[str, str] = {}
    separated = replace(
        criteria, terms=list(dict.fromkeys(iter_separated_terms(connection, criteria, joined_words)))
    )
    if separated != criteria:
        yield separated, joined_words
    missing_words = list_missing_words(connection, separated.terms)
    corrections = joined_words | {
        word: correction
        for word in missing_words
        if (correction := find_nearest_word(connection, word)) is not None
    }
    corrected = replace(separated, terms=replace_words(separated.terms, corrections))
    *_, last_term = separated.terms
    completed_term = SearchTerm(last_term.words, is_prefix=True)
    if is_incomplete(connection, last_term):
        completion = corrections | {last_term.words[0]: f"{last_term.words[0]}*"}
        completed = replace(corrected, terms=[*corrected.terms[:-1], completed_term])
        yield completed, completion
        if last_term.words[0] not in corrections:
            corrected, corrections = completed, completion
    if corrected != separated:
        yield corrected, corrections
    yield replace(corrected, match_all=False), corrections


def iter_separated_terms(
    connection: sqlite3.Connection, criteria: SearchCriteria, joined_words: dict[str, str]
) -> Iterator[SearchTerm]:
    """The terms, with each compound (multi-stakeholder) split, or as one word if only that has matches.

    The replacements of joined compounds are added to `joined_words`.
    """
    for term in criteria.terms:
        separate_criteria, joined_criteria = (
            replace(criteria, terms=terms) for terms in (term.separate_terms, [term.joined_term])
        )
        if (
            term.parts
            and not count_text_matches(connection, separate_criteria, limit=0)
            and count_text_matches(connection, joined_criteria, limit=0)
        ):
            joined_words[" ".join(term.words)] = term.joined_term.words[0]
            yield term.joined_term
        else:
            yield from term.separate_terms


def suggest_spelling(connection: sqlite3.Connection, criteria: SearchCriteria) -> str:
    """A search without misspelled words, for a search that finds nothing; empty if no word is near.

    Unlike automatic corrections, it may replace names.
    """
    terms = [replace(term, is_name=False) for compound in criteria.terms for term in compound.separate_terms]
    corrections = {
        word: correction
        for word in list_missing_words(connection, terms)
        if (correction := find_nearest_word(connection, word)) is not None
    }
    corrected_terms = replace_words(terms, corrections)
    return " ".join(word for term in corrected_terms for word in term.words) if corrections else ""


def list_missing_words(connection: sqlite3.Connection, terms: Iterable[SearchTerm]) -> list[str]:
    """The words of the terms, without prefixes and without names such as VeriSign, that no resource has."""
    words = dict.fromkeys(
        word
        for term in terms
        if not term.is_name
        for word in (term.words[:-1] if term.is_prefix else term.words)
    )
    return [word for word in words if not count_text_matches(connection, build_part_term((word,)), limit=0)]


def is_incomplete(connection: sqlite3.Connection, term: SearchTerm) -> bool:
    """Whether a term is a word that no resource has, but with which other words begin."""
    return (
        len(term.words) == 1
        and not term.is_prefix
        and len(term.words[0]) >= MIN_COMPLETED_LETTERS
        and not count_text_matches(connection, term, limit=0)
        and count_text_matches(connection, SearchTerm(term.words, is_prefix=True), limit=0) > 0
    )


def find_nearest_word(connection: sqlite3.Connection, word: str) -> str | None:
    """The correction of a misspelled word: the nearest indexed word, of several the most frequent, or None.

    The edit distance counts transpositions as one.
    """
    if len(word) < MIN_CORRECTED_LETTERS:
        return None
    max_distance = 1 if len(word) < LONG_WORD_LETTERS else 2
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
        (distance, -count_text_matches(connection, SearchTerm((candidate,)), FREQUENCY_LIMIT), candidate)
        for candidate, distance, _ in near_words
    )
    # The table `words` may have words of deleted entries, which have no matches.
    return min((match for match in ranked if match[1]), default=(0, 0, None))[2]


def replace_words(terms: Iterable[SearchTerm], replacements: Mapping[str, str]) -> list[SearchTerm]:
    """The terms with words replaced; a term without any of these words as it is."""
    return [
        replace_term_words(term, replacements) if replacements.keys() & set(term.words) else term
        for term in terms
    ]


def replace_term_words(term: SearchTerm, replacements: Mapping[str, str]) -> SearchTerm:
    """The term with words replaced, and without the parts of a compound."""
    words = tuple(replacements.get(word, word) for word in term.words)
    return SearchTerm(words, is_prefix=True) if term.is_prefix else build_part_term(words)

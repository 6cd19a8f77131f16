"""How close the names of resources are to the words of a search."""

from collections.abc import Sequence
from typing import NamedTuple

from .criteria import SearchCriteria
from .database import IndexRow
from .entries import (
    MACHINE_KINDS,
    NAMESAKE_KINDS,
    STATEMENT_KINDS,
    SUBJECT_KINDS,
    VOCABULARY_VALUE_KINDS,
    IndexEntry,
    NameForm,
    parse_name_forms,
    serialize_name_form,
)
from .stemming import find_word_stems
from .terms import STOP_WORDS, SearchTerm, parse_typed_words


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
    if kind in STATEMENT_KINDS or kind in VOCABULARY_VALUE_KINDS:
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


def find_other_name(entry: IndexEntry, row: IndexRow, text: str, label: str) -> str:
    """The name of an entry that has more words of a text than its label, or an empty text.

    The last word of the text may be incomplete.
    """
    *terms, last_term = parse_typed_words(text)
    criteria = SearchCriteria([*terms, SearchTerm(last_term.words, is_prefix=True)])
    typed_words = list_typed_words(criteria, row.language)
    distances = {
        name: min(name_distance(form, row.kind, typed_words) for form in forms)
        for name in (label, *entry.names)
        if (forms := parse_name_forms(serialize_name_form(name, row.language)))
    }
    name = min(distances, key=lambda name: distances[name], default="")
    has_more_words = label not in distances or distances[name][0] < distances[label][0]
    return name if name and has_more_words else ""

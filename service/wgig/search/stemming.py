"""Stems of words by the algorithms of Snowball, so that "servers" finds "server"."""

from functools import lru_cache

import Stemmer

from .tokenizer import fold_word, strip_arabic_article

# The stemmer for each language of texts. Most texts without a language are English names.
STEMMER_NAMES = {"en": "english", "fr": "french", "es": "spanish", "ru": "russian", "ar": "arabic"}
DEFAULT_STEM_LANGUAGE = "en"
MIN_STEMMED_LETTERS = 4  # shorter words are often abbreviations: "its" is not "IT"
ARABIC_ARTICLE = "ال"


@lru_cache(200_000)
def find_word_stems(word: str, language: str) -> tuple[str, ...]:
    """The folded stems of a word in a language, without the folded word itself; the main one first."""
    language = language.partition("-")[0] or DEFAULT_STEM_LANGUAGE
    folded_word = fold_word(word)
    if language not in STEMMER_NAMES or len(folded_word) < MIN_STEMMED_LETTERS:
        return ()
    if language == "ar":
        # With the article, the stemmer recognizes the endings of nouns.
        forms = [ARABIC_ARTICLE + strip_arabic_article(word)]
    else:
        # People often type without accents, but the stemmers recognize the endings that have them.
        forms = [word.casefold(), folded_word]
    # A stemmer has state, so that threads cannot share one.
    stems = (fold_word(Stemmer.Stemmer(STEMMER_NAMES[language], 0).stemWord(form)) for form in forms)
    return tuple(stem for stem in dict.fromkeys(stems) if stem not in ("", folded_word))


@lru_cache(200_000)
def fold_and_stem(word: str, language: str) -> tuple[str, str]:
    """The folded word, and its main stem in a language; the folded word again if it has none."""
    folded_word = fold_word(word)
    return folded_word, next(iter(find_word_stems(word, language)), folded_word)


@lru_cache(10_000)
def find_all_stems(word: str) -> tuple[str, ...]:
    """The folded word and its stems in all languages, as the language of a search is not known."""
    stems = (stem for language in STEMMER_NAMES for stem in find_word_stems(word, language))
    return tuple(dict.fromkeys((fold_word(word), *stems)))

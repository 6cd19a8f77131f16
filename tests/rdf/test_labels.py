"""Choice of labels by preferred languages: ranges such as `fr`, which match tags such as `fr-CA`."""

import pyoxigraph as ox
import pytest
from wgig.rdf.labels import best_text, label_or_words, rank_language, words_of_iri

SPAM_LABELS = [
    ox.Literal("Mailmüll", language="de"),
    ox.Literal("垃圾邮件", language="zh"),
    ox.Literal("pourriel", language="fr-CA"),
    ox.Literal("spam", language="en"),
    ox.Literal("SPAM"),
]


def test_tags_are_ranked_by_the_first_range_they_match_and_exact_tags_first() -> None:
    ranges = ("fr", "en")
    tags = ["en", "de", "fr-CA", "fr"]
    assert sorted(tags, key=lambda tag: rank_language(tag, ranges)) == ["fr", "fr-CA", "en", "de"]


@pytest.mark.parametrize(
    ("ranges", "best"),
    [
        ((), "spam"),
        (("zh",), "垃圾邮件"),
        (("fr",), "pourriel"),
        (("ru", "de"), "Mailmüll"),
        (("ru",), "spam"),
    ],
)
def test_the_best_text_is_in_the_preferred_language(ranges: tuple[str, ...], best: str) -> None:
    assert best_text(SPAM_LABELS, ranges).value == best


def test_a_text_without_language_precedes_one_with_the_script_latn() -> None:
    transliterated = ox.Literal("lājī yóujiàn", language="zh-latn")
    assert best_text([SPAM_LABELS[1], transliterated, SPAM_LABELS[4]]) == SPAM_LABELS[4]
    assert best_text([SPAM_LABELS[1], transliterated]) == transliterated


def test_terms_other_than_literals_are_not_chosen() -> None:
    assert best_text([ox.NamedNode("urn:a"), ox.BlankNode()], ("fr",), "otherwise") == ox.Literal("otherwise")


def test_a_resource_without_a_label_gets_the_words_of_its_iri() -> None:
    labels = {"urn:a#isPartOf": SPAM_LABELS[0]}
    assert label_or_words(labels, "urn:a#isPartOf") == SPAM_LABELS[0]
    assert label_or_words(labels, "urn:b#isPartOf") == ox.Literal("is part of")


@pytest.mark.parametrize(
    ("iri", "words"),
    [("http://purl.org/dc/terms/isPartOf", "is part of"), ("urn:x", "urn:x"), ("http://e/a-b_c/", "a b c")],
)
def test_words_come_from_the_last_segment_of_an_iri(iri: str, words: str) -> None:
    assert words_of_iri(iri) == words

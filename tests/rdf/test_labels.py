"""What things are called, for readers of one language and another."""

import pyoxigraph as ox
import pytest
from wgig.rdf.labels import best_text, label_or_words, rank_language, words_of_iri

TEXTS = [
    ox.Literal("Mailmüll", language="de"),
    ox.Literal("垃圾邮件", language="zh"),
    ox.Literal("pourriel", language="fr-CA"),
    ox.Literal("spam", language="en"),
    ox.Literal("SPAM"),
]


def test_the_best_language_is_that_of_the_first_range_that_has_one() -> None:
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
def test_the_best_text_is_in_the_language_that_is_liked_best(ranges: tuple[str, ...], best: str) -> None:
    assert best_text(TEXTS, ranges).value == best


def test_without_english_comes_a_text_without_a_language_and_then_one_in_latin_letters() -> None:
    latin = ox.Literal("lājī yóujiàn", language="zh-latn")
    assert best_text([TEXTS[1], latin, TEXTS[4]]) == TEXTS[4]
    assert best_text([TEXTS[1], latin]) == latin


def test_what_is_no_text_is_not_chosen() -> None:
    assert best_text([ox.NamedNode("urn:a"), ox.BlankNode()], ("fr",), "otherwise") == ox.Literal("otherwise")


def test_what_has_no_label_is_called_by_the_end_of_its_iri() -> None:
    labels = {"urn:a#isPartOf": TEXTS[0]}
    assert label_or_words(labels, "urn:a#isPartOf") == TEXTS[0]
    assert label_or_words(labels, "urn:b#isPartOf") == ox.Literal("is part of")


@pytest.mark.parametrize(
    ("iri", "shown"),
    [("http://purl.org/dc/terms/isPartOf", "is part of"), ("urn:x", "urn:x"), ("http://e/a-b_c/", "a b c")],
)
def test_a_term_without_a_label_is_read_from_its_iri(iri: str, shown: str) -> None:
    assert words_of_iri(iri) == shown

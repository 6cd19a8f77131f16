"""SPARQL text is cut into tokens, in time that grows with its length."""

import pytest
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import check_absolute_iri, tokenize_sparql


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("true.FILTER(?x-y)", ["true", ".", "FILTER", "(", "?x", "-", "y", ")"]),
        ("a-b:c.d e-1.5", ["a-b:c.d", "e", "-", "1.5"]),
        ("é", ["é"]),
        ("ASK#'", ["ASK"]),
    ],
)
def test_a_text_is_cut_where_the_grammar_cuts_it(text: str, cut: list[str]) -> None:
    assert [token.text for token in tokenize_sparql(text)] == cut


@pytest.mark.parametrize("piece", ["a.", "a-", "é", "<a", ".", "{|"])
def test_a_long_text_without_sense_is_cut_soon(piece: str) -> None:
    assert sum(1 for _ in tokenize_sparql(piece * 40_000)) >= 40_000


@pytest.mark.parametrize("piece", ['"\\', "'''\\", "'\n"])
def test_a_string_without_an_end_is_refused_at_once(piece: str) -> None:
    with pytest.raises(Problem, match="A string begins here"):
        list(tokenize_sparql(piece * 40_000))


@pytest.mark.parametrize("iri", ["relative", "http://[", "http://a:b", "x:\ufffd", "x:a b", ""])
def test_what_is_no_absolute_iri_is_refused_by_the_name_of_its_parameter(iri: str) -> None:
    with pytest.raises(Problem, match="graph is"):
        check_absolute_iri(iri, "graph")

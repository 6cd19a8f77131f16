"""The tokens of SPARQL texts, found in linear time: in quadratic time, the long texts would take minutes."""

import pytest
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import check_absolute_iri, tokenize_sparql


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("true.FILTER(?x-y)", ["true", ".", "FILTER", "(", "?x", "-", "y", ")"]),
        ("a-b:c.d e-1.5", ["a-b:c.d", "e", "-", "1.5"]),
        ("é", ["é"]),
        ("ASK#'", ["ASK"]),
    ],
)
def test_a_text_is_split_into_the_tokens_of_the_grammar(text: str, tokens: list[str]) -> None:
    assert [token.text for token in tokenize_sparql(text)] == tokens


@pytest.mark.parametrize("unit", ["a.", "a-", "é", "<a", ".", "{|"])
def test_a_long_invalid_text_is_tokenized_in_linear_time(unit: str) -> None:
    assert sum(1 for _ in tokenize_sparql(unit * 40_000)) >= 40_000


@pytest.mark.parametrize("unit", ['"\\', "'''\\", "'\n"])
def test_an_unterminated_string_is_refused_in_linear_time(unit: str) -> None:
    with pytest.raises(Problem, match="The string that starts here"):
        list(tokenize_sparql(unit * 40_000))


@pytest.mark.parametrize("iri", ["relative", "http://[", "http://a:b", "x:\ufffd", "x:a b", ""])
def test_an_invalid_iri_is_refused_with_the_name_of_its_parameter(iri: str) -> None:
    with pytest.raises(Problem, match="graph is"):
        check_absolute_iri(iri, "graph")

"""Which format a client gets."""

import pytest
from wgig.http.negotiation import negotiate, weights
from wgig.problems import Problem
from wgig.rdf.formats import (
    CSV,
    GRAPHS,
    HTML,
    JSON_LD,
    JSON_RESULTS,
    N_TRIPLES,
    RDF_XML,
    SOLUTIONS,
    TURTLE,
    XML_RESULTS,
    Format,
    named,
)

from tests.fixtures.accept_headers import BROWSER


@pytest.mark.parametrize(
    ("accept", "offered", "expected"),
    [
        ([], SOLUTIONS, JSON_RESULTS),
        ([""], SOLUTIONS, JSON_RESULTS),
        (["*/*"], GRAPHS, TURTLE),
        (["text/csv"], SOLUTIONS, CSV),
        (["TEXT/CSV"], SOLUTIONS, CSV),
        (["application/json"], SOLUTIONS, JSON_RESULTS),
        (["application/json"], GRAPHS, JSON_LD),
        (["text/turtle;q=0.1, application/n-triples"], GRAPHS, N_TRIPLES),
        (["text/turtle; charset=utf-8 ;q=0.1, application/n-triples;q=0.2x"], GRAPHS, TURTLE),
        (["text/turtle;q=.1, application/n-triples;q=.2"], GRAPHS, N_TRIPLES),
        (["application/rdf+xml, */*;q=.1"], SOLUTIONS, JSON_RESULTS),
        (["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], GRAPHS, TURTLE),  # Java's own
        (["*"], GRAPHS, TURTLE),
        (["text/turtle;q=.1, *;q=.5, */*;q=.05"], GRAPHS, N_TRIPLES),
        (["text/turtle;q=0, */*"], GRAPHS, N_TRIPLES),
        (["application/*"], GRAPHS, N_TRIPLES),
        (["*/*, application/rdf+xml"], GRAPHS, RDF_XML),
        (["image/png", "text/csv"], SOLUTIONS, CSV),
        (['application/ld+json;profile="a,b;q=0"'], GRAPHS, JSON_LD),
        (["application/sparql-results+xml, application/rdf+xml"], SOLUTIONS, XML_RESULTS),
        ([BROWSER], (*GRAPHS, HTML), HTML),
        ([BROWSER], GRAPHS, TURTLE),
    ],
)
def test_the_client_gets_what_it_likes_best(
    accept: list[str], offered: tuple[Format, ...], expected: Format
) -> None:
    assert negotiate(accept, offered) is expected


@pytest.mark.parametrize(
    "accept", ["image/png", "text/turtle;q=0", "*/*;q=0", "*;q=0", "*/*;q=.0", "text/*;q=0.0, image/*"]
)
def test_what_cannot_be_had_is_refused_with_a_list_of_what_there_is(accept: str) -> None:
    with pytest.raises(Problem, match="text/turtle") as caught:
        negotiate([accept], (TURTLE,))
    assert caught.value.status == 406


@pytest.mark.parametrize("q", ["2", "-1", "x", ".", "1.5", ".1234", "0.1234"])
def test_an_item_with_a_bad_weight_is_left_out(q: str) -> None:
    assert weights([f"text/csv;q={q}, text/html;q=0.5"]) == {"text/html": 0.5}


@pytest.mark.parametrize("name", ["ttl", "text/turtle", "Text/Turtle"])
def test_a_format_is_named_by_suffix_or_media_type(name: str) -> None:
    assert named(name, GRAPHS) is TURTLE


def test_an_unescaped_plus_in_the_address_still_names_the_type() -> None:
    assert named("application/ld json", GRAPHS) is JSON_LD


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Problem, match="Ask for one of"):
        named("docx", GRAPHS)


def test_a_long_field_without_sense_is_read_soon() -> None:
    assert weights(["a," + " " * 200_000 + ";"]) == {"a": 1.0}

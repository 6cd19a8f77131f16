"""Which format a client gets."""

import pytest
from wgig.http.negotiation import negotiate_format, parse_accept_weights
from wgig.problems import Problem
from wgig.rdf.formats import (
    CSV,
    GRAPH_FORMATS,
    HTML,
    JSON_LD,
    JSON_RESULTS,
    N_TRIPLES,
    RDF_XML,
    SOLUTION_FORMATS,
    TURTLE,
    XML_RESULTS,
    Format,
    get_named_format,
)

from tests.fixtures.accept_headers import BROWSER


@pytest.mark.parametrize(
    ("accept", "offered", "expected"),
    [
        ([], SOLUTION_FORMATS, JSON_RESULTS),
        ([""], SOLUTION_FORMATS, JSON_RESULTS),
        (["*/*"], GRAPH_FORMATS, TURTLE),
        (["text/csv"], SOLUTION_FORMATS, CSV),
        (["TEXT/CSV"], SOLUTION_FORMATS, CSV),
        (["application/json"], SOLUTION_FORMATS, JSON_RESULTS),
        (["application/json"], GRAPH_FORMATS, JSON_LD),
        (["text/turtle;q=0.1, application/n-triples"], GRAPH_FORMATS, N_TRIPLES),
        (["text/turtle; charset=utf-8 ;q=0.1, application/n-triples;q=0.2x"], GRAPH_FORMATS, TURTLE),
        (["text/turtle;q=.1, application/n-triples;q=.2"], GRAPH_FORMATS, N_TRIPLES),
        (["application/rdf+xml, */*;q=.1"], SOLUTION_FORMATS, JSON_RESULTS),
        (["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], GRAPH_FORMATS, TURTLE),  # Java's own
        (["*"], GRAPH_FORMATS, TURTLE),
        (["text/turtle;q=.1, *;q=.5, */*;q=.05"], GRAPH_FORMATS, N_TRIPLES),
        (["text/turtle;q=0, */*"], GRAPH_FORMATS, N_TRIPLES),
        (["application/*"], GRAPH_FORMATS, N_TRIPLES),
        (["*/*, application/rdf+xml"], GRAPH_FORMATS, RDF_XML),
        (["image/png", "text/csv"], SOLUTION_FORMATS, CSV),
        (['application/ld+json;profile="a,b;q=0"'], GRAPH_FORMATS, JSON_LD),
        (["application/sparql-results+xml, application/rdf+xml"], SOLUTION_FORMATS, XML_RESULTS),
        ([BROWSER], (*GRAPH_FORMATS, HTML), HTML),
        ([BROWSER], GRAPH_FORMATS, TURTLE),
    ],
)
def test_the_client_gets_what_it_likes_best(
    accept: list[str], offered: tuple[Format, ...], expected: Format
) -> None:
    assert negotiate_format(accept, offered) is expected


@pytest.mark.parametrize(
    "accept", ["image/png", "text/turtle;q=0", "*/*;q=0", "*;q=0", "*/*;q=.0", "text/*;q=0.0, image/*"]
)
def test_what_cannot_be_had_is_refused_with_a_list_of_what_there_is(accept: str) -> None:
    with pytest.raises(Problem, match="text/turtle") as caught:
        negotiate_format([accept], (TURTLE,))
    assert caught.value.status == 406


@pytest.mark.parametrize("q", ["2", "-1", "x", ".", "1.5", ".1234", "0.1234"])
def test_an_item_with_a_bad_weight_is_left_out(q: str) -> None:
    assert parse_accept_weights([f"text/csv;q={q}, text/html;q=0.5"]) == {"text/html": 0.5}


@pytest.mark.parametrize("name", ["ttl", "text/turtle", "Text/Turtle"])
def test_a_format_is_named_by_suffix_or_media_type(name: str) -> None:
    assert get_named_format(name, GRAPH_FORMATS) is TURTLE


def test_an_unescaped_plus_in_the_address_still_names_the_type() -> None:
    assert get_named_format("application/ld json", GRAPH_FORMATS) is JSON_LD


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Problem, match="Ask for one of"):
        get_named_format("docx", GRAPH_FORMATS)


def test_a_long_field_without_sense_is_read_soon() -> None:
    assert parse_accept_weights(["a," + " " * 200_000 + ";"]) == {"a": 1.0}

"""Which format a client gets."""

import pytest
from fastapi import Request
from wgig.http.negotiation import (
    MAX_NAMED_FORMATS,
    choose_page_or_data,
    choose_response_format,
    negotiate_format,
    parse_accept_weights,
)
from wgig.problems import Problem
from wgig.rdf.formats import (
    CSV,
    GRAPH_FORMATS,
    HTML,
    JSON,
    JSON_LD,
    JSON_RESULTS,
    N_TRIPLES,
    RDF_XML,
    SOLUTION_FORMATS,
    TURTLE,
    XML_RESULTS,
    Format,
)

from tests.fixtures.accept_headers import BROWSER


def make_request(accept: str = "*/*") -> Request:
    return Request({"type": "http", "query_string": b"", "headers": [(b"accept", accept.encode())]})


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


def test_a_long_field_without_sense_is_read_soon() -> None:
    assert parse_accept_weights(["a," + " " * 200_000 + ";"]) == {"a": 1.0}


@pytest.mark.parametrize(
    ("asked", "suffix", "expected"),
    [
        (None, "", N_TRIPLES),
        (None, "rdf", RDF_XML),
        ("ttl", "rdf", TURTLE),
        ("text/turtle", "", TURTLE),
        ("image/png,rdf,ttl", "", RDF_XML),
    ],
)
def test_a_name_in_the_query_string_beats_the_suffix_and_that_the_field(
    asked: str | None, suffix: str, expected: Format
) -> None:
    request = make_request("application/n-triples")
    assert choose_response_format(request, GRAPH_FORMATS, asked, suffix) is expected


def test_a_suffix_that_is_not_offered_is_refused_with_those_that_are() -> None:
    unavailable = r"This is not available as \.csv\. End the address in one of: \.ttl, \.nt"
    with pytest.raises(Problem, match=unavailable):
        choose_response_format(make_request(), GRAPH_FORMATS, None, "csv")
    with pytest.raises(Problem, match="Ask for one of: text/turtle"):
        choose_response_format(make_request(), GRAPH_FORMATS, "", "ttl")


def test_a_list_of_too_many_names_is_refused() -> None:
    names = ",".join(["ttl"] * (MAX_NAMED_FORMATS + 1))
    with pytest.raises(Problem, match="lists more than 50 types") as caught:
        choose_response_format(make_request(), GRAPH_FORMATS, names)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("accept", "expected"), [(BROWSER, HTML), ("*/*", JSON), ("image/png", JSON), ("*/*;q=0", JSON)]
)
def test_who_takes_no_page_gets_data_whatever_it_accepts(accept: str, expected: Format) -> None:
    assert choose_page_or_data(make_request(accept), JSON) is expected

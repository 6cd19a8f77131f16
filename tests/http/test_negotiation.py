"""Negotiation of response formats by Accept headers, suffixes and `_mediatype`."""

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

from tests.fixtures.accept_headers import BROWSER_ACCEPT


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
        (["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"], GRAPH_FORMATS, TURTLE),  # sent by Java
        (["*"], GRAPH_FORMATS, TURTLE),
        (["text/turtle;q=.1, *;q=.5, */*;q=.05"], GRAPH_FORMATS, N_TRIPLES),
        (["text/turtle;q=0, */*"], GRAPH_FORMATS, N_TRIPLES),
        (["application/*"], GRAPH_FORMATS, N_TRIPLES),
        (["*/*, application/rdf+xml"], GRAPH_FORMATS, RDF_XML),
        (["image/png", "text/csv"], SOLUTION_FORMATS, CSV),
        (['application/ld+json;profile="a,b;q=0"'], GRAPH_FORMATS, JSON_LD),
        (["application/sparql-results+xml, application/rdf+xml"], SOLUTION_FORMATS, XML_RESULTS),
        ([BROWSER_ACCEPT], (*GRAPH_FORMATS, HTML), HTML),
        ([BROWSER_ACCEPT], GRAPH_FORMATS, TURTLE),
    ],
)
def test_preferred_format_is_chosen(accept: list[str], offered: tuple[Format, ...], expected: Format) -> None:
    assert negotiate_format(accept, offered) is expected


@pytest.mark.parametrize(
    "accept", ["image/png", "text/turtle;q=0", "*/*;q=0", "*;q=0", "*/*;q=.0", "text/*;q=0.0, image/*"]
)
def test_unavailable_format_gets_406_with_available_ones(accept: str) -> None:
    with pytest.raises(Problem, match="text/turtle") as caught:
        negotiate_format([accept], (TURTLE,))
    assert caught.value.status == 406


# A weight is from 0 to 1, with at most three decimals.
@pytest.mark.parametrize("weight", ["2", "-1", "x", ".", "1.5", ".1234", "0.1234"])
def test_accept_item_with_invalid_weight_is_ignored(weight: str) -> None:
    assert parse_accept_weights([f"text/csv;q={weight}, text/html;q=0.5"]) == {"text/html": 0.5}


def test_long_malformed_accept_header_is_parsed_fast() -> None:
    assert parse_accept_weights(["a," + " " * 200_000 + ";"]) == {"a": 1.0}


@pytest.mark.parametrize(
    ("mediatype", "suffix", "expected"),
    [
        (None, "", N_TRIPLES),
        (None, "rdf", RDF_XML),
        ("ttl", "rdf", TURTLE),
        ("text/turtle", "", TURTLE),
        ("image/png,rdf,ttl", "", RDF_XML),
    ],
)
def test_mediatype_parameter_overrides_suffix_and_accept(
    mediatype: str | None, suffix: str, expected: Format
) -> None:
    request = make_request("application/n-triples")
    assert choose_response_format(request, GRAPH_FORMATS, mediatype, suffix) is expected


def test_unavailable_suffix_gets_406_with_available_ones() -> None:
    unavailable = r"This is not available as \.csv\. Use one of these suffixes in the address: \.ttl, \.nt"
    with pytest.raises(Problem, match=unavailable):
        choose_response_format(make_request(), GRAPH_FORMATS, None, "csv")
    with pytest.raises(Problem, match="Request one of: text/turtle"):
        choose_response_format(make_request(), GRAPH_FORMATS, "", "ttl")


def test_too_many_named_formats_are_refused() -> None:
    names = ",".join(["ttl"] * (MAX_NAMED_FORMATS + 1))
    with pytest.raises(Problem, match="lists more than 50 types") as caught:
        choose_response_format(make_request(), GRAPH_FORMATS, names)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("accept", "expected"), [(BROWSER_ACCEPT, HTML), ("*/*", JSON), ("image/png", JSON), ("*/*;q=0", JSON)]
)
def test_client_that_does_not_prefer_html_gets_data(accept: str, expected: Format) -> None:
    assert choose_page_or_data(make_request(accept), JSON) is expected

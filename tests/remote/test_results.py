"""Results of a SPARQL service are parsed without loss, for all chunk sizes; truncated results are errors."""

import io
import time
from io import RawIOBase
from typing import Any, cast

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wgig.rdf.formats import JSON_RESULTS, XML_RESULTS
from wgig.remote import results
from wgig.remote.client import TruncatedResponseError
from wgig.remote.results import (
    RESULT_CHUNK_BYTES,
    XmlSpaceReader,
    encode_literal_spaces,
    iter_remote_solutions,
)

pytestmark = pytest.mark.usefixtures("short_waits")

XML_MEDIA_TYPE = XML_RESULTS.media_type
XML_HEAD = (
    '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#">'
    '<head><variable name="o"/></head><results>'
)
TEXTS_STRATEGY = st.lists(
    st.text(st.sampled_from("ab \t\n<&>'é\u00a0]"), max_size=12), min_size=1, max_size=6
)


class ChunkedBody(RawIOBase):
    """A response body that is read in chunks of these sizes, repeatedly."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        super().__init__()
        self.body, self.sizes, self.count = io.BytesIO(body), sizes, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        self.count += 1
        chunk = self.body.read(min(len(target), self.sizes[self.count % len(self.sizes)]))
        target[: len(chunk)] = chunk
        return len(chunk)


def make_xml_results(texts: list[str], attributes: str = "") -> bytes:
    """XML results with a row for each text."""
    escaped_texts = (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in texts)
    rows = (
        f'<result><binding name="o"><literal{attributes}>{text}</literal></binding></result>\n'
        for text in escaped_texts
    )
    return f"{XML_HEAD}{''.join(rows)}</results></sparql>".encode()


@given(
    TEXTS_STRATEGY,
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.sampled_from(["", " xml:lang='ar'"]),
)
def test_white_space_at_the_ends_of_texts_is_preserved(
    texts: list[str], sizes: list[int], attributes: str
) -> None:
    body = ChunkedBody(make_xml_results(texts, attributes), sizes)
    assert [row["o"].value for row in iter_remote_solutions(body, XML_MEDIA_TYPE)] == texts


@given(TEXTS_STRATEGY, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_conversion_does_not_depend_on_chunks(texts: list[str], sizes: list[int]) -> None:
    xml = make_xml_results(texts)
    assert XmlSpaceReader(ChunkedBody(xml, sizes)).read() == encode_literal_spaces(xml)


@pytest.mark.parametrize("text", [" " * 400_000, "x" + " " * 400_000 + "x", "x" * 2_000_000, " <" * 9])
def test_long_texts_are_converted_in_linear_time(text: str) -> None:
    started_at = time.monotonic()
    (row,) = iter_remote_solutions(cast(RawIOBase, io.BytesIO(make_xml_results([text]))), XML_MEDIA_TYPE)
    assert row["o"].value == text
    assert time.monotonic() - started_at < 60  # quadratic time would be many minutes
    assert RESULT_CHUNK_BYTES < 400_000  # the long texts have several chunks


@pytest.mark.parametrize("media_type", [XML_MEDIA_TYPE, JSON_RESULTS.media_type])
def test_truncated_results_are_an_error(media_type: str) -> None:
    solutions = ox.Store().query("SELECT ?o { VALUES ?o { 1 2 3 'four' } }")
    assert isinstance(solutions, ox.QuerySolutions)
    body = solutions.serialize(format=ox.QueryResultsFormat.from_media_type(media_type)) or b""
    for end in range(len(body.rstrip())):
        with pytest.raises(TruncatedResponseError):
            list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(body[:end])), media_type))


def test_invalid_results_are_an_error() -> None:
    with pytest.raises(TruncatedResponseError):
        list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(b"<html>Log in.</html>")), XML_MEDIA_TYPE))
    assert results.broken_response_error(TruncatedResponseError("cut")).args == ("cut",)

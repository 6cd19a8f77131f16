"""Texts in results come back as they were, wherever the pieces of an answer end."""

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
from wgig.remote.client import CutOffError
from wgig.remote.results import (
    RESULT_PIECE_BYTES,
    XmlSpaceReader,
    encode_literal_spaces,
    iter_remote_solutions,
)

pytestmark = pytest.mark.usefixtures("short_waits")

XML = XML_RESULTS.media_type
HEAD = (
    '<?xml version="1.0"?><sparql xmlns="http://www.w3.org/2005/sparql-results#">'
    '<head><variable name="o"/></head><results>'
)
TEXTS = st.lists(st.text(st.sampled_from("ab \t\n<&>'é\u00a0]"), max_size=12), min_size=1, max_size=6)


class Pieces(RawIOBase):
    """A body that comes in pieces of these sizes, again and again."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        super().__init__()
        self.body, self.sizes, self.count = io.BytesIO(body), sizes, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        self.count += 1
        piece = self.body.read(min(len(target), self.sizes[self.count % len(self.sizes)]))
        target[: len(piece)] = piece
        return len(piece)


def document(texts: list[str], attributes: str = "") -> bytes:
    """Results of one row for each text, as a service writes them."""
    escaped = (one.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for one in texts)
    rows = (
        f'<result><binding name="o"><literal{attributes}>{one}</literal></binding></result>\n'
        for one in escaped
    )
    return f"{HEAD}{''.join(rows)}</results></sparql>".encode()


@given(TEXTS, st.lists(st.integers(1, 40), min_size=1, max_size=5), st.sampled_from(["", " xml:lang='ar'"]))
def test_spaces_at_the_ends_of_texts_stay(texts: list[str], sizes: list[int], attributes: str) -> None:
    body = Pieces(document(texts, attributes), sizes)
    assert [row["o"].value for row in iter_remote_solutions(body, XML)] == texts


@given(TEXTS, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_pieces_come_to_the_same_as_the_whole(texts: list[str], sizes: list[int]) -> None:
    whole = document(texts)
    assert XmlSpaceReader(Pieces(whole, sizes)).read() == encode_literal_spaces(whole)


@pytest.mark.parametrize("text", [" " * 400_000, "x" + " " * 400_000 + "x", "x" * 2_000_000, " <" * 9])
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    began = time.monotonic()
    (row,) = iter_remote_solutions(cast(RawIOBase, io.BytesIO(document([text]))), XML)
    assert row["o"].value == text
    assert time.monotonic() - began < 60  # by the square of the length it is many minutes
    assert RESULT_PIECE_BYTES < 400_000


@pytest.mark.parametrize("media_type", [XML, JSON_RESULTS.media_type])
def test_half_an_answer_is_noticed(media_type: str) -> None:
    found = ox.Store().query("SELECT ?o { VALUES ?o { 1 2 3 'four' } }")
    assert isinstance(found, ox.QuerySolutions)
    body = found.serialize(format=ox.QueryResultsFormat.from_media_type(media_type)) or b""
    for end in range(len(body.rstrip()) - 1):
        with pytest.raises(CutOffError):
            list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(body[:end])), media_type))


def test_what_is_no_result_is_an_answer_that_is_not_whole() -> None:
    with pytest.raises(CutOffError):
        list(iter_remote_solutions(cast(RawIOBase, io.BytesIO(b"<html>Log in.</html>")), XML))
    assert results.broken_answer_error(CutOffError("cut")).args == ("cut",)

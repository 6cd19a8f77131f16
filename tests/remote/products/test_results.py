"""What a service answers to our own queries is whole, or it is no answer."""

import io
from io import RawIOBase
from typing import cast

import pytest
from wgig.rdf.formats import JSON_RESULTS
from wgig.remote.client import CutOffError
from wgig.remote.results import iter_remote_solutions

ROW = b'{"head":{"vars":["a","b"]},"results":{"bindings":[{%s}]}}'
A, B = b'"a":{"type":"literal","value":"1"}', b'"b":{"type":"literal","value":"2"}'


def read(body: bytes) -> list[dict[str, str]]:
    """The values in the rows of a body."""
    rows = iter_remote_solutions(cast(RawIOBase, io.BytesIO(body)), JSON_RESULTS.media_type)
    return [{name: term.value for name, term in row.items()} for row in rows]


def test_a_whole_answer_is_read() -> None:
    assert read(ROW % (A + b"," + B)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("body", [ROW % A, (ROW % (A + b"," + B))[:-4]], ids=["unbound", "cut off"])
def test_what_is_not_whole_is_refused(body: bytes) -> None:
    with pytest.raises(CutOffError):
        read(body)

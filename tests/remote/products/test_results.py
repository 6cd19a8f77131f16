"""Incomplete results of a SPARQL service are errors."""

import io
from io import RawIOBase
from typing import cast

import pytest
from wgig.rdf.formats import JSON_RESULTS
from wgig.remote.client import TruncatedResponseError
from wgig.remote.results import iter_remote_solutions

RESULT_TEMPLATE = b'{"head":{"vars":["a","b"]},"results":{"bindings":[{%s}]}}'
A_BINDING, B_BINDING = b'"a":{"type":"literal","value":"1"}', b'"b":{"type":"literal","value":"2"}'


def read_rows(body: bytes) -> list[dict[str, str]]:
    """The values in the rows of a response body."""
    rows = iter_remote_solutions(cast(RawIOBase, io.BytesIO(body)), JSON_RESULTS.media_type)
    return [{name: term.value for name, term in row.items()} for row in rows]


def test_complete_result_is_read() -> None:
    assert read_rows(RESULT_TEMPLATE % (A_BINDING + b"," + B_BINDING)) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    "body",
    [RESULT_TEMPLATE % A_BINDING, (RESULT_TEMPLATE % (A_BINDING + b"," + B_BINDING))[:-4]],
    ids=["unbound", "cut off"],  # the queries that are read here bind all variables
)
def test_incomplete_result_is_an_error(body: bytes) -> None:
    with pytest.raises(TruncatedResponseError):
        read_rows(body)

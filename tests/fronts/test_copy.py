"""The copy of the quads in a front process: which queries it answers, and at which version of the data."""

import asyncio
import json

import pyoxigraph as ox
import pytest
from wgig.fronts import copy as copy_module
from wgig.fronts.copy import FrontCopy
from wgig.settings import Settings
from wgig.sparql.language.parser import ParsedSparqlText
from wgig.sparql.workers.counted_quads import CountedQuads
from wgig.sparql.workers.protocol import (
    CHANGE_MESSAGE,
    RETIRE_MESSAGE,
    VERSION_MESSAGE,
    VERSION_STRUCT,
    QueryJob,
    frame_message,
)
from wgig.store.change import Change, serialize_change
from wgig.store.view import QueryDataset

NODE, PROPERTY, GRAPH = ox.NamedNode("x:s"), ox.NamedNode("x:p"), ox.NamedNode("x:g")
MAX_BYTES = 1_000_000  # of a result
UNION_DATASET = QueryDataset()


def make_quad(number: int) -> ox.Quad:
    return ox.Quad(NODE, PROPERTY, ox.Literal(number), GRAPH)


def make_job(text: str, version: int, dataset: QueryDataset = UNION_DATASET) -> QueryJob:
    media_type = "application/sparql-results+json"
    return QueryJob(ParsedSparqlText(text), media_type, dataset, Settings.base, MAX_BYTES, 0, version)


class ClosingTransport(asyncio.Transport):
    """A transport that is only closed."""

    is_closed = False

    def close(self) -> None:
        """Close it."""
        self.is_closed = True


@pytest.fixture
def copy() -> FrontCopy:
    """A copy of one quad at version 1."""
    store = ox.Store()
    store.add(make_quad(1))
    front_copy = FrontCopy(CountedQuads(store))
    front_copy.connection_made(ClosingTransport())
    front_copy.data_received(frame_version(1))
    return front_copy


def frame_version(version: int) -> bytes:
    return frame_message(VERSION_MESSAGE, VERSION_STRUCT.pack(version))


def frame_change(change: Change) -> bytes:
    return frame_message(CHANGE_MESSAGE, serialize_change(change))


def ask(copy: FrontCopy, number: int, version: int) -> bool | None:
    """The answer of the copy whether it has a quad; None if it does not answer."""
    body = copy.evaluate(make_job(f"ASK {{ <x:s> <x:p> ?o . <x:s> <x:p> ?o }} #{number}", version))
    if body is None:
        return None
    rows = copy.evaluate(make_job("SELECT ?o { <x:s> ?p ?o }", version))
    assert rows is not None
    values = {int(row["o"]["value"]) for row in json.loads(rows)["results"]["bindings"]}
    return json.loads(body)["boolean"] and number in values


def test_query_is_answered_at_the_version_of_the_copy_only(copy: FrontCopy) -> None:
    assert [ask(copy, 1, version) for version in (0, 1, 2)] == [None, True, None]


def test_copy_follows_the_changes(copy: FrontCopy) -> None:
    change = Change((make_quad(1),), (make_quad(2), make_quad(3)))
    message = frame_change(change) + frame_version(2)
    copy.data_received(message[:10])
    assert ask(copy, 1, 1) is True
    copy.data_received(message[10:])
    assert [ask(copy, number, 2) for number in (1, 2, 3)] == [False, True, True]
    assert ask(copy, 1, 1) is None


def test_large_change_is_applied_between_other_events(
    copy: FrontCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_module, "MAX_PART_QUADS", 2)

    async def follow_changes() -> None:
        change = Change((make_quad(1),), tuple(map(make_quad, range(2, 9))))
        copy.data_received(frame_change(change) + frame_version(2))
        copy.data_received(frame_change(Change((make_quad(2),))) + frame_version(3))
        pauses = 0
        while copy.version != 3:
            assert [ask(copy, 1, version) for version in (1, 2, 3)] == [None, None, None]
            pauses += 1
            await asyncio.sleep(0)
        assert pauses == 5  # between the created graphs, one removal and four additions
        assert [ask(copy, number, 3) for number in (1, 2, 3, 8)] == [False, False, True, True]

    asyncio.run(follow_changes())


def test_retired_copy_answers_nothing(copy: FrontCopy) -> None:
    copy.data_received(frame_message(RETIRE_MESSAGE) + frame_version(2))
    assert [ask(copy, 1, version) for version in (1, 2)] == [None, None]
    assert isinstance(copy.transport, ClosingTransport)
    assert copy.transport.is_closed


def test_copy_is_retired_by_a_change_that_takes_long(
    copy: FrontCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_module, "MAX_APPLIED_CHANGE_BYTES", 1000)
    copy.data_received(frame_change(Change((), tuple(map(make_quad, range(100))))) + frame_version(2))
    assert [ask(copy, 1, version) for version in (1, 2)] == [None, None]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { ?s ?p ?o }",
        "ASK { ?s ?p ?o FILTER(?o > 0) }",
        "SELECT (COUNT(*) AS ?n) { <x:s> ?p ?o }",
        "ASK { <x:s> <x:p>+ ?o }",
        "ASK { <x:s> ?p ?o",
        "ASK { <x:s> ?p ?o } LIMIT x",
        'ASK { "x" <x:p> ?o }',
        "ASK {" + " ".join(f"<x:s> ?p ?o{n} ." for n in range(4)) + "}",
    ],
)
def test_other_queries_are_for_workers(copy: FrontCopy, text: str) -> None:
    assert copy.evaluate(make_job(text, 1)) is None


def test_large_result_is_for_workers(copy: FrontCopy) -> None:
    long_literal = ox.Literal("a" * copy_module.MAX_RESULT_BYTES)
    change = Change((), (ox.Quad(NODE, PROPERTY, long_literal, GRAPH),))
    copy.data_received(frame_change(change) + frame_version(2))
    assert copy.evaluate(make_job("SELECT ?o { <x:s> ?p ?o }", 2)) is None
    assert copy.evaluate(make_job("ASK { <x:s> ?p ?o }", 2)) is not None


def test_dataset_of_a_query_is_respected(copy: FrontCopy) -> None:
    other_graph = QueryDataset(("x:other",), ())
    body = copy.evaluate(make_job("ASK { <x:s> ?p ?o }", 1, other_graph))
    assert body is not None
    assert json.loads(body)["boolean"] is False

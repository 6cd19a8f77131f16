"""A large write over HTTP is refused and changes nothing; `wgig load` and the store take a million quads."""

from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.store.change import Change
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.service import TOKEN
from tests.fixtures.stores import copy_as_killed

pytestmark = pytest.mark.long

COUNT = 1_000_000
DATA_COUNT = 200_000  # in the text of a write: twice what an update may change
SIDE = 1000  # the product of two sets of so many resources has COUNT pairs
UPDATE_SIDE = 200  # of the product that the store adds by an update, twice: on trial before
PRODUCT_UPDATE = (
    "INSERT { GRAPH <urn:product> { ?a <urn:p> ?b } } "
    "WHERE { GRAPH <urn:sides> { ?a <urn:side> <urn:a> . ?b <urn:side> <urn:b> } }"
)


def make_sides_update(count: int) -> str:
    """An update that adds two sets of so many resources."""
    triples = (f"<urn:{number}> <urn:side> <urn:{side}> ." for number in range(count) for side in "ab")
    return f"INSERT DATA {{ GRAPH <urn:sides> {{ {' '.join(triples)} }} }}"


def make_n_triples(count: int) -> bytes:
    return b"".join(b'<urn:%d> <urn:p> "%d" .\n' % (number % SIDE, number) for number in range(count))


@pytest.mark.parametrize("write", ["PUT", "update of data", "update with WHERE"])
def test_a_write_of_many_quads_is_refused_over_http(
    start_service: ServiceStarter, tmp_path: Path, write: str
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with (
        start_service(tmp_path / "store", WGIG_DATA="none", WGIG_TOKEN=TOKEN) as url,
        httpx2.Client(base_url=url, headers=headers, timeout=120) as client,
    ):
        update_headers = {"Content-Type": "application/sparql-update"}
        client.post("/update", content=make_sides_update(SIDE), headers=update_headers).raise_for_status()
        before = client.get("/dump.nq").text
        if write == "PUT":
            response = client.put(
                "/graph/large", content=make_n_triples(DATA_COUNT), headers={"Content-Type": "text/turtle"}
            )
        elif write == "update of data":
            large = b"INSERT DATA { GRAPH <urn:product> {" + make_n_triples(DATA_COUNT) + b"} }"
            response = client.post("/update", content=large, headers=update_headers)
        else:
            response = client.post("/update", content=PRODUCT_UPDATE, headers=update_headers)
        assert response.status_code in (413, 422), response.text  # 413 also if it needs too much memory
        assert client.get("/dump.nq").text == before
        assert client.get("/ready").status_code == 200
        content = "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }"
        assert client.post("/update", content=content, headers=update_headers).status_code == 204


def test_a_load_of_a_million_quads_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")
    (tmp_path / "large.nt").write_bytes(make_n_triples(COUNT))
    store = tmp_path / "store"
    assert main(["load", str(tmp_path / "large.nt"), "--graph", "urn:large", "--store", str(store)]) == 0
    assert len(ox.Store.read_only(str(store / "quads"))) == COUNT


@pytest.mark.parametrize("write", ["change", "update"])
def test_the_store_takes_many_quads_at_once(tmp_path: Path, write: str) -> None:
    store = Store.open(tmp_path / "store")
    if write == "change":
        graph, predicate = ox.NamedNode("urn:product"), ox.NamedNode("urn:p")
        quads = (
            ox.Quad(ox.NamedNode(f"urn:{number % SIDE}"), predicate, ox.Literal(number), graph)
            for number in range(COUNT)
        )
        store.apply(Change(added=tuple(quads), created=(graph.value,)))
        count = COUNT
    else:
        store.update(make_sides_update(UPDATE_SIDE))
        store.update(PRODUCT_UPDATE)
        count = UPDATE_SIDE * UPDATE_SIDE + 2 * UPDATE_SIDE
    assert len(store._quads) == count
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    killed = Store.open(copy_as_killed(store, tmp_path / "killed"))
    assert len(killed._quads) == count + 1
    assert not killed.is_loading

"""A damaged file of the store: pages and queries get 503, /ready states it, and writes are refused."""

import logging
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest
from wgig.settings import Settings
from wgig.store.store import Store
from wgig.store.view import StoreView

from tests.fixtures.service import make_service_client

CORRUPTION = "Corruption: block checksum mismatch: stored = 1, computed = 2 in /data/000012.sst"


@pytest.fixture
def client(tmp_path: Path) -> httpx2.Client:
    settings = Settings(store=tmp_path / "store", token="secret")
    store = Store.open(settings.store)
    store.update("INSERT DATA { GRAPH <https://w3id.org/wgig/graph/issues> { <x:s> <x:p> 1 } }")
    return make_service_client(settings, store, Authorization="Bearer secret")


def raise_corruption(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(CORRUPTION)


@pytest.mark.parametrize(
    ("address", "method"),
    [("/graph/issues", "serialize_graph"), ("/doc/issue/spam", "match"), ("/sparql?query=ASK{}", "query")],
)
def test_damage_is_reported_and_stops_writes(
    client: httpx2.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    address: str,
    method: str,
) -> None:
    assert client.get("/ready").status_code == 200
    with monkeypatch.context() as patches, caplog.at_level(logging.ERROR):
        patches.setattr(StoreView, method, raise_corruption)
        response = client.get(address)
    assert (response.status_code, "A file of the store is damaged" in response.json()["detail"]) == (
        503,
        True,
    )
    assert "000012.sst" in caplog.text
    readiness = client.get("/ready")
    assert (readiness.status_code, "damaged" in readiness.json()["detail"]) == (503, True)
    headers = {"Content-Type": "text/turtle"}
    write = client.put("/graph/x", content="<x:a> <x:b> 1 .", headers=headers)
    assert (write.status_code, "damaged" in write.json()["detail"]) == (503, True)


def test_page_of_a_damaged_store_is_no_internal_error(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StoreView, "match", raise_corruption)
    response = client.get("/doc/issue/spam", headers={"Accept": "text/html"})
    assert response.status_code == 503
    assert "restore a backup" in response.text


def test_other_errors_of_the_engine_stay_internal_errors(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_other(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("anything else")

    monkeypatch.setattr(StoreView, "match", raise_other)
    assert client.get("/doc/issue/spam").status_code == 500
    monkeypatch.undo()
    assert client.get("/ready").status_code == 200

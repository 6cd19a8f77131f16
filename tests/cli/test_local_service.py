"""The service within a command, on a copy of the local store."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from wgig.cli.local_service import LOCAL_FOLDER_PREFIX, open_graph
from wgig.problems import Problem
from wgig.search.index import FullTextIndex
from wgig.settings import Settings
from wgig.store.store import Store


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a store of one resource, whose search index is built."""
    settings = Settings(store=tmp_path / "store", data="none")
    store = Store.open(settings.store)
    store.update(
        f"INSERT DATA {{ GRAPH <x:g> {{ <{settings.base}id/issue/spam>"
        ' <http://www.w3.org/2000/01/rdf-schema#label> "Spam"@en } }'
    )
    FullTextIndex(store, settings.base).start_build().result()
    store.close()
    return settings


def test_local_store_is_read_without_a_server(settings: Settings) -> None:
    with open_graph(None, settings) as graph:
        assert graph.query("ASK { ?s ?p ?o }") is True
        assert graph.thing("issue/spam")["label"] == {"en": ["Spam"]}


def test_search_index_is_copied_instead_of_built(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FullTextIndex, "rebuild", lambda *_: pytest.fail("The index is built again"))
    with open_graph(None, settings) as graph:
        page = graph.connection.send_read("GET", "search", params={"q": "spam"}).json()
    assert [item["label"] for item in page["items"]] == ["Spam"]


def test_store_can_have_a_relative_path(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.store.parent)
    with open_graph(None, replace(settings, store=Path("store"))) as graph:
        assert graph.thing("issue/spam")["label"] == {"en": ["Spam"]}


def test_copy_is_removed_at_the_end(settings: Settings) -> None:
    with open_graph(None, settings):
        assert [*Path(tempfile.gettempdir()).glob(f"{LOCAL_FOLDER_PREFIX}*")]
    assert not [*Path(tempfile.gettempdir()).glob(f"{LOCAL_FOLDER_PREFIX}*")]


def test_refused_request_is_a_problem_of_the_user(settings: Settings) -> None:
    with (
        pytest.raises(Problem, match="does not name a resource") as caught,
        open_graph(None, settings) as graph,
    ):
        graph.cite(iri="no name")
    assert caught.value.status == 400

"""A SPARQL Update is run on a copy of the store first (dry run), to check the papers that it changes.

The check is the gate: a changed paper must conform to the write profile before the update is committed.
"""

import shutil
from collections import Counter
from pathlib import Path

import httpx2
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store import change
from wgig.store import update as store_update
from wgig.store.files import ASIDE_FOLDER
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.service import make_writer_client

pytestmark = pytest.mark.slow

BASE = Settings.base
PAPER_NAME = "example-community-networks"
PAPER, PAPER_GRAPH = f"{BASE}id/paper/{PAPER_NAME}", f"{BASE}graph/paper/{PAPER_NAME}"
PAPER_TURTLE = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_bytes()
TITLE = "<http://purl.org/dc/terms/title>"
INVALID_TRIPLE = f'<{PAPER}> {TITLE} "Another"@en'  # a second title in one language
# The text of the update does not contain the IRI of the graph.
BIND_PAPER_GRAPH = f'BIND(IRI(CONCAT("{BASE}graph/pa", "per/{PAPER_NAME}")) AS ?g)'


@pytest.fixture
def store() -> Store:
    """A store with a valid paper, and another graph with a triple that would make the paper invalid."""
    store = Store.in_memory()
    for graph, turtle in ((PAPER_GRAPH, PAPER_TURTLE), ("x:g", f"{INVALID_TRIPLE} .".encode())):
        store.apply(store.compute_addition(graph, parse_graph_document(turtle, "text/turtle")))
    return store


@pytest.fixture(params=["kept", "lost"])
def client(request: pytest.FixtureRequest, store: Store) -> httpx2.Client:
    return make_writer_client(store, history=request.param)


def post_update(client: httpx2.Client, text: str, **headers: str) -> httpx2.Response:
    return client.post("/update", data={"update": text}, headers=headers)


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT DATA {{ GRAPH <{PAPER_GRAPH}> {{ {INVALID_TRIPLE} }} }}",
        f"INSERT DATA {{ GRAPH <graph/paper/{PAPER_NAME}> {{ {INVALID_TRIPLE} }} }}",
        f"PREFIX p: <{BASE}graph/paper/> WITH p:{PAPER_NAME} INSERT {{ {INVALID_TRIPLE} }} WHERE {{}}",
        f"INSERT {{ GRAPH ?g {{ {INVALID_TRIPLE} }} }} WHERE {{ GRAPH ?g {{ <{PAPER}> a ?kind }} }}",
        f"INSERT {{ GRAPH ?g {{ {INVALID_TRIPLE} }} }} WHERE {{ {BIND_PAPER_GRAPH} }}",
        f"ADD <x:g> TO <{PAPER_GRAPH}>",
        f"COPY <x:g> TO <{PAPER_GRAPH}>",
        f"MOVE <x:g> TO <{BASE}graph/paper/of-another-name>",
        f"DELETE WHERE {{ GRAPH <{PAPER_GRAPH}> {{ ?s a ?kind }} }}",
        f"INSERT DATA {{ GRAPH <{BASE}graph/paper/new> {{ <x:a> <x:p> 1 }} }}",
        f"DROP GRAPH <{PAPER_GRAPH}> ; INSERT DATA {{ GRAPH <{PAPER_GRAPH}> {{ {INVALID_TRIPLE} }} }}",
    ],
)
def test_update_cannot_bypass_gate(client: httpx2.Client, store: Store, text: str) -> None:
    before = set(store.triples(PAPER_GRAPH)), store.graphs()
    response = post_update(client, text)
    assert response.status_code == 422, response.text
    assert (set(store.triples(PAPER_GRAPH)), store.graphs()) == before


@pytest.mark.parametrize(
    "text",
    [
        f"DELETE WHERE {{ GRAPH <{PAPER_GRAPH}> {{ <{PAPER}> {TITLE} ?title }} }}",
        f"DROP GRAPH <{PAPER_GRAPH}>",
        "DROP ALL",
        "INSERT { GRAPH <x:h> { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
        f"INSERT DATA {{ <x:a> <x:p> <{PAPER_GRAPH}> }}",
        f"INSERT DATA {{ GRAPH <x:h> {{ {INVALID_TRIPLE} }} }}",
    ],
)
def test_update_that_keeps_papers_valid_is_committed(client: httpx2.Client, text: str) -> None:
    assert post_update(client, text).status_code == 204


def test_report_on_refused_update_is_in_accepted_format(client: httpx2.Client) -> None:
    text = f"INSERT DATA {{ GRAPH <{PAPER_GRAPH}> {{ {INVALID_TRIPLE} }} }}"
    response = post_update(client, text, Accept="text/csv")
    assert (response.status_code, "WGIG-0-TITLE-TWICE" in response.text) == (422, True)


def test_checked_change_of_random_update_is_the_committed_one(client: httpx2.Client, store: Store) -> None:
    # Each evaluation chooses the graph of the paper (422) or another graph (204).
    text = f"""INSERT {{ GRAPH ?g {{ {INVALID_TRIPLE} }} }}
               WHERE {{ BIND(IF(RAND() < 0.5, <{PAPER_GRAPH}>, <x:h>) AS ?g) }}"""
    for _ in range(20):
        response = post_update(client, text)
        is_written = any("Another" in str(triple) for triple in store.triples(PAPER_GRAPH))
        assert (response.status_code in (204, 422), is_written) == (True, False)


def test_update_that_may_change_too_many_statements_is_refused(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 3)
    response = post_update(client, "DELETE { GRAPH ?g { ?s <x:p> ?o } } WHERE { GRAPH ?g { ?s <x:p> ?o } }")
    assert (response.status_code, "Name each graph" in response.json()["detail"]) == (422, True)
    assert post_update(client, "WITH <x:new> INSERT { <x:a> <x:p> 1 } WHERE {}").status_code == 204


def list_trial_copies(store_folder: Path) -> list[Path]:
    return list((store_folder / ASIDE_FOLDER).glob(f"{store_update.TRIAL_FOLDER_PREFIX}*"))


def test_trial_copy_left_by_crash_is_deleted_at_start(tmp_path: Path) -> None:
    (tmp_path / ASIDE_FOLDER / f"{store_update.TRIAL_FOLDER_PREFIX}left").mkdir(parents=True)
    store = Store.open(tmp_path)
    assert not list_trial_copies(tmp_path)
    change = store.dry_run("INSERT { <x:a> <x:p> 1 } WHERE {}")
    assert change
    assert len(change.added) == 1
    assert not list_trial_copies(tmp_path)


def test_trial_copy_that_cannot_be_removed_does_not_fail_the_next_dry_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path)
    with monkeypatch.context() as context:
        # As if the process of the dry run still wrote into its copy.
        context.setattr(shutil, "rmtree", lambda *_, **__: None)
        assert store.dry_run("INSERT { <x:a> <x:p> 1 } WHERE {}")
        assert list_trial_copies(tmp_path)
        assert store.dry_run("INSERT { <x:a> <x:p> 2 } WHERE {}")
    assert store.dry_run("INSERT { <x:a> <x:p> 3 } WHERE {}")
    assert not list_trial_copies(tmp_path)


DRY_RUN_UPDATES = [
    "INSERT DATA { <x:a> <x:p> 01, 1.0, true } ; DELETE DATA { <x:a> <x:p> 1 }",
    "INSERT DATA { GRAPH <x:g> { <x:a> <x:p> 1 } } ; DELETE DATA { GRAPH <x:g> { <x:a> <x:p> 1 } }",
    "DELETE DATA { GRAPH <x:g> { <x:s> <x:p> <x:o> } } ; INSERT DATA { GRAPH <x:g> { <x:s> <x:p> <x:o> } }",
    "CREATE GRAPH <x:empty> ; DROP GRAPH <x:g>",
    "CLEAR GRAPH <x:g>",
    "CLEAR DEFAULT ; COPY <x:g> TO DEFAULT",
    "MOVE <x:g> TO <x:h> ; ADD <x:h> TO <x:i>",
    "INSERT { GRAPH <x:h> { ?s ?p _:b . _:b <x:of> ?o } } WHERE { GRAPH <x:g> { ?s ?p ?o } }",
    "WITH <x:g> DELETE { ?b <x:q> ?o } INSERT { ?b <x:r> ?o } WHERE { ?b <x:q> ?o }",
    "INSERT { GRAPH <x:h> { ?b <x:copied> ?o } } WHERE { GRAPH <x:g> { ?b <x:q> ?o FILTER(isBlank(?b)) } }",
    "INSERT DATA { <x:a> <x:p> <x:b> {| <x:q> 1 |} } ; DELETE DATA { <x:a> <x:p> <x:b> }",
    "INSERT DATA { <x:a> <x:p> <x:b> ~ . }",
    "DROP ALL ; INSERT DATA { _:x <x:p> _:x GRAPH <x:n> { _:x <x:p> 1 } }",
    "",
]


@pytest.mark.parametrize("text", DRY_RUN_UPDATES)
def test_change_of_dry_run_is_equal_to_effect_of_update(text: str) -> None:
    def make_store() -> Store:
        store = Store.in_memory()
        store.update(
            "INSERT DATA { <x:s> <x:p> 5 . GRAPH <x:g> { <x:s> <x:p> <x:o> . _:b <x:q> 2 . _:b <x:q> _:c } "
            "GRAPH <x:k> { <x:s> <x:q> 3 } }"
        )
        return store

    updated_store, dry_run_store = make_store(), make_store()
    updated_store.update(text)
    change = dry_run_store.dry_run(text)
    assert change is not None
    dry_run_store.apply(change)
    assert updated_store.graphs() == dry_run_store.graphs()
    for graph in (None, *updated_store.graphs()):
        assert anonymize_triples(updated_store, graph) == anonymize_triples(dry_run_store, graph), graph
    assert count_shared_blank_nodes(updated_store) == count_shared_blank_nodes(dry_run_store)


def anonymize_triples(store: Store, graph: str | None) -> list[str]:
    """The triples of a graph with `_` for each term that has a blank node, sorted."""
    return sorted(
        " ".join("_" if "_:" in str(term) else str(term) for term in triple)
        for triple in store.triples(graph)
    )


def count_shared_blank_nodes(store: Store) -> int:
    """The number of occurrences of blank nodes that occur more than once."""
    triples = [triple for graph in (None, *store.graphs()) for triple in store.triples(graph)]
    terms = [str(term) for triple in triples for term in (triple.subject, triple.object)]
    counts = Counter(term for term in terms if term.startswith("_:"))
    return sum(count for count in counts.values() if count > 1)


def test_update_stops_on_disconnect(start_service: ServiceStarter, tmp_path: Path) -> None:
    patterns = " ".join(f"GRAPH ?g{n} {{ ?s{n} ?p{n} ?o{n} }}" for n in range(6))
    endless_update = f"INSERT {{ GRAPH <urn:g> {{ ?s1 ?p2 ?o3 }} }} WHERE {{ {patterns} }}"
    settings = {"WGIG_TOKEN": "secret", "WGIG_PAPER_SECONDS": "600"}
    with (
        start_service(tmp_path, **settings) as url,
        httpx2.Client(headers={"Authorization": "Bearer secret"}, timeout=60) as client,
    ):
        with pytest.raises(httpx2.ReadTimeout):
            client.post(f"{url}update", data={"update": endless_update}, timeout=1)
        # The update may take 600 seconds, and only one write runs at a time.
        response = client.put(
            f"{url}graph/new",
            content="<urn:s> <urn:p> 1 .",
            headers={"Content-Type": "text/turtle"},
            timeout=30,
        )
        assert response.status_code == 201


def test_query_sent_to_update_is_refused_with_path_of_sparql(client: httpx2.Client) -> None:
    response = post_update(client, "PREFIX x: <x:> SELECT * { ?s ?p ?o }")
    assert response.status_code == 400
    assert "SELECT starts a query, not an update. Send it to /sparql." in response.json()["detail"]

"""Updates are tried first: papers pass the gate however they are changed, and what is written was checked."""

from pathlib import Path

import httpx
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store import change
from wgig.store import update as store_update
from wgig.store.files import ASIDE_FOLDER
from wgig.store.store import Store

from tests.fixtures.processes import Serving
from tests.fixtures.service import writer_of

pytestmark = pytest.mark.slow

BASE = Settings.base
NAME = "example-community-networks"
PAPER, GRAPH = f"{BASE}id/paper/{NAME}", f"{BASE}graph/paper/{NAME}"
TURTLE = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_bytes()
TITLE = "<http://purl.org/dc/terms/title>"
WORSE = f'<{PAPER}> {TITLE} "Another"@en'  # a second title in one language
MADE_UP = f'BIND(IRI(CONCAT("{BASE}graph/pa", "per/{NAME}")) AS ?g)'


@pytest.fixture
def store() -> Store:
    """A store with a paper, and a graph beside it that holds what would make the paper worse."""
    store = Store.in_memory()
    for graph, turtle in ((GRAPH, TURTLE), ("x:g", f"{WORSE} .".encode())):
        store.apply(store.compute_addition(graph, parse_graph_document(turtle, "text/turtle")))
    return store


@pytest.fixture(params=["kept", "lost"])
def client(request: pytest.FixtureRequest, store: Store) -> httpx.Client:
    return writer_of(store, history=request.param)


def update(client: httpx.Client, text: str, **headers: str) -> httpx.Response:
    return client.post("/update", data={"update": text}, headers=headers)


@pytest.mark.parametrize(
    "text",
    [
        f"INSERT DATA {{ GRAPH <{GRAPH}> {{ {WORSE} }} }}",
        f"INSERT DATA {{ GRAPH <graph/paper/{NAME}> {{ {WORSE} }} }}",
        f"PREFIX p: <{BASE}graph/paper/> WITH p:{NAME} INSERT {{ {WORSE} }} WHERE {{}}",
        f"INSERT {{ GRAPH ?g {{ {WORSE} }} }} WHERE {{ GRAPH ?g {{ <{PAPER}> a ?kind }} }}",
        f"INSERT {{ GRAPH ?g {{ {WORSE} }} }} WHERE {{ {MADE_UP} }}",
        f"ADD <x:g> TO <{GRAPH}>",
        f"COPY <x:g> TO <{GRAPH}>",
        f"MOVE <x:g> TO <{BASE}graph/paper/of-another-name>",
        f"DELETE WHERE {{ GRAPH <{GRAPH}> {{ ?s a ?kind }} }}",
        f"INSERT DATA {{ GRAPH <{BASE}graph/paper/new> {{ <x:a> <x:p> 1 }} }}",
        f"DROP GRAPH <{GRAPH}> ; INSERT DATA {{ GRAPH <{GRAPH}> {{ {WORSE} }} }}",
    ],
)
def test_no_update_leads_around_the_gate(client: httpx.Client, store: Store, text: str) -> None:
    before = set(store.triples(GRAPH)), store.graphs()
    answer = update(client, text)
    assert answer.status_code == 422, answer.text
    assert (set(store.triples(GRAPH)), store.graphs()) == before


@pytest.mark.parametrize(
    "text",
    [
        f"DELETE WHERE {{ GRAPH <{GRAPH}> {{ <{PAPER}> {TITLE} ?title }} }}",
        f"DROP GRAPH <{GRAPH}>",
        "DROP ALL",
        "INSERT { GRAPH <x:h> { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
        f"INSERT DATA {{ <x:a> <x:p> <{GRAPH}> }}",
        f"INSERT DATA {{ GRAPH <x:h> {{ {WORSE} }} }}",
    ],
)
def test_what_harms_no_paper_is_done(client: httpx.Client, text: str) -> None:
    assert update(client, text).status_code == 204


def test_the_report_on_a_refused_update_comes_as_asked(client: httpx.Client) -> None:
    text = f"INSERT DATA {{ GRAPH <{GRAPH}> {{ {WORSE} }} }}"
    answer = update(client, text, Accept="text/csv")
    assert (answer.status_code, "WGIG-0-TITLE-TWICE" in answer.text) == (422, True)


def test_what_was_checked_is_written_whatever_chance_says(client: httpx.Client, store: Store) -> None:
    text = f"""INSERT {{ GRAPH ?g {{ {WORSE} }} }}
               WHERE {{ BIND(IF(RAND() < 0.5, <{GRAPH}>, <x:h>) AS ?g) }}"""
    for _ in range(20):
        answer = update(client, text)
        there = any("Another" in str(one) for one in store.triples(GRAPH))
        assert (answer.status_code in (204, 422), there) == (True, False)


def test_an_update_that_may_touch_too_much_is_refused(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change, "MAX_COMPARED_QUADS", 3)
    answer = update(client, "DELETE { GRAPH ?g { ?s <x:p> ?o } } WHERE { GRAPH ?g { ?s <x:p> ?o } }")
    assert (answer.status_code, "Name each graph" in answer.json()["detail"]) == (422, True)
    assert update(client, "WITH <x:new> INSERT { <x:a> <x:p> 1 } WHERE {}").status_code == 204


def test_where_nothing_is_checked_nor_kept_an_update_just_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = writer_of(store, history="lost", write_profile="off")
    monkeypatch.setattr(store_update, "copy_all_quads", None)
    assert update(client, f"INSERT {{ GRAPH ?g {{ {WORSE} }} }} WHERE {{ GRAPH ?g {{}} }}").status_code == 204
    assert any("Another" in str(one) for one in store.triples(GRAPH))


def test_a_copy_that_a_crash_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    left = tmp_path / ASIDE_FOLDER / store_update.TRIAL_FOLDER
    left.mkdir(parents=True)
    store = Store.open(tmp_path)
    assert not left.exists()
    change = store.dry_run("INSERT { <x:a> <x:p> 1 } WHERE {}")
    assert change
    assert len(change.added) == 1
    assert not [
        one
        for one in (tmp_path / ASIDE_FOLDER).iterdir()
        if one.name in (store_update.TRIAL_FOLDER, store_update.TAKEN_TRIAL_FOLDER)
    ]


EQUAL = [
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


@pytest.mark.parametrize("text", EQUAL)
def test_what_is_tried_and_then_done_is_what_the_update_does(text: str) -> None:
    def filled() -> Store:
        made = Store.in_memory()
        made.update(
            "INSERT DATA { <x:s> <x:p> 5 . GRAPH <x:g> { <x:s> <x:p> <x:o> . _:b <x:q> 2 . _:b <x:q> _:c } "
            "GRAPH <x:k> { <x:s> <x:q> 3 } }"
        )
        return made

    one, other = filled(), filled()
    one.update(text)
    change = other.dry_run(text)
    assert change is not None
    other.apply(change)
    assert one.graphs() == other.graphs()
    for graph in (None, *one.graphs()):
        assert shape(one, graph) == shape(other, graph), graph
    assert joined(one) == joined(other)


def shape(store: Store, graph: str | None) -> list[str]:
    """The statements of a graph without the names of blank nodes."""
    return sorted(
        " ".join("_" if "_:" in str(term) else str(term) for term in one) for one in store.triples(graph)
    )


def joined(store: Store) -> int:
    """How often statements of the store share a blank node."""
    every = [one for graph in (None, *store.graphs()) for one in store.triples(graph)]
    names = [str(term) for one in every for term in (one.subject, one.object) if str(term).startswith("_:")]
    return sum(names.count(name) for name in set(names) if names.count(name) > 1)


def test_an_update_ends_with_whoever_asked_for_it(serving: Serving, tmp_path: Path) -> None:
    many = " ".join(f"GRAPH ?g{n} {{ ?s{n} ?p{n} ?o{n} }}" for n in range(6))
    endless = f"INSERT {{ GRAPH <urn:g> {{ ?s1 ?p2 ?o3 }} }} WHERE {{ {many} }}"
    settings = {"WGIG_TOKEN": "secret", "WGIG_PAPER_SECONDS": "600"}
    with (
        serving(tmp_path, **settings) as url,
        httpx.Client(headers={"Authorization": "Bearer secret"}, timeout=60) as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{url}update", data={"update": endless}, timeout=1)
        written = client.put(
            f"{url}graph/new",
            content="<urn:s> <urn:p> 1 .",
            headers={"Content-Type": "text/turtle"},
            timeout=30,
        )
        assert written.status_code == 201


def test_a_query_in_the_place_of_an_update_is_sent_to_where_it_is_answered(client: httpx.Client) -> None:
    answer = update(client, "PREFIX x: <x:> SELECT * { ?s ?p ?o }")
    assert answer.status_code == 400
    assert "SELECT begins a query, not an update. Send it to /sparql." in answer.json()["detail"]

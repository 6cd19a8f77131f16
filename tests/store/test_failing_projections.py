"""A projection that fails, or whose database is lost while the service runs, never gives a wrong answer.

Its readers get a right answer, or 503 until it is rebuilt. Writes and the other projections go on.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from wgig.app import Service, create_app, make_service
from wgig.lists.list_index import ListIndex
from wgig.search.index import SEARCH_INDEX_PATH, FullTextIndex
from wgig.settings import Settings
from wgig.store.files import ASIDE_FOLDER, RESOURCE_VERSIONS_FILE
from wgig.store.projection import Projection
from wgig.store.resource_versions.projection import ResourceVersionsProjection
from wgig.store.store import Store

from tests.fixtures.projections import StreamFollower, search_ids, wait_until_current
from tests.fixtures.service import TOKEN, make_client
from tests.fixtures.triples import put_turtle

pytestmark = pytest.mark.slow

BASE = Settings.base
PAPER_TURTLE = (
    f"<{BASE}id/paper/%s> a <{BASE}ontology#IssuePaper> ; <http://purl.org/dc/terms/title> '%s' ; "
    "<http://www.w3.org/2000/01/rdf-schema#label> '%s' ."
)
PATHS: dict[type[Projection], str] = {
    ResourceVersionsProjection: "/changes",
    FullTextIndex: "/search?q=tunnels",
    ListIndex: "/papers",
}
DATABASES = {
    ResourceVersionsProjection: Path(ASIDE_FOLDER) / RESOURCE_VERSIONS_FILE,
    FullTextIndex: SEARCH_INDEX_PATH,
}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return make_service(
        Settings(token=TOKEN, write_profile="off", metrics="open"), Store.open(tmp_path / "store")
    )


@pytest.fixture
def client(service: Service) -> Iterator[httpx2.Client]:
    """A client of a service whose projections have a paper with `bridges` in its title."""
    with make_client(create_app(service), Authorization=f"Bearer {TOKEN}") as client:
        put_paper(client, "bridges")
        read_all(client)
        wait_until_current(client)
        yield client


def put_paper(client: httpx2.Client, title: str) -> None:
    put_turtle(client, PAPER_TURTLE % ("p", title, title))


def read_status(client: httpx2.Client, path: str) -> int:
    """The status of a path. An answer with 200 must have the paper as it is in the store."""
    accept = "application/n-quads" if path == "/changes" else "text/html"
    response = client.get(path, headers={"Accept": accept})
    if response.status_code == 200 and path == "/papers":
        assert ("tunnels" in response.text, "bridges" in response.text) == has_titles(client)
    elif response.status_code == 200 and path == "/changes":
        StreamFollower().check(client)
    elif response.status_code == 200:
        assert (bool(search_ids(client, "tunnels")), bool(search_ids(client, "bridges"))) == has_titles(
            client
        )
    return response.status_code


def has_titles(client: httpx2.Client) -> tuple[bool, bool]:
    """Whether the titles `tunnels` and `bridges` are in the store."""
    quads = client.get("/dump.nq").text
    return '"tunnels"' in quads, '"bridges"' in quads


def read_all(client: httpx2.Client) -> dict[str, int]:
    """The status of each path."""
    return {path: read_status(client, path) for path in PATHS.values()}


def fail(*_: object, **_options: object) -> None:
    raise RuntimeError("a bug in a projection")


@pytest.mark.parametrize("class_", PATHS)
@pytest.mark.parametrize("has_failing_build", [False, True])
def test_a_failing_projection_gives_no_wrong_answer_and_others_go_on(
    client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, class_: type[Projection], has_failing_build: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(class_, "apply_many", fail)
        patched.setattr(class_, "apply", fail)
        if has_failing_build:
            patched.setattr(class_, "rebuild", fail)
        put_paper(client, "tunnels")
        statuses = read_all(client)
        assert statuses.pop(PATHS[class_]) == (503 if has_failing_build else 200)
        assert set(statuses.values()) == {200}
        assert has_titles(client) == (True, False)
        failed = client.get("/ready").json()["failedProjections"]
        assert bool(failed) == has_failing_build
        assert f"\nwgig_projections_failed {float(len(failed))}\n" in client.get("/metrics").text
    put_paper(client, "bridges")
    wait_until_current(client)
    assert set(read_all(client).values()) == {200}
    assert has_titles(client) == (False, True)


def remove_file(path: Path) -> None:
    path.unlink()


def overwrite_file(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database" * (path.stat().st_size // 11))


@pytest.mark.parametrize("class_", DATABASES)
@pytest.mark.parametrize("damage", [remove_file, overwrite_file])
def test_a_database_that_is_lost_while_the_service_runs_is_rebuilt(
    service: Service, client: httpx2.Client, class_: type[Projection], damage: Callable[[Path], None]
) -> None:
    folder = service.store.folder
    assert folder
    path = folder / DATABASES[class_]
    damage(path)
    for _attempt in range(3):
        statuses = read_all(client)
        assert statuses.pop(PATHS[class_]) in (200, 503)
        assert set(statuses.values()) == {200}
    put_paper(client, "tunnels")
    statuses = read_all(client)
    assert statuses.pop(PATHS[class_]) in (200, 503)
    assert set(statuses.values()) == {200}
    wait_until_current(client)
    assert set(read_all(client).values()) == {200}

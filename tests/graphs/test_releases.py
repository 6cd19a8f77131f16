"""Releases of the data: files, differences in words and as RDF Patch, metadata, the command, pages."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from bs4 import BeautifulSoup
from datacite import schema45
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED
from wgig.graphs import releases
from wgig.graphs.releases import (
    NothingChangedError,
    Release,
    ReleaseOrigin,
    create_release,
    find_release_license,
    list_releases,
)
from wgig.rdf.namespaces import LICENSE_IRI
from wgig.settings import Settings
from wgig.store.errors import StoreError
from wgig.store.files import RELEASES_FOLDER, hold_file_lock
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.service import make_store_client
from tests.fixtures.triples import parse_triples

BASE = Settings.base
FIRST_TIME = datetime(2026, 12, 1, 6, 30, tzinfo=UTC)
SECOND_TIME = datetime(2026, 12, 3, 6, 30, tzinfo=UTC)
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
PAGE_HEADERS = {"Accept": "text/html"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on disk with two graphs, an unnamed one, and a derived one."""
    opened = Store.open(tmp_path / "store")
    write_issues(opened, spam="Spam", worms="Worms")
    opened.replace({None: parse_triples("<x:s> <x:p> <x:o>, [] .")})
    opened.replace({f"{BASE}graph/inferred": parse_triples("<x:derived> <x:p> <x:o> .")})
    yield opened
    opened.close()


def write_issues(store: Store, graph: str = "issues", **labels: str) -> None:
    """Replace a graph by labels of issues, and a license."""
    statements = [f'<{BASE}id/issue/{slug}> {LABEL} "{label}"@en .' for slug, label in labels.items()]
    statements.append(f"<{BASE}graph/{graph}> <http://purl.org/dc/terms/license> <{LICENSE_IRI}> .")
    store.replace({f"{BASE}graph/{graph}": parse_triples("\n".join(statements))})


def make_release(store: Store, time: datetime = FIRST_TIME, **options: Any) -> Release:
    """A release of the store at a time."""
    assert store.folder
    return create_release(store, store.folder, ReleaseOrigin(BASE, LICENSE_IRI, time), **options)


def make_two_releases(store: Store) -> tuple[Release, Release]:
    """Two releases, between which an issue was added, one changed and one removed, and a graph as well."""
    write_issues(store, "old", viruses="Viruses")
    first = make_release(store)
    write_issues(store, spam="Junk mail", names="Names")
    store.replace({f"{BASE}graph/old": None})
    return first, make_release(store, SECOND_TIME)


def read_data(release: Release) -> bytes:
    return gzip.decompress((release.folder / releases.DATA_FILE).read_bytes())


def test_a_release_has_all_stated_statements_in_order(store: Store) -> None:
    release = make_release(store)
    lines = read_data(release).splitlines(keepends=True)
    assert lines == sorted(lines)
    assert len(lines) == release.record["statements"] == 5
    assert release.record["graphs"] == 1
    assert not any(b"derived" in line for line in lines)
    assert {*ox.parse(b"".join(lines), ox.RdfFormat.N_QUADS)} < {*store.match()}


def test_the_same_statements_have_the_same_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_release(store)
    monkeypatch.setattr(releases, "RUN_LINES", 2)  # several runs are merged
    second = make_release(store, force=True)
    assert second.name == f"{first.name}.2"
    for name in (releases.DATA_FILE,):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert second.record["changes"]["graphs"] == []


def test_the_patch_makes_the_new_release_from_the_old_one(store: Store) -> None:
    first, second = make_two_releases(store)
    patch = gzip.decompress((second.folder / releases.PATCH_FILE).read_bytes()).splitlines(keepends=True)
    assert patch[:3] == [
        f"H id <{BASE}releases/2026-12-03> .\n".encode(),
        f"H prev <{BASE}releases/2026-12-01> .\n".encode(),
        b"TX .\n",
    ]
    assert patch[-1] == b"TC .\n"
    lines = {*read_data(first).splitlines(keepends=True)}
    for line in patch[3:-1]:
        operation, quad = line.split(b" ", 1)
        if operation == b"D":
            lines.remove(quad)  # fails if it is not there
        else:
            assert (operation, quad in lines) == (b"A", False)
            lines.add(quad)
    assert b"".join(sorted(lines)) == read_data(second)


def test_the_record_says_which_resources_and_graphs_changed(store: Store) -> None:
    _, second = make_two_releases(store)
    changes = second.record["changes"]
    assert (changes["added"], changes["removed"]) == (2, 4)
    assert changes["graphs"] == [
        {"graph": f"{BASE}graph/issues", "added": 2, "removed": 2},
        {"graph": f"{BASE}graph/old", "added": 0, "removed": 2},
    ]
    assert {"kind": "issue", "added": 1, "changed": 1, "removed": 2} in changes["kinds"]
    assert changes["resources"]["added"] == [f"{BASE}id/issue/names"]
    assert changes["resources"]["changed"] == [f"{BASE}id/issue/spam"]
    assert f"{BASE}id/issue/worms" in changes["resources"]["removed"]


def test_a_change_of_a_part_is_a_change_of_its_paper(store: Store) -> None:
    paper = f"<{BASE}id/paper/p>"
    store.replace({"x:g": parse_triples(f'{paper} {LABEL} "P" .')})
    make_release(store)
    store.replace({"x:g": parse_triples(f'{paper} {LABEL} "P" . <{BASE}id/paper/p/part/1> {LABEL} "1" .')})
    resources = make_release(store, SECOND_TIME).record["changes"]["resources"]
    assert resources == {"added": [], "changed": [f"{BASE}id/paper/p"], "removed": []}


def test_the_digests_are_those_of_the_files(store: Store) -> None:
    _, release = make_two_releases(store)
    process = subprocess.run(
        ["sha256sum", "--check", "--strict", releases.DIGESTS_FILE], cwd=release.folder, check=False
    )
    assert process.returncode == 0
    names = {path.name for path in release.folder.iterdir()}
    assert names == {*releases.RELEASE_FILE_TYPES} == release.digests.keys()
    for file in release.record["files"]:
        content = (release.folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_metadata_are_valid_datacite(store: Store) -> None:
    for release in make_two_releases(store):
        metadata = json.loads((release.folder / releases.DATACITE_FILE).read_bytes())
        schema45.validator.validate(metadata)
        assert schema45.tostring(metadata | {"doi": "10.5072/example"}).startswith("<?xml")
        assert metadata["version"] == release.name
        assert metadata["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
        assert release.record["files"][0]["sha256"] in metadata["descriptions"][1]["description"]
    assert metadata["relatedIdentifiers"][1] == {
        "relatedIdentifier": f"{BASE}releases/2026-12-01",
        "relatedIdentifierType": "URL",
        "relationType": "IsNewVersionOf",
    }


def test_nothing_is_released_if_nothing_changed(store: Store) -> None:
    first = make_release(store)
    with pytest.raises(NothingChangedError, match="since the release 2026-12-01"):
        make_release(store, SECOND_TIME)
    assert list_releases(store.folder) == [first]
    assert make_release(store, SECOND_TIME, force=True).name == "2026-12-03"


def test_releases_are_listed_by_date_and_number(store: Store) -> None:
    for _ in range(11):
        make_release(store, force=True)
    make_release(store, SECOND_TIME, force=True)
    names = [release.name for release in list_releases(store.folder)]
    assert names[:3] == ["2026-12-03", "2026-12-01.11", "2026-12-01.10"]
    assert names[-2:] == ["2026-12-01.2", "2026-12-01"]
    client = make_store_client(store)
    for path in ("2026-12-01.10", "2026-12-01.10/data.nq.gz"):
        assert client.get(f"/releases/{path}").status_code == 200


@pytest.mark.parametrize("step", ["write_patch", "build_datacite_record", "describe_file", "sync_to_disk"])
def test_a_failure_leaves_no_half_release(store: Store, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    first, second = make_two_releases(store)
    write_issues(store, spam="Spam again")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(releases, step, fail)
        with pytest.raises(StoreError):
            make_release(store, SECOND_TIME)
    complete = [release.name for release in list_releases(store.folder)]
    if step == "sync_to_disk":  # the release is complete; whether its name is on disk is not known
        assert complete[0] == f"{second.name}.2"
        complete = complete[1:]
    assert complete == [second.name, first.name]
    assert not (first.folder.parent / releases.NEW_RELEASE_FOLDER).exists()


@pytest.mark.slow
def test_a_kill_leaves_no_half_release(store: Store) -> None:
    code = (
        "import os, sys\n"
        "from wgig.cli.main import main\n"
        "from wgig.graphs import releases\n"
        f"releases.write_json = lambda *_: os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
        "main(['release', '--store', sys.argv[1]])\n"
    )
    folder = store.folder
    assert folder
    store.close()
    environment = os.environ | {"WGIG_DATA": "none"}
    process = subprocess.run([sys.executable, "-c", code, str(folder)], env=environment, check=False)
    assert process.returncode == -signal.SIGKILL
    assert (folder / RELEASES_FOLDER / releases.NEW_RELEASE_FOLDER).exists()
    assert list_releases(folder) == []
    assert make_release(Store.open_read_only(folder), force=False).name == "2026-12-01"
    assert not (folder / RELEASES_FOLDER / releases.NEW_RELEASE_FOLDER).exists()


def test_a_license_that_a_graph_lacks_is_not_claimed(store: Store) -> None:
    assert find_release_license(store, BASE) == LICENSE_IRI
    store.replace({"x:other": parse_triples("<x:s> <x:p> <x:o> .")})
    assert not find_release_license(store, BASE)
    assert store.folder
    release = create_release(store, store.folder, ReleaseOrigin(BASE, "", FIRST_TIME))
    assert json.loads((release.folder / releases.DATACITE_FILE).read_bytes())["rightsList"] == []
    client = make_store_client(store)
    for path in ("2026-12-01", f"2026-12-01/{releases.DATA_FILE}"):
        assert "license" not in client.get(f"/releases/{path}").links


def run_command(store: Store, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the output of `wgig release`."""
    code = main(["release", "--store", str(store.folder), *arguments])
    return code, capsys.readouterr().out


@pytest.fixture
def _no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_DATA", "none")


@pytest.mark.usefixtures("_no_data")
def test_the_command_says_what_changed_and_lists_releases(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = run_command(store, capsys)
    assert (code, "It is the first release." in output) == (0, True)
    assert run_command(store, capsys) == (1, "")
    write_issues(store, spam="Spam", worms="Worms", names="Names")
    code, output = run_command(store, capsys)
    assert code == 0
    assert "1 statements added, 0 removed, in 1 graphs" in output
    assert "Issues: 1 added" in output
    assert run_command(store, capsys, "--force")[0] == 0
    _, output = run_command(store, capsys, "--list", "--format", "json")
    assert [record["statements"] for record in json.loads(output)] == [6, 6, 5]
    assert run_command(store, capsys, "--list")[1].count("\n") >= 4


@pytest.mark.usefixtures("_no_data")
def test_the_page_of_releases_lists_them(store: Store) -> None:
    client = make_store_client(store)
    assert client.get("/releases").json() == {"releases": []}
    assert "no releases yet" in client.get("/releases", headers=PAGE_HEADERS).text
    make_two_releases(store)
    listed = client.get("/releases").json()["releases"]
    assert [(entry["name"], entry["previous"]) for entry in listed] == [
        ("2026-12-03", "2026-12-01"),
        ("2026-12-01", None),
    ]
    page = BeautifulSoup(client.get("/releases", headers=PAGE_HEADERS).text, "html.parser")
    assert [link["href"] for link in page.select("main tbody a")] == [
        "/releases/2026-12-03",
        "/releases/2026-12-01",
    ]
    assert page.select_one("nav.site-map a[aria-current]")["href"] == "/releases"  # type: ignore[index]


def test_the_page_of_a_release_shows_files_and_changes(store: Store) -> None:
    first, second = make_two_releases(store)
    client = make_store_client(store)
    page = BeautifulSoup(client.get("/releases/2026-12-03", headers=PAGE_HEADERS).text, "html.parser")
    text = " ".join(page.get_text().split())
    assert "Since the release 2026-12-01: 2 facts added, 4 removed." in text
    assert second.record["files"][0]["sha256"] in text
    assert "There is a later release" not in text
    rows = [[cell.get_text() for cell in row.select("th, td")] for row in page.select("main tbody tr")]
    assert ["Issues", "1", "1", "2"] in rows
    assert client.get("/releases/2026-12-03").json() == second.record
    older = client.get("/releases/2026-12-01", headers=PAGE_HEADERS).text
    assert 'There is a later release: <a href="/releases/2026-12-03">' in older
    assert "This is the first release." in older
    assert first.record["changes"] is None


def test_an_unknown_release_or_file_is_404(store: Store) -> None:
    client = make_store_client(store)
    make_release(store)
    for path in ("2026-12-02", ".new", "2026-12-01/none", "2026-12-01/../x", "2026-12-01/release.json.part"):
        response = client.get(f"/releases/{path}")
        assert response.status_code in (400, 404)
    assert "It has: data.nq.gz" in client.get("/releases/2026-12-01/none").json()["detail"]


def test_files_are_served_with_digest_range_and_etag(store: Store) -> None:
    release = make_release(store)
    client = make_store_client(store)
    for name in release.digests:
        response = client.get(f"/releases/2026-12-01/{name}")
        content = (release.folder / name).read_bytes()
        assert response.content == content
        assert response.headers["content-type"].partition(";")[0] == releases.RELEASE_FILE_TYPES[name]
        assert "immutable" in response.headers["cache-control"]
    path = f"/releases/2026-12-01/{releases.DATA_FILE}"
    response = client.get(path)
    part = client.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, response.content[2:6])
    unchanged = client.get(path, headers={"If-None-Match": response.headers["etag"]})
    assert unchanged.status_code == 304
    digest = hashlib.sha256(response.content).hexdigest()
    assert client.get(f"{path}.sha256").text == f"{digest}  {releases.DATA_FILE}\n"
    assert response.links["collection"]["url"] == "/releases/2026-12-01"


def test_a_release_has_the_links_of_fair_signposting(store: Store) -> None:
    make_two_releases(store)
    client = make_store_client(store)
    iri = f"{BASE}releases/2026-12-03"
    fields = client.get("/releases/2026-12-03", headers=PAGE_HEADERS).headers["link"]
    for link in (
        f'<{iri}>; rel="cite-as"',
        '</releases/2026-12-03/data.nq.gz>; rel="item"; type="application/gzip"',
        '</releases/2026-12-03/datacite.json>; rel="describedby"',
        '</releases/2026-12-01>; rel="predecessor-version"',
        f'<{LICENSE_IRI}>; rel="license"',
    ):
        assert link in fields
    links = client.get("/linkset", params={"iri": iri}).json()["linkset"]
    (page_links,) = [entry for entry in links if entry["anchor"] == "http://localhost/releases/2026-12-03"]
    assert [item["href"] for item in page_links["item"]] == [
        f"http://localhost/releases/2026-12-03/{name}" for name in (releases.DATA_FILE, releases.PATCH_FILE)
    ]
    assert client.get("/linkset", params={"iri": f"{BASE}releases/none"}).status_code == 404


@pytest.mark.slow
def test_a_running_service_shows_a_new_release_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with run_service(folder) as service, httpx2.Client(base_url=service.url) as client:
        assert client.get("/releases").json() == client.get("/releases").json() == {"releases": []}
        process = subprocess.run(
            [sys.executable, "-m", "wgig", "release", "--store", str(folder)],
            env=os.environ | {"WGIG_DATA": "none"},
            check=False,
        )
        assert process.returncode == 0
        assert len(client.get("/releases").json()["releases"]) == 1


@pytest.mark.usefixtures("_no_data")
def test_a_second_command_at_the_same_time_says_what_to_wait_for(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = store.folder
    assert folder
    store.close()
    with hold_file_lock(folder / RELEASES_FOLDER / releases.RELEASE_LOCK_FILE):
        assert main(["release", "--store", str(folder)]) == EXIT_FAILED
    assert capsys.readouterr().err.endswith(
        f"wgig: Another command is making a release in {folder}. Wait until it has ended.\n"
    )

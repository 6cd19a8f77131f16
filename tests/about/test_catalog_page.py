"""The page of /catalog: what the dataset is, its size, downloads with sizes, and its graphs."""

import io
import json
import re
import zipfile
from datetime import date
from html import unescape

import httpx2
import pytest
from wgig._version import __released__, __version__
from wgig.about import catalog_page
from wgig.graphs.dumps import StoreDumps
from wgig.lists import tables
from wgig.settings import Settings
from wgig.store.errors import StoreError
from wgig.store.store import Store

from tests.fixtures.service import make_service_client, make_store_client, make_writer_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"  # as browsers send it


def get_catalog(client: httpx2.Client) -> str:
    """The page, without the footer."""
    response = client.get("/catalog", headers={"Accept": HTML})
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response.text.partition("<footer")[0]


def read_text(html: str) -> str:
    """The text of the page, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(html)).split())


@pytest.fixture(scope="module")
def shipped_page(shipped_client_of_module: httpx2.Client) -> str:
    """The page of the shipped data, with all sizes, however slow the machine is."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(catalog_page, "FILE_SIZES_TIMEOUT_SECONDS", 100)
        return get_catalog(shipped_client_of_module)


@pytest.fixture(scope="module")
def shipped_client_of_module(filled_store: Store) -> httpx2.Client:
    """A client of a service with the filled store."""
    return make_store_client(filled_store)


def test_the_page_says_how_large_the_data_are_and_when_they_were_released(
    shipped_page: str, filled_store: Store
) -> None:
    text = read_text(shipped_page)
    counts = re.findall(
        r"([\d,]+) facts recorded and ([\d,]+) computed from them\. ([\d,]+) more describe", text
    )[0]
    assert sum(int(count.replace(",", "")) for count in counts) == sum(1 for _ in filled_store.match())
    assert re.search(r"Resources [1-9][\d,]+", text)
    assert f"Released {date.fromisoformat(__released__):%-d %B %Y}, version {__version__}" in text
    assert "Last changed not changed since the release" in text
    assert "CC BY 4.0" in text


def test_the_page_and_about_have_the_same_citation(
    shipped_page: str, shipped_client_of_module: httpx2.Client
) -> None:
    about = shipped_client_of_module.get("/about", headers={"Accept": HTML}).text
    pattern = r'<p class="citation"[^>]*>(.*?)</p>'
    assert re.findall(pattern, about) == re.findall(pattern, shipped_page)
    assert f"(2004–2005) as linked data”. Version {__version__}, {__released__}." in shipped_page


def test_downloads_have_their_sizes(shipped_page: str, shipped_client_of_module: httpx2.Client) -> None:
    downloads = re.findall(
        r'<a class="button[^"]*" href="([^"]+)" download>.*?<span class="mark">([\d.,]+) (kB|MB)',
        shipped_page,
    )
    assert [path for path, *_ in downloads] == [
        "/dump.trig.gz",
        "/dump.nq.gz",
        "/tables/all.csv.zip",
        "/tables/all.parquet.zip",
    ]
    for path, number, unit in downloads:
        size = len(shipped_client_of_module.get(path).content) / {"kB": 1_000, "MB": 1_000_000}[unit]
        assert float(number.replace(",", "")) == pytest.approx(size, abs=0.51 if size >= 10 else 0.051)


def test_downloads_come_first_and_lead_to_the_parts(
    shipped_page: str, shipped_client_of_module: httpx2.Client
) -> None:
    assert shipped_page.index('id="downloads"') < shipped_page.index('class="about-data"')
    for path, count in re.findall(r'<a href="(/tables|/graphs[^"]*)">[a-z ]*(\d+) \w+</a>', shipped_page):
        page = shipped_client_of_module.get(path, headers={"Accept": HTML}).text
        rows = '/tables/[a-z]+\\.csv"' if path == "/tables" else '<th scope="row"'
        assert len(re.findall(rows, page)) == int(count)


def test_search_engines_get_the_dataset(shipped_page: str) -> None:
    markup = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', shipped_page)[0])
    assert (markup["@type"], markup["dataset"]["@type"]) == ("DataCatalog", "Dataset")


def test_the_endpoint_and_the_citation_can_be_copied(shipped_page: str) -> None:
    for name, text in (("endpoint-address", "http://localhost/sparql"), ("citation", f"<{BASE}>")):
        (copied,) = re.findall(rf'id="{name}"[^>]*>(.*?)</(?:p|code)>', shipped_page)
        assert unescape(copied).endswith(text)
        assert f'hidden data-copies="{name}"' in shipped_page


def test_a_change_has_its_day_and_other_licenses_are_told() -> None:
    client = make_writer_client(Store.in_memory(), write_profile="off")
    put_turtle(client, f"<{BASE}graph/one> <http://purl.org/dc/terms/title> 'One' .")
    html = get_catalog(client)
    assert f"Last changed {date.today():%-d %B %Y}" in read_text(html)
    assert re.search(rf"Version {__version__}, {__released__}, changed {date.today()} \(\d+T\d+Z\)\.", html)
    assert "Each graph states its own." in html


def test_an_empty_store_has_a_page() -> None:
    text = read_text(get_catalog(make_store_client(Store.in_memory())))
    assert "0 facts recorded" in text
    assert "Last changed" not in text
    assert "Released" not in text
    assert "No contact set" in text


def test_contacts_of_the_operator_are_links() -> None:
    settings = Settings(contact="mailto:data@example.org https://example.org/contact")
    html = get_catalog(make_service_client(settings, Store.in_memory()))
    assert '<a href="mailto:data@example.org">data@example.org</a>' in html
    assert 'href="https://example.org/contact"' in html


def test_files_of_a_large_store_are_not_made_for_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_page, "MAX_MEASURED_STATEMENTS", 0)
    client = make_writer_client(Store.in_memory(), write_profile="off")
    put_turtle(client, "<urn:s> <urn:p> 1 .")
    monkeypatch.setattr(StoreDumps, "get_current", None)  # fails if it is called
    html = get_catalog(client)
    assert 'href="/dump.nq.gz"' in html
    assert not re.search(r"\d (kB|MB)", html)


def test_a_size_that_is_not_known_is_left_out_and_the_page_not_cached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(StoreDumps, "make_current_file", fail)
    response = make_store_client(Store.in_memory()).get("/catalog", headers={"Accept": HTML})
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert 'href="/dump.nq.gz"' in response.text


def test_rdf_is_served_at_the_same_address(shipped_client_of_module: httpx2.Client) -> None:
    for accept in ("*/*", "text/turtle", "application/ld+json", "text/turtle, text/html;q=0.9"):
        response = shipped_client_of_module.get("/catalog", headers={"Accept": accept})
        assert "dcat:Catalog" in response.text
    assert "dcat:Catalog" in shipped_client_of_module.get("/catalog.ttl", headers={"Accept": HTML}).text


def test_archives_have_all_tables(shipped_client_of_module: httpx2.Client) -> None:
    for suffix in ("csv", "parquet"):
        response = shipped_client_of_module.get(f"/tables/all.{suffix}.zip")
        assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
        archive = zipfile.ZipFile(io.BytesIO(response.content))
        names = {f"{name}.{suffix}" for name in tables.read_table_definitions()}
        assert {*archive.namelist()} == {"csv-metadata.json", *names}
        assert archive.testzip() is None
        again = shipped_client_of_module.get(
            f"/tables/all.{suffix}.zip", headers={"Accept-Encoding": "identity"}
        )
        assert again.content == response.content
    table = shipped_client_of_module.get("/tables/issues.csv").content
    archive = zipfile.ZipFile(io.BytesIO(shipped_client_of_module.get("/tables/all.csv.zip").content))
    assert archive.read("issues.csv") == table


def test_too_large_archives_are_refused(filled_store: Store) -> None:
    response = make_service_client(Settings(result_bytes=20_000), filled_store).get("/tables/all.csv.zip")
    assert response.status_code in (413, 503)

"""The code on the page for catalogs and search engines runs."""

from pathlib import Path
from typing import Any

from wgig.about.catalog import CATALOG_DUMPS_TIMEOUT_SECONDS
from wgig.feeds.oai_pmh import MAX_PAGE_RECORDS
from wgig.feeds.oai_request import TOKEN_VALIDITY_SECONDS
from wgig.resources.alternates import MAX_LINK_FIELD_BYTES
from wgig.resources.signposting import MAX_LINKS_OF_RELATION

from tests.docs.blocks import SHOWN_URL, find_code_blocks, read_docs_page, run_shell_block

PAGE = read_docs_page("how-to/harvesting.md")
SHELL_BLOCKS, PYTHON_BLOCKS = (find_code_blocks(PAGE, language) for language in ("sh", "python"))


def test_the_catalog_is_downloaded_and_requested_again(service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(SHELL_BLOCKS[0], service_url, tmp_path)
    assert (process.returncode, process.stdout) == (0, b"")
    assert "dcat:Catalog" in (tmp_path / "catalog.ttl").read_text("utf-8")


def test_a_search_engine_finds_sitemap_and_json_ld(service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(SHELL_BLOCKS[3], service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert all(text in process.stdout for text in (b"Sitemap: ", b"<urlset", b"ld+json"))


def test_a_harvester_gets_records(service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(SHELL_BLOCKS[1], service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    for text in (b"<deletedRecord>transient<", b"<setSpec>paper<", b"<rdf:RDF "):
        assert text in process.stdout


def test_sickle_reads_the_titles_of_issues(service_url: str) -> None:
    namespace: dict[str, Any] = {}
    exec(PYTHON_BLOCKS[1].replace(SHOWN_URL, service_url), namespace)
    assert namespace["titles"]["https://w3id.org/wgig/id/issue/spam"] == "Spam"


def test_a_page_leads_to_its_link_set(service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(SHELL_BLOCKS[2], service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert b'rel="cite-as"' in process.stdout
    assert b'"linkset": [' in process.stdout


def test_the_limits_are_those_of_the_code() -> None:
    assert MAX_PAGE_RECORDS == {"ListRecords": 100, "ListIdentifiers": 500}
    assert "100 records, or 500 headers" in PAGE
    assert TOKEN_VALIDITY_SECONDS == 24 * 3600
    assert "valid for 24 hours" in PAGE
    assert (MAX_LINKS_OF_RELATION, MAX_LINK_FIELD_BYTES) == (5, 3000)
    assert "at\nmost five authors and five files, and at most 3,000 bytes" in PAGE


def test_downloads_have_the_size_and_digest_in_the_catalog(service_url: str) -> None:
    namespace: dict[str, Any] = {}
    exec(PYTHON_BLOCKS[0].replace(SHOWN_URL, service_url), namespace)
    assert len(namespace["files"]) == 4  # dumps


def test_the_timeout_is_that_of_the_code() -> None:
    assert CATALOG_DUMPS_TIMEOUT_SECONDS == 5
    assert "longer than five seconds" in PAGE

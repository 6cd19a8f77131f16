"""What the page for catalogs and search engines shows is what happens."""

from pathlib import Path
from typing import Any

from wgig.about.catalog import CATALOG_DUMPS_TIMEOUT_SECONDS

from tests.docs.blocks import HERE, blocks, page, run

TEXT = page("how-to/harvesting.md")
SHELL, PYTHON = (blocks(TEXT, kind) for kind in ("sh", "python"))


def test_a_catalog_is_taken_and_asked_for_again(served: str, tmp_path: Path) -> None:
    given = run(SHELL[0], served, tmp_path)
    assert (given.returncode, given.stdout) == (0, b"")
    assert "dcat:Catalog" in (tmp_path / "catalog.ttl").read_text("utf-8")


def test_a_search_engine_finds_what_is_for_it(served: str, tmp_path: Path) -> None:
    given = run(SHELL[1], served, tmp_path)
    assert given.returncode == 0, given.stderr
    assert all(one in given.stdout for one in (b"Sitemap: ", b"<urlset", b"ld+json"))


def test_downloads_are_checked_by_the_catalog(served: str) -> None:
    names: dict[str, Any] = {}
    exec(PYTHON[0].replace(HERE, served), names)
    assert len(names["files"]) == 4


def test_the_number_that_it_names_is_that_of_the_code() -> None:
    assert CATALOG_DUMPS_TIMEOUT_SECONDS == 5
    assert "longer than five seconds" in TEXT

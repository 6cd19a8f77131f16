"""/docs has the docs site, with the headers of static files, or says how to build it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from wgig.http.middleware import CONTENT_SECURITY_POLICY
from wgig.pages import docs_site as site_files
from wgig.store.store import Store

from tests.fixtures.service import GetFunction, make_store_client

MEDIA_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "search.json": "application/json",
    "assets/docs.css": "text/css; charset=utf-8",
    "assets/icon.svg": "image/svg+xml",
    "assets/images/favicon.png": "image/png",
    "assets/javascripts/LICENSE": "text/plain; charset=utf-8",
    "tutorials/questions.ipynb": "application/x-ipynb+json",
    "benchmarks/figures/soak.svg": "image/svg+xml",
}


@pytest.fixture(autouse=True)
def uncached_site(docs_site: Path) -> Iterator[None]:  # noqa: ARG001  built before it is read
    """What was read of the site before it was built, or of another folder, is not kept."""
    for function in (site_files.has_docs_site, site_files.read_docs_files):
        function.cache_clear()
    yield
    for function in (site_files.has_docs_site, site_files.read_docs_files):
        function.cache_clear()


def test_docs_lead_to_the_first_page(get: GetFunction) -> None:
    response = get("/docs")
    assert response.status_code == 303
    assert response.headers["location"] == "/docs/index.html"
    assert get("/docs/").headers["location"] == "/docs"


def test_a_page_without_its_suffix_is_found(get: GetFunction) -> None:
    response = get("/docs/reference/settings")
    assert response.status_code == 303
    assert response.headers["location"] == "/docs/reference/settings.html"
    assert get("/docs/reference/settings/").headers["location"] == "/docs/reference/settings"


@pytest.mark.parametrize(("path", "media_type"), MEDIA_TYPES.items())
def test_files_have_their_media_types_and_an_etag(
    get: GetFunction, docs_site: Path, path: str, media_type: str
) -> None:
    response = get(f"/docs/{path}")
    assert response.status_code == 200
    assert response.content == (docs_site / path).read_bytes()
    assert response.headers["content-type"] == media_type
    assert response.headers["content-language"] == "en"
    assert response.headers["cache-control"] == "no-cache"
    policy = CONTENT_SECURITY_POLICY if path.endswith(".html") else None  # as for all other responses
    assert response.headers.get("content-security-policy") == policy
    assert get(f"/docs/{path}", **{"If-None-Match": response.headers["etag"]}).status_code == 304


def test_all_files_are_served(get: GetFunction, docs_site: Path) -> None:
    for path in docs_site.rglob("*"):
        if path.is_file():
            assert get(f"/docs/{path.relative_to(docs_site).as_posix()}").status_code == 200


def test_files_with_a_digest_in_their_name_are_immutable(get: GetFunction, docs_site: Path) -> None:
    names = [path.relative_to(docs_site).as_posix() for path in (docs_site / "assets").rglob("*.min.*")]
    assert len(names) >= 4
    for name in names:
        assert "immutable" in get(f"/docs/{name}").headers["cache-control"]


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_files_are_compressed(get: GetFunction, docs_site: Path, coding: str) -> None:
    for name in ("reference/settings.html", "search.json", "assets/docs.css"):
        size = (docs_site / name).stat().st_size
        response = get(f"/docs/{name}", **{"Accept-Encoding": coding})
        if size >= 1024:
            assert response.headers["content-encoding"] == coding
            assert int(response.headers["content-length"]) < size / 2


@pytest.mark.parametrize(
    "path", ["missing.html", "..%2Fstyle.css", "../style.css", "reference", "sources.sha256/"]
)
def test_other_paths_are_not_found(get: GetFunction, path: str) -> None:
    response = get(f"/docs/{path}")
    assert response.status_code in (404, 308)
    assert response.status_code == 404 or response.headers["location"].endswith("sources.sha256")


def test_each_page_links_to_the_documentation(get: GetFunction) -> None:
    assert 'href="/docs"' in get("/about", accept="text/html").text


@pytest.fixture
def no_site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package without the docs site."""
    monkeypatch.setattr(site_files, "DOCS_SITE_FOLDER", tmp_path)


@pytest.mark.usefixtures("no_site")
def test_without_the_site_docs_say_how_to_build_it(small_store: Store) -> None:
    with make_store_client(small_store) as client:
        for path in ("/docs", "/docs/index.html"):
            response = client.get(path)
            assert response.status_code == 404
            assert "`make docs`" in response.json()["detail"]

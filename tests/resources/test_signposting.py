"""FAIR Signposting, levels 1 and 2, read by a client of it and checked by the rules of the recipe.

The rules are those of https://signposting.org/FAIR/. `check_landing_links` is the validator of level 1,
`check_link_set` that of level 2.
"""

from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from signposting import find_signposting_http, find_signposting_linkset
from signposting.linkheader import find_signposting_http_link
from signposting.signpost import Signposting
from wgig.resources.signposting import LINKSET_FORMATS, MAX_LINKS_OF_RELATION
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.link_header import parse_links
from tests.fixtures.service import make_writer_client
from tests.fixtures.triples import put_turtle

BASE, HOST = Settings.base, "http://localhost"
ABOUT_PAGE = "https://schema.org/AboutPage"
# Path, persistent identifier, type, and the number of links to content.
PAGES = [
    ("/doc/paper/wp-spam", f"{BASE}id/paper/wp-spam", "https://schema.org/Report", 0),
    ("/doc/document/inventory", f"{BASE}id/document/inventory", "https://schema.org/CreativeWork", 1),
    ("/doc/issue/spam", f"{BASE}id/issue/spam", "https://schema.org/DefinedTerm", 0),
    ("/graph/issues", f"{BASE}graph/issues", "https://schema.org/Dataset", 4),
    ("/catalog", f"{BASE}catalog", "https://schema.org/Dataset", 4),
]


def read_signposting(response: httpx2.Response, url: str) -> Signposting:
    """The links of a page, without those of other anchors."""
    return find_signposting_http_link([response.headers["link"]], url).for_context(url)


def check_landing_links(found: Signposting, iri: str, type_: str, content_count: int) -> None:
    """The rules of level 1: one identifier and license, a type, metadata with a media type."""
    assert found.citeAs
    assert found.citeAs.target == iri
    assert {ABOUT_PAGE, type_} == {link.target for link in found.types}
    assert found.license
    assert found.license.target.startswith("https://creativecommons.org/")
    assert len(found.items) == content_count
    typed = [link for link in found.describedBy if link.type]
    assert {"text/turtle", "application/ld+json"} <= {link.type for link in typed}
    assert not [link for link in typed if link.type == "text/html"]
    assert {link.type for link in found.linksets} == {format_.media_type for format_ in LINKSET_FORMATS}


@pytest.mark.parametrize(("path", "iri", "type_", "content_count"), PAGES)
def test_landing_page_has_the_links_of_level_1(
    filled_client: httpx2.Client, path: str, iri: str, type_: str, content_count: int
) -> None:
    for method in ("GET", "HEAD"):
        response = filled_client.request(method, path, headers={"Accept": "text/html"})
        assert response.headers["content-type"].startswith("text/html")
        check_landing_links(read_signposting(response, HOST + path), iri, type_, content_count)


@pytest.mark.parametrize(("path", "iri", "type_", "content_count"), PAGES)
def test_link_set_has_all_links_in_both_formats(
    filled_client: httpx2.Client, path: str, iri: str, type_: str, content_count: int
) -> None:
    page = read_signposting(filled_client.get(path, headers={"Accept": "text/html"}), HOST + path)
    links_by_format: list[set[tuple[str, str, str]]] = []
    for link in sorted(page.linksets, key=lambda link: str(link.type)):
        response = filled_client.get(link.target)
        assert response.status_code == 200
        assert response.headers["content-type"] == link.type
        assert link.type
        links_by_format.append(
            read_text_links(response) if link.type.endswith("linkset") else read_json_links(response)
        )
    text_links, json_links = links_by_format
    assert text_links == json_links
    check_link_set(json_links, HOST + path, iri, type_, content_count)
    shown = {(HOST + path, str(link.rel), link.target) for link in page if str(link.rel) != "linkset"}
    not_in_recipe = {(HOST + path, "describedby", f"{HOST}/ontology")}
    assert shown - not_in_recipe <= json_links


def read_text_links(response: httpx2.Response) -> set[tuple[str, str, str]]:
    """The links of a link set as anchor, relation and target."""
    value = response.text.replace("\n", " ").strip()
    found = find_signposting_http_link([value], f"{HOST}/linkset")
    return {
        (str(link.context), str(link.rel), link.target) for link in found._signposts_with_explicit_context()
    } | {
        (link.attributes["anchor"], relation, link.target)
        for link in parse_links(httpx2.Response(200, headers={"link": value}))
        for relation in link.relations
    }


def read_json_links(response: httpx2.Response) -> set[tuple[str, str, str]]:
    """The links of a link set as anchor, relation and target (RFC 9264, section 4.2)."""
    document: Any = response.json()
    assert document.keys() == {"linkset"}
    for context in document["linkset"]:
        for targets in (value for key, value in context.items() if key != "anchor"):
            for target in targets:
                assert target.keys() <= {"href", "type", "profile"}
                assert all(isinstance(value, str) for value in target.values())
    return {
        (context["anchor"], relation, target["href"])
        for context in document["linkset"]
        for relation, targets in context.items()
        if relation != "anchor"
        for target in targets
    }


def check_link_set(
    links: set[tuple[str, str, str]], page: str, iri: str, type_: str, content_count: int
) -> None:
    """The rules of level 2: all links of the page, and links back from its content and metadata."""
    targets = {
        relation: {target for anchor, other, target in links if (anchor, other) == (page, relation)}
        for relation in ("cite-as", "type", "item", "describedby", "license")
    }
    assert targets["cite-as"] == {iri}
    assert targets["type"] == {ABOUT_PAGE, type_}
    assert len(targets["license"]) == 1
    assert len(targets["item"]) == content_count
    for relation, back_relation in (("item", "collection"), ("describedby", "describes")):
        assert {(target, back_relation, page) for target in targets[relation]} <= links
    assert all(
        url.startswith(("http://", "https://")) for anchor, _, target in links for url in (anchor, target)
    )


@pytest.mark.parametrize(("path", "iri"), [page[:2] for page in PAGES])
def test_all_content_and_metadata_can_be_read_and_links_back(
    filled_client: httpx2.Client, path: str, iri: str
) -> None:
    linkset = filled_client.get("/linkset", params={"iri": iri})
    links = read_json_links(linkset)
    for relation, back_relation in (("item", "collection"), ("describedby", "describes")):
        for target in (t for anchor, other, t in links if (anchor, other) == (HOST + path, relation)):
            if not target.startswith(HOST):
                continue
            response = filled_client.get(target)
            assert response.status_code == 200, target
            if "/cite?" in target or "/.well-known/void" in target:
                continue  # they are about more than this page
            backs = {urljoin(HOST, link.target) for link in parse_links(response, back_relation)}
            expected = {HOST + path, f"{HOST}{path}.html", f"{HOST}{path}?_mediatype=text/html"}
            assert backs & expected, target


def test_data_at_the_address_of_a_page_leads_to_the_link_set(filled_client: httpx2.Client) -> None:
    response = filled_client.get("/doc/paper/wp-spam")
    assert response.headers["content-type"].startswith("text/turtle")
    found = read_signposting(response, f"{HOST}/doc/paper/wp-spam")
    assert found.citeAs
    assert found.citeAs.target == f"{BASE}id/paper/wp-spam"
    assert {link.target for link in found.types} == {"https://schema.org/Report"}
    assert len(found.linksets) == len(LINKSET_FORMATS)


def test_authors_and_content_beyond_a_few_are_only_in_the_link_set() -> None:
    client = make_writer_client(Store.in_memory(), write_profile="off")
    iris = " , ".join(f"<https://example.org/é{number}>" for number in range(9))
    facts = f"<http://purl.org/dc/terms/creator> {iris} ; <http://xmlns.com/foaf/0.1/page> {iris}"
    put_turtle(client, f"<{BASE}id/document/d> a <{BASE}ontology#Document> ; {facts} .")
    page = client.get("/doc/document/d", headers={"Accept": "text/html"})
    for relation in ("author", "item"):
        assert len(parse_links(page, relation)) == MAX_LINKS_OF_RELATION
    for media_type in (format_.media_type for format_ in LINKSET_FORMATS):
        response = client.get(
            "/linkset", params={"iri": f"{BASE}id/document/d"}, headers={"Accept": media_type}
        )
        read = read_text_links if media_type.endswith("linkset") else read_json_links
        relations = [relation for anchor, relation, _ in read(response) if anchor.startswith(HOST)]
        assert relations.count("author") == relations.count("item") == 9


@pytest.mark.parametrize(
    ("iri", "status"),
    [("", 400), ("spam", 400), (f"{BASE}id/issue/nothing", 404), (f"{BASE}graph/nothing", 404), (BASE, 404)],
)
def test_iri_without_a_page_has_no_link_set(filled_client: httpx2.Client, iri: str, status: int) -> None:
    assert filled_client.get("/linkset", params={"iri": iri}).status_code == status


def test_link_set_needs_an_iri_and_an_acceptable_format(filled_client: httpx2.Client) -> None:
    assert filled_client.get("/linkset").status_code == 400
    params = {"iri": f"{BASE}id/issue/spam"}
    assert filled_client.get("/linkset", params=params, headers={"Accept": "text/css"}).status_code == 406


def test_link_set_is_revalidated(filled_client: httpx2.Client) -> None:
    params = {"iri": f"{BASE}id/issue/spam"}
    tag = filled_client.get("/linkset", params=params).headers["etag"]
    headers = {"If-None-Match": tag}
    assert filled_client.get("/linkset", params=params, headers=headers).status_code == 304


@pytest.mark.slow
def test_client_follows_the_links_over_http(service_url: str) -> None:
    url = f"{service_url}doc/document/inventory"
    found = find_signposting_http(url)
    assert found.citeAs
    assert found.citeAs.target == f"{BASE}id/document/inventory"
    for link in found.linksets:
        link_set = find_signposting_linkset(link.target, link.type).for_context(url)
        assert len(link_set.items) == 1
        assert len(link_set.describedBy) > 10
        assert link_set.license

"""A resource as plain JSON: labels, facts, parts, and pages of incoming links."""

import httpx2
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.resources import description, plain_json
from wgig.resources.schemas import ResourceDocument
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import build_response_schema
from tests.fixtures.service import make_store_client

BASE = Settings.base
SPAM = f"{BASE}id/issue/spam"


def test_resource_has_labels_types_and_sources(shipped_client: httpx2.Client) -> None:
    spam = shipped_client.get("/doc/issue/spam.json").json()
    assert (spam["id"], spam["label"]) == (SPAM, {"en": ["Spam"], "fr": ["Pollupostage"]})
    assert "Issue" in spam["type"]
    assert {"id": "http://wgig.org/docs/inventory-issues.html"} in spam["sources"]


def test_fact_has_graphs_and_datatype(shipped_client: httpx2.Client) -> None:
    facts = shipped_client.get("/doc/paper/wp-spam.json").json()["facts"]
    graph = f"{BASE}graph/paper/wp-spam"
    assert facts["round"] == [{"value": 1, "graphs": [graph]}]
    assert facts["posted"] == [{"value": "2005-02-01", "datatype": "xsd:date", "graphs": [graph]}]
    assert facts["issue"] == [{"id": SPAM, "label": {"en": ["Spam"]}, "graphs": [graph]}]
    assert facts["dcterms:title"] == [{"value": "Spam", "language": "en", "graphs": [graph]}]


@pytest.mark.parametrize(
    "path", ["issue/spam", "paper/ap-ip-numbers", "agent/desai", "session/m1-2", "document/declaration/48"]
)
def test_json_conforms_to_schema(shipped_client: httpx2.Client, path: str) -> None:
    jsonschema.validate(
        shipped_client.get(f"/doc/{path}.json").json(), build_response_schema(ResourceDocument)
    )


def test_parts_have_facts(shipped_client: httpx2.Client) -> None:
    paper = shipped_client.get("/doc/paper/ap-ip-numbers.json").json()
    part = paper["parts"][f"{BASE}id/paper/ap-ip-numbers/assessment/coordination-capacity"]
    assert part["criterion"][0]["id"] == f"{BASE}id/principle/coordination-capacity"


def test_incoming_links_are_counted_and_paged(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_store_client(Store(shipped_store))
    monkeypatch.setattr(plain_json, "INVERSE_PAGE_RESOURCES", 7)
    category = ox.NamedNode(f"{BASE}id/category/access-for-all")
    property_ = ox.NamedNode(f"{BASE}ontology#category")
    expected_iris = {
        str(quad.subject)[1:-1] for quad in shipped_store.quads_for_pattern(None, property_, category)
    }
    page = client.get("/doc/category/access-for-all.json").json()["inverse"]["category"]
    assert page["total"] == len(expected_iris) > 14  # at least three pages
    listed_iris = [item["id"] for item in page["items"]]
    while next_path := page["links"].get("next"):
        document = client.get(next_path).json()
        jsonschema.validate(document, build_response_schema(ResourceDocument))
        page = document["inverse"]["category"]
        listed_iris += [item["id"] for item in page["items"]]
    assert sorted(listed_iris) == sorted(expected_iris)


def test_html_page_of_incoming_links_links_next_page(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_store_client(Store(shipped_store))
    for module in ("plain_json", "resource_page"):
        monkeypatch.setattr(f"wgig.resources.{module}.INVERSE_PAGE_RESOURCES", 7)
    page = client.get("/doc/category/access-for-all.html?inverse=category&page=1").text
    assert '"/doc/category/access-for-all.html?inverse=category&amp;page=2" rel="next"' in page


def test_incoming_links_are_complete_if_description_is_cut(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_store_client(Store(shipped_store))
    path, headers = "/doc/category/access-for-all.json", {"Cache-Control": "no-cache"}
    complete = client.get(path, headers=headers).json()
    monkeypatch.setattr(description, "MAX_INCOMING_STATEMENTS", 2)
    monkeypatch.setattr(description, "MAX_INCOMING_PER_PROPERTY", 1)
    assert client.get(path, headers=headers).json()["inverse"] == complete["inverse"]


def test_next_link_escapes_name_of_property(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_json, "INVERSE_PAGE_RESOURCES", 1)
    content = "".join(f"<urn:{name}> <http://x.example/?a=1&b=%20#p> <{SPAM}> .\n" for name in "abc")
    assert writable_client.put(
        "/graph/x", content=content, headers={"Content-Type": "text/turtle"}
    ).is_success
    (page,) = writable_client.get("/doc/issue/spam.json").json()["inverse"].values()
    for _ in range(2):
        (page,) = writable_client.get(page["links"]["next"]).json()["inverse"].values()
    assert [item["id"] for item in page["items"]] == ["urn:c"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("inverse=catgory", "Did you mean category?"),
        ("inverse=category&page=0", "page is '0'"),
        ("inverse=category&page=x", "page is 'x'"),
        ("page=2", "page needs inverse"),
    ],
)
def test_invalid_property_or_page_is_refused(
    shipped_client: httpx2.Client, query: str, sentence: str
) -> None:
    response = shipped_client.get(f"/doc/category/access-for-all.json?{query}")
    assert response.status_code == 400
    assert sentence in response.json()["detail"]


def test_page_after_last_is_not_found(shipped_client: httpx2.Client) -> None:
    response = shipped_client.get("/doc/category/access-for-all.json?inverse=category&page=99")
    assert response.status_code == 404
    assert response.json()["detail"] == "There is no page 99. The last one is 1."

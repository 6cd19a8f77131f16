"""A thing as plain JSON."""

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.resources import description, plain_json
from wgig.resources.schemas import ResourceDocument
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import schema_of
from tests.fixtures.service import client_over

BASE = Settings.base
SPAM = f"{BASE}id/issue/spam"


def test_a_thing_says_what_it_is_called_by_language_and_who_says_so(reader: httpx.Client) -> None:
    spam = reader.get("/doc/issue/spam.json").json()
    assert (spam["id"], spam["label"]) == (SPAM, {"en": ["Spam"]})
    assert "Issue" in spam["type"]
    assert {"id": "http://wgig.org/docs/inventory-issues.html"} in spam["sources"]


def test_a_fact_says_in_which_graph_it_stands_and_has_a_type(reader: httpx.Client) -> None:
    found = reader.get("/doc/paper/wp-spam.json").json()["facts"]
    graph = f"{BASE}graph/paper/wp-spam"
    assert found["round"] == [{"value": 1, "graphs": [graph]}]
    assert found["posted"] == [{"value": "2005-02-01", "datatype": "xsd:date", "graphs": [graph]}]
    assert found["issue"] == [{"id": SPAM, "label": {"en": ["Spam"]}, "graphs": [graph]}]
    assert found["dcterms:title"] == [{"value": "Spam", "language": "en", "graphs": [graph]}]


@pytest.mark.parametrize(
    "path", ["issue/spam", "paper/ap-ip-numbers", "agent/desai", "session/m1-2", "document/declaration/48"]
)
def test_a_thing_is_as_its_schema_says(reader: httpx.Client, path: str) -> None:
    jsonschema.validate(reader.get(f"/doc/{path}.json").json(), schema_of(ResourceDocument))


def test_parts_stand_with_their_facts(reader: httpx.Client) -> None:
    paper = reader.get("/doc/paper/ap-ip-numbers.json").json()
    part = paper["parts"][f"{BASE}id/paper/ap-ip-numbers/assessment/coordination-capacity"]
    assert part["criterion"][0]["id"] == f"{BASE}id/principle/coordination-capacity"


def test_what_points_to_a_thing_is_counted_and_paged(
    shipped: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = client_over(Store(shipped))
    monkeypatch.setattr(plain_json, "INVERSE_PAGE_THINGS", 7)
    thing = ox.NamedNode(f"{BASE}id/category/access-for-all")
    by = ox.NamedNode(f"{BASE}ontology#category")
    expected = {str(one.subject)[1:-1] for one in shipped.quads_for_pattern(None, by, thing)}
    found = reader.get("/doc/category/access-for-all.json").json()["inverse"]["category"]
    assert found["total"] == len(expected) > 14
    walked = [one["id"] for one in found["items"]]
    for _ in range(1, -(-len(expected) // plain_json.INVERSE_PAGE_THINGS)):
        answer = reader.get(found["links"]["next"]).json()
        jsonschema.validate(answer, schema_of(ResourceDocument))
        found = answer["inverse"]["category"]
        walked += [one["id"] for one in found["items"]]
    assert sorted(walked) == sorted(expected)
    assert "next" not in found["links"]


def test_the_page_of_what_points_to_a_thing_leads_to_the_next_page(
    shipped: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = client_over(Store(shipped))
    for module in ("plain_json", "thing_page"):
        monkeypatch.setattr(f"wgig.resources.{module}.INVERSE_PAGE_THINGS", 7)
    page = reader.get("/doc/category/access-for-all.html?inverse=category&page=1").text
    assert '"/doc/category/access-for-all.html?inverse=category&amp;page=2" rel="next"' in page


def test_all_that_points_to_a_thing_is_listed_where_its_description_is_cut(
    shipped: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = client_over(Store(shipped))
    anew = {"Cache-Control": "no-cache"}
    whole = reader.get("/doc/category/access-for-all.json", headers=anew).json()
    monkeypatch.setattr(description, "MAX_INCOMING_STATEMENTS", 2)
    monkeypatch.setattr(description, "MAX_INCOMING_PER_PROPERTY", 1)
    assert reader.get("/doc/category/access-for-all.json", headers=anew).json()["inverse"] == whole["inverse"]


def test_pages_go_on_also_by_a_property_with_signs_of_addresses_in_its_name(
    writable: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_json, "INVERSE_PAGE_THINGS", 1)
    content = "".join(f"<urn:{one}> <http://x.example/?a=1&b=%20#p> <{SPAM}> .\n" for one in "abc")
    assert writable.put("/graph/x", content=content, headers={"Content-Type": "text/turtle"}).is_success
    (found,) = writable.get("/doc/issue/spam.json").json()["inverse"].values()
    for _ in range(2):
        (found,) = writable.get(found["links"]["next"]).json()["inverse"].values()
    assert [one["id"] for one in found["items"]] == ["urn:c"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("inverse=catgory", "Did you mean category?"),
        ("inverse=category&page=0", "page is '0'"),
        ("inverse=category&page=x", "page is 'x'"),
        ("page=2", "page needs inverse"),
    ],
)
def test_a_property_or_page_that_there_is_not_is_refused(
    reader: httpx.Client, query: str, sentence: str
) -> None:
    answer = reader.get(f"/doc/category/access-for-all.json?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_a_page_beyond_the_last_one_is_not_found(reader: httpx.Client) -> None:
    answer = reader.get("/doc/category/access-for-all.json?inverse=category&page=99")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no page 99. The last one is 1."

"""Lists of things: what they hold, how they are chosen, sorted and paged, and what is refused."""

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.fields import ListField
from wgig.lists.parameters import filterable_fields
from wgig.lists.query import build_list_query, parse_list_request
from wgig.lists.schemas import build_list_page_model
from wgig.rdf.namespaces import namespaces_by_prefix
from wgig.rdf.values import ANY_RESOURCE, RESOURCE_KINDS
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import schema_of
from tests.fixtures.service import client_over
from tests.fixtures.triples import put_turtle

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in KNOWN.items())
FIELDS = [(one, field) for one in LIST_DEFINITIONS.values() for field in one.fields]


def iris(client: httpx.Client, path: str) -> list[str]:
    """The IRIs of the things on a page."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def ids(answer: httpx.Response) -> list[str]:
    """The IRIs of the things in a table."""
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in csv.DictReader(io.StringIO(answer.text))]


def rows(store: ox.Store, query: str) -> set[str]:
    """The IRIs that a query of one variable finds."""
    found = store.query(PREFIXES + query, use_default_graph_as_union=True)
    assert isinstance(found, ox.QuerySolutions)
    return {row[0].value for row in found if row[0] is not None}


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_a_list_holds_the_things_of_its_classes(reader: httpx.Client, shipped: ox.Store, name: str) -> None:
    one = LIST_DEFINITIONS[name]
    classes = " ".join(named if ":" in named else f"wgig:{named}" for named in one.classes)
    expected = rows(
        shipped,
        f"SELECT ?id {{ VALUES ?c {{ {classes} }} ?id a ?c . {one.required_pattern} "
        f"MINUS {{ {one.excluded_pattern} }} }}",
    )
    found = reader.get(f"/{name}?size=500").json()
    assert {item["id"] for item in found["items"]} == expected
    assert found["total"] == len(expected) == len(found["items"]) > 0


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_a_list_is_as_its_schema_says(reader: httpx.Client, name: str) -> None:
    jsonschema.validate(
        reader.get(f"/{name}?size=500").json(), schema_of(build_list_page_model(LIST_DEFINITIONS[name]))
    )


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_all_formats_hold_the_same_things(reader: httpx.Client, name: str) -> None:
    expected = iris(reader, f"/{name}?size=20")
    assert ids(reader.get(f"/{name}.csv?size=20")) == expected
    for suffix, format_ in (("ttl", ox.RdfFormat.TURTLE), ("jsonld", ox.RdfFormat.JSON_LD)):
        graph = list(ox.parse(reader.get(f"/{name}.{suffix}?size=20").content, format=format_))
        members = {one.object.value for one in graph if one.predicate.value.endswith("#member")}
        assert members == set(expected)
    page = reader.get(f"/{name}.html?size=20").text
    assert page.count('<th scope="row"') == len(expected)


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_what_a_list_says_in_rdf_is_in_the_graph(reader: httpx.Client, shipped: ox.Store, name: str) -> None:
    for one in ox.parse(reader.get(f"/{name}.ttl?size=500").content, format=ox.RdfFormat.TURTLE):
        if one.predicate.value not in (f"{KNOWN['rdfs']}member", f"{KNOWN['rdfs']}label"):
            assert next(shipped.quads_for_pattern(one.subject, one.predicate, one.object), None), str(one)


def test_fields_are_called_as_in_the_context_of_json_ld(reader: httpx.Client) -> None:
    context = reader.get("/context.jsonld").json()["@context"]
    shown = {field.name for _, field in FIELDS if field.property}
    assert {name for name in shown if ":" not in name} <= context.keys()
    assert {name.partition(":")[0] for name in shown if ":" in name} <= context.keys()


@pytest.mark.parametrize(("_", "field"), FIELDS)
def test_every_field_has_a_type_that_is_known(_: object, field: ListField) -> None:
    plain = {"text", "name", "string", "integer", "boolean", "date", "class"}
    assert field.type in plain | RESOURCE_KINDS | {ANY_RESOURCE}
    assert field.description.endswith(".")


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/papers?issue=spam", "?id a wgig:IssuePaper ; wgig:issue issue:spam"),
        ("/papers?issue=issue:spam&round=1", "?id a wgig:IssuePaper ; wgig:issue issue:spam"),
        ("/papers?type=AssessmentPaper", "?id a wgig:AssessmentPaper"),
        ("/papers?posted=2005-02-01", "?id wgig:posted ?d FILTER(STR(?d) = '2005-02-01')"),
        ("/papers?posted=2005", "?id wgig:posted ?d FILTER(STRSTARTS(STR(?d), '2005'))"),
        ("/papers?posted=2005-02", "?id wgig:posted ?d FILTER(STRSTARTS(STR(?d), '2005-02'))"),
        ("/milestones?due=2005", "?id wgig:due ?d FILTER(STRSTARTS(STR(?d), '2005'))"),
        (
            "/meetings?schema:startDate=2005",
            "VALUES ?c { wgig:Meeting wgig:Session } ?id a ?c ; schema:startDate ?d "
            "FILTER(STRSTARTS(STR(?d), '2005'))",
        ),
        (
            "/timeline?when=2005&type=Milestone",
            "?id wgig:due|wgig:delivered ?d FILTER(STRSTARTS(STR(?d), '2005'))",
        ),
        (
            "/papers?issue=spam&issue=voip",
            "VALUES ?i { issue:spam issue:voip } ?id a wgig:IssuePaper ; wgig:issue ?i",
        ),
        (
            f"/issues?category={BASE}id/category/access-for-all",
            "?id a wgig:Issue ; wgig:category category:access-for-all",
        ),
        ("/issues?inventoryStatus=yes", "?id wgig:inventoryStatus 'yes'"),
        (
            "/stakeholders?stakeholderGroup=civil-society",
            "?s org:member ?id ; wgig:stakeholderGroup group:civil-society",
        ),
        (
            "/stakeholders?region=Europe",
            "?id wgig:country|^org:member/wgig:country ?c . ?x wgig:identifies ?c ; skos:note ?n "
            "FILTER(STRSTARTS(?n, 'Europe /') && STRSTARTS(STR(?id), STR(agent:)))",
        ),
        ("/stakeholders?developingCountry=true", "?s org:member ?id ; wgig:developingCountry true"),
        (
            "/milestones?year=2004",
            "?id a wgig:Milestone ; wgig:due|wgig:delivered ?d FILTER(STRSTARTS(STR(?d), '2004'))",
        ),
        ("/milestones?timeliness=late", "?id wgig:timeliness timeliness:late"),
        ("/agreements?topic=mandate", "?id a wgig:Agreement ; wgig:topic 'mandate'"),
        (
            "/issues?q=SPECTRUM",
            "?id a wgig:Issue ; skos:prefLabel ?l FILTER(CONTAINS(LCASE(?l), 'spectrum'))",
        ),
        (
            "/conformance?missing=form/issue-paper/7",
            "?p dcterms:isPartOf ?id ; earl:test doc:form\\/issue-paper\\/7 ; "
            "earl:result test-result:missing MINUS { ?id wgig:illustrative true }",
        ),
    ],
)
def test_filters_choose(reader: httpx.Client, shipped: ox.Store, path: str, pattern: str) -> None:
    expected = rows(shipped, f"SELECT ?id {{ {pattern} }}")
    separator = "&" if "?" in path else "?"
    assert expected
    assert set(iris(reader, f"{path}{separator}size=500")) == expected


def test_pages_hold_everything_once_and_lead_to_one_another(reader: httpx.Client) -> None:
    whole, walked, path = iris(reader, "/issues?size=500"), [], "/issues?size=4"
    for _ in range(9):  # of 35 things, 4 on a page
        answer = reader.get(path)
        walked += [one["id"] for one in answer.json()["items"]]
        path = answer.json()["links"].get("next", "")
        assert path.replace(".json", "") == answer.links.get("next", {}).get("url", "").replace(".json", "")
    assert (walked, path) == (whole, "")
    assert answer.json()["links"].keys() == {"self", "first", "prev", "last"}


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_a_table_is_the_whole_list(reader: httpx.Client, name: str) -> None:
    expected = iris(reader, f"/{name}?size=500")
    for path, accept in (
        (f"/{name}.csv", "*/*"),
        (f"/{name}", "text/csv"),
        (f"/{name}?_mediatype=csv", "*/*"),
    ):
        assert ids(reader.get(path, headers={"Accept": accept})) == expected


def test_a_table_of_a_page_is_that_page_and_leads_to_pages(reader: httpx.Client) -> None:
    walked, path = [], "/stakeholders.csv?page=1"
    for _ in range(3):  # of 137 things, 50 on a page
        answer = reader.get(path, headers={"Accept": "text/csv"})
        walked.append(ids(answer))
        path = answer.links.get("next", {}).get("url", "")
    assert ([len(one) for one in walked], path) == ([50, 50, 37], "")
    first = answer.links["first"]["url"]
    assert ids(reader.get(first, headers={"Accept": "text/csv"})) == walked[0]
    assert len(ids(reader.get("/stakeholders.csv?size=3"))) == 3


def test_a_table_that_would_be_cut_is_refused(shipped: ox.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = client_over(Store(shipped))
    cut_at(monkeypatch, 34)
    refused = reader.get("/issues.csv?fields=id")
    assert (refused.status_code, refused.json()["total"]) == (413, 35)
    assert "The list has 35 items, but one table holds at most 34." in refused.json()["detail"]
    assert len(ids(reader.get("/issues.csv?size=35"))) == 35
    cut_at(monkeypatch, 35)
    assert len(ids(reader.get("/issues.csv?fields=label"))) == 35


def cut_at(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let a whole table hold so many things."""
    for module in ("query", "routes"):
        monkeypatch.setattr(f"wgig.lists.{module}.MAX_WHOLE_LIST_ITEMS", most)


def test_an_empty_list_has_one_page(reader: httpx.Client) -> None:
    found = reader.get("/papers?year=1999").json()
    assert (found["total"], found["pages"], found["items"]) == (0, 1, [])


def test_sorting_rises_and_falls_and_the_iri_decides_between_equals(reader: httpx.Client) -> None:
    items = reader.get("/milestones?sort=-order&size=500").json()["items"]
    orders = [one["order"] for one in items]
    assert orders == sorted(orders, reverse=True)
    papers = reader.get("/papers?sort=round,-id&size=500").json()["items"]
    assert [(one["round"], one["id"]) for one in papers] == sorted(
        sorted(((one["round"], one["id"]) for one in papers), reverse=True), key=lambda pair: pair[0]
    )


def test_fields_that_are_not_asked_for_are_left_out(reader: httpx.Client) -> None:
    items = reader.get("/papers?fields=label,issue").json()["items"]
    assert all(one.keys() <= {"id", "label", "issue"} for one in items)
    assert all(one.keys() == {"id"} for one in reader.get("/papers?fields=id").json()["items"])


def test_values_are_typed_and_things_say_what_they_are_called(reader: httpx.Client) -> None:
    (paper,) = reader.get("/papers?issue=spam").json()["items"]
    assert paper["label"] == {"en": ["Issue paper: Spam"]}
    assert paper["issue"] == [{"id": f"{BASE}id/issue/spam", "label": {"en": ["Spam"]}}]
    assert (paper["round"], paper["posted"]) == (1, "2005-02-01")
    assert "IssuePaper" in paper["type"]
    (chair,) = reader.get("/stakeholders?org:role=chair").json()["items"]
    assert chair["label"] == {"@none": ["Nitin Desai"]}


@pytest.mark.parametrize(
    ("path", "sentence", "suggestion"),
    [
        ("/papers?isue=spam", "There is no parameter 'isue' here. Did you mean issue?", "issue"),
        ("/papers?issue=spm", "so issue cannot be 'spm'", "spam"),
        (
            "/issues?category=https://example.org/x",
            "so category cannot be 'x'. There are: access-for-all, ",
            None,
        ),
        ("/papers?dcterms:source=https://example.org/x", "Give the IRI of a resource that exists here", None),
        ("/papers?fields=lable", "/papers has no field 'lable'", "label"),
        ("/papers?sort=-postd", "/papers cannot be sorted by 'postd'", "posted"),
        ("/papers?type=IsuePaper", "/papers has no type 'IsuePaper'", "IssuePaper"),
        ("/stakeholders?region=Eurpe", "has as its region 'Eurpe'", "Europe"),
        ("/papers?title=Spam", "There is no parameter 'title' here. There are: q, sort,", None),
        ("/papers?cursor=abc", "no parameter 'cursor'", None),
        ("/issues?year=2005", "no parameter 'year'", None),
        ("/papers?page=0", "page is '0'. Give a whole number from 1", None),
        ("/papers?page=-1", "page is '-1'", None),
        ("/papers?page=%C2%B2", "page is '²'", None),
        ("/papers?size=501", "size is '501'. Give a whole number from 1 to 500.", None),
        ("/papers?size=1&size=2", "The parameter size is given 2 times. Give it once.", None),
        ("/papers?round=first", "round is 'first', which is not a whole number.", None),
        ("/papers?posted=soon", "posted is 'soon', which is not a date, month or year", None),
        ("/papers?posted=2005-02-30", "posted is '2005-02-30', which is not a date, month or year", None),
        ("/timeline?when=2005-13-45", "when is '2005-13-45', which is not a date", None),
        ("/milestones?due=9999-99", "due is '9999-99', which is not a date", None),
        ("/meetings?schema:startDate=0000", "schema:startDate is '0000', which is not a date", None),
        ("/papers?year=5", "year is '5', which is not a year such as 2005.", None),
        ("/stakeholders?developingCountry=maybe", "which is not true or false.", None),
        ("/papers?issue=agent:desai", f"of the kind agent. Give an IRI such as {BASE}id/issue/…", None),
        ("/papers?issue=a%20b", "issue is 'a b', which names no resource.", None),
        ("/papers?issue=x:%3E%20%7D", "which is not an absolute IRI", None),
        ("/papers?sort=id,id,id,id,id,id", "Name 5 at most.", None),
        (
            "/papers?" + "&".join(["issue=spam"] * 51),
            "is given 51 times. Give it 50 times at most.",
            None,
        ),
        (f"/papers?q={'x' * 1001}", "The value of q is longer than 1000 characters.", None),
    ],
)
def test_what_a_list_does_not_have_is_refused_with_what_it_has(
    reader: httpx.Client, path: str, sentence: str, suggestion: str | None
) -> None:
    answer = reader.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert sentence in answer.json()["detail"]
    assert answer.json().get("suggestion") == suggestion


def test_of_many_things_that_there_are_a_few_are_listed(reader: httpx.Client) -> None:
    detail = reader.get("/papers?issue=https://example.org/x").json()["detail"]
    assert detail.count(",") == 1 + 10
    assert detail.endswith(", ….")


def test_a_graph_is_no_thing_of_another_kind(writable: httpx.Client) -> None:
    graph = "https://example.org/two"
    said = f"""@prefix sd: <{KNOWN["sd"]}> . @prefix skos: <{KNOWN["skos"]}> .
        <{BASE}id/category/one> a skos:Concept . <{graph}> a sd:NamedGraph , <{KNOWN["dcat"]}Dataset> ."""
    sent = writable.put(f"/graphs?graph={graph}", content=said, headers={"Content-Type": "text/turtle"})
    assert sent.is_success, sent.text
    refused = writable.get(f"/papers?drafter={graph}")
    assert refused.status_code == 400
    assert f"<{graph}> is a graph, so drafter cannot be 'two'." in refused.json()["detail"]
    assert writable.get(f"/papers?dcterms:source={graph}").status_code == 200  # which may be anything
    detail = writable.get("/issues?category=https://example.org/x").json()["detail"]
    assert detail.endswith("so category cannot be 'x'. There are: one.")


def test_a_page_beyond_the_last_one_is_not_found_and_the_last_one_is_told(
    reader: httpx.Client,
) -> None:
    answer = reader.get("/papers?page=2")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "There is no page 2. The last one is /papers?page=1"


@pytest.mark.parametrize(
    "path",
    [
        "/papers.csv?size=2",
        "/papers.ttl?size=2",
        "/papers.jsonld?size=2",
        "/papers.html?size=2",
        "/papers?size=2&_mediatype=csv",
        "/papers?size=2&_profile=wgig&_mediatype=text/turtle",
        "/timeline.html?size=5",
    ],
)
def test_pages_lead_to_pages_of_the_same_format(reader: httpx.Client, path: str) -> None:
    first = reader.get(path)
    following = reader.get(first.links["next"]["url"])
    assert following.headers["content-type"] == first.headers["content-type"] != "application/json"
    assert ("_profile=wgig" in str(following.url)) == ("_profile" in path)
    back = following.links["prev"]["url"]
    assert sorted(parse_qsl(urlsplit(back).query)) == sorted(
        [*parse_qsl(urlsplit(path).query), *([("page", "1")] if "page=1" in back else [])]
    )
    if ".html" in path:
        assert f'href="{first.links["next"]["url"].replace("&", "&amp;")}" rel="next"' in first.text


def test_a_page_as_json_is_the_same_however_it_is_asked_for_and_leads_to_json(
    reader: httpx.Client,
) -> None:
    asked_by = ("/papers?size=2", "/papers?size=2&_mediatype=json", "/papers.json?size=2")
    (links,) = {json.dumps(reader.get(path).json()["links"]) for path in asked_by}
    assert json.loads(links)["next"] == "/papers.json?size=2&page=2"


def test_the_last_page_is_named_in_the_format_of_one_beyond(reader: httpx.Client) -> None:
    assert reader.get("/papers.csv?page=9").json()["detail"].endswith("The last one is /papers.csv?page=1")


def test_a_format_that_is_not_offered_is_refused(reader: httpx.Client) -> None:
    for path, accept in (("/papers.xml", "*/*"), ("/papers", "image/png"), ("/papers?_mediatype=pdf", "*/*")):
        answer = reader.get(path, headers={"Accept": accept})
        assert answer.status_code == 406
        assert "text/csv" in answer.json()["offered"]


HOSTILE = [
    '"',
    "\\",
    "\\u0022",
    "'",
    '" } UNION { ?id ?p ?o } #',
    "spam> } #",
    "}",
    "{",
    "\n# ",
    "\t",
    "\u2028",
    "?id",
    "VALUES",
    "<script>alert(1)</script>",
    "%22",
    "$id",
    "\x7f",
    '"""',
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ["papers", "stakeholders"])
def test_what_a_client_writes_stays_a_value(reader: httpx.Client, name: str, hostile: str) -> None:
    for parameter in (
        "q",
        "year",
        "sort",
        "fields",
        "page",
        "size",
        *filterable_fields(LIST_DEFINITIONS[name]),
    ):
        answer = reader.get(f"/{name}", params={parameter: hostile})
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 400 or parameter == "q" or answer.json()["total"] == 0
        page = reader.get(f"/{name}.html", params={parameter: hostile}, headers={"Accept": "text/html"})
        assert "<script>" not in page.text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_are_found_as_they_are_written(hostile: str) -> None:
    quads = ox.Store()
    thing = ox.NamedNode(f"{BASE}id/issue/odd")
    quads.add(ox.Quad(thing, ox.NamedNode(f"{KNOWN['rdf']}type"), ox.NamedNode(f"{KNOWN['wgig']}Issue")))
    quads.add(ox.Quad(thing, ox.NamedNode(f"{KNOWN['skos']}prefLabel"), ox.Literal(f"a{hostile}b")))
    query = build_list_query(parse_list_request(LIST_DEFINITIONS["issues"], [("q", hostile)], BASE), BASE)
    found = quads.query(query)
    assert isinstance(found, ox.QuerySolutions)
    assert {row["id"].value for row in found if row["id"]} == {thing.value}


def test_a_list_has_a_strong_etag_and_says_where_it_and_its_other_formats_are(
    reader: httpx.Client,
) -> None:
    answer = reader.get("/papers?size=2&page=2", headers={"Accept": "text/csv"})
    assert answer.headers["content-location"] == "/papers.csv?size=2&page=2"
    assert '</papers.ttl?size=2&page=2>; rel="alternate"; type="text/turtle"' in answer.headers["link"]
    assert '</papers?size=2&page=3>; rel="next"' in answer.headers["link"]
    assert 'rel="license"' in answer.headers["link"]
    assert "Accept" in answer.headers["vary"]
    tag = answer.headers["etag"]
    again = reader.get("/papers?size=2&page=2", headers={"Accept": "text/csv", "If-None-Match": tag})
    assert (again.status_code, again.headers["etag"]) == (304, tag)
    head = reader.head("/papers?size=2&page=2", headers={"Accept": "text/csv"})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    assert int(head.headers["content-length"]) == len(answer.content)


def test_every_link_leads_somewhere(reader: httpx.Client) -> None:
    for link in reader.get("/issues?size=5&page=2&fields=label&q=a").links.values():
        if link["url"].startswith("/"):
            assert reader.get(link["url"]).status_code == 200, link


def test_the_address_of_a_page_says_what_was_asked(reader: httpx.Client) -> None:
    path = reader.get("/papers", params=[("q", "a&b=c"), ("issue", "spam"), ("issue", "voip")]).json()[
        "links"
    ]["self"]
    assert parse_qsl(urlsplit(path).query) == [("q", "a&b=c"), ("issue", "spam"), ("issue", "voip")]


PAPER = """@prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<https://w3id.org/wgig/id/paper/x> a wgig:AssessmentPaper ; rdfs:label "X"@en ; wgig:round 1, 2 {more} ."""


def put_paper(writable: httpx.Client, more: str = "") -> None:
    put_turtle(writable, PAPER.format(more=more), "/graph/x")


def test_a_list_shows_what_was_just_written(writable: httpx.Client) -> None:
    assert writable.get("/papers").json()["total"] == 0
    put_paper(writable)
    assert [one["id"] for one in writable.get("/papers").json()["items"]] == [f"{BASE}id/paper/x"]
    writable.delete("/graph/x")
    assert writable.get("/papers").json()["total"] == 0


def test_where_sources_differ_a_field_of_one_value_has_all(writable: httpx.Client) -> None:
    put_paper(writable)
    found: dict[str, Any] = writable.get("/papers").json()
    assert found["items"][0]["round"] == [1, 2]
    jsonschema.validate(found, schema_of(build_list_page_model(LIST_DEFINITIONS["papers"])))


DAYS = ("2005", "2005-02", "2005-02-01", "2005-03", "2004")


def test_a_date_that_is_but_a_month_or_a_year_is_of_that_span(writable: httpx.Client) -> None:
    put_paper(writable, '; wgig:posted "2005-02"')
    totals = {day: writable.get(f"/papers?posted={day}").json()["total"] for day in DAYS}
    assert totals == {"2005": 1, "2005-02": 1, "2005-02-01": 0, "2005-03": 0, "2004": 0}


def test_made_up_papers_are_not_served_as_those_of_the_group(writable: httpx.Client) -> None:
    put_paper(writable, "; wgig:illustrative true")
    assert writable.get("/papers").json()["total"] == 0


def test_a_page_shows_markup_as_text(writable: httpx.Client) -> None:
    put_paper(writable, '; rdfs:label "<script>alert(1)</script>"')
    assert "<script>" not in writable.get("/papers.html").text
    assert json.dumps("<script>alert(1)</script>") in writable.get("/papers").text

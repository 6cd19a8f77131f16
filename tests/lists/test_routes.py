"""Lists of resources: their content, filters, order and pages, and the refusal of invalid requests."""

import csv
import io
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import jsonschema
import pyoxigraph as ox
import pytest
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.fields import ListField
from wgig.lists.page import LIST_COLUMNS
from wgig.lists.parameters import filterable_fields
from wgig.lists.query import build_list_query, parse_list_request
from wgig.lists.schemas import build_list_page_model
from wgig.rdf.values import ANY_RESOURCE, RESOURCE_KINDS
from wgig.settings import Settings
from wgig.store.store import Store
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.schemas import build_response_schema
from tests.fixtures.service import make_service_client, make_store_client
from tests.fixtures.triples import put_turtle

BASE = Settings.base
NAMESPACES = namespaces_by_prefix(BASE)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
FIELDS = [field for definition in LIST_DEFINITIONS.values() for field in definition.fields]


def get_iris(client: httpx2.Client, path: str) -> list[str]:
    """The IRIs of the resources on a page, from its JSON."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


def read_csv_iris(response: httpx2.Response) -> list[str]:
    """The IRIs of the resources in a CSV response."""
    assert response.status_code == 200, response.text
    return [row["id"] for row in csv.DictReader(io.StringIO(response.text))]


def select_iris(store: ox.Store, query: str) -> set[str]:
    """The IRIs in the first variable of a query."""
    solutions = store.query(PREFIXES + query, use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    return {row[0].value for row in solutions if row[0] is not None}


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_list_has_the_resources_of_its_classes(
    shipped_client: httpx2.Client, shipped_store: ox.Store, name: str
) -> None:
    definition = LIST_DEFINITIONS[name]
    classes = " ".join(
        class_name if ":" in class_name else f"wgig:{class_name}" for class_name in definition.classes
    )
    expected_iris = select_iris(
        shipped_store,
        f"SELECT ?id {{ VALUES ?c {{ {classes} }} ?id a ?c . {definition.member_pattern} "
        f"MINUS {{ {definition.excluded_pattern} }} }}",
    )
    page = shipped_client.get(f"/{name}?size=500").json()
    assert {item["id"] for item in page["items"]} == expected_iris
    assert page["total"] == len(expected_iris) == len(page["items"]) > 0


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_list_matches_its_json_schema(shipped_client: httpx2.Client, name: str) -> None:
    jsonschema.validate(
        shipped_client.get(f"/{name}?size=500").json(),
        build_response_schema(build_list_page_model(LIST_DEFINITIONS[name])),
    )


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_all_formats_have_the_same_resources(shipped_client: httpx2.Client, name: str) -> None:
    expected_iris = get_iris(shipped_client, f"/{name}?size=20")
    assert read_csv_iris(shipped_client.get(f"/{name}.csv?size=20")) == expected_iris
    for suffix, format_ in (("ttl", ox.RdfFormat.TURTLE), ("jsonld", ox.RdfFormat.JSON_LD)):
        quads = list(ox.parse(shipped_client.get(f"/{name}.{suffix}?size=20").content, format=format_))
        members = {quad.object.value for quad in quads if quad.predicate.value.endswith("#member")}
        assert members == set(expected_iris)
    page = shipped_client.get(f"/{name}.html?size=20").text
    assert page.count('<th scope="row"') == len(expected_iris)


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_unchanged_json_ld_of_a_list_keeps_its_etag(shipped_client: httpx2.Client, name: str) -> None:
    evaluate = {"Cache-Control": "no-cache"}
    tags = {shipped_client.get(f"/{name}.jsonld", headers=evaluate).headers["etag"] for _ in range(5)}
    assert len(tags) == 1


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_triples_of_a_list_are_in_the_store(
    shipped_client: httpx2.Client, shipped_store: ox.Store, name: str
) -> None:
    for quad in ox.parse(shipped_client.get(f"/{name}.ttl?size=500").content, format=ox.RdfFormat.TURTLE):
        if quad.predicate.value not in (f"{NAMESPACES['rdfs']}member", f"{NAMESPACES['rdfs']}label"):
            assert next(shipped_store.quads_for_pattern(*quad.triple), None), str(quad)


def test_fields_are_named_as_in_the_json_ld_context(shipped_client: httpx2.Client) -> None:
    context = shipped_client.get("/context.jsonld").json()["@context"]
    names = {field.name for field in FIELDS if field.property}
    assert {name for name in names if ":" not in name} <= context.keys()
    assert {name.partition(":")[0] for name in names if ":" in name} <= context.keys()


@pytest.mark.parametrize("field", FIELDS)
def test_field_has_a_known_type_and_a_description(field: ListField) -> None:
    literal_types = {"text", "name", "string", "integer", "boolean", "date", "class", "count"}
    assert field.type in literal_types | RESOURCE_KINDS | {ANY_RESOURCE}
    assert field.description.endswith(".")


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/papers?issue=spam", "?id a wgig:IssuePaper ; wgig:issue issue:spam"),
        # The only paper on spam is of round 1.
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
            "?id wgig:country|^org:member/wgig:country ?c . ?c dcterms:isPartOf place:europe "
            "FILTER(STRSTARTS(STR(?id), STR(agent:)))",
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
            "/conformance?earl:result=cannot-tell",
            "?id earl:result test-result:cannot-tell MINUS { ?id wgig:illustrative true }",
        ),
        (
            "/judgments?issue=spam&criterion=transparency",
            "?id a wgig:Judgment ; wgig:issue issue:spam ; wgig:criterion principle:transparency",
        ),
        (
            "/judgments?criterion=adequacy&criterion=development",
            "VALUES ?c { criterion:adequacy principle:development } ?id a wgig:Judgment ; wgig:criterion ?c",
        ),
        (
            "/judgments?viewHolder=some-members&verdict=inadequate",
            "?id wgig:viewHolder view-holder:some-members ; wgig:verdict verdict:inadequate",
        ),
        ("/judgments?judges=agent/icann", "?id a wgig:Judgment ; wgig:judges agent:icann"),
        ("/judgments?judges=mechanism:iana", "?id a wgig:Judgment ; wgig:judges mechanism:iana"),
        ("/judgments?dispute=icann-legitimacy", "dispute:icann-legitimacy wgig:side ?id"),
        ("/judgments?paragraph=101", "?id a wgig:Judgment ; dcterms:source bg:101"),
        ("/judgments?aim=access-for-all", "?id wgig:aim category:access-for-all"),
        ("/judgments?secondReading=changed", "?id wgig:secondReading 'changed'"),
        (
            "/disputes?issue=internet-names&criterion=democracy",
            "?id wgig:side [ wgig:issue issue:internet-names ], [ wgig:criterion principle:democracy ]",
        ),
        ("/mechanisms?governs=spam", "issue:spam wgig:governedBy ?id"),
        (
            "/mechanisms?dcterms:type=treaty&dcterms:isReferencedBy=161",
            "?id dcterms:type mechanism-kind:treaty ; dcterms:isReferencedBy bg:161",
        ),
        (
            "/recommendations?issue=spam&dcterms:type=need",
            "?id a wgig:Recommendation ; wgig:issue issue:spam ; dcterms:type recommendation-kind:need",
        ),
        ("/definitions?byMember=true", "?id wgig:byMember true"),
        (
            "/definitions?year=2004&authorType=government",
            "?id wgig:authorType author-type:government ; dcterms:date ?d FILTER(STRSTARTS(STR(?d), '2004'))",
        ),
        ("/issues?skos:note=PRESS", "?id a wgig:Issue ; skos:note ?n FILTER(CONTAINS(LCASE(?n), 'press'))"),
        ("/declaration?number=1", "?id wgig:partOf+ doc:declaration ; wgig:number '1'"),
        (
            "/papers?posted=2005-01..2005-02",
            "?id a wgig:IssuePaper ; wgig:posted ?d FILTER(STRSTARTS(STR(?d), '2005-02'))",
        ),
        ("/papers?posted=2005-03..", "?id wgig:posted ?d FILTER(STR(?d) >= '2005-03')"),
        ("/papers?posted=..2005-03", "?id wgig:posted ?d FILTER(STR(?d) < '2005-04')"),
        ("/milestones?daysLate=1..10", "?id wgig:daysLate ?d FILTER(?d >= 1 && ?d <= 10)"),
        ("/milestones?order=3..5&order=9", "?id a wgig:Milestone ; wgig:order ?o FILTER(?o IN (3, 4, 5, 9))"),
        ("/issues?cluster=none", "?id a wgig:Issue MINUS { ?id wgig:cluster ?c }"),
        (
            "/issues?cluster=none&cluster=cluster-3",
            "?id a wgig:Issue MINUS { ?id wgig:cluster ?c FILTER(?c != category:cluster-3) }",
        ),
        (
            "/papers?drafter=none&type=AssessmentPaper",
            "?id a wgig:AssessmentPaper MINUS { ?id wgig:drafter ?d }",
        ),
        ("/issues?papers=none", "?id a wgig:Issue MINUS { ?p a wgig:Paper ; wgig:issue ?id }"),
        ("/issues?papers=1..", "?p a wgig:Paper ; wgig:issue ?id . ?id a wgig:Issue"),
        (
            "/issues?papers=2..5&papers=0",
            "?id a wgig:Issue MINUS { { SELECT ?id { ?p a wgig:Paper ; wgig:issue ?id } GROUP BY ?id "
            "HAVING (COUNT(?p) = 1) } }",
        ),
        ("/principles?judgments=0", "?id a wgig:Principle MINUS { ?j wgig:criterion ?id ; a wgig:Judgment }"),
        (
            "/background-report?recommendations=1..&judgments=none",
            "?r a wgig:Recommendation ; dcterms:source ?id . ?id wgig:partOf+ doc:background-report "
            "MINUS { ?j a wgig:Judgment ; dcterms:source ?id }",
        ),
        (
            "/background-report?bearsOn=issue/spam&type=Paragraph",
            "?id a wgig:Paragraph ; wgig:partOf+ doc:background-report ; wgig:bearsOn issue:spam",
        ),
    ],
)
def test_list_is_filtered(
    shipped_client: httpx2.Client, shipped_store: ox.Store, path: str, pattern: str
) -> None:
    expected_iris = select_iris(shipped_store, f"SELECT ?id {{ {pattern} }}")
    separator = "&" if "?" in path else "?"
    assert expected_iris
    assert set(get_iris(shipped_client, f"{path}{separator}size=500")) == expected_iris


def test_following_next_links_yields_all_resources_once(shipped_client: httpx2.Client) -> None:
    all_iris, page_iris, path = get_iris(shipped_client, "/issues?size=500"), [], "/issues?size=4"
    for _ in range(9):  # 35 resources, 4 on a page
        response = shipped_client.get(path)
        page_iris += [item["id"] for item in response.json()["items"]]
        path = response.json()["links"].get("next", "")
        # The links in JSON are to JSON.
        assert path.replace(".json", "") == response.links.get("next", {}).get("url", "").replace(".json", "")
    assert (page_iris, path) == (all_iris, "")
    assert response.json()["links"].keys() == {"self", "first", "prev", "last"}


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_csv_is_the_whole_list(shipped_client: httpx2.Client, name: str) -> None:
    expected_iris = get_iris(shipped_client, f"/{name}?size=500")
    for path, accept in (
        (f"/{name}.csv", "*/*"),
        (f"/{name}", "text/csv"),
        (f"/{name}?_mediatype=csv", "*/*"),
    ):
        assert read_csv_iris(shipped_client.get(path, headers={"Accept": accept})) == expected_iris


def test_csv_of_a_page_has_links_to_other_pages(shipped_client: httpx2.Client) -> None:
    pages, path = [], "/stakeholders.csv?page=1"
    for _ in range(4):  # 189 resources, 50 on a page
        response = shipped_client.get(path, headers={"Accept": "text/csv"})
        pages.append(read_csv_iris(response))
        path = response.links.get("next", {}).get("url", "")
    assert ([len(page) for page in pages], path) == ([50, 50, 50, 39], "")
    first_path = response.links["first"]["url"]
    assert read_csv_iris(shipped_client.get(first_path, headers={"Accept": "text/csv"})) == pages[0]
    assert len(read_csv_iris(shipped_client.get("/stakeholders.csv?size=3"))) == 3


def test_csv_with_too_many_items_is_refused(shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = make_store_client(Store(shipped_store))
    limit_csv_items(monkeypatch, 34)
    refusal = reader.get("/issues.csv?fields=id")
    assert (refusal.status_code, refusal.json()["total"]) == (413, 35)
    assert "The list has 35 items, but one table holds at most 34." in refusal.json()["detail"]
    assert len(read_csv_iris(reader.get("/issues.csv?size=35"))) == 35
    limit_csv_items(monkeypatch, 35)
    assert len(read_csv_iris(reader.get("/issues.csv?fields=label"))) == 35


@pytest.mark.parametrize(
    "path", ["/", "/timeline", "/people", "/agreements", "/milestones", "/declaration", "/issues.csv"]
)
def test_limit_of_result_rows_does_not_apply_to_pages(shipped_store: ox.Store, path: str) -> None:
    client = make_service_client(Settings(result_rows=1), Store(shipped_store))
    assert client.get(path).status_code == 200
    assert client.get("/sparql?query=SELECT*{?s ?p ?o}").status_code == 413


def limit_csv_items(monkeypatch: pytest.MonkeyPatch, max_items: int) -> None:
    for module in ("query", "routes"):
        monkeypatch.setattr(f"wgig.lists.{module}.MAX_WHOLE_LIST_ITEMS", max_items)


def test_empty_list_has_one_page(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/papers?year=1999").json()
    assert (page["total"], page["pages"], page["items"]) == (0, 1, [])


def test_list_is_sorted_in_either_direction_and_by_iri(shipped_client: httpx2.Client) -> None:
    milestones = shipped_client.get("/milestones?sort=-order&size=500").json()["items"]
    orders = [milestone["order"] for milestone in milestones]
    assert orders == sorted(orders, reverse=True)
    papers = shipped_client.get("/papers?sort=round,-id&size=500").json()["items"]
    sort_keys = [(paper["round"], paper["id"]) for paper in papers]
    assert sort_keys == sorted(sorted(sort_keys, reverse=True), key=lambda sort_key: sort_key[0])


@pytest.mark.parametrize("name", LIST_DEFINITIONS)
def test_list_is_sorted_by_each_column_of_its_page(shipped_client: httpx2.Client, name: str) -> None:
    columns = LIST_COLUMNS.get(name, ("posted", "partsMet"))
    for column in (column for column in columns if column != "type"):  # JSON omits most classes
        ascending, descending = (
            shipped_client.get(f"/{name}?sort={sign}{column}&size=500&fields={column}").json()["items"]
            for sign in ("", "-")
        )
        keys = [find_sort_keys(item, column) for item in ascending]
        lowest_keys = [min(item_keys, default=None) for item_keys in keys]
        known_keys = [key for key in lowest_keys if key is not None]
        assert lowest_keys == [None] * (len(keys) - len(known_keys)) + sorted(known_keys)
        highest_keys = [max(find_sort_keys(item, column), default=None) for item in descending]
        known_keys = [key for key in highest_keys if key is not None]
        assert known_keys == sorted(known_keys, reverse=True)


def find_sort_keys(item: dict[str, Any], column: str) -> list[Any]:
    """The values of a field in JSON as sort keys: texts and names in English, without regard to case."""
    value = item.get(column, [])
    values = value if isinstance(value, list) else [value]
    texts = [entry.get("label", entry) if isinstance(entry, dict) else entry for entry in values]
    names = [
        text.get("en") or text.get("@none") or [""] if isinstance(text, dict) else [text] for text in texts
    ]
    return [name.lower() if isinstance(name, str) else name for entry in names for name in entry]


def test_list_is_sorted_by_a_count_and_then_by_name(shipped_client: httpx2.Client) -> None:
    issues = shipped_client.get("/issues?sort=-papers,label&size=500&fields=label,papers").json()["items"]
    keys = [(-issue["papers"], issue["label"]["en"][0].lower()) for issue in issues]
    assert keys == sorted(keys)
    assert [key[0] for key in keys] == [-2, *[-1] * 20, *[0] * 14]


def test_counts_are_returned_on_request(shipped_client: httpx2.Client) -> None:
    assert "papers" not in shipped_client.get("/issues").json()["items"][0]
    rows = csv.DictReader(io.StringIO(shipped_client.get("/issues.csv?fields=papers").text))
    assert sum(int(row["papers"]) for row in rows) == 22


def test_sorting_by_too_many_counts_is_refused(
    shipped_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.query.MAX_COUNT_VALUES", 20)
    evaluate = {"Cache-Control": "no-cache"}
    for path in ("/issues?sort=papers", "/issues?papers=1"):
        refusal = shipped_client.get(path, headers=evaluate)
        assert refusal.status_code == 413
        assert "21 resources have such a count" in refusal.json()["detail"]


@pytest.mark.parametrize("name", ["judgments", "recommendations"])
def test_statements_are_in_the_order_of_the_background_report(
    shipped_client: httpx2.Client, shipped_store: ox.Store, name: str
) -> None:
    items = shipped_client.get(f"/{name}?size=500").json()["items"]
    sort_keys = [(min(item["position"]), item["dcterms:identifier"]) for item in items]
    assert sort_keys == sorted(sort_keys)
    orders = select_iris(shipped_store, "SELECT ?order { bg:101 wgig:order ?order }")
    in_paragraph_101 = [item for item in items if item["paragraph"][0]["id"].endswith("/101")]
    assert in_paragraph_101
    assert {str(min(item["position"])) for item in in_paragraph_101} == orders


def test_working_definition_is_first_and_the_others_are_sorted_by_number(
    shipped_client: httpx2.Client,
) -> None:
    definitions = shipped_client.get("/definitions").json()["items"]
    assert definitions[0]["id"] == f"{BASE}id/definition/wgig"
    numbers = [definition.get("number", 0) for definition in definitions]
    assert numbers == [0, 0, 0, *range(1, 12)]


def test_items_have_only_the_requested_fields(shipped_client: httpx2.Client) -> None:
    papers = shipped_client.get("/papers?fields=label,issue").json()["items"]
    assert all(paper.keys() <= {"id", "label", "issue"} for paper in papers)
    assert all(paper.keys() == {"id"} for paper in shipped_client.get("/papers?fields=id").json()["items"])


def test_values_have_json_types_and_resources_have_labels(shipped_client: httpx2.Client) -> None:
    (paper,) = shipped_client.get("/papers?issue=spam").json()["items"]
    assert paper["label"] == {"en": ["Issue paper: Spam"]}
    assert paper["issue"] == [
        {"id": f"{BASE}id/issue/spam", "label": {"en": ["Spam"], "fr": ["Pollupostage"]}}
    ]
    assert (paper["round"], paper["posted"]) == (1, "2005-02-01")
    assert "IssuePaper" in paper["type"]
    (chair,) = shipped_client.get("/stakeholders?org:role=chair").json()["items"]
    assert chair["label"] == {"@none": ["Nitin Desai"]}


@pytest.mark.parametrize(
    ("path", "sentence", "suggestion"),
    [
        ("/papers?isue=spam", "There is no parameter 'isue'. Did you mean issue?", "issue"),
        ("/papers?issue=spm", "so issue cannot be 'spm'", "spam"),
        ("/judgments?criterion=transparancy", "so criterion cannot be 'transparancy'", "transparency"),
        (
            "/judgments?viewHolder=group:civil-society",
            "which is a resource of the kind stakeholder-group",
            None,
        ),
        ("/judgments?judges=agent/ican", "so judges cannot be 'ican'", "icann"),
        ("/mechanisms?year=2005", "no parameter 'year'", None),
        (
            "/issues?category=https://example.org/x",
            "so category cannot be 'x'. Choose from: access-for-all, ",
            None,
        ),
        ("/papers?dcterms:source=https://example.org/x", "Give the IRI of a resource that exists here", None),
        ("/papers?fields=lable", "/papers has no field 'lable'", "label"),
        ("/papers?sort=-postd", "Papers cannot be sorted by 'postd'", "posted"),
        ("/papers?type=IsuePaper", "/papers has no type 'IsuePaper'", "IssuePaper"),
        ("/stakeholders?region=Eurpe", "has as its region 'Eurpe'", "Europe"),
        ("/papers?title=Spam", "There is no parameter 'title'. The parameters are: q, sort,", None),
        ("/papers?cursor=abc", "no parameter 'cursor'", None),
        ("/issues?year=2005", "no parameter 'year'", None),
        ("/papers?page=0", "page is '0'. Give a whole number from 1", None),
        ("/papers?page=-1", "page is '-1'", None),
        ("/papers?page=%C2%B2", "page is '²'", None),
        ("/papers?size=501", "size is '501'. Give a whole number from 1 to 500.", None),
        ("/papers?size=1&size=2", "The parameter size was sent 2 times. Send it once.", None),
        ("/papers?round=first", "round is 'first'. Give a whole number, or none.", None),
        ("/papers?posted=soon", "posted is 'soon'. Give a date, month or year", None),
        ("/papers?posted=2005-02-30", "posted is '2005-02-30'. Give a date, month or year", None),
        ("/timeline?when=2005-13-45", "when is '2005-13-45'. Give a date", None),
        ("/milestones?due=9999-99", "due is '9999-99'. Give a date", None),
        ("/meetings?schema:startDate=0000", "schema:startDate is '0000'. Give a date", None),
        ("/issues?papers=many", "papers is 'many'. Give a whole number, or none.", None),
        ("/issues?papers=1..x", "papers is 'x', which is not a whole number.", None),
        ("/issues?papers=..", "papers is '..'. Give a first value, a last one, or both.", None),
        ("/papers?posted=2005..soon", "posted is 'soon', which is not a date", None),
        ("/papers?year=5", "year is '5', which is not a year such as 2005.", None),
        ("/stakeholders?developingCountry=maybe", "Give true or false, or none.", None),
        ("/papers?issue=agent:desai", f"of the kind agent. Give an IRI such as {BASE}id/issue/…", None),
        ("/papers?issue=a%20b", "issue is 'a b', which does not name a resource.", None),
        ("/papers?issue=x:%3E%20%7D", "which is not an absolute IRI", None),
        ("/papers?sort=id,id,id,id,id,id", "Name at most 5.", None),
        (
            "/papers?" + "&".join(["issue=spam"] * 51),
            "was sent 51 times. Send it at most 50 times.",
            None,
        ),
        (f"/papers?q={'x' * 1001}", "The value of q is longer than 1000 characters.", None),
    ],
)
def test_invalid_parameter_is_refused_with_a_suggestion(
    shipped_client: httpx2.Client, path: str, sentence: str, suggestion: str | None
) -> None:
    response = shipped_client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert sentence in response.json()["detail"]
    assert response.json().get("suggestion") == suggestion


def test_error_lists_only_some_of_many_known_names(shipped_client: httpx2.Client) -> None:
    detail = shipped_client.get("/papers?issue=https://example.org/x").json()["detail"]
    assert detail.count(",") == 1 + 10  # one in the sentence, and one after each of ten names
    assert detail.endswith(", ….")


def test_graph_is_refused_as_a_value_for_an_agent(writable_client: httpx2.Client) -> None:
    graph = "https://example.org/two"
    turtle = f"""{PREFIXES} <{BASE}id/category/one> a skos:Concept .
        <{graph}> a sd:NamedGraph , dcat:Dataset ."""
    put_response = writable_client.put(
        f"/graphs?graph={graph}", content=turtle, headers={"Content-Type": "text/turtle"}
    )
    assert put_response.is_success, put_response.text
    refusal = writable_client.get(f"/papers?drafter={graph}")
    assert refusal.status_code == 400
    assert f"<{graph}> is a graph, so drafter cannot be 'two'." in refusal.json()["detail"]
    assert (
        writable_client.get(f"/papers?dcterms:source={graph}").status_code == 200
    )  # a source may be of any type
    detail = writable_client.get("/issues?category=https://example.org/x").json()["detail"]
    assert detail.endswith("so category cannot be 'x'. Choose from: one.")


def test_page_after_the_last_one_is_not_found(shipped_client: httpx2.Client) -> None:
    response = shipped_client.get("/papers?page=2")
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["detail"] == "There is no page 2. The last one is page 1."


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
def test_pages_link_to_pages_in_the_same_format(shipped_client: httpx2.Client, path: str) -> None:
    first_page = shipped_client.get(path)
    next_page = shipped_client.get(first_page.links["next"]["url"])
    assert next_page.headers["content-type"] == first_page.headers["content-type"] != "application/json"
    assert ("_profile=wgig" in str(next_page.url)) == ("_profile" in path)
    previous_path = next_page.links["prev"]["url"]
    assert sorted(parse_qsl(urlsplit(previous_path).query)) == sorted(
        [*parse_qsl(urlsplit(path).query), *([("page", "1")] if "page=1" in previous_path else [])]
    )
    if ".html" in path:
        assert f'href="{first_page.links["next"]["url"].replace("&", "&amp;")}" rel="next"' in first_page.text


def test_json_is_the_same_for_all_ways_of_negotiation(shipped_client: httpx2.Client) -> None:
    paths = ("/papers?size=2", "/papers?size=2&_mediatype=json", "/papers.json?size=2")
    (links,) = {json.dumps(shipped_client.get(path).json()["links"]) for path in paths}
    assert json.loads(links)["next"] == "/papers.json?size=2&page=2"


def test_error_names_the_last_page_in_the_requested_format(shipped_client: httpx2.Client) -> None:
    assert shipped_client.get("/papers.csv?page=9").json()["last"] == "/papers.csv?page=1"


def test_unknown_format_is_refused(shipped_client: httpx2.Client) -> None:
    for path, accept in (("/papers.xml", "*/*"), ("/papers", "image/png"), ("/papers?_mediatype=pdf", "*/*")):
        response = shipped_client.get(path, headers={"Accept": accept})
        assert response.status_code == 406
        assert "text/csv" in response.json()["offered"]


INJECTIONS = [
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


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.parametrize("name", ["papers", "stakeholders"])
def test_sparql_and_html_injections_have_no_effect(
    shipped_client: httpx2.Client, name: str, injection: str
) -> None:
    for parameter in (
        "q",
        "year",
        "sort",
        "fields",
        "page",
        "size",
        *filterable_fields(LIST_DEFINITIONS[name]),
    ):
        response = shipped_client.get(f"/{name}", params={parameter: injection})
        assert response.status_code in (200, 400), response.text
        assert response.status_code == 400 or parameter == "q" or response.json()["total"] == 0
        page = shipped_client.get(
            f"/{name}.html", params={parameter: injection}, headers={"Accept": "text/html"}
        )
        assert "<script>" not in page.text


@pytest.mark.parametrize("injection", INJECTIONS)
def test_q_matches_special_characters_literally(injection: str) -> None:
    store = ox.Store()
    issue = ox.NamedNode(f"{BASE}id/issue/odd")
    store.add(
        ox.Quad(issue, ox.NamedNode(f"{NAMESPACES['rdf']}type"), ox.NamedNode(f"{NAMESPACES['wgig']}Issue"))
    )
    store.add(ox.Quad(issue, ox.NamedNode(f"{NAMESPACES['skos']}prefLabel"), ox.Literal(f"a{injection}b")))
    query = build_list_query(parse_list_request(LIST_DEFINITIONS["issues"], [("q", injection)], BASE), BASE)
    solutions = store.query(query)
    assert isinstance(solutions, ox.QuerySolutions)
    assert {row["id"].value for row in solutions if row["id"]} == {issue.value}


def test_list_has_an_etag_and_links_to_pages_and_formats(shipped_client: httpx2.Client) -> None:
    response = shipped_client.get("/papers?size=2&page=2", headers={"Accept": "text/csv"})
    assert response.headers["content-location"] == "/papers.csv?size=2&page=2"
    assert '</papers.ttl?size=2&page=2>; rel="alternate"; type="text/turtle"' in response.headers["link"]
    assert '</papers?size=2&page=3>; rel="next"' in response.headers["link"]
    assert 'rel="license"' in response.headers["link"]
    assert "Accept" in response.headers["vary"]
    etag = response.headers["etag"]
    revalidation = shipped_client.get(
        "/papers?size=2&page=2", headers={"Accept": "text/csv", "If-None-Match": etag}
    )
    assert (revalidation.status_code, revalidation.headers["etag"]) == (304, etag)
    head = shipped_client.head("/papers?size=2&page=2", headers={"Accept": "text/csv"})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)
    assert int(head.headers["content-length"]) == len(response.content)


def test_links_of_the_link_header_work(shipped_client: httpx2.Client) -> None:
    for link in shipped_client.get("/issues?size=5&page=2&fields=label&q=a").links.values():
        if link["url"].startswith("/"):
            assert shipped_client.get(link["url"]).status_code == 200, link


def test_self_link_has_the_parameters_of_the_request(shipped_client: httpx2.Client) -> None:
    path = shipped_client.get("/papers?q=a%26b%3Dc&issue=spam&issue=voip").json()["links"]["self"]
    assert parse_qsl(urlsplit(path).query) == [("q", "a&b=c"), ("issue", "spam"), ("issue", "voip")]


PAPER_TURTLE = """@prefix wgig: <https://w3id.org/wgig/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<https://w3id.org/wgig/id/paper/x> a wgig:AssessmentPaper ; rdfs:label "X"@en ; wgig:round 1, 2 {statements} .
"""


def put_paper(client: httpx2.Client, statements: str = "") -> None:
    put_turtle(client, PAPER_TURTLE.format(statements=statements), "/graph/x")


def test_list_is_updated_after_a_write(writable_client: httpx2.Client) -> None:
    assert writable_client.get("/papers").json()["total"] == 0
    put_paper(writable_client)
    assert get_iris(writable_client, "/papers") == [f"{BASE}id/paper/x"]
    writable_client.delete("/graph/x")
    assert writable_client.get("/papers").json()["total"] == 0


def test_single_valued_field_with_several_values_is_a_list(writable_client: httpx2.Client) -> None:
    put_paper(writable_client)
    page: dict[str, Any] = writable_client.get("/papers").json()
    assert page["items"][0]["round"] == [1, 2]
    jsonschema.validate(page, build_response_schema(build_list_page_model(LIST_DEFINITIONS["papers"])))


DATE_FILTERS = ("2005", "2005-02", "2005-02-01", "2005-03", "2004")


def test_date_filter_matches_months_and_years(writable_client: httpx2.Client) -> None:
    put_paper(writable_client, '; wgig:posted "2005-02"')
    totals = {date: writable_client.get(f"/papers?posted={date}").json()["total"] for date in DATE_FILTERS}
    assert totals == {"2005": 1, "2005-02": 1, "2005-02-01": 0, "2005-03": 0, "2004": 0}


def test_illustrative_papers_are_not_listed(writable_client: httpx2.Client) -> None:
    put_paper(writable_client, "; wgig:illustrative true")
    assert writable_client.get("/papers").json()["total"] == 0


def test_markup_in_a_label_is_escaped(writable_client: httpx2.Client) -> None:
    put_paper(writable_client, '; rdfs:label "<script>alert(1)</script>"')
    assert "<script>" not in writable_client.get("/papers.html").text
    assert json.dumps("<script>alert(1)</script>") in writable_client.get("/papers").text


def test_negative_count_is_refused(shipped_client: httpx2.Client) -> None:
    response = shipped_client.get("/issues.json?papers=-1")
    assert response.status_code == 400
    assert "is not negative" in response.json()["detail"]


def test_note_that_only_names_a_source_is_no_reason(
    shipped_client: httpx2.Client,
) -> None:
    html = shipped_client.get("/issues?papers=none", headers={"Accept": "text/html"}).text
    assert "Note: <bdi" in html
    assert "cluster from the Background Report, section III.D.1(b)" not in html

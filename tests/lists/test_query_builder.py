"""/build makes a SPARQL query of choices, and shows its answer."""

import html
import re
from urllib.parse import urlencode

import httpx2
import pyoxigraph as ox
import pytest
from wgig.lists.query_builder import (
    MAX_BUILDER_COLUMNS,
    MAX_BUILDER_VALUE_CHARACTERS,
    BuilderClass,
    BuilderFilter,
    BuilderProperty,
    BuilderRequest,
    build_chosen_query,
    find_value_kind,
    format_iri,
)
from wgig.settings import Settings
from wgig_client.namespaces import XSD_NAMESPACE

BASE = Settings.base
CATEGORY_FILTER = [("filter", "wgig:category"), ("match", "is"), ("value", "category:access-for-all")]
INJECTIONS = [
    '") } INSERT DATA { <a> <b> <c> } #',
    '\\") || true || ("',
    "x\n} UNION {?a ?b ?c",
    "'''\"\"\"",
    "\\u0022",
    "a\u2028b\x85c\x0bd",
]


def read_query(page: str) -> str:
    """The SPARQL text that the page shows."""
    match = re.search(r'aria-label="The query in SPARQL"><code dir="ltr">(.*?)</code>', page, re.DOTALL)
    assert match, page
    return html.unescape(match[1])


def read_rows(page: str) -> list[list[str]]:
    """The texts of the cells of the answer, without the addresses, which are hidden."""
    table = page.partition('<table class="answer in-words">')[2].partition("</table>")[0]
    body = re.sub(r'<span class="address"[^>]*>.*?</span>', "", table.partition("<tbody>")[2])
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
    return [[html.unescape(re.sub("<[^>]+>", " ", cell)) for cell in cells] for cells in rows]


def build_page(client: httpx2.Client, *pairs: tuple[str, str], kind: str = "wgig:Issue") -> str:
    response = client.get(f"/build?{urlencode([('kind', kind), *pairs])}")
    assert response.status_code == 200, response.text
    return response.text


def test_classes_are_offered_with_their_numbers(page_client: httpx2.Client) -> None:
    page = page_client.get("/build").text
    assert '<option value="wgig:Issue">issues (35)</option>' in page
    assert "owl:Class" not in page  # a technical class
    assert '<optgroup label="People">\n      <option value="foaf:Person">people (71)</option>' in page
    assert 'value="bibo:Document"' not in page  # the same as wgig:Document
    assert 'name="column"' not in page


def test_columns_are_offered_with_their_numbers(page_client: httpx2.Client) -> None:
    page = build_page(page_client)
    pattern = r'value="wgig:cluster">.*?><bdi>cluster of 2005</bdi></label> <span class="count">34</span>'
    assert re.search(pattern, page)
    assert read_query(page).splitlines()[-1] == "LIMIT 100"
    assert len(read_rows(page)) == 35


def test_an_answer_has_a_row_for_each_thing_with_lists_of_values(page_client: httpx2.Client) -> None:
    page = build_page(page_client, ("column", "wgig:category"), ("column", "wgig:inventoryStatus"))
    rows = read_rows(page)
    assert len(rows) == 35
    spam = next(cells for cells in rows if cells[0].split() == ["Spam"])
    assert "access for all" in spam[1]
    assert "stable and secure" in spam[1]
    assert spam[2].split() == ["yes"]


def test_a_filter_by_a_resource_keeps_what_has_it(page_client: httpx2.Client) -> None:
    page = build_page(page_client, ("column", "wgig:category"), *CATEGORY_FILTER)
    rows = read_rows(page)
    assert 0 < len(rows) < 35
    assert all("access for all" in cells[1] for cells in rows)
    assert re.search(r'<option value="category:access-for-all" selected>access for all', page)


def test_things_without_a_value_can_be_found(page_client: httpx2.Client) -> None:
    def count_rows(match: str) -> int:
        pairs = [("filter", "wgig:cluster"), ("match", match), ("value", "")]
        return len(read_rows(build_page(page_client, *pairs)))

    assert count_rows("none") == 1
    assert count_rows("any") == 34
    assert count_rows("new") == 35  # a filter that was just added has no effect
    removed = [("filter", "wgig:cluster"), ("match", "none"), ("value", ""), ("remove", "1")]
    page = build_page(page_client, *removed)
    assert len(read_rows(page)) == 35
    assert 'name="remove"' not in page


@pytest.mark.parametrize(
    ("kind", "filter_", "count"),
    [
        ("wgig:Milestone", ("wgig:due", "from", "2005-09"), 2),
        ("wgig:Milestone", ("wgig:due", "to", "2004"), 2),
        ("wgig:Milestone", ("wgig:due", "is", "2005-06"), 3),
        ("wgig:Milestone", ("wgig:daysLate", "from", "7"), 1),
        ("wgig:Milestone", ("wgig:daysLate", "from", "7.5"), 0),
        ("wgig:Issue", ("skos:prefLabel", "contains", "SPAM"), 1),
        ("wgig:Issue", ("wgig:inventoryStatus", "is", "yes"), 31),
        ("wgig:Issue", ("wgig:treatedIn", "contains", "tunis agenda, paragraph 41"), 1),
    ],
)
def test_filters_compare_by_the_kind_of_value(
    page_client: httpx2.Client, kind: str, filter_: tuple[str, str, str], count: int
) -> None:
    pairs = list(zip(("filter", "match", "value"), filter_, strict=True))
    assert len(read_rows(build_page(page_client, *pairs, kind=kind))) == count


def test_an_answer_is_sorted_and_limited(page_client: httpx2.Client) -> None:
    pairs = [("column", "wgig:due"), ("sort", "wgig:due"), ("order", "desc"), ("limit", "10")]
    page = build_page(page_client, *pairs, kind="wgig:Milestone")
    days = [int(day) for day in re.findall(r'<td[^>]* data-sort="(\d+)"', page)]
    assert len(days) == 10
    assert days == sorted(days, reverse=True)
    assert "ORDER BY DESC(?due) ?milestone\nLIMIT 10" in read_query(page)


def test_an_answer_is_sorted_by_the_shown_names(page_client: httpx2.Client) -> None:
    names = [cells[0].strip().lower() for cells in read_rows(build_page(page_client, ("limit", "50")))]
    assert len(names) == 35
    assert names == sorted(names)
    pairs = [("column", "wgig:cluster"), ("sort", "wgig:cluster"), ("limit", "50")]
    clusters = [cells[1].strip() for cells in read_rows(build_page(page_client, *pairs))]
    assert clusters[1:] == sorted(clusters[1:])


def test_our_summaries_come_with_a_note_and_their_sources(page_client: httpx2.Client) -> None:
    page = build_page(page_client, kind="wgig:Judgment")
    assert re.search(r'value="dcterms:source" checked', page)  # a kind that was just chosen
    assert "are our summaries" not in page
    page = build_page(page_client, ("column", "skos:definition"), ("limit", "50"))
    assert "Definitions and descriptions are our summaries." in page
    assert not re.search(r'value="dcterms:source" checked', page)
    assert '<h2 id="answer-title">35 issues</h2>' in page


def test_the_query_has_the_same_answer_in_the_editor(page_client: httpx2.Client) -> None:
    page = build_page(page_client, ("column", "wgig:category"), *CATEGORY_FILTER)
    query = read_query(page)
    csv = page_client.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"}).text
    assert len(csv.splitlines()) - 1 == len(read_rows(page))
    assert f'href="/sparql?{html.escape(urlencode([("query", query)]))}"' in page


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("kind=wgig:Isue", "Did you mean wgig:Issue?"),
        ("kind=wgig:Issue&column=wgig:categry", "Did you mean wgig:category?"),
        ("kind=wgig:Issue&sort=x", "not a value of “sort”"),
        ("kind=wgig:Issue&limit=100000", "limit cannot be"),
        ("kind=wgig:Issue&order=up", "not a value of “order”"),
        ("kind=wgig:Issue&filter=wgig:category", "once for each filter"),
        ("kind=wgig:Issue&filter=wgig:category&match=from&value=1", "not a value of “match”"),
        ("kind=wgig:Issue&filter=wgig:category&match=is&value=nothing", "does not name a resource"),
        (
            f"kind=wgig:Issue&filter=skos:note&match=is&value={'x' * (MAX_BUILDER_VALUE_CHARACTERS + 1)}",
            "longer",
        ),
        ("column=wgig:category", "Choose a kind of resource first"),
    ],
)
def test_an_unknown_choice_is_refused(page_client: httpx2.Client, query: str, detail: str) -> None:
    response = page_client.get(
        f"/build?{query}", headers={"Accept": "text/html, application/problem+json;q=0.1"}
    )
    assert response.status_code == 400
    assert detail in html.unescape(re.sub("<[^>]+>", "", response.text))


def test_too_many_columns_are_refused(page_client: httpx2.Client) -> None:
    names = re.findall(r'name="column" value="([^"]+)"', build_page(page_client))
    columns = [("column", name) for name in names[: MAX_BUILDER_COLUMNS + 1]]
    assert page_client.get(f"/build?{urlencode([('kind', 'wgig:Issue'), *columns])}").status_code == 400
    assert len(read_rows(build_page(page_client, *columns[:-1]))) == 35


@pytest.mark.parametrize("value", ["soon", "2005-1", ""])
def test_a_wrong_value_is_reported_at_its_field(page_client: httpx2.Client, value: str) -> None:
    pairs = [("kind", "wgig:Milestone"), ("filter", "wgig:due"), ("match", "from"), ("value", value)]
    response = page_client.get(f"/build?{urlencode(pairs)}")
    assert response.status_code == 400
    assert '<a href="#value-1">' in response.text
    assert 'aria-invalid="true"' in response.text
    assert f'value="{value}"' in response.text


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("match", ["is", "contains"])
def test_a_value_cannot_leave_its_literal(page_client: httpx2.Client, match: str, value: str) -> None:
    page = build_page(page_client, ("filter", "skos:prefLabel"), ("match", match), ("value", value))
    assert read_rows(page) == []
    query = read_query(page)
    assert str(ox.Literal(value.strip())) in query
    assert query.count("UNION") == value.count("UNION")


def test_names_of_variables_are_valid_and_different() -> None:
    columns = [
        BuilderProperty(iri, 1, True, "text", False)
        for iri in ("urn:a#Issue", "urn:b/x-y.z", "urn:c/", "urn:d#€")
    ]
    filters = [BuilderFilter(columns[0], "is", "a")]
    chosen = BuilderRequest(BuilderClass("urn:x#Issue", 1), columns, filters, columns[1], True, 10)
    query = build_chosen_query(chosen, BASE)
    assert query.startswith("SELECT DISTINCT ?issue ?issue_2 ?x_y_z ?value ?value_2 WHERE {")
    assert isinstance(ox.Store().query(query), ox.QuerySolutions)


def test_kinds_of_values_follow_from_datatypes() -> None:
    assert find_value_kind(set()) == "resource"
    assert find_value_kind({f"{XSD_NAMESPACE}integer"}) == "number"
    assert find_value_kind({f"{XSD_NAMESPACE}date", f"{XSD_NAMESPACE}gYearMonth"}) == "date"
    assert find_value_kind({f"{XSD_NAMESPACE}date", f"{XSD_NAMESPACE}string"}) == "text"


def test_an_iri_is_escaped_or_refused() -> None:
    assert format_iri(f"{BASE}ontology#Issue", BASE) == "wgig:Issue"
    assert format_iri(f"{BASE}ontology#Añb", BASE) == f"<{BASE}ontology#Añb>"
    with pytest.raises(ValueError, match="IRI"):
        format_iri("urn:x> <b", BASE)


def test_a_store_without_statistics_says_so(read_only_client: httpx2.Client) -> None:
    page = read_only_client.get("/build", headers={"Accept": "text/html"}).text
    assert "There is nothing to choose from" in page

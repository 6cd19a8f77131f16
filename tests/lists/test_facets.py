"""Facets of lists: their values and counts, the filters that they make, and the links that sort."""

import io
import re
from html import unescape
from typing import Any

import httpx2
import pytest
from wgig.http.bodies import parse_form
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.lists.facets import (
    FACET_FIELDS,
    MAX_FACET_VALUES,
    build_facet_table,
    build_faceted_ids_query,
    build_facets_query,
    list_facet_fields,
)
from wgig.lists.page import LIST_COLUMNS
from wgig.lists.query import add_query_prefixes, parse_list_request
from wgig.rdf.formats import TSV
from wgig.settings import Settings
from wgig.store.store import Store
from wgig.store.view import parse_tsv_rows
from wgig_client.literals import term_text

from tests.lists.test_page import LIST_NAMES, extract_text, find_cell, find_facet_counts, find_row

TESTED_VALUES = 3  # of each facet
SORT_HEAD_PATTERN = re.compile(
    r'role="columnheader"(?: aria-sort="(\w+)")?[^>]*><a class="sort" href="([^"]*)"[^>]*>([^<]*)'
)


@pytest.mark.parametrize("name", LIST_NAMES)
def test_count_of_a_facet_equals_the_total_of_the_filtered_list(
    page_client: httpx2.Client, name: str
) -> None:
    page = page_client.get(f"/{name}").text
    facets = {field: find_facet_counts(page, field) for field in FACET_FIELDS[name]}
    assert any(facets.values()) or name == "conformance"  # no shipped paper differs from another
    for field, counts in facets.items():
        assert len(counts) <= MAX_FACET_VALUES + 1  # and "none"
        for value, count in [*counts.items()][:TESTED_VALUES] + [*counts.items()][-1:]:
            filtered_list = page_client.get(f"/{name}.json", params={field: value}).json()
            assert filtered_list["total"] == count > 0, (field, value)


@pytest.mark.parametrize("name", LIST_NAMES)
def test_each_column_has_a_facet_or_can_be_searched(name: str) -> None:
    for column in LIST_COLUMNS[name]:
        field = LIST_DEFINITIONS[name].by_name[column]
        # A paper has one result of its check, so a facet of papers would list them all.
        assert column in FACET_FIELDS[name] or field.type == "text" or column == "earl:subject"


@pytest.mark.parametrize(
    "query",
    [
        "category=access-for-all&papers=none",
        "category=access-for-all&category=other-issues&cluster=cluster-2&judgments=11..20",
        "q=internet&cluster=none&cluster=cluster-1b",
    ],
)
def test_facet_is_counted_with_the_filters_of_all_others(page_client: httpx2.Client, query: str) -> None:
    page = page_client.get(f"/issues?{query}").text
    pairs = httpx2.QueryParams(query).multi_items()
    for field in FACET_FIELDS["issues"]:
        other_filters = [pair for pair in pairs if pair[0] != field]
        for value, count in find_facet_counts(page, field).items():
            response = page_client.get("/issues.json", params=[*other_filters, (field, value)])
            assert response.json()["total"] == count, (field, value)


def test_values_to_filter_by_are_checked_and_kept(page_client: httpx2.Client) -> None:
    page = page_client.get("/issues?category=access-for-all&papers=7..&sort=-papers&judgments=2..3").text
    checked = re.findall(r'name="([^"]+)" value="([^"]+)" checked', page)
    assert sorted(checked) == [("category", "access-for-all"), ("judgments", "2..3"), ("papers", "7..")]
    assert find_facet_counts(page, "papers")["7.."] == 0
    assert re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', page) == [("sort", "-papers")]


def test_filters_by_other_fields_are_kept_in_the_form(page_client: httpx2.Client) -> None:
    page = page_client.get("/issues?inventoryStatus=yes&page=1&size=5").text
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', page)
    assert hidden == [("inventoryStatus", "yes"), ("size", "5")]


def test_filters_in_use_are_named_in_words(page_client: httpx2.Client) -> None:
    page = page_client.get(
        "/milestones?due=2005-01..2005-07&delivered=none&due=2004..&due=..2006&timeliness=late"
    ).text
    chips = page.partition('<ul class="chips"')[2].partition("</ul>")[0]
    names = [extract_text(name).partition(" ✕")[0] for name in re.findall(r"<a.*?</a>", chips, re.DOTALL)]
    assert names == [
        "Due: January 2005 to July 2005",
        "Delivered: not known",
        "Due: from 2004",
        "Due: until 2006",
        "Timeliness: late",
        "Clear all",
    ]
    assert 'href="/milestones">Clear all</a>' in chips


def test_dates_are_grouped_by_month_and_numbers_by_range(page_client: httpx2.Client) -> None:
    months = find_facet_counts(page_client.get("/milestones").text, "due")
    assert all(re.fullmatch(r"\d{4}(-\d{2})?|none", value) for value in months)
    assert [*months] == [*sorted(months.keys() - {"none"}), "none"]
    judgments = find_facet_counts(page_client.get("/issues").text, "judgments")
    assert [*judgments][:3] == ["none", "1", "2..5"]


def test_facets_of_a_long_list_are_left_out(
    page_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.facets.MAX_FACETED_ITEMS", 34)
    page = page_client.get("/issues?size=7", headers={"Cache-Control": "no-cache"}).text
    assert 'id="q"' in page
    assert "checkbox" not in page
    assert "checkbox" in page_client.get("/issues?size=7&q=spam").text


def test_filtered_list_has_no_facets_if_the_whole_list_is_long(
    page_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/issues?category=access-for-all&size=8"
    assert "checkbox" in page_client.get(path, headers={"Cache-Control": "no-cache"}).text
    monkeypatch.setattr("wgig.lists.facets.MAX_FACETED_ITEMS", 34)
    assert "checkbox" not in page_client.get(path, headers={"Cache-Control": "no-cache"}).text


def select_rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    """The rows of the result of a query over all graphs."""
    tsv = io.BytesIO()
    store.query(add_query_prefixes(query, Settings.base), TSV.media_type, tsv)
    return parse_tsv_rows(tsv.getvalue())


@pytest.mark.parametrize("name", LIST_NAMES)
@pytest.mark.parametrize("query", ["", "q=a", "q=spam", "q=zzzz", "q=e&sort=-id"])
def test_facets_query_has_the_values_of_each_field(filled_store: Store, name: str, query: str) -> None:
    list_request = parse_list_request(LIST_DEFINITIONS[name], parse_form(query.encode()), Settings.base)
    rows = select_rows(filled_store, build_facets_query(list_request, Settings.base))
    table = build_facet_table(list_request, rows, {}, Settings.base)
    ids = select_rows(filled_store, build_faceted_ids_query(list_request))
    assert table.keys() == {iri.value for (iri,) in ids}
    for field in list_facet_fields(list_request):
        if field.type in ("count", "class"):
            continue
        values = {
            (iri.value, term_text(value))
            for iri, value in select_rows(
                filled_store,
                f"SELECT ?id ?value {{ {field.value_pattern('?value')} }}",
            )
            if iri.value in table
        }
        assert values == {(iri, value) for iri in table for value in table[iri].get(field.name, ())}


@pytest.mark.parametrize("name", LIST_NAMES)
def test_heads_of_columns_sort_in_either_direction(page_client: httpx2.Client, name: str) -> None:
    heads = SORT_HEAD_PATTERN.findall(page_client.get(f"/{name}").text)
    assert len(heads) == 1 + len(LIST_COLUMNS[name])
    for _, path, title in heads[:3]:
        sorted_page = page_client.get(unescape(path)).text
        directions = {
            title: (direction, path) for direction, path, title in SORT_HEAD_PATTERN.findall(sorted_page)
        }
        direction, opposite_path = directions.pop(title)
        assert direction == ("descending" if "sort=-" in path else "ascending")
        assert ("sort=-" in opposite_path) != ("sort=-" in path)
        assert {direction for direction, _ in directions.values()} == {""}


def test_page_is_in_the_order_of_its_link(page_client: httpx2.Client) -> None:
    heads = {title: path for _, path, title in SORT_HEAD_PATTERN.findall(page_client.get("/issues?q=s").text)}
    path = unescape(heads["Papers"])
    assert path == "/issues?q=s&sort=-papers,label"
    table = page_client.get(path).text.partition("<tbody")[2]
    cells = [extract_text(find_cell(row, "Papers")) for row in table.split("<tr")[1:]]
    counts = [0 if cell == "none known" else int(cell) for cell in cells]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_issues_without_a_paper_are_one_link_away_with_what_is_known_of_the_reason(
    page_client: httpx2.Client,
) -> None:
    link = re.search(
        r'We know of no paper on <a href="([^"]*)">14 issues</a>', page_client.get("/issues").text
    )
    assert link
    page = page_client.get(link[1]).text
    assert page.count("No source gives a reason.") == page.count('<th scope="row"') == 14
    reason = extract_text(find_cell(find_row(page, "/doc/issue/privacy"), "Why there is no paper"))
    assert reason.startswith("No source gives a reason. Note: separate entry although")
    assert find_facet_counts(page, "papers")["none"] == 14
    assert "Why there is no paper" not in page_client.get("/issues?papers=1").text

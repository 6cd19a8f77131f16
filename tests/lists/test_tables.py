"""/tables: the main lists as CSV with CSVW metadata, and as Parquet."""

import csv
import io
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import csvw
import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
from wgig.http.language import format_byte_count
from wgig.lists.tables import TABLE_LIST_SEPARATOR, read_table_definitions
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import PROGRAM_ACCEPT_HEADERS, get_browser_page
from tests.fixtures.service import make_service_client, make_store_client

TABLE_NAMES = list(read_table_definitions())


def test_main_lists_are_available_as_tables() -> None:
    names = {"papers", "issues", "meetings", "milestones", "stakeholders", "judgments", "mechanisms"}
    assert names | {"recommendations"} <= set(TABLE_NAMES)


def test_table_of_judgments_states_what_is_judged_and_whose_view_it_is(
    shipped_client: httpx2.Client,
) -> None:
    rows = csv.DictReader(io.StringIO(shipped_client.get("/tables/judgments.csv").text))
    row = next(row for row in rows if row["judgment"].endswith("/069"))
    assert (row["issues"], row["mechanisms"], row["criterion"], row["verdict"], row["view"]) == (
        "Administration of Internet names", "ICANN", "democracy", "inadequate", "some members",
    )  # fmt: skip
    assert (row["paragraphs"], row["dispute"]) == (
        "101",
        "Whether ICANN and IANA are multilateral, democratic and inclusive",
    )


@pytest.mark.parametrize("name", ["judgments", "mechanisms", "recommendations"])
def test_table_tells_boxes_of_the_background_report_from_paragraphs(
    shipped_client: httpx2.Client, name: str
) -> None:
    rows = csv.DictReader(io.StringIO(shipped_client.get(f"/tables/{name}.csv").text))
    paragraphs = {part for row in rows for part in row["paragraphs"].split("|")}
    assert {"101", "box2"} <= paragraphs
    assert not {"2", "3"} & paragraphs


def test_table_of_mechanisms_counts_judgments(shipped_client: httpx2.Client) -> None:
    rows = csv.DictReader(io.StringIO(shipped_client.get("/tables/mechanisms.csv").text))
    counts = {row["mechanism"].rpartition("/id/")[2]: int(row["judgments"]) for row in rows}
    total = shipped_client.get("/judgments?judges=agent/icann").json()["total"]
    assert counts["agent/icann"] == total > 5


def query_table(client: httpx2.Client, name: str) -> Any:
    """The SPARQL JSON results of the query of a table."""
    params = {"query": read_table_definitions()[name].query}
    return client.get("/sparql", params=params, headers={"Accept": "application/json"}).json()


def download_table(client: httpx2.Client, name: str, folder: Path) -> Path:
    """Save a table and its metadata in a folder, and return the path of the CSV file."""
    for suffix in ("csv", "csv-metadata.json"):
        response = client.get(f"/tables/{name}.{suffix}")
        assert response.status_code == 200, response.text
        (folder / f"{name}.{suffix}").write_bytes(response.content)
    return folder / f"{name}.csv"


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_csv_matches_its_metadata(shipped_client: httpx2.Client, tmp_path: Path, name: str) -> None:
    csvw_file = csvw.CSVW(str(download_table(shipped_client, name, tmp_path)), validate=True)
    assert csvw_file.is_valid, [str(warning.message) for warning in csvw_file.warnings]
    (table,) = csvw_file.tables
    rows = list(table)
    assert len(rows) == len(query_table(shipped_client, name)["results"]["bindings"])
    assert rows[0].keys() == {column.name for column in read_table_definitions()[name].columns}


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_columns_are_the_query_variables_and_the_first_one_is_unique(
    shipped_client: httpx2.Client, name: str
) -> None:
    results = query_table(shipped_client, name)
    columns = [column.name for column in read_table_definitions()[name].columns]
    assert results["head"]["vars"] == columns
    keys = [row[columns[0]]["value"] for row in results["results"]["bindings"]]
    assert keys
    assert len(keys) == len(set(keys))


def test_csv_with_an_invalid_date_fails_validation(shipped_client: httpx2.Client, tmp_path: Path) -> None:
    path = download_table(shipped_client, "milestones", tmp_path)
    path.write_text(path.read_text().replace("2005-02-01", "soon"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # csvw reports errors as warnings
        assert not csvw.CSVW(str(path), validate=True).is_valid


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_parquet_has_the_values_of_the_query_result(shipped_client: httpx2.Client, name: str) -> None:
    response = shipped_client.get(f"/tables/{name}.parquet")
    assert response.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(response.content))
    columns = {column.name: column for column in read_table_definitions()[name].columns}
    assert table.column_names == list(columns)
    for field in table.schema:
        is_list = pa.types.is_list(field.type)
        assert is_list == columns[field.name].is_list
        value_type = field.type.value_type if is_list else field.type
        assert pa.types.is_date(value_type) == (columns[field.name].datatype == "date")
        assert field.metadata == {b"description": columns[field.name].description.encode()}
    bindings = query_table(shipped_client, name)["results"]["bindings"]
    for row, binding in zip(table.to_pylist(), bindings, strict=True):
        assert {key: format_query_value(value) for key, value in row.items()} == {
            key: binding[key]["value"] if key in binding else "" for key in row
        }


def format_query_value(value: object) -> str:
    if isinstance(value, list):
        return TABLE_LIST_SEPARATOR.join(value)
    return "" if value is None else str(value)


def test_parquet_without_pyarrow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    response = make_service_client(Settings(), Store.in_memory()).get("/tables/papers.parquet")
    assert response.status_code == 501
    assert (
        "Get /tables/papers.csv, or ask the operator to install wgig[parquet]." in response.json()["detail"]
    )


def test_parquet_with_an_invalid_value_is_refused() -> None:
    store = Store.in_memory()
    store.update(
        """PREFIX wgig: <https://w3id.org/wgig/ontology#> INSERT DATA {
        <x:p> a wgig:IssuePaper ; <http://purl.org/dc/terms/title> "One" ; wgig:round "first" }"""
    )
    client = make_service_client(Settings(), store)
    assert client.get("/tables/papers.csv").status_code == 200
    response = client.get("/tables/papers.parquet")
    assert response.status_code == 422
    assert "'first', which is not a valid integer" in response.json()["detail"]


def test_list_of_tables_is_csvw_metadata(shipped_client: httpx2.Client) -> None:
    response = shipped_client.get("/tables")
    assert response.headers["content-type"] == "application/csvm+json"
    assert [table["url"] for table in response.json()["tables"]] == [f"{name}.csv" for name in TABLE_NAMES]
    assert response.content == shipped_client.get("/tables/csv-metadata.json").content


@pytest.mark.parametrize("accept", PROGRAM_ACCEPT_HEADERS)
def test_programs_get_the_list_as_metadata(shipped_client: httpx2.Client, accept: str) -> None:
    response = shipped_client.get("/tables", headers={"Accept": accept})
    assert response.content == shipped_client.get("/tables/csv-metadata.json").content
    assert "Accept" in response.headers["vary"].split(", ")


def test_browsers_get_a_page_with_links_to_all_tables(shipped_client: httpx2.Client) -> None:
    html = get_browser_page(shipped_client, "/tables")
    paths = set(re.findall(r'href="(/tables/[^"]+)"', html))
    assert {f"/tables/{name}.{suffix}" for name in TABLE_NAMES for suffix in ("csv", "parquet")} < paths
    assert [path for path in paths if shipped_client.get(path).status_code != 200] == []
    tables = read_table_definitions().values()
    assert all(column.name in html for table in tables for column in table.columns)


def test_page_previews_each_table(shipped_client: httpx2.Client) -> None:
    html = get_browser_page(shipped_client, "/tables")
    for name in TABLE_NAMES:
        body = shipped_client.get(f"/tables/{name}.csv").content
        header, *rows = csv.reader(io.StringIO(body.decode()))
        section = html.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]
        assert f"{len(rows)} rows, {len(header)} columns" in section
        assert f"Download CSV ({format_byte_count(len(body))})" in section
        assert header[-1] == "source"
        assert all(row[-1].startswith("http") for row in rows)
        assert re.findall(r'<th scope="col">(\w+)</th>', section) == header
        assert section.count("<tr>") == 1 + 3  # the header and the first rows


def test_tables_of_a_large_store_have_no_previews(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.lists.tables.MAX_PREVIEWED_QUADS", 1_000)
    html = get_browser_page(make_store_client(Store(shipped_store)), "/tables")
    assert "/tables/papers.csv" in html
    assert "rows," not in html


def test_page_has_no_parquet_links_without_pyarrow(
    shipped_store: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = make_store_client(Store(shipped_store))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    html = get_browser_page(reader, "/tables?_lang=fr")
    assert ".csv" in html
    assert ".parquet" not in html


def test_csv_links_to_its_metadata(shipped_client: httpx2.Client) -> None:
    link = shipped_client.get("/tables/papers.csv").headers["link"]
    assert '</tables/papers.csv-metadata.json>; rel="describedby"; type="application/csvm+json"' in link
    assert json.loads(shipped_client.get("/tables/papers.csv-metadata.json").content)["url"] == "papers.csv"


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/tables/nothing.csv", 404, "There is no table 'nothing'."),
        ("/tables/papers.xlsx", 404, "The tables are listed at /tables"),
        ("/tables/papers", 404, "The tables are listed at /tables"),
        ("/tables/..%2Fqueries%2Fdisagreements.csv", 404, "There is nothing at"),
        ("/tables/papers.csv?issue=spam", 400, "There is no parameter 'issue'."),
    ],
)
def test_unknown_table_format_or_parameter_is_refused(
    shipped_client: httpx2.Client, path: str, status: int, sentence: str
) -> None:
    response = shipped_client.get(path)
    assert response.status_code == status
    assert sentence in response.json()["detail"]

"""The main lists as tables: CSV with its metadata (CSVW), and Parquet."""

import io
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import csvw
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pyoxigraph as ox
import pytest
from wgig.lists.tables import TABLE_LIST_SEPARATOR, read_table_definitions
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.accept_headers import PROGRAMS, page
from tests.fixtures.service import client_over, service_of

NAMES = list(read_table_definitions())


def test_the_main_lists_are_tables() -> None:
    assert {"papers", "issues", "meetings", "milestones", "stakeholders"} <= set(NAMES)


def results(client: httpx.Client, name: str) -> Any:
    """What the query of a table finds, as JSON."""
    asked = {"query": read_table_definitions()[name].query}
    return client.get("/sparql", params=asked, headers={"Accept": "application/json"}).json()


def saved(client: httpx.Client, name: str, folder: Path) -> Path:
    """A table in a folder, with its metadata beside."""
    for suffix in ("csv", "csv-metadata.json"):
        answer = client.get(f"/tables/{name}.{suffix}")
        assert answer.status_code == 200, answer.text
        (folder / f"{name}.{suffix}").write_bytes(answer.content)
    return folder / f"{name}.csv"


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_as_its_metadata_say(reader: httpx.Client, tmp_path: Path, name: str) -> None:
    read = csvw.CSVW(str(saved(reader, name, tmp_path)), validate=True)
    assert read.is_valid, [str(one.message) for one in read.warnings]
    (only,) = read.tables
    rows = list(only)
    assert len(rows) == len(results(reader, name)["results"]["bindings"])
    assert rows[0].keys() == {one.name for one in read_table_definitions()[name].columns}


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_about_one_thing_and_the_columns_are_those_of_the_query(
    reader: httpx.Client, name: str
) -> None:
    found = results(reader, name)
    columns = [one.name for one in read_table_definitions()[name].columns]
    assert found["head"]["vars"] == columns
    keys = [row[columns[0]]["value"] for row in found["results"]["bindings"]]
    assert keys
    assert len(keys) == len(set(keys))


def test_a_table_that_is_not_as_its_metadata_say_is_found(reader: httpx.Client, tmp_path: Path) -> None:
    path = saved(reader, "milestones", tmp_path)
    path.write_text(path.read_text().replace("2005-02-01", "soon"))
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # it counts them
        assert not csvw.CSVW(str(path), validate=True).is_valid


@pytest.mark.parametrize("name", NAMES)
def test_parquet_holds_what_csv_holds(reader: httpx.Client, name: str) -> None:
    answer = reader.get(f"/tables/{name}.parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    found = pq.read_table(io.BytesIO(answer.content))
    columns = {one.name: one for one in read_table_definitions()[name].columns}
    assert found.column_names == list(columns)
    for field in found.schema:
        is_list = pa.types.is_list(field.type)
        assert is_list == columns[field.name].is_list
        kind = field.type.value_type if is_list else field.type
        assert pa.types.is_date(kind) == (columns[field.name].datatype == "date")
        assert field.metadata == {b"description": columns[field.name].description.encode()}
    for row, wanted in zip(found.to_pylist(), results(reader, name)["results"]["bindings"], strict=True):
        assert {key: as_text(value) for key, value in row.items()} == {
            key: wanted[key]["value"] if key in wanted else "" for key in row
        }


def as_text(value: object) -> str:
    """A value as CSV has it."""
    if isinstance(value, list):
        return TABLE_LIST_SEPARATOR.join(value)
    return "" if value is None else str(value)


def test_without_its_library_parquet_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = service_of(Settings(), Store.in_memory()).get("/tables/papers.parquet")
    assert answer.status_code == 501
    assert "Get /tables/papers.csv, or ask its operator to install wgig[parquet]." in answer.json()["detail"]


def test_a_value_that_fits_no_column_is_refused_in_words() -> None:
    store = Store.in_memory()
    store.update(
        """PREFIX wgig: <https://w3id.org/wgig/ontology#> INSERT DATA {
        <x:p> a wgig:IssuePaper ; <http://purl.org/dc/terms/title> "One" ; wgig:round "first" }"""
    )
    client = service_of(Settings(), store)
    assert client.get("/tables/papers.csv").status_code == 200
    answer = client.get("/tables/papers.parquet")
    assert answer.status_code == 422
    assert "'first', which is not a valid integer" in answer.json()["detail"]


def test_the_list_of_tables_is_their_metadata(reader: httpx.Client) -> None:
    answer = reader.get("/tables")
    assert answer.headers["content-type"] == "application/csvm+json"
    assert [one["url"] for one in answer.json()["tables"]] == [f"{name}.csv" for name in NAMES]
    assert answer.content == reader.get("/tables/csv-metadata.json").content


@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_get_the_list_as_data(reader: httpx.Client, accept: str) -> None:
    answer = reader.get("/tables", headers={"Accept": accept})
    assert answer.content == reader.get("/tables/csv-metadata.json").content
    assert "Accept" in answer.headers["vary"].split(", ")


def test_a_browser_gets_the_list_as_a_page_with_links_to_all_tables(reader: httpx.Client) -> None:
    text = page(reader, "/tables")
    links = set(re.findall(r'href="(/tables/[^"]+)"', text))
    assert {f"/tables/{name}.{suffix}" for name in NAMES for suffix in ("csv", "parquet")} < links
    assert [one for one in links if reader.get(one).status_code != 200] == []
    assert all(column.name in text for one in read_table_definitions().values() for column in one.columns)


def test_the_page_offers_no_parquet_where_its_library_is_missing(
    shipped: ox.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = client_over(Store(shipped))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    text = page(reader, "/tables?_lang=fr")
    assert ".csv" in text
    assert ".parquet" not in text


def test_a_table_leads_to_its_metadata(reader: httpx.Client) -> None:
    link = reader.get("/tables/papers.csv").headers["link"]
    assert '</tables/papers.csv-metadata.json>; rel="describedby"; type="application/csvm+json"' in link
    assert json.loads(reader.get("/tables/papers.csv-metadata.json").content)["url"] == "papers.csv"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/tables/nothing.csv", 404, "There is no table 'nothing'."),
        ("/tables/papers.xlsx", 404, "The tables are listed at /tables"),
        ("/tables/papers", 404, "The tables are listed at /tables"),
        ("/tables/..%2Fqueries%2Fdisagreements.csv", 404, "Nothing is found"),
        ("/tables/papers.csv?issue=spam", 400, "There is no parameter 'issue' here."),
    ],
)
def test_what_is_not_there_is_refused_in_words(
    reader: httpx.Client, path: str, status: int, said: str
) -> None:
    answer = reader.get(path)
    assert answer.status_code == status
    assert said in answer.json()["detail"]

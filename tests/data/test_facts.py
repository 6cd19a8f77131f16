"""Every cell of every row of the fact tables is in the graph, and the graph has no row of its own."""

import csv

import pyoxigraph as ox
import pytest

from tests.fixtures.shared_facts import require_shared

from .cells import ID, PREFIXES, Facts, Row
from .tables import NO_MORE, TABLES

FACTS = require_shared("facts")
# Columns that only make up the IRI of the row.
KEYS = {"id", "slug"}
# Tables of which the graph may hold more rows: papers are added as they are found.
GROWING = {"papers"}


def read(table: str) -> list[Row]:
    with (FACTS / f"{table}.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def facts(shipped: ox.Store) -> Facts:
    return Facts(shipped)


def test_every_table_is_mapped() -> None:
    assert {path.stem for path in FACTS.glob("*.tsv")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_mapped(name: str) -> None:
    assert set(read(name)[0]) - KEYS == set(TABLES[name].columns)


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_in_the_graph(name: str, facts: Facts) -> None:
    table = TABLES[name]
    missing = [
        f"{name}.tsv, row {table.row(row).removeprefix(ID)}, column {column}: {row[column]}"
        for row in read(name)
        for column, found in table.columns.items()
        if row[column] and not found(facts, table.row(row), row[column])
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_has_the_rows_of_the_table_and_no_others(name: str, facts: Facts) -> None:
    table = TABLES[name]
    prologue = f"BASE <{ID}>" + "".join(f" PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items())
    found = facts.store.query(
        f"{prologue} SELECT DISTINCT ?row {{ {table.rows} }}", use_default_graph_as_union=True
    )
    assert isinstance(found, ox.QuerySolutions)
    in_graph, in_table = {solution["row"].value for solution in found}, {table.row(row) for row in read(name)}
    assert in_table <= in_graph
    if name not in GROWING:
        assert in_graph <= in_table


@pytest.mark.parametrize("name", NO_MORE)
def test_the_graph_has_no_value_that_the_cell_lacks(name: str, facts: Facts) -> None:
    table = TABLES[name]
    for row in read(name):
        for column, predicate, folder in NO_MORE[name]:
            cell = row[column].split(" | ") if row[column] else []
            values = [
                v for v in facts.values(table.row(row), predicate) if not folder or v.startswith(ID + folder)
            ]
            assert len(values) == len(cell), f"{name}.tsv, row {table.row(row)}, column {column}: {values}"

"""The graph has every cell of the fact tables (TSV files in ../shared/facts2), and no other rows."""

import csv
from collections.abc import Iterable

import pyoxigraph as ox
import pytest

from tests.fixtures.shared_facts import require_shared

from .cells import ID_NAMESPACE, PREFIXES, Facts, Row
from .tables import COUNTED_COLUMNS, TABLES

FACTS_FOLDER = require_shared("facts2")
# Columns whose values are in the graph only as part of the IRI of the row.
KEY_COLUMNS = {"id", "slug"}
# English names of issues that are in no table: abbreviations and everyday names, from sources of the issue.
ADDED_ISSUE_NAMES = {"DNS", "FLOSS", "IDN", "IPR", "IPRs", "Internet telephony", "junk mail"}
# Tables for which the graph may have more rows, as papers and official labels are added when they are found.
GROWING_TABLES = {"labels", "papers"}


def read_table(table: str) -> list[Row]:
    with (FACTS_FOLDER / f"{table}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def facts(shipped_store: ox.Store) -> Facts:
    return Facts(shipped_store)


def test_every_table_of_the_folder_is_checked() -> None:
    assert {path.stem for path in FACTS_FOLDER.glob("*.tsv")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_checked(name: str) -> None:
    assert set(read_table(name)[0]) - KEY_COLUMNS == set(TABLES[name].columns)


def find_missing_cells(name: str, rows: Iterable[Row], facts: Facts) -> list[str]:
    """The cells that are not in the graph, each with file, row and column."""
    table = TABLES[name]
    return [
        f"{name}.tsv, row {table.row_iri(row).removeprefix(ID_NAMESPACE)}, column {column}: {row[column]}"
        for row in rows
        for column, check in table.columns.items()
        if row[column] and not check(facts, table.row_iri(row), row[column])
    ]


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_in_the_graph(name: str, facts: Facts) -> None:
    missing = find_missing_cells(name, read_table(name), facts)
    assert not missing, "\n".join(missing)


def change_cell(cell: str, position: int) -> str:
    """The cell with a character replaced; yes becomes no, and no becomes yes."""
    if cell in ("yes", "no"):
        return {"yes": "no", "no": "yes"}[cell]
    old = cell[position]
    new = str((int(old) + 1) % 10) if old.isdecimal() else "z" if old != "z" else "q"
    return cell[:position] + new + cell[position + 1 :]


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_cell_is_found_with_its_file_row_and_column(name: str, facts: Facts) -> None:
    table, rows = TABLES[name], read_table(name)
    for column in table.columns:
        # A column may be empty in all rows, such as the addresses of papers.
        for row in [row for row in rows if row[column]][:1]:
            positions = [position for position, character in enumerate(row[column]) if character.isalnum()]
            changed_rows = [
                row | {column: change_cell(row[column], position)}
                for position in (positions[-1], positions[0])
            ]
            missing = find_missing_cells(name, changed_rows, facts)
            assert any(
                table.row_iri(changed) != table.row_iri(row)  # the column is a part of the IRI
                or f"{name}.tsv, row {table.row_iri(row).removeprefix(ID_NAMESPACE)}, column {column}: "
                f"{changed[column]}"
                in missing
                for changed in changed_rows
            ), column


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_has_the_rows_of_the_table_and_no_others(name: str, facts: Facts) -> None:
    table = TABLES[name]
    prologue = f"BASE <{ID_NAMESPACE}>" + "".join(
        f" PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items()
    )
    solutions = facts.store.query(
        f"{prologue} SELECT DISTINCT ?row {{ {table.rows_pattern} }}", use_default_graph_as_union=True
    )
    assert isinstance(solutions, ox.QuerySolutions)
    in_graph, in_table = (
        {solution["row"].value for solution in solutions},
        {table.row_iri(row) for row in read_table(name)},
    )
    assert in_table <= in_graph
    if name not in GROWING_TABLES:
        assert in_graph <= in_table


@pytest.mark.parametrize("name", COUNTED_COLUMNS)
def test_the_graph_has_as_many_values_as_the_cell(name: str, facts: Facts) -> None:
    table = TABLES[name]
    for row in read_table(name):
        for column, predicate, folder in COUNTED_COLUMNS[name]:
            expected_values = row[column].split(" | ") if row[column] else []
            values = {
                term.value
                for term in facts.objects(table.row_iri(row), predicate)
                if not folder
                or (isinstance(term, ox.Literal) and folder == f"@{term.language}")
                or term.value.startswith(ID_NAMESPACE + folder)
            }
            assert len(values) == len(expected_values), (
                f"{name}.tsv, row {table.row_iri(row)}, column {column}: {values}"
            )


def test_other_names_of_issues_are_those_of_the_table_and_of_glossaries(facts: Facts) -> None:
    rows = read_table("issues")
    in_graph = {
        term.value
        for row in rows
        for term in facts.objects(TABLES["issues"].row_iri(row), "skos:altLabel")
        if isinstance(term, ox.Literal) and term.language == "en"
    }
    in_table = {name for row in rows for name in row["label_variants"].split(" | ") if name}
    assert in_graph == in_table | ADDED_ISSUE_NAMES

"""The matrix of /coverage has the judgments of the fact table, counted here from the TSV file."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.fixtures.shared_facts import require_shared

FACTS_FOLDER = require_shared("facts2")
ISSUE_COUNT = 35
KINDS_OF_INVOLVEMENT = ("involvement-governments", "involvement-private-sector", "involvement-civil-society")
TEMPLATE_CRITERIA = ("multilateralism", "transparency", "democracy", "coordination-capacity", "involvement")
CLUSTER_PARAGRAPHS = {"109", "131", "132"}

Cell = tuple[str, str]  # the slugs of an issue and a criterion


class CellFacts(NamedTuple):
    """What the table says of a cell: judgments by verdict and by holder, sides of disputes, on a cluster."""

    verdicts: Counter[str]
    holders: Counter[str]
    disputed: int
    on_cluster: int


def count_cells(roll_up: bool = False) -> dict[Cell, CellFacts]:
    """The cells with judgments in assessments.tsv; with `roll_up`, kinds of involvement are involvement."""
    rows_by_cell: dict[Cell, list[dict[str, str]]] = defaultdict(list)
    with (FACTS_FOLDER / "assessments.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            criterion = row["criterion"]
            if roll_up and criterion in KINDS_OF_INVOLVEMENT:
                criterion = "involvement"
            for issue in filter(None, row["issue"].split(" | ")):
                rows_by_cell[issue, criterion].append(row)
    return {
        cell: CellFacts(
            Counter(row["view"] or row["verdict"] for row in rows),
            Counter(row["whose"].replace(" ", "-") for row in rows),
            sum(bool(row["dispute"]) for row in rows),
            sum(row["paragraphs"] in CLUSTER_PARAGRAPHS for row in rows),
        )
        for cell, rows in rows_by_cell.items()
    }


def derive_state(facts: CellFacts) -> str:
    verdicts = set(facts.verdicts) - {"not-assessed"}
    if facts.disputed:
        return "disputed"
    if len(verdicts) > 1:
        return "mixed"
    return verdicts.pop() if verdicts else "named"


def name_of(iri: str) -> str:
    return iri.rpartition("/")[2]


def count_by_name(counts: dict[str, int]) -> Counter[str]:
    return Counter({name_of(iri): count for iri, count in counts.items()})


def read_matrix(client: httpx2.Client, query: str) -> tuple[dict[Cell, dict[str, Any]], int]:
    """The cells with judgments of the matrix, and the number of all its cells."""
    cells = client.get(f"/coverage?layer=judgments&{query}").json()["cells"]
    judged = {
        (name_of(cell["issue"]), name_of(cell["criterion"])): cell for cell in cells if cell["judgments"]
    }
    return judged, len(cells)


@pytest.mark.parametrize("roll_up", [False, True])
def test_each_cell_of_the_matrix_has_the_judgments_of_the_table(
    shipped_client: httpx2.Client, roll_up: bool
) -> None:
    expected_cells = count_cells(roll_up)
    matrix, _ = read_matrix(shipped_client, "rollUp=true" if roll_up else "")
    assert set(matrix) == set(expected_cells)
    for cell, facts in expected_cells.items():
        judged = matrix[cell]["judged"]
        assert matrix[cell]["judgments"] == facts.verdicts.total(), cell
        assert count_by_name(judged["verdicts"]) == facts.verdicts, cell
        assert count_by_name(judged["viewHolders"]) == facts.holders, cell
        assert judged["disputed"] == facts.disputed, cell
        assert judged["clusterOnly"] == (facts.on_cluster == facts.verdicts.total()), cell
        assert judged["state"] == derive_state(facts), cell


def count_named(states: Iterable[str]) -> int:
    return sum(state == "named" for state in states)


def test_the_matrix_has_as_many_cells_as_the_table(shipped_client: httpx2.Client) -> None:
    matrix, size = read_matrix(shipped_client, "")
    assert (len(matrix), size) == (153, ISSUE_COUNT * 11)
    assert count_named(cell["judged"]["state"] for cell in matrix.values()) == 5
    rolled_up, rolled_up_size = read_matrix(shipped_client, "rollUp=true")
    assert (len(rolled_up), rolled_up_size) == (137, ISSUE_COUNT * 8)
    of_template = [cell for cell in rolled_up if cell[1] in TEMPLATE_CRITERIA]
    assert (len(of_template), ISSUE_COUNT * len(TEMPLATE_CRITERIA)) == (97, 175)

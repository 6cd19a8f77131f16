"""Each way that the page of the twelve questions names can be clicked, and leads to the whole answer."""

import re
from collections import Counter
from collections.abc import Callable

import httpx
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.pages.rendering import format_date_text
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries, read_example_query
from wgig.store.store import Store

from tests.docs.blocks import page
from tests.docs.clicking import Page, opened, walked
from tests.fixtures.service import client_of

Row = dict[str, str]
SECTIONS = re.split(r"^## \d+\. ", page("tutorials/twelve-questions.md"), flags=re.MULTILINE)[1:]
NAMES = {one.question: one.name for one in list_example_queries()}
OTHERS = {"assessments", "papers-missing-an-assessment", "what-papers-lack", "who-wrote-what"}


def question(section: str) -> str:
    """The question of a section: its heading."""
    return section.partition("\n")[0]


def ways(section: str) -> list[list[str]]:
    """The ways of a section, each without the home page, where it begins."""
    return [
        line.removeprefix("- Home → ").split(" → ")
        for line in section.splitlines()
        if line.startswith("- Home")
    ]


WAYS = [
    pytest.param(NAMES.get(question(one), ""), way, id=" → ".join(way))
    for one in SECTIONS
    for way in ways(one)
]


@pytest.fixture(scope="module")
def service(shipped: ox.Store) -> httpx.Client:
    """A client of a service over the shipped graph."""
    return client_of(create_app(make_service(Settings(), Store(shipped))))


@pytest.fixture(scope="module")
def ask(shipped: ox.Store) -> Callable[[str], list[Row]]:
    """What the example query of a name finds, without its cells that are empty."""

    def rows(name: str) -> list[Row]:
        found = shipped.query(read_example_query(name).text, use_default_graph_as_union=True)
        assert isinstance(found, ox.QuerySolutions)
        variables = [one.value for one in found.variables]
        return [{name: row[name].value for name in variables if row[name] is not None} for row in found]

    return rows


def test_the_twelve_questions_stand_on_the_page_each_with_a_way() -> None:
    assert [NAMES[question(one)] for one in SECTIONS] == list(
        dict.fromkeys(NAMES[question(one)] for one in SECTIONS)
    )
    assert {NAMES[question(one)] for one in SECTIONS} == set(NAMES.values()) - OTHERS
    assert all(map(ways, SECTIONS))


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_a_way_leads_to_the_whole_answer(
    service: httpx.Client, ask: Callable[[str], list[Row]], name: str, way: list[str]
) -> None:
    last = walked(service, way)
    rows = ask(name)
    assert rows
    if last.path.startswith("/queries/"):
        in_table(last, rows, name)
    else:
        READ[last.path, name](last, rows, service)


@pytest.mark.parametrize("section", SECTIONS, ids=question)
def test_what_the_page_quotes_stands_at_the_end_of_the_way(service: httpx.Client, section: str) -> None:
    last = walked(service, ways(section)[0])
    quoted = [" ".join(one.split()) for one in re.findall(r"\*\*(.+?)\*\*", section, re.DOTALL)]
    assert quoted
    assert [one for one in quoted if one not in last.whole.text] == []


def in_table(last: Page, rows: list[Row], name: str) -> None:
    """The answer of a query: its rows as they are, below the question and what is to know about it."""
    shown = [
        {head.replace(" ", "_"): cell.text for head, cell in row.items() if cell.text}  # heads are in words
        for row in last.table("What the query found")
    ]
    assert shown == [{head: " ".join(value.split()) for head, value in row.items()} for row in rows]
    assert read_example_query(name).question in last.whole.text
    assert read_example_query(name).note
    assert read_example_query(name).note in last.whole.text


def in_matrix(last: Page, rows: list[Row], service: httpx.Client) -> None:
    """The matrix: each cell has the verdicts of papers, to which it leads, or says that it is empty."""
    cells = {row["Issue"].links[0].text: row for row in last.table()}
    for row in rows:
        cell = cells[row["issue"]][row["criterion"]]
        if "paper" in row:
            assert row.get("verdict", "verdict not known") in cell.text
            assert row["paper"] in opened(service, cell.links[0].target).whole.text
        else:
            assert cell.text in ("none", "no paper")


def in_papers(last: Page, rows: list[Row], service: httpx.Client) -> None:
    """The papers: each section that one misses is marked; one whose text was not seen may be, too."""
    del service
    shown = {row["Paper"].links[0].text: row for row in last.table()}
    for row in rows:
        found = shown[f"Issue paper: {row['paper']}"]
        marked = {head for head, cell in found.items() if "lacking" in cell.text}
        assert marked >= set(row["missing_sections"].split())
        assert found["Parts"].text == f"{row['parts_met']} of {row['parts_asked']}"


def events(last: Page) -> dict[str, str]:
    """What is said of each event of the timeline that has a page of its own, by what it is called."""
    return {one.links[0].text: one.text for one in last.pieces if "event" in one.classes}


def milestones(last: Page, rows: list[Row], service: httpx.Client) -> None:
    """The timeline: of each milestone when it was due and came, how late, and what that rests on."""
    del service
    shown = events(last)
    for row in rows:
        said = shown[row["milestone"]]
        for name in ("due", "delivered"):
            assert name not in row or str(format_date_text(row[name])) in said
        assert row.get("basis", "") in said
        assert (f"{row.get('days_late')} days late" in said) == ("days_late" in row)


def sessions(last: Page, rows: list[Row], service: httpx.Client) -> None:
    """The timeline: of each session to whom it was open, whether observers could speak, and how from afar."""
    del service
    shown = events(last)
    speak = {"true": "Observers could speak", "false": "Observers could not speak"}
    for row in rows:
        said = shown[row["session"]]
        assert (f"Open to {row['open_to']}" if "open_to" in row else "Who could attend is not known") in said
        told = speak.get(row.get("observers_may_speak", ""))
        assert [one for one in speak.values() if one in said] == [one for one in (told,) if one]
        assert all(way in said for way in row.get("from_afar", "").split(", "))


def seats(last: Page, rows: list[Row], service: httpx.Client) -> None:
    """The people: how many seats each group, each region, and each side of development has."""
    del service
    words = {"true": "developing country", "false": "developed country"}
    for caption, head, name in (
        ("Seats by stakeholder group", "Stakeholder group", "group"),
        ("Seats by region", "Region", "region"),
        ("Seats by development", "Development", "developing"),
    ):
        counted: Counter[str] = Counter()
        for row in rows:
            counted[words.get(row.get(name, ""), row.get(name, "not known"))] += int(row["members"])
        shown = {row[head].text: int(row["Seats"].text) for row in last.table(caption)}
        assert {one: shown[one] for one in counted} == counted
        assert shown.keys() - counted == {"not seen", "All seats"}


READ: dict[tuple[str, str], Callable[[Page, list[Row], httpx.Client], None]] = {
    ("/coverage", "coverage-matrix"): in_matrix,
    ("/papers", "papers-missing-sections"): in_papers,
    ("/timeline", "due-and-delivered"): milestones,
    ("/timeline", "open-sessions"): sessions,
    ("/people", "members-by-group-and-region"): seats,
}

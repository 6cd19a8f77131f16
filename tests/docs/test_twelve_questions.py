"""Each path on the page of the twelve questions can be clicked, and ends at the complete answer."""

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

from tests.docs.blocks import read_docs_page
from tests.docs.clicking import ParsedPage, follow_path, open_page
from tests.fixtures.service import make_client

Row = dict[str, str]
SECTIONS = re.split(r"^## \d+\. ", read_docs_page("tutorials/twelve-questions.md"), flags=re.MULTILINE)[1:]
QUERY_NAMES = {query.question: query.name for query in list_example_queries()}
QUERIES_WITHOUT_SECTION = {
    "assessments",
    "papers-missing-an-assessment",
    "what-papers-lack",
    "who-wrote-what",
}


def get_question(section: str) -> str:
    """The question of a section, which is its heading."""
    return section.partition("\n")[0]


def list_click_paths(section: str) -> list[list[str]]:
    """The paths of a section, each as the texts of its links, without the home page."""
    return [
        line.removeprefix("- Home → ").split(" → ")
        for line in section.splitlines()
        if line.startswith("- Home")
    ]


CLICK_PATHS = [
    pytest.param(QUERY_NAMES.get(get_question(section), ""), path, id=" → ".join(path))
    for section in SECTIONS
    for path in list_click_paths(section)
]


@pytest.fixture(scope="module")
def service(shipped_store: ox.Store) -> httpx.Client:
    """A client of a service over the shipped graph."""
    return make_client(create_app(make_service(Settings(), Store(shipped_store))))


@pytest.fixture(scope="module")
def run_query(shipped_store: ox.Store) -> Callable[[str], list[Row]]:
    """A function that runs an example query and returns its rows, without empty cells."""

    def select_rows(name: str) -> list[Row]:
        solutions = shipped_store.query(read_example_query(name).text, use_default_graph_as_union=True)
        assert isinstance(solutions, ox.QuerySolutions)
        variables = [variable.value for variable in solutions.variables]
        return [
            {variable: row[variable].value for variable in variables if row[variable] is not None}
            for row in solutions
        ]

    return select_rows


def test_each_question_is_once_on_the_page_with_a_path() -> None:
    names = [QUERY_NAMES[get_question(section)] for section in SECTIONS]
    assert len(names) == len(set(names))
    assert set(names) == set(QUERY_NAMES.values()) - QUERIES_WITHOUT_SECTION
    assert all(map(list_click_paths, SECTIONS))


@pytest.mark.parametrize(("name", "path"), CLICK_PATHS)
def test_a_path_ends_at_the_complete_answer(
    service: httpx.Client, run_query: Callable[[str], list[Row]], name: str, path: list[str]
) -> None:
    page = follow_path(service, path)
    rows = run_query(name)
    assert rows
    if page.path.startswith("/queries/"):
        check_result_table(page, rows, name)
    else:
        PAGE_CHECKS[page.path, name](page, rows, service)


@pytest.mark.parametrize("section", SECTIONS, ids=get_question)
def test_the_quoted_texts_are_on_the_last_page_of_the_first_path(service: httpx.Client, section: str) -> None:
    page = follow_path(service, list_click_paths(section)[0])
    quotes = [" ".join(quote.split()) for quote in re.findall(r"\*\*(.+?)\*\*", section, re.DOTALL)]
    assert quotes
    assert [quote for quote in quotes if quote not in page.body.text] == []


def check_result_table(page: ParsedPage, rows: list[Row], name: str) -> None:
    """The page of a query has its question, its note and all rows."""
    shown = [
        {head.replace(" ", "_"): cell.text for head, cell in row.items() if cell.text}
        for row in page.find_table("What the query found")
    ]
    assert shown == [{head: " ".join(value.split()) for head, value in row.items()} for row in rows]
    assert read_example_query(name).question in page.body.text
    assert read_example_query(name).note
    assert read_example_query(name).note in page.body.text


def check_matrix(page: ParsedPage, rows: list[Row], service: httpx.Client) -> None:
    """Each cell of the matrix has the verdicts of its papers with links to them, or a text if empty."""
    cells = {row["Issue"].links[0].text: row for row in page.find_table()}
    for row in rows:
        cell = cells[row["issue"]][row["criterion"]]
        if "paper" in row:
            assert row.get("verdict", "verdict not known") in cell.text
            assert row["paper"] in open_page(service, cell.links[0].target).body.text
        else:
            assert cell.text in ("none", "no paper")


def check_papers(page: ParsedPage, rows: list[Row], service: httpx.Client) -> None:
    """The list of papers marks each missing section; sections whose text was not seen may be marked too."""
    del service
    papers = {row["Paper"].links[0].text: row for row in page.find_table()}
    for row in rows:
        cells = papers[f"Issue paper: {row['paper']}"]
        marked = {head for head, cell in cells.items() if "lacking" in cell.text}
        assert marked >= set(row["missing_sections"].split())
        assert cells["Parts"].text == f"{row['parts_met']} of {row['parts_asked']}"


def find_event_texts(page: ParsedPage) -> dict[str, str]:
    """The text of each event of the timeline, by its name."""
    return {element.links[0].text: element.text for element in page.elements if "event" in element.classes}


def check_milestones(page: ParsedPage, rows: list[Row], service: httpx.Client) -> None:
    """The timeline shows when each milestone was due and delivered, how late it was, and the evidence."""
    del service
    texts = find_event_texts(page)
    for row in rows:
        text = texts[row["milestone"]]
        for name in ("due", "delivered"):
            assert name not in row or str(format_date_text(row[name])) in text
        assert row.get("basis", "") in text
        assert (f"{row.get('days_late')} days late" in text) == ("days_late" in row)


def check_sessions(page: ParsedPage, rows: list[Row], service: httpx.Client) -> None:
    """The timeline shows for each session who could attend and speak, and the media for remote access."""
    del service
    texts = find_event_texts(page)
    sentences = {"true": "Observers could speak", "false": "Observers could not speak"}
    for row in rows:
        text = texts[row["session"]]
        assert (f"Open to {row['open_to']}" if "open_to" in row else "Who could attend is not known") in text
        expected = sentences.get(row.get("observers_may_speak", ""))
        shown = [sentence for sentence in sentences.values() if sentence in text]
        assert shown == ([expected] if expected else [])
        assert all(medium in text for medium in row.get("from_afar", "").split(", "))


def check_seats(page: ParsedPage, rows: list[Row], service: httpx.Client) -> None:
    """The page of people shows the number of seats by group, region, and developing or developed country."""
    del service
    texts = {"true": "developing country", "false": "developed country"}
    for caption, head, name in (
        ("Seats by stakeholder group", "Stakeholder group", "group"),
        ("Seats by region", "Region", "region"),
        ("Seats by development", "Development", "developing"),
    ):
        expected: Counter[str] = Counter()
        for row in rows:
            expected[texts.get(row.get(name, ""), row.get(name, "not known"))] += int(row["members"])
        shown = {row[head].text: int(row["Seats"].text) for row in page.find_table(caption)}
        assert {value: shown[value] for value in expected} == expected
        assert shown.keys() - expected == {"not seen", "All seats"}


# The checks of pages that are not a query page, by the path of the page and the name of the query.
PAGE_CHECKS: dict[tuple[str, str], Callable[[ParsedPage, list[Row], httpx.Client], None]] = {
    ("/coverage", "coverage-matrix"): check_matrix,
    ("/papers", "papers-missing-sections"): check_papers,
    ("/timeline", "due-and-delivered"): check_milestones,
    ("/timeline", "open-sessions"): check_sessions,
    ("/people", "members-by-group-and-region"): check_seats,
}

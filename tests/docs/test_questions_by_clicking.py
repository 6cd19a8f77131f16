"""Each path on the page of the seventeen questions can be clicked, and ends at the complete answer."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable

import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import create_app, make_service
from wgig.lists.answer_table import EMPTY_CELL_RULES, NOT_KNOWN
from wgig.pages.notes import write_note_sentences
from wgig.pages.rendering import format_date_text
from wgig.rdf.namespaces import shorten_iri
from wgig.settings import Settings
from wgig.sparql.examples import EXAMPLE_COLUMN_TITLES, list_example_queries, read_example_query
from wgig.sparql.result_table import DATE_DATATYPES
from wgig.store.store import Store

from tests.docs.blocks import read_docs_page
from tests.docs.clicking import Element, ParsedPage, follow_path, open_page, read_list_rows
from tests.fixtures.service import make_client

Row = dict[str, str]
SECTIONS = re.split(r"^## \d+\. ", read_docs_page("tutorials/questions-by-clicking.md"), flags=re.MULTILINE)[
    1:
]
QUERY_NAMES = {query.question: query.name for query in list_example_queries()}
EMPTY_CELL_TEXTS = {NOT_KNOWN, *(rule.text for rules in EMPTY_CELL_RULES.values() for rule in rules)}
UNNAMED_COLUMNS = {"judgment", "sources"}  # of IRIs without a column of labels; pages look up their labels
QUERIES_WITHOUT_SECTION = {
    "assessments",
    "issues-without-a-paper",
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
def service(shipped_store: ox.Store) -> httpx2.Client:
    """A client of a service over the shipped graph."""
    return make_client(create_app(make_service(Settings(), Store(shipped_store))))


def format_cell_text(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    """The text of a term on an English page: IRIs are shortened, and texts in other languages have a tag."""
    if isinstance(term, ox.Literal) and term.datatype.value in DATE_DATATYPES:
        return format_date_text(term.value)
    if isinstance(term, ox.Literal):
        return f"{term.value} {term.language}" if term.language not in (None, "en") else term.value
    return shorten_iri(str(term).strip("<>"), Settings.base)


@pytest.fixture(scope="module")
def run_query(shipped_store: ox.Store) -> Callable[[str], list[Row]]:
    """A function that runs an example query and returns its rows as pages show them, without empty cells.

    A thing has its label, and a list of things has their labels.
    """

    def select_rows(name: str) -> list[Row]:
        solutions = shipped_store.query(read_example_query(name).text, use_default_graph_as_union=True)
        assert isinstance(solutions, ox.QuerySolutions)
        variables = [variable.value for variable in solutions.variables]
        return [
            {
                variable: format_cell_text(term)
                for variable in variables
                if not variable.endswith("Label")
                if (term := row[f"{variable}Label" if f"{variable}Label" in variables else variable])
                is not None
            }
            for row in solutions
        ]

    return select_rows


def test_each_question_is_once_on_the_page_with_a_path() -> None:
    assert len(SECTIONS) == 17
    names = [QUERY_NAMES[get_question(section)] for section in SECTIONS]
    assert len(names) == len(set(names))
    assert set(names) == set(QUERY_NAMES.values()) - QUERIES_WITHOUT_SECTION
    assert all(map(list_click_paths, SECTIONS))


@pytest.mark.parametrize(("name", "path"), CLICK_PATHS)
def test_a_path_ends_at_the_complete_answer(
    service: httpx2.Client, run_query: Callable[[str], list[Row]], name: str, path: list[str]
) -> None:
    page = follow_path(service, path)
    rows = run_query(name)
    assert rows
    if page.path.startswith("/queries/"):
        check_result_table(page, rows, name, service)
    else:
        PAGE_CHECKS[page.path, name](page, rows, service)


@pytest.mark.parametrize("section", SECTIONS, ids=get_question)
def test_the_quoted_texts_are_on_the_last_page_of_the_first_path(
    service: httpx2.Client, section: str
) -> None:
    page = follow_path(service, list_click_paths(section)[0])
    quotes = [" ".join(quote.split()) for quote in re.findall(r"\*\*(.+?)\*\*", section, re.DOTALL)]
    assert quotes
    assert [quote for quote in quotes if quote not in page.body.text] == []


def count_distinct(rows: list[Row], column: str) -> int:
    """The number of values of a column."""
    return len({row[column] for row in rows if column in row})


@pytest.mark.parametrize(
    ("name", "sentence", "count_rows"),
    [
        (
            "disagreements",
            r"On (\d+) points, with (\d+) claims",
            lambda rows: (count_distinct(rows, "disagreement"), len(rows)),
        ),
        (
            "judgments",
            r"Of all (\d+) judgments, .+ In \*\*(\d+) cells",
            lambda rows: (
                count_distinct(rows, "judgment"),
                len({(row["issue"], row["criterion"]) for row in rows if {"issue", "dispute"} <= row.keys()}),
            ),
        ),
        (
            "mechanisms-and-judgments",
            r"names (\d+) organizations, .+ judges (\d+) of them",
            lambda rows: (
                count_distinct(rows, "mechanism"),
                count_distinct([row for row in rows if "judgment" in row], "mechanism"),
            ),
        ),
        (
            "needs-and-answers",
            r"directions for (\d+) issues\. The report took up (\d+) of these .+ Tunis Agenda (\d+);",
            lambda rows: tuple(
                count_distinct([row for row in rows if column in row], "issue")
                for column in ("issue", "report_parts", "tunis_paragraphs")
            ),
        ),
        (
            "outcomes-and-evidence",
            r"For (\d+) of the (\d+) agreements",
            lambda rows: (sum("outcome" in row for row in rows), len(rows)),
        ),
    ],
)
def test_numbers_of_an_answer_are_those_of_the_query(
    run_query: Callable[[str], list[Row]],
    name: str,
    sentence: str,
    count_rows: Callable[[list[Row]], tuple[int, ...]],
) -> None:
    (section,) = (section for section in SECTIONS if QUERY_NAMES[get_question(section)] == name)
    match = re.search(sentence, " ".join(section.split()))
    assert match
    assert tuple(map(int, match.groups())) == count_rows(run_query(name))


def check_result_table(page: ParsedPage, rows: list[Row], name: str, service: httpx2.Client) -> None:
    """The page of a query has its question, its note and all rows."""
    titled_rows = [
        {EXAMPLE_COLUMN_TITLES[column]: value for column, value in row.items() if value} for row in rows
    ]
    table = [
        {title: cell for title, cell in row.items() if title in titled or cell.text not in EMPTY_CELL_TEXTS}
        for row, titled in zip(
            read_list_rows(page, service, "What the query found"), titled_rows, strict=True
        )
    ]
    unnamed_titles = {EXAMPLE_COLUMN_TITLES[column] for column in UNNAMED_COLUMNS}
    shown = [
        {title: cell.text.replace(" | ", " ") for title, cell in row.items() if title not in unnamed_titles}
        for row in table
    ]
    for title in unnamed_titles & {title for row in titled_rows for title in row}:
        assert [len(row[title].links) for row in table if title in row] == [
            row[title].count(" | ") + 1 for row in titled_rows if title in row
        ]
    truths = {"true": "yes", "false": "no"}
    assert shown == [
        {
            title: truths.get(value, " ".join(value.replace(" | ", " ").split()))
            for title, value in row.items()
            if title not in unnamed_titles
        }
        for row in titled_rows
    ]
    assert read_example_query(name).question in page.body.text
    assert read_example_query(name).note
    assert read_example_query(name).note in page.body.text


def find_cells_by_issue(page: ParsedPage) -> dict[str, dict[str, Element]]:
    """The cells of the coverage matrix by issue and criterion."""
    return {row["Issue"].links[0].text: row for row in page.find_table()}


def check_paper_cells(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """Each cell of the matrix has the number of its papers with a link to them, or no paper."""
    cells, expected = find_cells_by_issue(page), defaultdict[tuple[str, str], int](int)
    for row in rows:
        expected[row["issue"], row["criterion"]] += int(row.get("papers", 0))
    for (issue, criterion), papers in expected.items():
        links = [link for link in cells[issue][criterion].links if link.target.startswith("/papers?")]
        assert len(links) == bool(papers)
        for link in links:
            assert link.text.startswith(f"{papers} paper")
            assert service.get(link.target).json()["total"] == papers


def check_judged_cells(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """Each cell of the matrix has the number of its judgments, shows if they are disputed, and links to them.

    Only the link of the cell with the most judgments is followed.
    """
    expected: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if "issue" in row:
            expected[row["issue"], row["criterion"]].append(row)
    cells = {
        (issue, criterion): cell
        for issue, row in find_cells_by_issue(page).items()
        for criterion, cell in row.items()
        if criterion != "Issue"
    }
    assert expected.keys() <= cells.keys()
    for key, cell in cells.items():
        judgments = expected.get(key, [])
        words = cell.text.split()
        assert int(words[0]) == len(judgments) if judgments else cell.text.startswith("no judgment")
        assert ("dispute" in words) == any("dispute" in row for row in judgments)
    cell, judgments = max(
        ((cell, expected[key]) for key, cell in cells.items() if key in expected),
        key=lambda pair: len(pair[1]),
    )
    check_judgments(open_page(service, cell.links[0].target), judgments, service)


def check_judgments(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The list has each judgment with issues, criterion, verdict, holder, quotation, paragraph, dispute."""
    shown = {row["Name"].links[0].target: row for row in read_list_rows(page, service)}
    paths = [f"/doc/{row['judgment'].replace(':', '/')}" for row in rows]
    assert shown.keys() == set(paths)
    for row, path in zip(rows, paths, strict=True):
        cells = shown[path]
        assert {row.get("issue", row["criterion"]), row["criterion"]} <= {
            link.text for link in cells["Name"].links
        }
        assert row["quotation"] in cells["Name"].text
        assert (cells["Verdict"].text, cells["Whose view"].text) == (row["verdict"], row["view"])
        assert all(part in cells["Paragraph"].text for part in row["paragraph"].split(" | "))
        assert cells["Dispute"].text == row.get("dispute", "none")


def check_mechanisms(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The list has each mechanism with kind, role, issues, and number of judgments with a link to them.

    Only the link of the mechanism with the most judgments is followed.
    """
    shown = {row["Name"].links[0].text: row for row in read_list_rows(page, service)}
    by_mechanism: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_mechanism[row["mechanism"]].append(row)
    assert shown.keys() == by_mechanism.keys()
    for mechanism, (row, *others) in by_mechanism.items():
        cells, judgments = shown[mechanism], [row for row in (row, *others) if "judgment" in row]
        assert (cells["Type"].text, row["role"] in cells["Name"].text) == (row["kind"], True)
        unlisted = [
            issue for issue in row.get("issues", "").split(" | ") if issue not in cells["Governs"].text
        ]
        if unlisted:
            link = cells["Governs"].links[-1]
            assert link.text == f"and {len(unlisted)} more"
            assert all(issue in open_page(service, link.target).body.text for issue in unlisted)
        assert int(cells["Judgments"].text) == len(judgments)
    mechanism = max(by_mechanism, key=lambda name: len(by_mechanism[name]))
    (link,) = shown[mechanism]["Judgments"].links
    listed_rows = read_list_rows(open_page(service, link.target), service)
    assert Counter((cells["Verdict"].text, cells["Whose view"].text) for cells in listed_rows) == Counter(
        (row["verdict"], row["view"]) for row in by_mechanism[mechanism]
    )


def check_papers(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The list of papers says that their full texts were not seen, and marks no section of these."""
    del service
    assert "We have not seen the full text of any of them." in page.body.text
    papers = {row["Title"].links[0].text: row for row in page.find_table()}
    for row in rows:
        assert row["text_seen"] in ("not seen", "beginning only")
        texts = [cell.text for cell in papers[row["paper"]].values()]
        assert [text for text in texts if "missing" in text] == []


def find_event_texts(page: ParsedPage) -> dict[str, str]:
    """The text of each event of the timeline, by its name."""
    return {element.links[0].text: element.text for element in page.elements if "event" in element.classes}


def check_milestones(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The timeline shows when each milestone was due and delivered, how late it was, and the evidence."""
    del service
    texts = find_event_texts(page)
    for row in rows:
        text = texts[row["milestone"]]
        for name in ("due", "delivered"):
            assert name not in row or str(format_date_text(row[name])) in text
        # The page leaves out what only repeats that something was held or published.
        assert row.get("basis", "").startswith(("held", "month only", "published")) or (
            write_note_sentences(row.get("basis", "")) in text
        )
        assert "Source" in text
        assert (f"{row.get('days_late')} days late" in text) == ("days_late" in row)


def check_sessions(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The timeline shows for each session who could attend and speak, and the media for remote access."""
    del service
    texts = find_event_texts(page)
    sentences = {"true": "Observers could speak", "false": "Observers could not speak"}
    for row in rows:
        text = texts[row["session"]]
        audience = f"Open to {row['open_to']}" if "open_to" in row else "Who could attend: not known"
        assert audience in text
        expected = sentences.get(row.get("observers_may_speak", ""))
        shown = [sentence for sentence in sentences.values() if sentence in text]
        assert shown == ([expected] if expected else [])
        assert all(medium in text for medium in row.get("from_afar", "").split(" | "))


def check_seats(page: ParsedPage, rows: list[Row], service: httpx2.Client) -> None:
    """The page of people shows the number of seats by group, region, and developing or developed country."""
    del service
    texts = {"true": "developing country", "false": "developed country"}
    for caption, head, name in (
        ("Members by stakeholder group", "Stakeholder group", "group"),
        ("Members by region", "Region", "region"),
        ("Members by level of development", "Level of development", "developing"),
    ):
        expected: Counter[str] = Counter()
        for row in rows:
            expected[texts.get(row.get(name, ""), row.get(name, "not known"))] += int(row["members"])
        shown = {row[head].text: int(row["Members"].text) for row in page.find_table(caption)}
        assert {value: shown[value] for value in expected} == expected
        assert shown.keys() - expected == {"Total"}


# The checks of pages that are not a query page, by the path of the page and the name of the query.
PAGE_CHECKS: dict[tuple[str, str], Callable[[ParsedPage, list[Row], httpx2.Client], None]] = {
    ("/coverage", "coverage-matrix"): check_paper_cells,
    ("/coverage", "judgments"): check_judged_cells,
    ("/judgments", "judgments"): check_judgments,
    ("/mechanisms", "mechanisms-and-judgments"): check_mechanisms,
    ("/papers", "papers-missing-sections"): check_papers,
    ("/timeline", "due-and-delivered"): check_milestones,
    ("/timeline", "open-sessions"): check_sessions,
    ("/people", "members-by-group-and-region"): check_seats,
}

"""/queries: the example queries, their parameters, and their results in all formats.

The place of a parameter in a query is a clause `VALUES ?name { value }`, with UNDEF if it has no default.
"""

import html
import re
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import SparqlText
from wgig.rdf.values import ANY_RESOURCE, EXAMPLE_NAMES, VALUE_TYPES, parse_parameter_term
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.examples import (
    EXAMPLE_COLUMN_TITLES,
    EXAMPLE_SUBJECTS,
    NO_DEFAULT,
    ExampleParameter,
    ExampleQuery,
    bind_query_parameters,
    find_value_tokens,
    list_example_queries,
    list_related_examples,
    read_example_file,
    read_example_query,
)
from wgig.store.store import Store
from wgig.text import natural_sort_key

from tests.fixtures.service import make_store_client

BASE = Settings.base
EXPECTED_RESULTS_FOLDER = SHIPPED_FOLDER / "tests" / "data" / "answers"
EXAMPLE_PARAMETERS = [
    (example, parameter) for example in list_example_queries() for parameter in example.parameters
]
TEXT_STRATEGY = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"\\'{}<>#\n\r\t?$u0022/:"), min_size=1
)
EXAMPLE_PARAMETER_IDS = [f"{example.name}-{parameter.name}" for example, parameter in EXAMPLE_PARAMETERS]


def select_values(store: ox.Store, query: str) -> list[Any]:
    """The values of the first variable of a query."""
    solutions = store.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, ox.QuerySolutions)
    return [row[0] for row in solutions]


def test_list_has_every_query_with_its_parameters(shipped_client: httpx2.Client) -> None:
    queries = shipped_client.get("/queries").json()["queries"]
    assert [query["name"] for query in queries] == [example.name for example in list_example_queries()]
    matrix = next(query for query in queries if query["name"] == "coverage-matrix")
    assert [parameter["name"] for parameter in matrix["parameters"]] == ["the_issue", "the_criterion"]
    assert shipped_client.get(matrix["path"]).status_code == 200
    page = shipped_client.get("/queries", headers={"Accept": "text/html"}).text
    assert "Assessments by issue and criterion" in page


@pytest.mark.parametrize("example", list_example_queries(), ids=lambda example: example.name)
def test_query_has_the_expected_result(shipped_client: httpx2.Client, example: ExampleQuery) -> None:
    expected = (EXPECTED_RESULTS_FOLDER / f"{example.name}.csv").read_text(encoding="utf-8")
    assert shipped_client.get(f"/queries/{example.name}.csv").text.splitlines() == expected.splitlines()


@pytest.mark.parametrize(
    ("words", "name"), [("INVENTORY tunis", "from-inventory-to-tunis"), ("writes", "who-wrote-what")]
)
def test_question_is_found_by_words_of_its_text_or_keywords(
    shipped_client: httpx2.Client, words: str, name: str
) -> None:
    queries = shipped_client.get("/queries", params={"q": words}).json()["queries"]
    assert [query["name"] for query in queries] == [name]
    page = get_page(shipped_client, "/queries", q=words)
    items = re.findall(r"<li data-filtered(?: hidden)?>\s*<p><a href=\"/queries/([^\"]+)\">", page)
    assert len(items) == len(list_example_queries())  # the others are hidden
    shown = re.findall(r"<li data-filtered>\s*<p><a href=\"/queries/([^\"]+)\">", page)
    assert shown == [name]
    assert f"1 of {len(items)} questions" in page
    page = get_page(shipped_client, "/queries", q="zzzz")
    assert "Nothing here contains “<bdi>zzzz</bdi>”." in page
    assert 'href="/search?q=zzzz"' in page


def test_questions_are_found_by_what_they_can_be_asked_about(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries", q="spam")
    links = re.findall(r'<a href="(/queries/[^"]+the_issue=spam)">', page)
    assert "/queries/judgments?the_issue=spam" in links
    assert len(links) == 7  # the questions with an issue as a parameter
    assert shipped_client.get(links[0]).status_code == 200


def test_related_examples_exist() -> None:
    for example in list_example_queries():
        assert example not in list_related_examples(example)


def test_every_example_has_a_subject() -> None:
    assert {example.subject for example in list_example_queries()} == {*EXAMPLE_SUBJECTS}


HTML_HEADERS = {"Accept": "text/html"}


def get_page(client: httpx2.Client, path: str, status: int = 200, **params: str) -> str:
    """The page at a path."""
    response = client.get(path, params=params or None, headers=HTML_HEADERS)
    assert response.status_code == status, response.text
    return response.text


def list_options(page: str, name: str) -> list[tuple[str, str]]:
    """The options of a select on a page, each with its value and label."""
    (select,) = re.findall(rf'<select id="of-{name}".*?</select>', page, re.DOTALL)
    return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', select)


@pytest.mark.parametrize(
    ("path", "filter_", "is_empty"),
    [
        ("/queries/disagreements", "", False),
        ("/queries/disagreements?question=seats-by-group", "Seats by stakeholder group", False),
        ("/queries/issues-under-several-categories?the_issue=voip", "VoIP", True),
    ],
)
def test_page_of_an_example_has_the_question_as_heading_and_title_and_names_the_filters(
    shipped_client: httpx2.Client, path: str, filter_: str, is_empty: bool
) -> None:
    page = get_page(shipped_client, path)
    question = read_example_query(path.split("/")[2].partition("?")[0]).question
    assert f"<h1>{question}</h1>" in page
    assert f"<title>{question} ·" in page
    assert ("Filters:" in page) == bool(filter_)
    assert re.search(rf"Filters:\s*<a [^>]*>{filter_}", page) or not filter_
    assert ("The graph has no answer for this choice." in page) == is_empty


def test_things_in_the_answer_of_an_example_are_links_with_labels(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/coverage-matrix?the_issue=spam")
    assert re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page) == ["Issue", "Criterion", "Verdict", "Papers"]
    spam = '<span class="name">Spam</span><span class="address" dir="ltr" hidden>issue:spam</span></a>'
    assert page.count(f'<a href="/doc/issue/spam">{spam}') == 1
    assert page.count(f'<a href="/doc/issue/spam" tabindex="-1">{spam}') == 5  # repeated, and hidden by CSS


def test_labels_in_the_answer_of_an_example_are_in_the_language_of_the_page(
    shipped_client: httpx2.Client,
) -> None:
    path = "/queries/coverage-matrix?the_issue=root-server-system&_lang="
    assert '<span class="name">Administration of root server system</span>' in get_page(
        shipped_client, f"{path}en"
    )
    assert '<span class="name">administration du système de serveurs racines</span>' in get_page(
        shipped_client, f"{path}fr"
    )


def test_lists_in_the_answer_of_an_example_are_lists_of_links(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/declaration-citations?part=48")
    cell = re.search(r"<td [^>]*><ul>(<li>.*?)</ul></td>", page)
    assert cell
    assert cell[1].count('<li><a href="/doc/document/') == cell[1].count("<li>") > 3


@pytest.mark.parametrize("example", list_example_queries(), ids=lambda example: example.name)
def test_every_value_that_a_field_offers_from_the_answer_has_an_answer(
    shipped_client: httpx2.Client, example: ExampleQuery
) -> None:
    page = get_page(shipped_client, f"/queries/{example.name}")
    for parameter in example.parameters:
        if parameter.values and f'<select id="of-{parameter.name}"' in page:
            options = list_options(page, parameter.name)
            if parameter.default == NO_DEFAULT:
                assert options.pop(0) == ("", "Any")
            assert options == sorted(options, key=lambda option: natural_sort_key(option[1]))
            for value, _ in options:
                rows = shipped_client.get(f"/queries/{example.name}.csv?{parameter.name}={value}").text
                assert len(rows.splitlines()) > 1, value


def test_field_with_many_values_suggests_their_labels(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/mechanisms-and-judgments?the_mechanism=iana")
    (list_,) = re.findall(r'<datalist id="list-the_mechanism">(.*?)</datalist>', page)
    assert list_.count("<option ") > 60
    (value,) = re.findall(
        r'<input type="text" id="of-the_mechanism" name="the_mechanism" value="([^"]+)"', page
    )
    assert f'<option value="{value}">' in list_


@pytest.mark.parametrize(
    ("params", "location"),
    [
        ({"the_issue": "", "the_criterion": ""}, "/queries/coverage-matrix"),
        ({"the_issue": "spam", "the_criterion": ""}, "/queries/coverage-matrix?the_issue=spam"),
        ({"the_issue": "Spam"}, "/queries/coverage-matrix?the_issue=spam"),
        ({"the_issue": " SPAM "}, "/queries/coverage-matrix?the_issue=spam"),
        ({"the_issue": f"{BASE}id/issue/spam"}, "/queries/coverage-matrix?the_issue=spam"),
    ],
)
def test_form_leads_to_the_address_of_the_answer(
    shipped_client: httpx2.Client, params: dict[str, str], location: str
) -> None:
    response = shipped_client.get("/queries/coverage-matrix", params=params, headers=HTML_HEADERS)
    assert (response.status_code, response.headers["location"]) == (303, location)
    assert shipped_client.get(location, headers=HTML_HEADERS).status_code == 200


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("spm", "“<bdi>spm</bdi>” is not one of the choices. Did you mean “<bdi>Spam</bdi>”?"),
        ("zzzzzz", "“<bdi>zzzzzz</bdi>” is not one of the choices. Choose one from the list."),
        ('"><script>', "“<bdi>&#34;&gt;&lt;script&gt;</bdi>” is not one of the choices."),
    ],
)
def test_wrong_value_stays_in_its_field_with_a_message(
    shipped_client: httpx2.Client, value: str, message: str
) -> None:
    for path, params in (("/queries/coverage-matrix", {}), ("/sparql", {"example": "coverage-matrix"})):
        page = get_page(shipped_client, path, 400, **params, the_issue=value, the_criterion="transparency")
        (field,) = re.findall(r'<select id="of-the_issue".*?</select>', page, re.DOTALL)
        assert f'value="{html.escape(value, quote=True).replace("&quot;", "&#34;")}" selected' in field
        assert 'aria-invalid="true"' in field
        said = page.partition('id="said-the_issue">')[2].partition("</p>")[0]
        assert said.startswith(f'<span class="unseen">Error:</span> <span class="message">{message}')
        assert '<option value="transparency" selected>' in page


def test_pages_of_a_long_answer_have_all_rows(shipped_client: httpx2.Client) -> None:
    rows = shipped_client.get("/queries/judgments.csv").text.count("\r\n") - 1
    first, last = (
        get_page(shipped_client, "/queries/judgments", page=str(page)) for page in (1, -(-rows // 200))
    )
    assert f"Rows 1 to 200 of {rows}" in first
    assert '<a href="/queries/judgments?page=2" rel="next">Next page</a>' in first
    assert f"to {rows} of {rows}" in last
    assert "Next page" not in last
    assert "no page 99" in get_page(shipped_client, "/queries/judgments", 404, page="99")
    assert shipped_client.get("/queries/judgments.csv?page=2").status_code == 400


def test_page_offers_the_table_as_csv_with_names(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/queries/coverage-matrix?the_issue=spam", headers={"Accept": "text/html"}).text
    (path,) = map(html.unescape, re.findall(r'href="([^"]*;names=[^"]*)"', page))
    assert path == "/queries/coverage-matrix.csv?the_issue=spam&names="
    response = shipped_client.get(path)
    assert response.headers["content-location"] == path
    assert response.text.splitlines()[1].startswith("Spam,")
    assert "http" not in response.text


def test_page_of_an_example_leads_on(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/due-and-delivered?in_time=late")
    for path in (
        "/queries/due-and-delivered.csv?in_time=late",
        "/queries/due-and-delivered.json?in_time=late",
        "/sparql?example=due-and-delivered&amp;in_time=late",
        "/feed/query/due-and-delivered.atom?in_time=late",
        "/queries/agreements-and-outcomes",  # a related question
    ):
        assert f'href="{path}"' in page
    assert ">http://localhost/queries/due-and-delivered?in_time=late</a>" in page
    assert "wgig query --name due-and-delivered --param in_time=late\n" in page
    assert "# title" not in page


def test_only_pages_of_example_queries_have_column_titles_in_words(shipped_client: httpx2.Client) -> None:
    assert '<th scope="col">Due from</th>' in get_page(shipped_client, "/queries/due-and-delivered")
    assert "due_from" in shipped_client.get("/queries/due-and-delivered", headers={"Accept": "text/csv"}).text
    page = get_page(shipped_client, "/sparql", query="SELECT ?due_from { ?due_from a ?y } LIMIT 1")
    assert '<th scope="col">due_from</th>' in page


def test_every_column_of_an_example_has_a_title(shipped_client: httpx2.Client) -> None:
    names = {
        name
        for example in list_example_queries()
        for name in shipped_client.get(f"/queries/{example.name}.csv").text.splitlines()[0].split(",")
        if not name.endswith("Label")
    }
    assert names == EXAMPLE_COLUMN_TITLES.keys()


def list_cells(page: str, title: str) -> list[str]:
    """The texts of the cells of a column on the page of an answer."""
    cells = re.findall(rf'data-title="{re.escape(title)}">(.*?)</td>', page)
    return [re.sub(r"<[^>]+>", "", cell) for cell in cells]


@pytest.mark.parametrize(
    ("path", "title", "texts"),
    [
        ("members-by-group-and-region", "Region", {"not known"}),
        ("agreements-and-outcomes", "Due", {"no date set", "does not apply"}),
        ("due-and-delivered", "Delivered", {"not known"}),
        ("due-and-delivered", "Days late", {"none", "not known", "does not apply"}),
        ("definitions", "Author was a member", {"not known", "does not apply"}),
        ("comments-on-papers", "Split into", {"none"}),
        ("coverage-matrix", "Papers", {"none known"}),
        ("coverage-matrix", "Verdict", {"not seen", "does not apply"}),
    ],
)
def test_empty_cells_say_why_they_have_no_value(
    shipped_client: httpx2.Client, path: str, title: str, texts: set[str]
) -> None:
    page = get_page(shipped_client, f"/queries/{path}")
    assert texts <= {*list_cells(page, title)}
    assert "" not in list_cells(page, title)


def find_counts(page: str) -> list[tuple[str, int]]:
    """The numbers on the page of an answer that are links: path and number."""
    links = re.findall(r'<a href="([^"]+)" rel="nofollow"><(?:strong|span dir="auto")>([0-9]+)<', page)
    return [(html.unescape(path), int(number)) for path, number in links]


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("members-by-group-and-region", 20 + 13 + 1),
        ("members-by-group-and-region?the_role=chair", 1),
        ("issues-without-a-paper", 12),
    ],
)
def test_numbers_link_to_lists_of_what_they_count(
    shipped_client: httpx2.Client, path: str, size: int
) -> None:
    counts = find_counts(get_page(shipped_client, f"/queries/{path}"))
    assert len(counts) == size
    for list_path, number in counts:
        assert shipped_client.get(list_path).json()["total"] == number, list_path


def test_totals_come_before_the_rows_and_equal_their_sums(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/members-by-group-and-region")
    totals, _, rows = page.partition("<h2>In detail</h2>")
    numbers = [number for _, number in find_counts(totals)]
    assert (numbers[0], sum(numbers)) == (40, 4 * 40)  # by group, region and development
    assert sum(number for _, number in find_counts(rows)) == 40
    assert re.findall(r"<caption[^>]*>(.*?)</caption>", totals) == [
        "Stakeholder group",
        "Region",
        "Developing country",
    ]


def test_field_with_a_single_value_is_shown_as_text(shipped_client: httpx2.Client) -> None:
    page = get_page(shipped_client, "/queries/agreements-and-outcomes")
    assert '<p>Meeting: <a href="/doc/meeting/m1"' in page
    assert 'name="meeting"' not in page
    page = get_page(shipped_client, "/queries/agreements-and-outcomes", meeting="m2")
    assert ("m1", "WGIG 1st meeting") in list_options(page, "meeting")


def test_note_on_the_answer_is_in_sight(shipped_client: httpx2.Client) -> None:
    for example in list_example_queries():
        page = get_page(shipped_client, f"/queries/{example.name}")
        assert f'<p class="about">{example.note}</p>' in html.unescape(page)


def test_page_of_a_client_query_does_not_show_its_question_comment(shipped_client: httpx2.Client) -> None:
    query = "# question: Is it mine?\nSELECT ?x { ?x a ?y } LIMIT 1"
    page = get_page(shipped_client, "/sparql", query=query)
    assert "<h1>Query result</h1>" in page
    assert "Is it mine?</" not in page


@pytest.mark.parametrize(("example", "parameter"), EXAMPLE_PARAMETERS, ids=EXAMPLE_PARAMETER_IDS)
def test_parameter_has_a_place_a_type_and_a_description(
    example: ExampleQuery, parameter: ExampleParameter
) -> None:
    assert find_value_tokens(example.source.tokens)[parameter.name]
    assert parameter.type in VALUE_TYPES or parameter.type in EXAMPLE_NAMES
    assert parameter.description.endswith(".")


@pytest.mark.parametrize(("example", "parameter"), EXAMPLE_PARAMETERS, ids=EXAMPLE_PARAMETER_IDS)
def test_declared_default_equals_the_value_in_the_query(
    example: ExampleQuery, parameter: ExampleParameter
) -> None:
    texts = {token.text for token in find_value_tokens(example.source.tokens)[parameter.name]}
    if parameter.default == NO_DEFAULT:
        assert texts == {"UNDEF"}
    else:
        assert texts == {str(parse_parameter_term("x", parameter.type, parameter.default, BASE))}


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/queries/coverage-matrix.csv?the_issue=spam", 6),
        ("/queries/coverage-matrix.csv?the_issue=spam&the_criterion=transparency", 1),
        (
            f"/queries/coverage-matrix.csv?the_issue={BASE}id/issue/spam&the_criterion=principle:transparency",
            1,
        ),
        ("/queries/due-and-delivered.csv?in_time=late", 1),
        ("/queries/agreements-and-outcomes.csv?meeting=m2", 0),
        ("/queries/issues-under-several-categories.csv?the_issue=spam", 2),
        ("/queries/papers-missing-sections.csv?text=wp-spam", 1),
        ("/queries/disagreements.csv?question=seats-by-group", 5),
        ("/queries/declaration-citations.csv?part=48", 1),
        ("/queries/who-wrote-what.csv?graph=graph:issues", 0),
        ("/queries/judgments.csv?the_issue=spam", 14),
        ("/queries/judgments.csv?the_issue=spam&the_criterion=coordination-capacity", 7),
        ("/queries/judgments.csv?the_criterion=adequacy", 130),
        ("/queries/judgments.csv?the_verdict=not-assessed", 17),
        ("/queries/judgments.csv?the_holder=others", 40),
        ("/queries/judgments.csv?the_dispute=icann-legitimacy", 7),
        ("/queries/judgments.csv?the_mechanism=agent/icann", 28),
        ("/queries/mechanisms-and-judgments.csv?the_mechanism=agent/icann", 21),
        ("/queries/mechanisms-and-judgments.csv?the_kind=treaty", 19),
        ("/queries/mechanisms-and-judgments.csv?the_issue=spam", 36),
        ("/queries/mechanisms-and-judgments.csv?the_criterion=adequacy", 57),
        ("/queries/mechanisms-and-judgments.csv?the_verdict=inadequate", 73),
        ("/queries/mechanisms-and-judgments.csv?the_holder=others", 18),
        ("/queries/needs-and-answers.csv?the_issue=spam", 9),
        ("/queries/needs-and-answers.csv?the_kind=barrier", 20),
        ("/queries/needs-and-answers.csv?the_principle=transparency", 11),
        ("/queries/needs-and-answers.csv?the_holder=others", 48),
        ("/queries/definitions.csv?the_type=government", 2),
        ("/queries/outcomes-and-evidence.csv?the_agreement=d06", 1),
        ("/queries/outcomes-and-evidence.csv?the_kind=taken-up", 2),
    ],
)
def test_parameter_filters_rows(shipped_client: httpx2.Client, path: str, rows: int) -> None:
    response = shipped_client.get(path)
    assert response.status_code == 200, response.text
    assert len(response.text.splitlines()) - 1 == rows


@pytest.mark.parametrize(
    ("suffix", "media_type"),
    [
        ("json", "application/sparql-results+json"),
        ("xml", "application/sparql-results+xml"),
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
        ("html", "text/html"),
    ],
)
def test_query_has_results_in_every_format(
    shipped_client: httpx2.Client, suffix: str, media_type: str
) -> None:
    response = shipped_client.get(f"/queries/due-and-delivered.{suffix}?in_time=late")
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert response.headers["content-location"] == f"/queries/due-and-delivered.{suffix}?in_time=late"
    revalidation = shipped_client.get(
        f"/queries/due-and-delivered.{suffix}?in_time=late",
        headers={"If-None-Match": response.headers["etag"]},
    )
    assert revalidation.status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/queries/coverage-matriks", 404, "Did you mean coverage-matrix?"),
        ("/queries/zzz", 404, "See: /queries"),
        ("/queries/coverage-matrix?the_isue=spam", 400, "Did you mean the_issue?"),
        ("/queries/coverage-matrix?the_issue=spm", 400, "Did you mean spam?"),
        ("/queries/coverage-matrix?the_issue=spam&the_issue=voip", 400, "Send it once."),
        (
            "/queries/coverage-matrix?the_issue=agent:desai",
            400,
            "is a resource of the kind agent. Give an IRI such as",
        ),
        ("/queries/coverage-matrix?the_issue=a%20b", 400, "which does not name a resource"),
        ("/queries/coverage-matrix?the_issue=", 400, "which does not name a resource"),
        ("/queries?p=spam", 400, "There is no parameter 'p'."),
        ("/queries/coverage-matrix.pdf", 406, "Use one of these suffixes in the address: .json"),
        ("/queries/coverage-matrix.ttl", 406, "Use one of these suffixes in the address: .json"),
        ("/queries/..%2Frules%2Ftypes", 404, "There is nothing at"),
        ("/queries/%2E%2E", 404, "no example query"),
        ("/queries/coverage-matrix?query=ASK%7B%7D", 400, "no parameter 'query'"),
    ],
)
def test_unknown_query_parameter_or_format_is_refused(
    shipped_client: httpx2.Client, path: str, status: int, sentence: str
) -> None:
    response = shipped_client.get(path)
    assert response.status_code == status, response.text
    assert sentence in response.text


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(TEXT_STRATEGY)
def test_text_is_bound_as_one_literal(text: str) -> None:
    query = "SELECT ?x WHERE { VALUES ?x { UNDEF } # VALUES ?x { UNDEF }\n }"
    bound_query = bind_query_parameters(SparqlText(query), {"x": ox.Literal(text)})
    assert select_values(ox.Store(), bound_query) == [ox.Literal(text)]


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(TEXT_STRATEGY)
def test_iri_is_refused_or_bound_as_one_term(text: str) -> None:
    try:
        iri = parse_parameter_term("x", ANY_RESOURCE, f"urn:{text}", BASE)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017  the IRI may be accepted, too
    else:
        query = SparqlText("SELECT ?x WHERE { VALUES ?x { UNDEF } }")
        assert select_values(ox.Store(), bind_query_parameters(query, {"x": iri})) == [iri]


def test_places_in_strings_and_comments_are_ignored() -> None:
    text = 'SELECT * { BIND("VALUES ?x { UNDEF }" AS ?y) } # VALUES ?x { UNDEF }'
    assert find_value_tokens(SparqlText(text).tokens) == {}
    with pytest.raises(KeyError):
        bind_query_parameters(SparqlText(text), {"x": ox.Literal("a")})


def test_parameter_is_bound_at_every_place() -> None:
    text = "SELECT * { { VALUES ?x { UNDEF } } UNION { VALUES ?x { 1 } } }"
    assert bind_query_parameters(SparqlText(text), {"x": ox.Literal(22)}).count(str(ox.Literal(22))) == 2


def test_parameters_are_read_from_comments_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    # A parameter: name, type, default, description.
    comments = "# title: One\n# question: Is it?\n# keywords: one\n# param: of issue spam Only this one.\n"
    path.write_text(f"{comments}ASK {{ VALUES ?of {{ UNDEF }} }}")
    assert read_example_file(path).parameters == (ExampleParameter("of", "issue", "spam", "Only this one."),)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("integer", "007", ox.Literal(7)),
        (
            "date",
            "2004-02-29",
            ox.Literal("2004-02-29", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date")),
        ),
        ("boolean", "true", ox.Literal(True)),
        ("text", "a", ox.Literal("a")),
        ("year", "2005", ox.Literal("2005")),
        ("declaration", "49.a", ox.NamedNode(f"{BASE}id/document/declaration/49.a")),
        ("issue", "issue:spam", ox.NamedNode(f"{BASE}id/issue/spam")),
        ("thing", "paper:wp-spam", ox.NamedNode(f"{BASE}id/paper/wp-spam")),
        ("agent", "paper:mine/ann", ox.NamedNode(f"{BASE}id/paper/mine/ann")),
        ("agent", "https://example.org/ann", ox.NamedNode("https://example.org/ann")),
        ("criterion", "transparency", ox.NamedNode(f"{BASE}id/principle/transparency")),
        ("criterion", "adequacy", ox.NamedNode(f"{BASE}id/criterion/adequacy")),
        ("criterion", "principle:democracy", ox.NamedNode(f"{BASE}id/principle/democracy")),
        ("criterion", "principle/democracy", ox.NamedNode(f"{BASE}id/principle/democracy")),
        ("mechanism", "iana", ox.NamedNode(f"{BASE}id/mechanism/iana")),
        ("mechanism", "agent", ox.NamedNode(f"{BASE}id/mechanism/agent")),
        ("mechanism", "agent/icann", ox.NamedNode(f"{BASE}id/agent/icann")),
        ("mechanism", "agent:icann", ox.NamedNode(f"{BASE}id/agent/icann")),
    ],
)
def test_text_is_parsed_according_to_its_type(type_: str, text: str, value: Any) -> None:
    assert parse_parameter_term("x", type_, text, BASE) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("integer", "1.5"),
        ("integer", "²"),
        ("integer", "9" * 19),
        ("date", "2005-02-29"),
        ("date", "20050201"),
        ("boolean", "yes"),
        ("text", ""),
        ("year", "-005"),
        ("issue", ""),
        ("issue", "../x y"),
        ("issue", "urn:\x7f "),
        ("issue", "paper:wp-spam"),
        ("issue", "wgig:Issue"),
        ("declaration", "report:12"),
        ("meeting", f"{BASE}id/agent/desai"),
        ("mechanism", "issue:spam"),
        ("criterion", "agent:icann"),
        (ANY_RESOURCE, "spam"),
    ],
)
def test_text_that_is_invalid_for_its_type_is_refused(type_: str, text: str) -> None:
    with pytest.raises(Problem, match="x is") as caught:
        parse_parameter_term("x", type_, text, BASE)
    assert caught.value.status == 400


CONSTRUCT_QUERY = """# title: Labels
# question: What is it called?
# keywords: label
# param: of issue - Only this issue.
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
CONSTRUCT { ?of skos:prefLabel ?label } WHERE { VALUES ?of { UNDEF } ?of skos:prefLabel ?label }
"""


@pytest.mark.parametrize(
    ("suffix", "format_"),
    [("ttl", ox.RdfFormat.TURTLE), ("jsonld", ox.RdfFormat.JSON_LD), ("nt", ox.RdfFormat.N_TRIPLES)],
)
def test_construct_query_has_results_in_graph_formats(
    shipped_store: ox.Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    format_: ox.RdfFormat,
) -> None:
    reader = make_store_client(Store(shipped_store))
    (tmp_path / "labels.rq").write_text(CONSTRUCT_QUERY)
    monkeypatch.setattr("wgig.sparql.examples.EXAMPLE_QUERIES_FOLDER", tmp_path)
    response = reader.get(f"/queries/labels.{suffix}?of=voip")
    (quad,) = ox.parse(response.content, format=format_)
    assert quad.object == ox.Literal("VoIP", language="en")
    assert reader.get("/queries/labels.csv?of=voip").status_code == 406


@pytest.mark.parametrize(
    "injection", ["spam> } #", '"', "spam } UNION { ?s ?p ?o", "?x", "\\u003E", "UNDEF }"]
)
def test_sparql_injection_is_refused(shipped_client: httpx2.Client, injection: str) -> None:
    for example in list_example_queries():
        for parameter in example.parameters:
            response = shipped_client.get(f"/queries/{example.name}", params={parameter.name: injection})
            assert response.status_code == 400


def test_values_of_a_large_result_are_not_read_from_the_whole_of_it(
    filled_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wgig.sparql.service.MAX_BUFFERED_RESULT_BYTES", 2_000)
    monkeypatch.delattr("wgig.lists.parameter_fields.read_column_iris")
    page = make_store_client(filled_store).get("/queries/judgments", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert re.search(r'value="(democracy|transparency)"', page.text)

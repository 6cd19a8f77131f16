"""The example queries as addresses, with values bound at the places that they keep."""

from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wgig.problems import Problem
from wgig.rdf.sparql_lexer import SparqlText
from wgig.rdf.values import ANY_RESOURCE, EXAMPLE_NAMES, VALUE_TYPES, parse_parameter_term
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.sparql.examples import (
    NO_DEFAULT,
    ExampleParameter,
    ExampleQuery,
    bind_query_parameters,
    find_parameter_places,
    list_example_queries,
    read_example_file,
    read_example_query,
)
from wgig.store.store import Store

from tests.fixtures.service import client_over

BASE = Settings.base
ANSWERS = SHIPPED_FOLDER / "tests" / "data" / "answers"
DECLARED = [(one, parameter) for one in list_example_queries() for parameter in one.parameters]
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"\\'{}<>#\n\r\t?$u0022/:"), min_size=1
)
IDS = [f"{one.name}-{parameter.name}" for one, parameter in DECLARED]


def values(quads: ox.Store, query: str) -> list[Any]:
    """The values that a query of one variable finds."""
    found = quads.query(query, use_default_graph_as_union=True)
    assert isinstance(found, ox.QuerySolutions)
    return [row[0] for row in found]


def test_the_list_names_every_query_with_its_parameters(reader: httpx.Client) -> None:
    found = reader.get("/queries").json()["queries"]
    assert [one["name"] for one in found] == [one.name for one in list_example_queries()]
    matrix = next(one for one in found if one["name"] == "coverage-matrix")
    assert [one["name"] for one in matrix["parameters"]] == ["the_issue", "the_criterion"]
    assert reader.get(matrix["path"]).status_code == 200
    assert "Coverage matrix" in reader.get("/queries", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("one", list_example_queries(), ids=lambda one: one.name)
def test_a_query_answers_at_its_address_as_it_is_kept(reader: httpx.Client, one: ExampleQuery) -> None:
    kept = (ANSWERS / f"{one.name}.csv").read_text(encoding="utf-8")
    assert reader.get(f"/queries/{one.name}.csv").text.splitlines() == kept.splitlines()


@pytest.mark.parametrize(
    ("path", "part", "nothing"),
    [
        ("/queries/disagreements", False, False),
        ("/queries/disagreements?question=seats-by-group", True, False),
        ("/queries/issues-under-several-categories?the_issue=voip", True, True),
    ],
)
def test_the_page_of_an_answer_says_what_was_asked_and_whether_of_all(
    reader: httpx.Client, path: str, part: bool, nothing: bool
) -> None:
    page = reader.get(path, headers={"Accept": "text/html"}).text
    assert f">{read_example_query(path.split('/')[2].partition('?')[0]).question}</p>" in page
    assert ("Asked here of chosen things alone." in page) == part
    assert ("Nothing is known that answers it." in page) == nothing


def test_a_column_of_an_answer_is_headed_in_words_on_the_page_alone(reader: httpx.Client) -> None:
    for tongue, head in (("en", "due from"), ("fr", '<span lang="en" dir="ltr">due from</span>')):
        page = reader.get(f"/queries/due-and-delivered?_lang={tongue}", headers={"Accept": "text/html"}).text
        assert f'<th scope="col">{head}</th>' in page
    assert "due_from" in reader.get("/queries/due-and-delivered", headers={"Accept": "text/csv"}).text
    own = {"query": "SELECT ?due_from { ?due_from a ?y } LIMIT 1"}
    page = reader.get("/sparql", params=own, headers={"Accept": "text/html"}).text
    assert '<th scope="col">due_from</th>' in page


def test_the_page_of_somebodys_own_query_says_none_of_our_questions(reader: httpx.Client) -> None:
    own = {"query": "# question: Is it mine?\nSELECT ?x { ?x a ?y } LIMIT 1"}
    assert "Is it mine?</p>" not in reader.get("/sparql", params=own, headers={"Accept": "text/html"}).text


@pytest.mark.parametrize(("one", "parameter"), DECLARED, ids=IDS)
def test_a_parameter_has_a_place_a_type_and_a_sentence(
    one: ExampleQuery, parameter: ExampleParameter
) -> None:
    assert find_parameter_places(one.source.tokens)[parameter.name]
    assert parameter.type in VALUE_TYPES or parameter.type in EXAMPLE_NAMES
    assert parameter.description.endswith(".")


@pytest.mark.parametrize(("one", "parameter"), DECLARED, ids=IDS)
def test_the_default_that_is_declared_is_the_one_of_the_text(
    one: ExampleQuery, parameter: ExampleParameter
) -> None:
    written = {token.text for token in find_parameter_places(one.source.tokens)[parameter.name]}
    none = parameter.default == NO_DEFAULT
    assert written == {
        "UNDEF" if none else str(parse_parameter_term("x", parameter.type, parameter.default, BASE))
    }


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
        ("/queries/disagreements.csv?question=seats-by-group", 4),
        ("/queries/declaration-citations.csv?part=48", 1),
        ("/queries/who-wrote-what.csv?graph=graph:issues", 0),
    ],
)
def test_a_value_chooses_rows(reader: httpx.Client, path: str, rows: int) -> None:
    answer = reader.get(path)
    assert answer.status_code == 200, answer.text
    assert len(answer.text.splitlines()) - 1 == rows


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
def test_a_query_answers_in_every_format_of_results(
    reader: httpx.Client, suffix: str, media_type: str
) -> None:
    answer = reader.get(f"/queries/due-and-delivered.{suffix}?in_time=late")
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["content-location"] == f"/queries/due-and-delivered.{suffix}?in_time=late"
    again = reader.get(
        f"/queries/due-and-delivered.{suffix}?in_time=late", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/queries/coverage-matriks", 404, "Did you mean coverage-matrix?"),
        ("/queries/zzz", 404, "See: /queries"),
        ("/queries/coverage-matrix?the_isue=spam", 400, "Did you mean the_issue?"),
        ("/queries/coverage-matrix?the_issue=spm", 400, "Did you mean spam?"),
        ("/queries/coverage-matrix?the_issue=spam&the_issue=voip", 400, "Give it once."),
        ("/queries/coverage-matrix?the_issue=agent:desai", 400, "is of the kind agent. Give an IRI such as"),
        ("/queries/coverage-matrix?the_issue=a%20b", 400, "which names no resource"),
        ("/queries/coverage-matrix?the_issue=", 400, "which names no resource"),
        ("/queries?q=spam", 400, "There is no parameter 'q' here. There are: _mediatype."),
        ("/queries/coverage-matrix.pdf", 406, "End the address in one of: .json"),
        ("/queries/coverage-matrix.ttl", 406, "End the address in one of: .json"),
        ("/queries/..%2Frules%2Ftypes", 404, "Nothing is found at"),
        ("/queries/%2E%2E", 404, "no example query"),
        ("/queries/coverage-matrix?query=ASK%7B%7D", 400, "no parameter 'query'"),
    ],
)
def test_what_a_query_does_not_have_is_refused(
    reader: httpx.Client, path: str, status: int, sentence: str
) -> None:
    answer = reader.get(path)
    assert answer.status_code == status, answer.text
    assert sentence in answer.text


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(TEXTS)
def test_a_text_stays_one_term_whatever_it_holds(text: str) -> None:
    query = "SELECT ?x WHERE { VALUES ?x { UNDEF } # VALUES ?x { UNDEF }\n }"
    assert values(ox.Store(), bind_query_parameters(SparqlText(query), {"x": ox.Literal(text)})) == [
        ox.Literal(text)
    ]


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(TEXTS)
def test_an_iri_is_refused_or_stays_one_term(text: str) -> None:
    try:
        found = parse_parameter_term("x", ANY_RESOURCE, f"urn:{text}", BASE)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017  it may be taken as well
    else:
        assert values(
            ox.Store(),
            bind_query_parameters(SparqlText("SELECT ?x WHERE { VALUES ?x { UNDEF } }"), {"x": found}),
        ) == [found]


def test_a_place_in_a_string_or_comment_is_none() -> None:
    text = 'SELECT * { BIND("VALUES ?x { UNDEF }" AS ?y) } # VALUES ?x { UNDEF }'
    assert find_parameter_places(SparqlText(text).tokens) == {}
    with pytest.raises(KeyError):
        bind_query_parameters(SparqlText(text), {"x": ox.Literal("a")})


def test_every_place_of_a_parameter_is_filled() -> None:
    text = "SELECT * { { VALUES ?x { UNDEF } } UNION { VALUES ?x { 1 } } }"
    assert bind_query_parameters(SparqlText(text), {"x": ox.Literal(22)}).count(str(ox.Literal(22))) == 2


def test_a_file_declares_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    declared = "# title: One\n# question: Is it?\n# keywords: one\n# param: of issue spam Only this one.\n"
    path.write_text(f"{declared}ASK {{ VALUES ?of {{ UNDEF }} }}")
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
    ],
)
def test_a_text_is_read_as_its_type_says(type_: str, text: str, value: Any) -> None:
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
        (ANY_RESOURCE, "spam"),
    ],
)
def test_a_text_that_is_not_of_its_type_is_refused(type_: str, text: str) -> None:
    with pytest.raises(Problem, match="x is") as caught:
        parse_parameter_term("x", type_, text, BASE)
    assert caught.value.status == 400


CONSTRUCTED = """# title: Labels
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
def test_a_query_that_makes_a_graph_answers_in_the_formats_of_graphs(
    shipped: ox.Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    format_: ox.RdfFormat,
) -> None:
    reader = client_over(Store(shipped))
    (tmp_path / "labels.rq").write_text(CONSTRUCTED)
    monkeypatch.setattr("wgig.sparql.examples.EXAMPLE_QUERIES_FOLDER", tmp_path)
    answer = reader.get(f"/queries/labels.{suffix}?of=spam")
    (found,) = ox.parse(answer.content, format=format_)
    assert found.object == ox.Literal("Spam", language="en")
    assert reader.get("/queries/labels.csv?of=spam").status_code == 406


@pytest.mark.parametrize("hostile", ["spam> } #", '"', "spam } UNION { ?s ?p ?o", "?x", "\\u003E", "UNDEF }"])
def test_what_is_sent_to_a_query_stays_a_value(reader: httpx.Client, hostile: str) -> None:
    for one in list_example_queries():
        for parameter in one.parameters:
            assert reader.get(f"/queries/{one.name}", params={parameter.name: hostile}).status_code == 400

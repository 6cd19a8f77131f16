"""The example queries, each a file that says what it asks."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.sparql.examples import (
    ExampleQuery,
    bind_query_parameters,
    find_examples_by_keyword,
    find_examples_of_resource,
    list_example_queries,
    read_example_file,
    read_example_query,
    recognize_example_query,
)


def test_a_file_says_its_title_question_and_keywords_first(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    path.write_text("# title: One\n# question: Is it one?\n# keywords: one, two\nASK {}\n")
    assert read_example_file(path) == ExampleQuery(
        "one", "One", "Is it one?", ("one", "two"), path.read_text()
    )


@pytest.mark.parametrize("missing", ["title", "question", "keywords"])
def test_a_file_without_a_header_line_is_named(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "one.rq"
    keys = [key for key in ("title", "question", "keywords") if key != missing]
    path.write_text("".join(f"# {key}: x\n" for key in keys) + "ASK {}")
    with pytest.raises(ValueError, match=f"one.rq lacks the comment line '# {missing}: …'"):
        read_example_file(path)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("coverage-matriks", "Did you mean coverage-matrix?"),
        ("zzz", "See: wgig queries"),
        ("../rules/types", "There is no example query"),
    ],
)
def test_an_unknown_name_is_told_the_known_ones(name: str, mend: str) -> None:
    with pytest.raises(Problem, match=mend) as caught:
        read_example_query(name)
    assert caught.value.status == 404


def test_the_note_is_what_else_the_first_lines_say(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    path.write_text("# title: One\n# question: Is it?\n# keywords: one\n# It is one,\n# or not.\nASK {}\n")
    assert read_example_file(path).note == "It is one, or not."


@pytest.mark.parametrize("keyword", ["declaration", "Declaration"])
def test_questions_are_found_by_what_they_are_about(keyword: str) -> None:
    assert [one.name for one in find_examples_by_keyword(keyword)] == [
        "declaration-citations",
        "principles-by-text",
    ]


@pytest.mark.parametrize(
    ("short", "paths"),
    [
        ("disagreement:seats-by-group", ["/queries/disagreements?question=seats-by-group"]),
        ("meeting:m1", ["/queries/agreements-and-outcomes?meeting=m1"]),
        ("meeting:m2", []),  # of which the question about the first meeting does not speak
        ("graph:issues", []),
    ],
)
def test_a_thing_has_the_questions_that_can_be_asked_of_it_alone(short: str, paths: list[str]) -> None:
    assert [path for _, path in find_examples_of_resource(short)] == paths


@pytest.mark.parametrize("one", list_example_queries(), ids=lambda one: one.name)
def test_an_example_is_recognized_by_its_text_whatever_its_parameters_are(one: ExampleQuery) -> None:
    assert recognize_example_query(one.text) == one
    assert recognize_example_query(one.text.replace("\n", "\r\n")) == one  # as forms send it
    values = {parameter.name: ox.NamedNode("urn:x") for parameter in one.parameters}
    assert recognize_example_query(bind_query_parameters(one.source, values)) == one


@pytest.mark.parametrize("more", ["LIMIT 1", "# And this.", "VALUES ?z { 1 }"])
def test_a_query_that_somebody_changed_is_theirs(more: str) -> None:
    assert recognize_example_query(f"{read_example_query('disagreements').text}{more}\n") is None

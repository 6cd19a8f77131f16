"""The example queries: comments with their title and question, parameters, and recognition of a text."""

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


def test_title_question_and_keywords_are_read_from_comments(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    path.write_text("# title: One\n# question: Is it one?\n# keywords: one, two\nASK {}\n")
    assert read_example_file(path) == ExampleQuery(
        "one", "One", "Is it one?", ("one", "two"), path.read_text()
    )


@pytest.mark.parametrize("missing", ["title", "question", "keywords"])
def test_missing_header_line_is_reported_with_the_file_name(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "one.rq"
    keys = [key for key in ("title", "question", "keywords") if key != missing]
    path.write_text("".join(f"# {key}: x\n" for key in keys) + "ASK {}")
    with pytest.raises(ValueError, match=f"one.rq lacks the comment line '# {missing}: …'"):
        read_example_file(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("coverage-matriks", "Did you mean coverage-matrix?"),
        ("zzz", "See: wgig queries"),
        ("../rules/types", "There is no example query"),  # a file in another folder
    ],
)
def test_unknown_name_is_not_found_and_gets_a_suggestion(name: str, message: str) -> None:
    with pytest.raises(Problem, match=message) as caught:
        read_example_query(name)
    assert caught.value.status == 404


def test_note_consists_of_the_other_comment_lines(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    path.write_text("# title: One\n# question: Is it?\n# keywords: one\n# It is one,\n# or not.\nASK {}\n")
    assert read_example_file(path).note == "It is one, or not."


@pytest.mark.parametrize("keyword", ["declaration", "Declaration"])
def test_examples_are_found_by_keyword_in_any_case(keyword: str) -> None:
    assert [example.name for example in find_examples_by_keyword(keyword)] == [
        "declaration-citations",
        "principles-by-text",
    ]


@pytest.mark.parametrize(
    ("curie", "paths"),
    [
        ("disagreement:seats-by-group", ["/queries/disagreements?question=seats-by-group"]),
        ("meeting:m1", ["/queries/agreements-and-outcomes?meeting=m1"]),
        (
            "criterion:adequacy",
            [
                "/queries/judgments?the_criterion=adequacy",
                "/queries/mechanisms-and-judgments?the_criterion=adequacy",
            ],
        ),
        (
            "principle:accountability",  # a criterion as well
            [
                "/queries/assessments?the_criterion=accountability",
                "/queries/coverage-matrix?the_criterion=accountability",
                "/queries/judgments?the_criterion=accountability",
                "/queries/mechanisms-and-judgments?the_criterion=accountability",
                "/queries/needs-and-answers?the_principle=accountability",
                "/queries/principles-by-text?concept=accountability",
            ],
        ),
        (
            "mechanism:iana",
            [
                "/queries/judgments?the_mechanism=iana",
                "/queries/mechanisms-and-judgments?the_mechanism=iana",
            ],
        ),
        ("meeting:m2", []),  # the default of the query on a meeting is m1
        ("graph:issues", []),
    ],
)
def test_resource_has_the_examples_with_a_parameter_for_it(curie: str, paths: list[str]) -> None:
    assert [path for _, path in find_examples_of_resource(curie)] == paths


@pytest.mark.parametrize("example", list_example_queries(), ids=lambda example: example.name)
def test_example_is_recognized_by_its_text_with_any_parameter_values(example: ExampleQuery) -> None:
    assert recognize_example_query(example.text) == example
    assert recognize_example_query(example.text.replace("\n", "\r\n")) == example  # as forms send it
    values = {parameter.name: ox.NamedNode("urn:x") for parameter in example.parameters}
    assert recognize_example_query(bind_query_parameters(example.source, values)) == example


@pytest.mark.parametrize("added_line", ["LIMIT 1", "# And this.", "VALUES ?z { 1 }"])
def test_changed_example_is_not_recognized(added_line: str) -> None:
    assert recognize_example_query(f"{read_example_query('disagreements').text}{added_line}\n") is None

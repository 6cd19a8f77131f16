"""The query of `wgig query`: an example query with the values of its parameters."""

import pytest
from wgig.cli.query import bind_parameter_arguments
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.examples import read_example_query

EXAMPLE = read_example_query("judgments")


def bind_values(*arguments: str) -> str:
    """The text of the example query with these arguments of `--param`."""
    return bind_parameter_arguments(EXAMPLE, arguments, Settings.base)


def test_values_of_parameters_are_bound() -> None:
    text = bind_values("the_issue=spam", "the_criterion=adequacy", "the_mechanism=agent/icann")
    id_namespace = f"{Settings.base}id/"
    assert f"VALUES ?the_issue {{ <{id_namespace}issue/spam> }}" in text
    assert f"VALUES ?the_criterion {{ <{id_namespace}criterion/adequacy> }}" in text
    assert f"VALUES ?the_mechanism {{ <{id_namespace}agent/icann> }}" in text
    assert "VALUES ?the_verdict { UNDEF }" in text


def test_query_without_values_is_unchanged() -> None:
    assert bind_values() == EXAMPLE.text


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("the_isue=spam", "Did you mean the_issue?"),
        ("the_issue", "Write it as NAME=VALUE."),
        ("the_issue=", "names no resource"),
        ("the_issue=agent:icann", "is of the kind agent"),
    ],
)
def test_invalid_argument_is_refused(argument: str, message: str) -> None:
    with pytest.raises(Problem, match=message.replace("?", r"\?")):
        bind_values(argument)

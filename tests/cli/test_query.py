"""The query of `wgig query`: an example query with the values of its parameters, by name or label."""

from collections.abc import Callable

import pyoxigraph as ox
import pytest
from wgig.cli.example_parameters import RowSelector, bind_parameter_arguments, describe_parameters
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.examples import read_example_query
from wgig.store.store import Store
from wgig.store.view import select_solutions

EXAMPLE = read_example_query("judgments")
ID_NAMESPACE = f"{Settings.base}id/"
BindFunction = Callable[..., str]


@pytest.fixture(scope="module")
def select_rows(shipped_store: ox.Store) -> RowSelector:
    """A function that returns the solutions of a query over the shipped store."""
    store = Store(shipped_store)
    return lambda text: select_solutions(store, text)


@pytest.fixture(scope="module")
def bind_values(select_rows: RowSelector) -> BindFunction:
    """A function that returns the text of the example query with these arguments of `--param`."""
    return lambda *arguments: bind_parameter_arguments(EXAMPLE, arguments, select_rows, Settings.base)


def test_values_of_parameters_are_bound(bind_values: BindFunction) -> None:
    text = bind_values("the_issue=spam", "the_criterion=adequacy", "the_mechanism=agent/icann")
    assert f"VALUES ?the_issue {{ <{ID_NAMESPACE}issue/spam> }}" in text
    assert f"VALUES ?the_criterion {{ <{ID_NAMESPACE}criterion/adequacy> }}" in text
    assert f"VALUES ?the_mechanism {{ <{ID_NAMESPACE}agent/icann> }}" in text
    assert "VALUES ?the_verdict { UNDEF }" in text


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("the_issue=Spam", "issue/spam"),
        ("the_issue= SPAM", "issue/spam"),
        ("the_verdict=partly adequate", "verdict/partly-adequate"),
    ],
)
def test_value_can_be_a_label(bind_values: BindFunction, argument: str, name: str) -> None:
    parameter = argument.partition("=")[0]
    assert f"VALUES ?{parameter} {{ <{ID_NAMESPACE}{name}> }}" in bind_values(argument)


def test_query_without_values_is_unchanged(bind_values: BindFunction) -> None:
    assert bind_values() == EXAMPLE.text


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("the_isue=spam", "Did you mean the_issue?"),
        ("the_issue", "Write it as NAME=VALUE."),
        ("the_issue=", "does not name a resource"),
        ("the_issue=agent:icann", "is a resource of the kind agent"),
        ("the_issue=spm", "the_issue cannot be 'spm'. Did you mean spam?"),
    ],
)
def test_invalid_argument_is_refused(bind_values: BindFunction, argument: str, message: str) -> None:
    with pytest.raises(Problem, match=message.replace("?", r"\?")):
        bind_values(argument)


def test_parameters_are_listed_with_their_values(select_rows: RowSelector) -> None:
    rows = describe_parameters(EXAMPLE, select_rows, Settings.base)
    assert [name for name, value, _ in rows if not value] == [
        parameter.name for parameter in EXAMPLE.parameters
    ]
    assert ["the_issue", "spam", "Spam"] in rows

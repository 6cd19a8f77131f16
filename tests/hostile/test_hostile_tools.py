"""The tools of language models: what a model was talked into asking is a value, too."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from mcp.server.mcpserver.exceptions import ToolError
from wgig.cli.mcp.tools import CallBudget, GraphTools
from wgig.client.connection import Connection, RequestLimits
from wgig.client.graph import Graph

from tests.fixtures.service import client_of
from tests.hostile.attacks import ATTACKS

TOOLS = {
    name: inspect.signature(tool).parameters
    for name, tool in inspect.getmembers(GraphTools, inspect.isfunction)
    if hasattr(tool, "__wrapped__")
}
# Words of a few and numbers are checked by the protocol before a tool is called.
TEXTS = [
    (name, parameter)
    for name, parameters in TOOLS.items()
    for parameter, one in parameters.items()
    if parameter != "self" and get_args(one.annotation)[0] is str
]


@pytest.fixture(scope="module")
def tools(app: FastAPI) -> GraphTools:
    """The tools over a service in this process."""
    inside = client_of(app)._transport
    return GraphTools(Graph(Connection("http://localhost", RequestLimits(retries=0), inside)), CallBudget())


@pytest.mark.parametrize("what", ATTACKS)
@pytest.mark.parametrize(("name", "parameter"), TEXTS)
def test_no_argument_of_a_tool_is_more_than_a_value(
    tools: GraphTools, name: str, parameter: str, what: str
) -> None:
    needed = [key for key, one in TOOLS[name].items() if key != "self" and one.default is one.empty]
    given: dict[str, Any] = {**dict.fromkeys(needed, "x"), parameter: ATTACKS[what]}
    said = called(getattr(tools, name), given)
    assert len(said.encode()) <= CallBudget().bytes
    assert "made a mistake" not in said
    # Else it would have become text of a query of ours.
    assert parameter in ("sparql", "paper") or "does not parse" not in said


def called(tool: Callable[..., str], given: dict[str, Any]) -> str:
    """What a tool says, or why it refuses."""
    try:
        return tool(**given)
    except ToolError as error:
        return str(error)


def test_every_tool_that_takes_a_text_is_attacked() -> None:
    assert {name for name, _ in TEXTS} == TOOLS.keys() - {"example_queries"}

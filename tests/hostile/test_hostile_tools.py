"""Attacks in arguments of the MCP tools, which a language model may pass on, are harmless."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from starlette.types import ASGIApp
from wgig.cli.mcp.tools import CallBudget, GraphTools
from wgig_client.client import GraphClient
from wgig_client.connection import Connection, RequestLimits

from tests.fixtures.service import make_client
from tests.hostile.attacks import ATTACKS

TOOL_PARAMETERS = {
    name: inspect.signature(tool).parameters
    for name, tool in inspect.getmembers(GraphTools, inspect.isfunction)
    if hasattr(tool, "__wrapped__")  # the decorated methods are the tools
}
# Arguments of other types, such as enumerations and numbers, are checked by MCP before a tool is called.
TEXT_PARAMETERS = [
    (tool, name)
    for tool, parameters in TOOL_PARAMETERS.items()
    for name, parameter in parameters.items()
    if name != "self" and get_args(parameter.annotation)[0] is str  # Annotated[str, …]
]


@pytest.fixture(scope="module")
def tools(app: ASGIApp) -> GraphTools:
    """The tools over a service in this process."""
    transport = make_client(app)._transport
    return GraphTools(
        GraphClient(Connection("http://localhost", RequestLimits(retries=0), transport)), CallBudget()
    )


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(("tool", "parameter"), TEXT_PARAMETERS)
def test_attack_in_a_tool_argument_is_harmless(
    tools: GraphTools, tool: str, parameter: str, attack: str
) -> None:
    required = [
        name
        for name, declaration in TOOL_PARAMETERS[tool].items()
        if name != "self" and declaration.default is declaration.empty
    ]
    arguments: dict[str, Any] = {**dict.fromkeys(required, "x"), parameter: ATTACKS[attack]}
    text = call_tool(getattr(tools, tool), arguments)
    assert len(text.encode()) <= CallBudget().bytes
    assert not text.startswith("500 ")  # the status of an unexpected error
    # A syntax error would mean that the value became part of the text of an internal query.
    assert parameter in ("sparql", "paper") or "cannot be parsed" not in text


def call_tool(tool: Callable[..., str], arguments: dict[str, Any]) -> str:
    """The result of a tool, or its error message."""
    try:
        return tool(**arguments)
    except ToolError as error:
        return str(error)


def test_every_tool_with_a_text_parameter_is_tested() -> None:
    assert {tool for tool, _ in TEXT_PARAMETERS} == TOOL_PARAMETERS.keys() - {"example_queries"}

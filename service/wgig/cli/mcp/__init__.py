"""`wgig mcp`: serve the graph to language models over standard input and output or HTTP."""

import argparse
import socket
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio
from wgig_client.client import GraphClient, connect

from ...problems import Problem
from ...settings import Settings
from ..console import print_message
from ..serve_start import bind_listening_socket, socket_url

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


def run_mcp(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until the client disconnects, or until Ctrl-C. Exit code 0.

    Raises Problem if the MCP SDK is not installed, ValueError for an invalid address, StoreError, OSError.
    """
    if find_spec("mcp") is None:
        raise Problem(400, "The MCP SDK is not installed: pip install 'wgig[mcp]'")
    listener = bind_listening_socket(settings.host, settings.port) if arguments.http else None
    anyio.run(serve_mcp, arguments, settings, listener)
    return 0


async def serve_mcp(
    arguments: argparse.Namespace, settings: Settings, listener: socket.socket | None
) -> None:
    """Serve the local store, or the service at `--url`, over standard input and output or over HTTP."""
    from .server import build_mcp_server, open_embedded_graph  # noqa: PLC0415  needs the SDK
    from .tools import CallBudget  # noqa: PLC0415

    budget = CallBudget(arguments.rows, arguments.bytes, arguments.seconds)
    graph_context: AbstractAsyncContextManager[GraphClient] = (
        nullcontext(connect(arguments.url))
        if arguments.url
        else open_embedded_graph(settings, budget.seconds)
    )
    async with graph_context as graph:
        server = build_mcp_server(graph, budget)
        if listener is None:
            await server.run_stdio_async()
        else:
            await serve_mcp_over_http(server, settings.host, listener)


async def serve_mcp_over_http(server: "MCPServer[None]", host: str, listener: socket.socket) -> None:
    """Serve over stateless HTTP."""
    import uvicorn  # noqa: PLC0415

    app = server.streamable_http_app(host=host, stateless_http=True, json_response=True)
    listener.listen()  # before the address is printed
    print_message(f"Serving MCP on {socket_url(listener)}mcp (stop with Ctrl-C)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none", server_header=False)
    await uvicorn.Server(config).serve([listener])

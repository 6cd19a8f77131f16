"""`wgig mcp`: the graph for language models, over standard input and output or over HTTP."""

import argparse
import socket
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

import anyio

from ...client.graph import Graph, connect
from ...problems import Problem
from ...settings import Settings
from ..console import print_message
from ..serve import bind_listening_socket, socket_url

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


def run_mcp(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until the client goes away, or until Ctrl-C. Exit code 0.

    Raises Problem without the SDK, ValueError for what is no address, StoreError, OSError.
    """
    if find_spec("mcp") is None:
        raise Problem(400, "This needs the SDK of the protocol, which comes with: pip install 'wgig[mcp]'")
    listening = bind_listening_socket(settings.host, settings.port) if arguments.http else None
    anyio.run(serve_mcp, arguments, settings, listening)
    return 0


async def serve_mcp(
    arguments: argparse.Namespace, settings: Settings, listening: socket.socket | None
) -> None:
    """Serve the store of the settings, or the service at a URL."""
    from .server import build_mcp_server, open_embedded_graph  # noqa: PLC0415  without the SDK there is none of this
    from .tools import CallBudget  # noqa: PLC0415

    budget = CallBudget(arguments.rows, arguments.bytes, arguments.seconds)
    source: AbstractAsyncContextManager[Graph] = (
        nullcontext(connect(arguments.url))
        if arguments.url
        else open_embedded_graph(settings, budget.seconds)
    )
    async with source as graph:
        server = build_mcp_server(graph, budget)
        if listening is None:
            await server.run_stdio_async()
        else:
            await serve_mcp_over_http(server, settings.host, listening)


async def serve_mcp_over_http(server: "MCPServer[None]", host: str, listening: socket.socket) -> None:
    """Serve over HTTP, without sessions: each call stands for itself."""
    import uvicorn  # noqa: PLC0415

    app = server.streamable_http_app(host=host, stateless_http=True, json_response=True)
    listening.listen()  # who reads the next line may connect
    print_message(f"Serving the protocol on {socket_url(listening)}mcp (stop with Ctrl-C)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none", server_header=False)
    await uvicorn.Server(config).serve([listening])

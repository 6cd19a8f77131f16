"""`wgig serve`: listen, answer, and stop when told to."""

import argparse
import signal
import socket
import sys
import threading

import uvicorn

from ..app import create_app
from ..settings import MIB, Settings
from ..shipped import open_filled
from . import say

STACK = 256 * MIB  # of a worker thread, for deeply nested queries; only what is touched takes memory


class Server(uvicorn.Server):
    """A server that says where it listens once it does."""

    url = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then print the URL."""
        await super().startup(sockets)
        if self.started:
            print(f"Serving on {self.url} (stop with Ctrl-C)", flush=True)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM; requests under way are finished first. Exit code 0.

    Raises ValueError, OSError or StoreError.
    """
    del arguments
    listening = bind(settings.host, settings.port)
    threading.stack_size(STACK)
    app = create_app(settings, open_filled(settings, say))
    server = Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    server.url = url(listening)
    # The server handles both signals itself and then raises them once more.
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_, lambda *_: None)
    server.run(sockets=[listening])
    print("Stopped.", file=sys.stderr)
    return 0


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address, which does not listen yet. Raises ValueError or OSError."""
    if not 0 <= port <= 65535:
        raise ValueError(f"There is no port {port}; give one from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise OSError(f"Cannot listen on {host} port {port}: {error.strerror}. {mend(error)}") from error
    return listening


def mend(error: OSError) -> str:
    """What to do about a failed bind."""
    match error:
        case PermissionError():
            return "Take a port above 1023 with --port."
        case socket.gaierror():
            return "Give an address of this machine with --host."
        case _:
            return "Stop what is there, or take another address with --port or --host."


def url(listening: socket.socket) -> str:
    """The address of a bound socket, as a browser wants it."""
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

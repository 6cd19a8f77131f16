"""The start of `wgig serve`, before the application is imported, which takes most of the time of a start.

The port is bound first, so that one that is taken is reported at once. A new store is filled in a child
process, while the application is imported.
"""

import argparse
import gc
import os
import socket
from typing import NoReturn

from ..http import access_log
from ..processes import end_with_parent
from ..seed import open_filled_store
from ..settings import Settings
from ..store.folder import has_quads


def run_serve(arguments: argparse.Namespace, settings: Settings) -> NoReturn:
    """Serve until SIGINT or SIGTERM, then end the process with code 0.

    Raises ValueError, OSError, Problem, FileError or StoreError.
    """
    access_log.configure_logging(settings)
    check_service_settings(settings)
    listener = bind_listening_socket(settings.host, settings.port)
    filler_id = fork_store_filler(settings)
    gc.disable()  # as for the import of the command
    from .serve import serve_until_stopped  # noqa: PLC0415  meanwhile a new store is filled

    gc.enable()
    if filler_id:
        os.waitpid(filler_id, 0)
    serve_until_stopped(arguments, settings, listener)


def check_service_settings(settings: Settings) -> None:
    """Raise ValueError, OSError or Problem for a wrong webhook secret and rules, before a store is filled."""
    if settings.webhooks:
        from ..feeds.notifications import decode_webhook_secret  # noqa: PLC0415  with the store, 0.2 s

        decode_webhook_secret(settings.webhook_secret)
    if settings.rules:
        from ..rules.result import check_rule_settings  # noqa: PLC0415  with rdflib, 0.3 s

        check_rule_settings(settings)


def fork_store_filler(settings: Settings) -> int | None:
    """Fill and describe a new store in a child process, unless it is shared. Returns the ID of the process.

    Call this before threads start. The memory that this takes, 150 MB for the shipped graphs, is freed with
    the process. After an error, the store is left as after a crash, and opening it reports the error.
    """
    if settings.remote_query or settings.data == "none" or has_quads(settings.store):
        return None
    parent = os.getpid()
    process_id = os.fork()
    if process_id:
        return process_id
    try:
        end_with_parent(parent)
        gc.disable()  # looking for garbage takes 0.1 s
        open_filled_store(settings, access_log.log_service_message).close()
    finally:
        os._exit(0)


def bind_listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound to the address and does not listen yet. Raises ValueError or OSError."""
    if not 0 <= port <= 65535:
        raise ValueError(f"{port} is not a valid port. Give a number from 0 to 65535 with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise OSError(
            f"Cannot listen on {host} port {port}: {error.strerror}. {suggest_bind_fix(error)}"
        ) from error
    return listener


def suggest_bind_fix(error: OSError) -> str:
    """A sentence on how to fix a failed bind."""
    match error:
        case PermissionError():
            return "Use a port above 1023 with --port."
        case socket.gaierror():
            return "Give an address of this machine with --host."
        case _:
            return "Stop the program that uses it, or choose another address with --port or --host."


def socket_url(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

"""Requests of commands to the process that has a store open, over its control socket.

A checkpoint is a copy of the store folder by hard links. The control socket is in the folder of the store.
File permissions are its access control: only its owner can connect. Request and response are one line of JSON
each. If no process listens, the store is opened to make the checkpoint. `clone_store` makes a copy of a store
from a checkpoint, by hard links where possible.
"""

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...files import make_private_folder
from ..checkpoint import CHECKPOINT_FOLDER
from ..errors import DamagedStoreError, UnusableLogError
from ..files import ASIDE_FOLDER, hold_file_lock
from ..folder import check_store_exists
from ..store import Store
from .backup import BACKUP_BUSY_MESSAGE, BACKUP_LOCK_FILE

CONTROL_SOCKET_NAME = "control"
CONTROL_CHECK_SECONDS = 5  # until the service notices that its socket was removed
CONTROL_REQUEST_SECONDS = 10  # timeout for receiving a request
CONTROL_RESPONSE_SECONDS = 600  # timeout for the response, which may wait for a long write
MAX_CONTROL_MESSAGE_BYTES = 64 * 1024  # of a request or response

ControlMessage = dict[str, Any]


def serve_control_socket(folder: Path, handle_request: Callable[[ControlMessage], ControlMessage]) -> None:
    """Handle requests on a new thread, one at a time, until the process ends.

    If the socket is removed, such as with the folder `aside`, it is made again. Only the process that has the
    store in `folder` open for writing may call this. Raises OSError.
    """
    first_listener = bind_control_socket(folder)

    def serve() -> None:
        listener = first_listener
        while True:
            file_id = find_control_socket(folder)
            with listener:  # if the thread fails, clients get an error instead of waiting
                while file_id and find_control_socket(folder) == file_id:
                    with suppress(TimeoutError):
                        answer_connection(listener, handle_request)
            try:
                listener = bind_control_socket(folder)
            except OSError:  # such as a full disk
                time.sleep(CONTROL_CHECK_SECONDS)

    threading.Thread(target=serve, daemon=True).start()


def bind_control_socket(folder: Path) -> socket.socket:
    """A socket that listens in the folder of a store. Raises OSError."""
    make_private_folder(folder / ASIDE_FOLDER)
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(CONTROL_CHECK_SECONDS)
    try:
        with control_socket_address(folder) as address:
            Path(address).unlink(missing_ok=True)  # left by a process that has ended
            listener.bind(address)
            Path(address).chmod(0o600)  # nobody can connect before `listen`
            listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def find_control_socket(folder: Path) -> tuple[int, int] | None:
    """The device and inode of the control socket; None if there is none."""
    try:
        status = (folder / ASIDE_FOLDER / CONTROL_SOCKET_NAME).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def answer_connection(
    listener: socket.socket, handle_request: Callable[[ControlMessage], ControlMessage]
) -> None:
    """Answer the request of the next connection. Raises TimeoutError after CONTROL_CHECK_SECONDS."""
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.settimeout(CONTROL_REQUEST_SECONDS)
        connection.sendall(
            encode_control_message(answer_control_request(receive_control_line(connection), handle_request))
        )


def answer_control_request(
    request: bytes, handle_request: Callable[[ControlMessage], ControlMessage]
) -> ControlMessage:
    """The response to a request; for an invalid request, an error."""
    try:
        return handle_request(json.loads(request))
    except Exception as error:  # the client reports it
        return {"error": str(error), "is_damaged": isinstance(error, (DamagedStoreError, UnusableLogError))}


def send_control_request(folder: Path, request: ControlMessage) -> ControlMessage | None:
    """The response of the process that has the store in `folder` open; None if no process listens.

    Raises OSError if there is no response, or the response is an error; DamagedStoreError if that is about a
    damaged file.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with control_socket_address(folder) as address:
                connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except PermissionError as error:
            raise OSError(
                f"The service of {folder} runs as another user. Run this command as that user."
            ) from error
        try:
            connection.settimeout(CONTROL_RESPONSE_SECONDS)
            connection.sendall(encode_control_message(request))
            response: ControlMessage = json.loads(receive_control_line(connection))
        except (OSError, ValueError) as error:
            raise OSError(
                f"The service of {folder} did not respond. Check its log, and try again."
            ) from error
    if response.get("is_damaged"):
        raise DamagedStoreError(response["error"])
    if "error" in response:
        raise OSError(response["error"])
    return response


def encode_control_message(message: ControlMessage) -> bytes:
    """A message as a line of JSON."""
    return json.dumps(message).encode() + b"\n"


def receive_control_line(connection: socket.socket) -> bytes:
    """One line from the connection, of at most MAX_CONTROL_MESSAGE_BYTES."""
    with connection.makefile("rb") as file:
        return file.readline(MAX_CONTROL_MESSAGE_BYTES)


@contextmanager
def control_socket_address(folder: Path) -> Iterator[str]:
    """The address of the socket in the folder of a store, short enough for the system.

    The system allows about 100 bytes. On Linux, the address is a path in /proc, through the open folder.
    """
    descriptor = os.open(folder / ASIDE_FOLDER, os.O_RDONLY)
    try:
        proc_path = Path(f"/proc/self/fd/{descriptor}")
        yield str((proc_path if proc_path.exists() else folder / ASIDE_FOLDER) / CONTROL_SOCKET_NAME)
    finally:
        os.close(descriptor)


CHECKPOINT_REQUEST = {"do": "checkpoint"}


def offer_control(store: Store, print_message: Callable[[str], None]) -> None:
    """Serve requests for checkpoints, to forget versions, and to empty caches, from commands on this machine.

    If that is impossible, `print_message` is called.
    """
    assert store.folder

    def handle_request(request: ControlMessage) -> ControlMessage:
        match request:
            case {"do": "checkpoint"}:
                return {"quads": store.make_checkpoint()}
            case {"do": "forget", "digests": [*digests]}:
                return {"erased": store.forget(map(str, digests))}
            case {"do": "touch"}:
                store.touch()
                return {}
        return {"error": f"Unknown request: {request}. Use the same version of wgig as the service."}

    try:
        serve_control_socket(store.folder, handle_request)
    except OSError as error:
        print_message(
            f"No backup can be made while this service is running: {error}. To make a backup, stop "
            "the service."
        )


def request_forgetting(folder: Path, digests: Sequence[str]) -> list[str] | None:
    """Let the service that has the store in `folder` open erase old contents of graphs.

    Returns those that were not erased before; None if there is no such service. Raises OSError.
    """
    response = send_control_request(folder, {"do": "forget", "digests": list(digests)})
    return None if response is None else list(response["erased"])


def request_touch(folder: Path) -> None:
    """Let the service that has the store in `folder` open, if any, empty its caches. Raises OSError."""
    send_control_request(folder, {"do": "touch"})


def request_checkpoint(folder: Path) -> int:
    """Make a checkpoint of the store in `folder`. Returns its number of quads.

    Raises StoreError or OSError.
    """
    check_store_exists(folder)
    response = send_control_request(folder, CHECKPOINT_REQUEST)
    return int(response["quads"]) if response else Store.open(folder).make_checkpoint()


@contextmanager
def open_checkpoint(folder: Path) -> Iterator[tuple[Path, int]]:
    """A checkpoint of the store in `folder`, and its number of quads. It may be changed or moved away.

    Raises StoreError or OSError, also if a backup is in progress.
    """
    checkpoint = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER
    with hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)):
        shutil.rmtree(checkpoint, ignore_errors=True)  # of an interrupted backup
        try:
            yield checkpoint, request_checkpoint(folder)
        finally:
            shutil.rmtree(checkpoint, ignore_errors=True)


def clone_store(target: Path, folder: Path) -> None:
    """Clone the store in `folder` into the new folder `target`, by hard links where possible.

    Raises StoreError or OSError, also if a backup is in progress.
    """
    with open_checkpoint(folder) as (checkpoint, _):
        shutil.move(checkpoint, target)

"""Online snapshots: ask the process that has the store open for one, over its control socket.

The socket is in the folder of the store. Only its owner can connect, so file permissions are the access
control. Request and response are one line of JSON each. Where no process listens, the store is opened to make
the snapshot. A new folder can be made from it as a copy, with hard links where possible.
"""

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..files import ASIDE_FOLDER, hold_file_lock
from ..folder import check_store_exists
from ..snapshot import CHECKPOINT_FOLDER
from ..store import Store
from .backup import BACKUP_BUSY_MESSAGE, BACKUP_LOCK_FILE

CONTROL_SOCKET_NAME = "control"
CONTROL_REQUEST_SECONDS = 10  # seconds that a request may take to come
CONTROL_RESPONSE_SECONDS = 600  # and its answer: a long write comes first
MAX_CONTROL_MESSAGE_BYTES = 4096  # bytes of either

ControlMessage = dict[str, Any]


def serve_control_socket(folder: Path, answer: Callable[[ControlMessage], ControlMessage]) -> None:
    """Answer requests on a thread of its own, one after the other, as long as the process lives.

    Only for the process that has the store in `folder` open to write. Raises OSError.
    """
    listening = socket.socket(socket.AF_UNIX)
    with control_socket_address(folder) as place:
        Path(place).unlink(missing_ok=True)  # whoever it belonged to is gone
        listening.bind(place)
        Path(place).chmod(0o600)  # nobody gets through before it listens
        listening.listen()

    def serve() -> None:
        with listening:  # should it come to an end, nobody may wait for it
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(CONTROL_REQUEST_SECONDS)
                    connection.sendall(
                        encode_control_message(
                            answer_control_request(receive_control_line(connection), answer)
                        )
                    )

    threading.Thread(target=serve, daemon=True).start()


def answer_control_request(
    request: bytes, answer: Callable[[ControlMessage], ControlMessage]
) -> ControlMessage:
    """The answer to a request, whatever it is."""
    try:
        return answer(json.loads(request))
    except Exception as error:  # the one who asks is to know
        return {"error": str(error)}


def send_control_request(folder: Path, request: ControlMessage) -> ControlMessage | None:
    """The answer of the process that has the store in `folder` open, None where nobody listens.

    Raises OSError where there is no answer, or it is an error.
    """
    with socket.socket(socket.AF_UNIX) as asking, control_socket_address(folder) as place:
        try:
            asking.connect(place)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except PermissionError as error:
            raise OSError(
                f"The service of {folder} is somebody else's. Ask as the user that runs it."
            ) from error
        try:
            asking.settimeout(CONTROL_RESPONSE_SECONDS)
            asking.sendall(encode_control_message(request))
            found: ControlMessage = json.loads(receive_control_line(asking))
        except (OSError, ValueError) as error:
            raise OSError(
                f"The service of {folder} did not answer. Look at its log, and ask again."
            ) from error
    if "error" in found:
        raise OSError(found["error"])
    return found


def encode_control_message(message: ControlMessage) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"


def receive_control_line(connection: socket.socket) -> bytes:
    """The line that comes."""
    with connection.makefile("rb") as file:
        return file.readline(MAX_CONTROL_MESSAGE_BYTES)


@contextmanager
def control_socket_address(folder: Path) -> Iterator[str]:
    """The address of the socket in the folder of a store, as short as the system wants one.

    An address has room for about 100 bytes; on Linux the way to it leads through the open folder.
    """
    descriptor = os.open(folder / ASIDE_FOLDER, os.O_RDONLY)
    try:
        short = Path(f"/proc/self/fd/{descriptor}")
        yield str((short if short.exists() else folder / ASIDE_FOLDER) / CONTROL_SOCKET_NAME)
    finally:
        os.close(descriptor)


CHECKPOINT_REQUEST = {"do": "checkpoint"}


def offer_checkpoints(store: Store, say: Callable[[str], None]) -> None:
    """Let others ask this process for a checkpoint of its store; `say` is told where that cannot be."""
    assert store.folder

    def answer(request: object) -> dict[str, object]:
        if request != CHECKPOINT_REQUEST:
            return {
                "error": f"This is not understood: {request}. Use the same version of wgig as the service."
            }
        return {"quads": store.keep_checkpoint()}

    try:
        serve_control_socket(store.folder, answer)
    except OSError as error:
        say(f"No backup can be made while this service runs: {error}. Stop it for a backup.")


def request_checkpoint(folder: Path) -> int:
    """Make the checkpoint of the store in `folder`; returns how many quads the store has.

    Raises StoreError or OSError where nobody can.
    """
    check_store_exists(folder)
    answer = send_control_request(folder, CHECKPOINT_REQUEST)
    return int(answer["quads"]) if answer else Store.open(folder).keep_checkpoint()


def clone_store(place: Path, folder: Path) -> None:
    """Make a new folder a store like the one in `folder` as it is now, by links where that can be.

    Raises StoreError or OSError where nobody can, or a backup is under way.
    """
    kept = folder / ASIDE_FOLDER / CHECKPOINT_FOLDER
    with hold_file_lock(folder / ASIDE_FOLDER / BACKUP_LOCK_FILE, BACKUP_BUSY_MESSAGE.format(folder)):
        shutil.rmtree(kept, ignore_errors=True)  # of one that was cut off
        try:
            request_checkpoint(folder)
            shutil.move(kept, place)
        finally:
            shutil.rmtree(kept, ignore_errors=True)

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

from ..files import ASIDE, locked
from ..folder import refuse_without_store
from ..snapshot import KEPT
from ..store import Store
from .backup import BUSY, LOCK

NAME = "control"
SILENCE = 10  # seconds that a request may take to come
PATIENCE = 600  # and its answer: a long write comes first
LONGEST = 4096  # bytes of either

Answer = dict[str, Any]


def listen(folder: Path, answer: Callable[[Answer], Answer]) -> None:
    """Answer requests on a thread of its own, one after the other, as long as the process lives.

    Only for the process that has the store in `folder` open to write. Raises OSError.
    """
    listening = socket.socket(socket.AF_UNIX)
    with address(folder) as place:
        Path(place).unlink(missing_ok=True)  # whoever it belonged to is gone
        listening.bind(place)
        Path(place).chmod(0o600)  # nobody gets through before it listens
        listening.listen()

    def serve() -> None:
        with listening:  # should it come to an end, nobody may wait for it
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(SILENCE)
                    connection.sendall(line(answered(received(connection), answer)))

    threading.Thread(target=serve, daemon=True).start()


def answered(request: bytes, answer: Callable[[Answer], Answer]) -> Answer:
    """The answer to a request, whatever it is."""
    try:
        return answer(json.loads(request))
    except Exception as error:  # the one who asks is to know
        return {"error": str(error)}


def ask(folder: Path, request: Answer) -> Answer | None:
    """The answer of the process that has the store in `folder` open, None where nobody listens.

    Raises OSError where there is no answer, or it is an error.
    """
    with socket.socket(socket.AF_UNIX) as asking, address(folder) as place:
        try:
            asking.connect(place)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except PermissionError as error:
            raise OSError(
                f"The service of {folder} is somebody else's. Ask as the user that runs it."
            ) from error
        try:
            asking.settimeout(PATIENCE)
            asking.sendall(line(request))
            found: Answer = json.loads(received(asking))
        except (OSError, ValueError) as error:
            raise OSError(
                f"The service of {folder} did not answer. Look at its log, and ask again."
            ) from error
    if "error" in found:
        raise OSError(found["error"])
    return found


def line(message: Answer) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"


def received(connection: socket.socket) -> bytes:
    """The line that comes."""
    with connection.makefile("rb") as file:
        return file.readline(LONGEST)


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """The address of the socket in the folder of a store, as short as the system wants one.

    An address has room for about 100 bytes; on Linux the way to it leads through the open folder.
    """
    descriptor = os.open(folder / ASIDE, os.O_RDONLY)
    try:
        short = Path(f"/proc/self/fd/{descriptor}")
        yield str((short if short.exists() else folder / ASIDE) / NAME)
    finally:
        os.close(descriptor)


REQUEST = {"do": "checkpoint"}


def offer(store: Store, say: Callable[[str], None]) -> None:
    """Let others ask this process for a checkpoint of its store; `say` is told where that cannot be."""
    assert store.folder

    def answer(request: object) -> dict[str, object]:
        if request != REQUEST:
            return {
                "error": f"This is not understood: {request}. Use the same version of wgig as the service."
            }
        return {"quads": store.keep()}

    try:
        listen(store.folder, answer)
    except OSError as error:
        say(f"No backup can be made while this service runs: {error}. Stop it for a backup.")


def keep(folder: Path) -> int:
    """Make the checkpoint of the store in `folder`; returns how many quads the store has.

    Raises StoreError or OSError where nobody can.
    """
    refuse_without_store(folder)
    answer = ask(folder, REQUEST)
    return int(answer["quads"]) if answer else Store.open(folder).keep()


def copy_to(place: Path, folder: Path) -> None:
    """Make a new folder a store like the one in `folder` as it is now, by links where that can be.

    Raises StoreError or OSError where nobody can, or a backup is under way.
    """
    kept = folder / ASIDE / KEPT
    with locked(folder / ASIDE / LOCK, BUSY.format(folder)):
        shutil.rmtree(kept, ignore_errors=True)  # of one that was cut off
        try:
            keep(folder)
            shutil.move(kept, place)
        finally:
            shutil.rmtree(kept, ignore_errors=True)

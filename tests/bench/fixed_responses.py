"""A server that sends fixed bytes as its response."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEADER_START = b'HTTP/1.1 200 OK\r\nETag: "x"\r\n'


@contextmanager
def serve_bytes(response: bytes) -> Iterator[int]:
    """The port of a server that sends the bytes to the first connection, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(response)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()

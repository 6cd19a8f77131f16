"""A server that sends fixed bytes as its response."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEADER_START = b'HTTP/1.1 200 OK\r\nETag: "x"\r\n'


@contextmanager
def serve_bytes(response: bytes, connections: int = 1) -> Iterator[int]:
    """The port of a server that sends the bytes to the first connections, and closes each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(connections):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(response)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()

"""`python minimal_server.py PORT`: a server that does almost nothing, to measure the cost of the client.

`GET /1000` returns 1,000 bytes, any other path returns `true`.
"""

import socket
import sys

HEADER_END = b"\r\n\r\n"


def serve_requests(port: int) -> None:
    """Serve one connection after the other until the process is stopped."""
    responses: dict[bytes, bytes] = {}
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while header := connection.recv(65536):
                    while not header.endswith(HEADER_END):
                        header += connection.recv(65536)
                    path = header[5 : header.index(b" ", 5)]  # after "GET /"
                    if path not in responses:
                        body = b" " * int(path) if path.isdigit() else b"true"
                        responses[path] = build_response(body)
                    connection.sendall(responses[path])


def build_response(body: bytes) -> bytes:
    """A complete response with a body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


if __name__ == "__main__":
    serve_requests(int(sys.argv[1]))

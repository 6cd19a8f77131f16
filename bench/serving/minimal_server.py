"""`python minimal_server.py PORT`: a server that does nothing, so that the cost of the client is seen.

`GET /1000` gets 1,000 bytes, any other path gets `true`.
"""

import socket
import sys

END = b"\r\n\r\n"


def serve(port: int) -> None:
    """Answer one connection after the other until the process is stopped."""
    answers: dict[bytes, bytes] = {}
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                while head := connection.recv(65536):
                    while not head.endswith(END):
                        head += connection.recv(65536)
                    path = head[5 : head.index(b" ", 5)]
                    if path not in answers:
                        answers[path] = answer(b" " * int(path) if path.isdigit() else b"true")
                    connection.sendall(answers[path])


def answer(body: bytes) -> bytes:
    """A whole answer with a body."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


if __name__ == "__main__":
    serve(int(sys.argv[1]))

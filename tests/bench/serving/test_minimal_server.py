"""The server that does nothing sends as much as it is asked for."""

from bench.measure.client import Client, request
from bench.measure.commands import PYTHON
from bench.measure.server import running
from bench.serving import minimal_server


def test_the_server_that_does_nothing_sends_so_many_bytes() -> None:
    with (
        running([PYTHON, minimal_server.__file__], "{port}", question="/true") as server,
        Client(server.port) as client,
    ):
        assert [client.ask(request(f"/{size}")).size for size in (1, 100_000, 1)] == [1, 100_000, 1]

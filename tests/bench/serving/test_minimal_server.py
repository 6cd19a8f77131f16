"""The minimal server sends as many bytes as requested."""

from bench.measure.client import Client, build_request
from bench.measure.commands import PYTHON
from bench.measure.server import run_server
from bench.serving import minimal_server


def test_the_minimal_server_sends_the_requested_number_of_bytes() -> None:
    with (
        run_server([PYTHON, minimal_server.__file__], "{port}", ready_path="/true") as server,
        Client(server.port) as client,
    ):
        sizes = [client.send(build_request(f"/{size}")).size for size in (1, 100_000, 1)]
    assert sizes == [1, 100_000, 1]

"""An event stream client of others copies everything, and the copy is the dump."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pyoxigraph as ox
import pytest

CLIENT = ["npx", "--yes", "ldes-client@0.3.0"]
ACTIVITY = "https://www.w3.org/ns/activitystreams#"
GENID = re.compile(r"<[^<>]*/\.well-known/genid/(\w+)>")
# A line of the client: N-Quads, but numbers and truth values are as in Turtle.
LINE = re.compile(r"(?P<triple><[^<>]*> <[^<>]*> .+?)(?P<graph> <[^<>]*>)? \.")


@pytest.fixture(scope="module")
def ldes_client() -> list[str]:
    """The command of the client."""
    if not shutil.which("npx"):
        pytest.skip("There is no npx, with which the client is started.")
    asked = subprocess.run([*CLIENT, "--help"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"The client cannot be fetched: {asked.stderr.strip()[-200:]}")
    return CLIENT


def test_a_copy_that_a_client_makes_is_the_dump(ldes_client: list[str], served: str) -> None:
    given = subprocess.run(
        [*ldes_client, f"{served}changes", "--materialize", "--ordered", "ascending"],
        capture_output=True,
        text=True,
        check=True,
    )
    copy = ox.Dataset(ox.parse("\n".join(trig(given.stdout)), ox.RdfFormat.TRIG))
    dumped = gzip.decompress(httpx.get(f"{served}dump.nq.gz").content)
    dump = ox.Dataset(ox.parse(dumped, ox.RdfFormat.N_QUADS))
    assert len(dump) > 10_000
    for one in (copy, dump):
        one.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    assert copy == dump


def trig(printed: str) -> Iterator[str]:
    """What the client printed of things as TriG, without what the stream itself says of their versions."""
    told = 0
    for line in filter(None, printed.splitlines()):
        found = LINE.fullmatch(line)
        assert found, line
        if found["graph"] is None and ACTIVITY in line:
            told += 1
            continue
        triple = GENID.sub(r"_:b\1", found["triple"])
        yield f"{found['graph'] or ''} {{ {triple} }}"
    assert told > 1000

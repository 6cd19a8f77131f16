"""An event stream client of others copies everything, and the copy is the dump."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyoxigraph as ox

from tests.docs.blocks import blocks, page, run

ACTIVITY = "https://www.w3.org/ns/activitystreams#"
GENID = re.compile(r"<[^<>]*/\.well-known/genid/(\w+)>")
# A line of the client: N-Quads, but numbers and truth values are as in Turtle.
LINE = re.compile(r"(?P<triple><[^<>]*> <[^<>]*> .+?)(?P<graph> <[^<>]*>)? \.")


def test_a_copy_that_a_client_makes_is_the_dump(npx: dict[str, str], served: str, tmp_path: Path) -> None:
    (shown,) = (one for one in blocks(page("following-changes.md"), "sh") if "npx" in one)
    given = run(shown, served, tmp_path, **npx)
    assert given.returncode == 0, given.stderr
    printed = (tmp_path / "copy.nq").read_text(encoding="utf-8")
    copy = ox.Dataset(ox.parse("\n".join(trig(printed)), ox.RdfFormat.TRIG))
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

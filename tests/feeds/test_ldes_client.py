"""An event stream client of others copies everything, and the copy is the dump."""

import gzip
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from tests.docs.blocks import blocks, page, run

pytestmark = pytest.mark.slow

ACTIVITY = "https://www.w3.org/ns/activitystreams#"


def test_a_copy_that_a_client_makes_is_the_dump(npx: dict[str, str], served: str, tmp_path: Path) -> None:
    (shown,) = (one for one in blocks(page("how-to/following-changes.md"), "sh") if "npx" in one)
    given = run(shown, served, tmp_path, **npx)
    assert given.returncode == 0, given.stderr
    assert (tmp_path / "told.txt").read_text(encoding="utf-8").count(ACTIVITY) > 1000
    copy = ox.Dataset(ox.parse((tmp_path / "copy.trig").read_bytes(), ox.RdfFormat.TRIG))
    dumped = gzip.decompress(httpx.get(f"{served}dump.nq.gz").content)
    dump = ox.Dataset(ox.parse(dumped, ox.RdfFormat.N_QUADS))
    assert len(dump) > 10_000
    for one in (copy, dump):
        one.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    assert copy == dump

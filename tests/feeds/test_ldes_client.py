"""An independent LDES client copies the whole event stream, and the copy equals the dump."""

import gzip
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest

from tests.docs.blocks import find_code_blocks, read_docs_page, run_shell_block

pytestmark = pytest.mark.slow

ACTIVITY_STREAMS_NAMESPACE = "https://www.w3.org/ns/activitystreams#"


def test_the_copy_of_an_ldes_client_equals_the_dump(
    npx: dict[str, str], service_url: str, tmp_path: Path
) -> None:
    (command,) = (
        block
        for block in find_code_blocks(read_docs_page("how-to/following-changes.md"), "sh")
        if "npx" in block
    )
    process = run_shell_block(command, service_url, tmp_path, **npx)
    assert process.returncode == 0, process.stderr
    # Each version of a resource is a member with an ActivityStreams type.
    assert (tmp_path / "versions.txt").read_text(encoding="utf-8").count(ACTIVITY_STREAMS_NAMESPACE) > 1000
    copy = ox.Dataset(ox.parse((tmp_path / "copy.trig").read_bytes(), ox.RdfFormat.TRIG))
    dump_bytes = gzip.decompress(httpx.get(f"{service_url}dump.nq.gz").content)
    dump = ox.Dataset(ox.parse(dump_bytes, ox.RdfFormat.N_QUADS))
    assert len(dump) > 10_000
    for dataset in (copy, dump):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    assert copy == dump

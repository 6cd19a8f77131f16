"""An independent LDES client copies the whole event stream. The copy is the dump without derived graphs."""

import gzip
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from wgig.settings import Settings
from wgig.store.resource_versions.states import get_derived_graphs

from tests.docs.blocks import find_code_blocks, read_docs_page, run_shell_block

pytestmark = pytest.mark.slow

ACTIVITY_STREAMS_NAMESPACE = "https://www.w3.org/ns/activitystreams#"


def test_the_copy_of_an_ldes_client_has_the_stated_quads_of_the_dump(
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
    dump_bytes = gzip.decompress(httpx2.get(f"{service_url}dump.nq.gz").content)
    derived_graphs = get_derived_graphs(Settings.base)
    dump_quads = ox.parse(dump_bytes, ox.RdfFormat.N_QUADS)
    dump = ox.Dataset(quad for quad in dump_quads if quad.graph_name not in derived_graphs)
    assert len(dump) > 10_000
    for dataset in (copy, dump):
        dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    assert copy == dump

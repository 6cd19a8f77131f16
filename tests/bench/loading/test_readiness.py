"""The size of a loaded service: its stated and stored quads, and its memory."""

from pathlib import Path

import pyoxigraph as ox

from bench.loading.readiness import DERIVED_GRAPHS, MIB, ServiceSize, count_quads, format_sizes


def test_quads_of_derived_graphs_are_not_stated(tmp_path: Path) -> None:
    node = ox.NamedNode("urn:s")
    store = ox.Store(tmp_path / "quads")
    store.extend(ox.Quad(node, node, node, graph) for graph in (node, *DERIVED_GRAPHS))
    store.add(ox.Quad(node, node, node))
    store.flush()
    del store
    assert count_quads(tmp_path) == (2, 2 + len(DERIVED_GRAPHS))


def test_sizes_have_goals_from_10_000_papers_on() -> None:
    sizes = (ServiceSize(papers, 100, 200, 1000 * MIB, 20 * MIB) for papers in (1000, 10_000))
    *_, small, large = format_sizes(sizes).splitlines()
    assert small == "| 1,000 | 100 | 200 | 2.00 |  |  | 1,000 | 20.0 |  |  |"
    assert large == "| 10,000 | 100 | 200 | 2.00 | <= 1.9 | **no** | 1,000 | 20.0 | <= 1150 MiB | yes |"

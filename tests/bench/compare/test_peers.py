"""Which servers are measured side by side."""

from bench.compare.peers import FROM_DISK, OURS, peers


def test_ours_is_asked_in_memory_while_the_papers_fit() -> None:
    def own(papers: int, **settings: str) -> list[str]:
        return [one.name for one in peers(papers, settings) if one.ours]

    assert own(10_000, WGIG_READER_QUADS="2000000") == [OURS, FROM_DISK]
    assert own(100_000, WGIG_READER_QUADS="2000000") == [FROM_DISK]
    assert own(100_000, WGIG_READER_QUADS="20000000") == [OURS, FROM_DISK]

"""The servers that are compared: this service ("ours"), in memory and from disk, and its peers."""

from bench.compare.peers import FROM_DISK, OURS, list_peers


def test_this_service_is_measured_in_memory_if_the_papers_fit() -> None:
    def list_own_names(papers: int, **settings: str) -> list[str]:
        return [peer.name for peer in list_peers(papers, settings) if peer.is_ours]

    # 10,000 papers have less than 2 million quads, 100,000 papers more.
    assert list_own_names(10_000, WGIG_READER_QUADS="2000000") == [OURS, FROM_DISK]
    assert list_own_names(100_000, WGIG_READER_QUADS="2000000") == [FROM_DISK]
    assert list_own_names(100_000, WGIG_READER_QUADS="20000000") == [OURS, FROM_DISK]

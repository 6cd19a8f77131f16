"""A real service responds to the requests of the soak with the expected statuses."""

from pathlib import Path

from bench.soak import __main__ as soak
from bench.soak.load import Load, PersistentConnection
from bench.soak.mix import BAD_REQUESTS, make_request_mix
from bench.writing.put import generate_conforming_papers
from tests.fixtures.processes import copy_filled_store

ROUNDS = len(BAD_REQUESTS)  # of which each sends another bad request


def test_each_response_has_an_expected_status(tmp_path: Path) -> None:
    copy_filled_store(tmp_path / "one")
    with soak.run_service("one", tmp_path, {}) as service:
        mix = make_request_mix(generate_conforming_papers(soak.PAPERS))
        load = Load(service.monitor.port, mix, rate=1)
        connection = PersistentConnection(load.port)
        for number in range(ROUNDS):
            for make_request in load.mix:
                load.send_and_record(connection, make_request(number))
        connection.close()
    summary = load.tally.summarize_kinds()
    assert summary["faults"] == []
    assert summary["kinds"].keys() >= {"put", "delete", "update", "validate", "dump", "leaving", "bad"}

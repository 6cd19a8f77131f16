"""A real service gives the answers that the requests of the soak want."""

from pathlib import Path

from bench.soak import __main__ as soak
from bench.soak.load import Line, Load
from bench.soak.mix import BAD, mix
from bench.writing.put import complete

ROUNDS = len(BAD)


def test_each_answer_is_one_of_those_that_are_to_come(tmp_path: Path) -> None:
    with soak.served("one", tmp_path, {}) as service:
        load = Load(service.watched.port, mix(complete(soak.PAPERS)), rate=1)
        line = Line(load.port)
        for number in range(ROUNDS):
            for asking in load.mix:
                load.ask(line, asking(number))
        line.close()
    found = load.tally.kept()
    assert found["faults"] == []
    assert found["kinds"].keys() >= {"put", "delete", "update", "validate", "dump", "leaving", "bad"}

"""Query workers, within this process."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest
from wgig.sparql.workers import worker as worker_module
from wgig.sparql.workers.protocol import (
    OPEN_MESSAGE,
    OUTDATED_FAULT,
    VERSION_MESSAGE,
    VERSION_STRUCT,
    QueryFault,
)
from wgig.sparql.workers.worker import QueryWorker


def test_worker_of_a_front_process_whose_folder_was_removed_is_outdated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("lift", "renew"):  # which set limits of the process
        monkeypatch.setattr(worker_module.MemoryLimit, method, lambda _: None)
    (service_end, worker_end), (read_end, write_end) = socket.socketpair(), os.pipe()
    with closing(service_end), closing(worker_end):
        worker = QueryWorker(worker_end, None, 0, write_end)
        worker.front_socket = worker_end
        worker.handle_message(OPEN_MESSAGE, str(tmp_path / "removed").encode())
        worker.handle_message(VERSION_MESSAGE, VERSION_STRUCT.pack(1))
        with pytest.raises(QueryFault) as caught:
            worker.reach_version(1)
        assert caught.value.kind == OUTDATED_FAULT
    os.close(read_end)
    os.close(write_end)

"""The forker aborts the copy of the quads if its service exits, and reports an incomplete copy.

The forker is the process that has a copy of the quads in memory, and forks the query workers.
"""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import MIB
from wgig.sparql.workers.connections import ForkerConnection, execute_forker
from wgig.sparql.workers.forker import COPY_BATCH_QUADS, COPY_READERS, WatchedPipe, copy_store_to_memory
from wgig.sparql.workers.protocol import ForkerLimits
from wgig.store.store import Store

pytestmark = pytest.mark.slow

NODE = ox.NamedNode("urn:s")


def test_copy_is_aborted_when_the_service_disconnects(tmp_path: Path) -> None:
    triples = [ox.Triple(NODE, NODE, ox.Literal(number)) for number in range(20_000)]
    Store.open(tmp_path).replace({"urn:g": triples})

    async def disconnect_during_copy() -> None:
        forker = ForkerConnection(lambda *_: None, lambda: None)
        await forker.start(ForkerLimits(100_000, MIB, "urn:base"), execute_forker)
        loaded = forker.load(tmp_path / "quads")
        children = Path(f"/proc/{forker.process.pid}/task/{forker.process.pid}/children")
        while len(process_ids := children.read_text().split()) < COPY_READERS:
            await asyncio.sleep(0)
        forker.close()
        with pytest.raises(ConnectionError):
            await loaded
        await forker.exited
        for process_id in process_ids:  # the processes that read the store must exit, too
            while Path(f"/proc/{process_id}/exe").is_symlink():
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(disconnect_during_copy(), 10))


# A forker whose child processes exit before they have written all quads.
INTERRUPTED_COPY_SCRIPT = """
import os, socket
from wgig.sparql.workers import forker, protocol

def write_incompletely(folder, max_quads, part, descriptor, damage_descriptor):
    os.write(descriptor, b"2\\n<urn:s> <urn:p> ")  # two quads are announced
    os._exit(0)

forker.write_store_to_pipe = write_incompletely
service_end, forker_end = socket.socketpair()
receiving_end, sending_end = socket.socketpair()
service_end.sendall(protocol.frame_message(protocol.LOAD_MESSAGE, b"anywhere"))
forker.run_forker(forker_end, sending_end, protocol.ForkerLimits(10, 2**20, "urn:base"))
"""


def test_interrupted_copy_is_reported_in_one_sentence() -> None:
    process = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_COPY_SCRIPT],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert process.stderr == "wgig: the copy of the quads to memory was interrupted; repeating it\n"


def test_read_from_a_pipe_fails_when_the_consumer_has_disconnected() -> None:
    service_end, forker_end = socket.socketpair()
    read_end, write_end = os.pipe()
    os.write(write_end, b"some data")
    with forker_end, WatchedPipe(read_end, forker_end) as stream:
        assert stream.readinto(bytearray(3)) == 3
        service_end.sendall(b"a change")
        service_end.close()
        with pytest.raises(ConnectionError):
            stream.readinto(bytearray(3))
    os.close(write_end)


def test_store_is_not_read_if_no_quads_are_to_be_in_memory(tmp_path: Path) -> None:
    connection, service_end = socket.socketpair()
    with connection, service_end:
        assert copy_store_to_memory(str(tmp_path / "missing"), 0, "http://a/", connection) == (None, "")


def test_copy_has_the_quads_of_all_graphs_and_labels_of_blank_nodes(tmp_path: Path) -> None:
    graphs: list[ox.NamedNode | ox.DefaultGraph] = [ox.DefaultGraph()]
    graphs += [ox.NamedNode(f"urn:g{number}") for number in range(5)]
    values: list[ox.BlankNode | ox.Literal] = [ox.BlankNode("label")]
    values += map(ox.Literal, range(COPY_BATCH_QUADS))
    quads = [ox.Quad(NODE, NODE, value, graph) for graph in graphs for value in values]
    ox.Store(str(tmp_path)).bulk_extend(quads)
    connection, service_end = socket.socketpair()
    with connection, service_end:
        copy, damage = copy_store_to_memory(str(tmp_path), len(quads), "http://a/", connection)
        assert copy
        assert (set(copy.quads), damage) == (set(quads), "")
        assert copy_store_to_memory(str(tmp_path), len(quads) - 1, "http://a/", connection) == (None, "")

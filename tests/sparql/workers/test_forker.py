"""The holder copies the quads for its service alone, whole or not at all."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest
from wgig.settings import MIB
from wgig.sparql.workers.connections import ForkerConnection
from wgig.sparql.workers.forker import WatchedPipe
from wgig.store.store import Store

pytestmark = pytest.mark.slow

NODE = ox.NamedNode("urn:s")


def test_a_copy_is_not_taken_to_its_end_for_a_service_that_is_gone(tmp_path: Path) -> None:
    many = [ox.Triple(NODE, NODE, ox.Literal(one)) for one in range(20_000)]
    Store.open(tmp_path).replace({"urn:g": many})

    async def story() -> None:
        holder = ForkerConnection(lambda *_: None, lambda: None)
        await holder.start(100_000, MIB)
        loaded = holder.load(tmp_path / "quads")
        children = Path(f"/proc/{holder.process.pid}/task/{holder.process.pid}/children")
        while not (started := children.read_text().split()):
            await asyncio.sleep(0)
        holder.close()
        with pytest.raises(ConnectionError):
            await loaded
        await holder.exited
        child = Path(f"/proc/{started[0]}/exe")
        while child.is_symlink():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(story(), 10))


CUT = """
import os, socket
from wgig.sparql.workers import forker, protocol

def pour(folder, most, writing):
    os.write(writing, b"2\\n<urn:s> <urn:p> ")
    os._exit(0)

forker.write_store_to_pipe = pour
here, there = socket.socketpair()
births, cradle = socket.socketpair()
here.sendall(protocol.frame_message(protocol.LOAD_MESSAGE, b"anywhere"))
forker.run_forker(there, cradle, 10, 2**20)
"""


def test_a_copy_that_breaks_off_is_told_in_one_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", CUT], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == "wgig: the copy of the quads to memory was interrupted, and is repeated\n"


def test_a_pipe_breaks_off_when_its_reader_is_gone() -> None:
    here, there = socket.socketpair()
    reading, writing = os.pipe()
    os.write(writing, b"all of it")
    with there, WatchedPipe(reading, there) as stream:
        assert stream.readinto(bytearray(3)) == 3
        here.sendall(b"a change")
        here.close()
        with pytest.raises(ConnectionError):
            stream.readinto(bytearray(3))
    os.close(writing)

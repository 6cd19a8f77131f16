"""Virtuoso as a peer: how it is set up in a folder of its own, filled, and run by a plain user."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from ..measure.commands import command
from ..measure.server import Running, free_port, running

SERVER, SHELL = "virtuoso-t", "isql-vt"
# What Debian's file of settings has, but for four things: the folder; memory for pages (1.4 GB), as its
# manual advises for more than small data; no limits on rows and time; connections from this machine alone,
# which stay.
SETTINGS = """[Database]
DatabaseFile       = {folder}/virtuoso.db
ErrorLogFile       = {folder}/virtuoso.log
LockFile           = {folder}/virtuoso.lck
TransactionFile    = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
FileExtend         = 200
MaxCheckpointRemap = 2000

[TempDatabase]
DatabaseFile       = {folder}/temp.db
TransactionFile    = {folder}/temp.trx
MaxCheckpointRemap = 2000

[Parameters]
ServerPort           = 127.0.0.1:{sql}
DisableUnixSocket    = 1
MaxClientConnections = 10
CheckpointInterval   = 60
DirsAllowed          = {data}
MaxQueryMem          = 2G
ThreadsPerQuery      = 4
NumberOfBuffers      = 170000
MaxDirtyBuffers      = 130000

[HTTPServer]
ServerPort           = 127.0.0.1:{http}
MaxClientConnections = 10
MaxKeepAlives        = 10
KeepAliveTimeout     = 600

[SPARQL]
ResultSetMaxRows           = 1000000
MaxConstructTriples        = 1000000
MaxQueryCostEstimationTime = 0
MaxQueryExecutionTime      = 0
"""
YES = "/sparql?query=ASK%7B%7D"


def installed() -> bool:
    """Whether both of its commands are there."""
    return bool(which(SERVER) and which(SHELL))


def version() -> str:
    """What the server says that it is."""
    said = subprocess.run([SERVER, "-?"], capture_output=True, text=True, check=False)
    found = re.search(r"Version ([\d.]+)", said.stdout + said.stderr)
    return found[1] if found else "of an unknown version"


@contextmanager
def serve(folder: Path, file: Path) -> Iterator[Running]:
    """The server over the database in a folder, which may load from the folder of a file."""
    with started(folder, file) as (server, _):
        yield server


def load(folder: Path, file: Path) -> None:
    """Fill the database in a folder with a file of N-Quads, and write it to disk."""
    folder.mkdir()
    with started(folder, file) as (_, port):
        steps = f"ld_dir('{file.parent}', '{file.name}', 'urn:none'); rdf_loader_run(); checkpoint;"
        command(SHELL, f"127.0.0.1:{port}", "dba", "dba", f"exec={steps}")


@contextmanager
def started(folder: Path, file: Path) -> Iterator[tuple[Running, int]]:
    """The server, and the port on which it takes SQL."""
    sql, http = free_port(), free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(SETTINGS.format(folder=folder, data=file.parent, sql=sql, http=http))
    words = [SERVER, "+foreground", "+configfile", str(settings)]
    with running(words, question=YES, port=http) as server:
        yield server, sql

"""Virtuoso as a compared server: set up in a separate folder, filled and run without root."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from ..measure.commands import time_command
from ..measure.server import RunningServer, find_free_port, run_server

SERVER, SHELL = "virtuoso-t", "isql-vt"  # commands
# Debian's settings, with four changes: the folder; memory for pages (1.4 GB), as the manual of Virtuoso
# advises for larger data; limits that no query reaches; persistent connections, only from this machine.
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
READY_PATH = "/sparql?query=ASK%7B%7D"  # ASK {}


def is_installed() -> bool:
    """Whether the server and the SQL shell of Virtuoso are on PATH."""
    return bool(which(SERVER) and which(SHELL))


def read_version() -> str:
    """The version of Virtuoso, from the help of its server."""
    help_ = subprocess.run([SERVER, "-?"], capture_output=True, text=True, check=False)
    match = re.search(r"Version ([\d.]+)", help_.stdout + help_.stderr)
    return match[1] if match else "of an unknown version"


@contextmanager
def run_virtuoso(folder: Path, file: Path) -> Iterator[RunningServer]:
    """The server over the database in a folder, which may load files from the folder of `file`."""
    with run_with_sql_port(folder, file) as (server, _):
        yield server


def load_file(folder: Path, file: Path) -> None:
    """Create a database in a folder, and load a file of N-Quads into it durably."""
    folder.mkdir()
    with run_with_sql_port(folder, file) as (_, port):
        sql = f"ld_dir('{file.parent}', '{file.name}', 'urn:none'); rdf_loader_run(); checkpoint;"
        time_command(SHELL, f"127.0.0.1:{port}", "dba", "dba", f"exec={sql}")


@contextmanager
def run_with_sql_port(folder: Path, file: Path) -> Iterator[tuple[RunningServer, int]]:
    """The server, and the port on which it accepts SQL."""
    sql, http = find_free_port(), find_free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(SETTINGS.format(folder=folder, data=file.parent, sql=sql, http=http))
    command = [SERVER, "+foreground", "+configfile", str(settings)]
    with run_server(command, ready_path=READY_PATH, port=http) as server:
        yield server, sql

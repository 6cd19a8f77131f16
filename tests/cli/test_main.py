"""The command `wgig` in a subprocess: its commands, error messages and exit codes.

Exit codes: 0 success, 1 a negative or empty result, 2 wrong arguments or unreadable input, 3 other failures,
128 + n after signal n.
"""

import contextlib
import gzip
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

import pyoxigraph as ox
import pytest
from wgig.cli.arguments import RDF_FORMAT_CHOICES, RESULT_FORMAT_CHOICES
from wgig.cli.parser import CLI_COMMANDS
from wgig.cli.query import TABLE_FORMAT
from wgig.rdf.formats import DATASET_FORMATS, FORMATS_BY_FORM, GRAPH_FORMATS
from wgig.settings import SHIPPED_FOLDER
from wgig.store.folder import CHANGE_LOG_FILE
from wgig.store.position import POSITION_FILE

from tests.fixtures.forking import start_forker
from tests.fixtures.http_server import serve_on_thread

pytestmark = pytest.mark.slow

TEN_NUMBERS = " ".join(map(str, range(10)))
CommandRunner = Callable[..., subprocess.CompletedProcess[str]]
# Counts 10 ** 16 rows.
SLOW_QUERY = (
    "SELECT (COUNT(*) AS ?n) { "
    f"{' '.join(f'VALUES ?{name} {{ {TEN_NUMBERS} }}' for name in 'abcdefghijklmnop')} }}"
)
COUNT_QUERY = "SELECT (COUNT(*) AS ?n) { GRAPH <urn:g> { ?s ?p ?o } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of the commands."""
    return tmp_path_factory.mktemp("shell")


@pytest.fixture(scope="module")
def wgig(folder: Path) -> Iterator[CommandRunner]:
    """A function that runs `wgig`; its store has two quads in the graph urn:g."""
    environment = os.environ | {"WGIG_STORE": str(folder / "store"), "WGIG_DATA": "none"}
    with start_forker() as process:

        def run_wgig(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
            return process.run(*arguments, stdin=stdin, folder=folder, environment=environment | variables)

        (folder / "two.ttl").write_text("<urn:s> <urn:p> 1, 2 .")
        assert run_wgig("load", "two.ttl", "--graph", "urn:g").returncode == 0
        yield run_wgig


@pytest.mark.parametrize("command", list(CLI_COMMANDS))
def test_help_has_examples(wgig: CommandRunner, command: str) -> None:
    process = wgig(command, "--help")
    assert process.returncode == 0
    assert f"examples:\n  wgig {command}" in process.stdout


@pytest.mark.parametrize("arguments", [(), ("token",), ("bulk",)], ids=str)
def test_command_alone_prints_its_help(wgig: CommandRunner, arguments: tuple[str, ...]) -> None:
    process = wgig(*arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(" ".join(("usage: wgig", *arguments)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chek",), "there is no 'chek'. Did you mean check?"),
        (("check", "x.ttl", "--profile", "finl"), "there is no 'finl'. Did you mean final?"),
        (("token", "xyz"), "there is no 'xyz'. Choose from new, list, revoke."),
    ],
)
def test_unknown_choice_is_refused_with_a_similar_one(
    wgig: CommandRunner, arguments: tuple[str, ...], message: str
) -> None:
    process = wgig(*arguments)
    assert (process.returncode, message in process.stderr) == (2, True), process.stderr


def test_query_without_result_prints_warnings(wgig: CommandRunner) -> None:
    process = wgig("query", "PREFIX w: <https://w3id.org/wgig/ontology#>\nSELECT * { ?issue a w:Isue }")
    assert (process.returncode, process.stdout) == (1, "issue\n")
    assert "Warning: line 2, column 19: " in process.stderr


def test_format_choices_are_complete() -> None:
    assert set(RESULT_FORMAT_CHOICES) == {
        TABLE_FORMAT,
        *(format_.suffix for formats in FORMATS_BY_FORM.values() for format_ in formats),
    }
    assert set(RDF_FORMAT_CHOICES) == {format_.suffix for format_ in (*GRAPH_FORMATS, *DATASET_FORMATS)}


def test_help_does_not_import_heavy_packages() -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wgig", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"pyoxigraph", "fastapi", "rich", "uvicorn"} & {
        line.rpartition("|")[2].strip() for line in process.stderr.splitlines()
    }


def test_query_is_read_from_argument_file_or_standard_input(wgig: CommandRunner, folder: Path) -> None:
    (folder / "count.rq").write_text(COUNT_QUERY)
    for process in (
        wgig("query", COUNT_QUERY),
        wgig("query", "count.rq"),
        wgig("query", "-", stdin=COUNT_QUERY),
    ):
        assert (process.returncode, process.stdout) == (0, "n\n2\n")


def test_from_clause_selects_the_dataset(wgig: CommandRunner) -> None:
    query = "SELECT (COUNT(*) AS ?n) FROM <urn:none> { ?s ?p ?o }"
    assert wgig("query", query).stdout == "n\n0\n"


@pytest.mark.parametrize(
    ("query", "format_", "text"),
    [
        (COUNT_QUERY, "table", " 2 "),
        (COUNT_QUERY, "json", '"2"'),
        (COUNT_QUERY, "tsv", "?n\n2\n"),
        (COUNT_QUERY, "xml", "<literal"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "nt", "<urn:s> <urn:p>"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "jsonld", '"urn:p"'),
    ],
)
def test_result_is_printed_in_each_format(wgig: CommandRunner, query: str, format_: str, text: str) -> None:
    process = wgig("query", query, "--format", format_)
    assert (process.returncode, text in process.stdout) == (0, True), process


def test_exit_code_is_1_for_false_and_empty_results(wgig: CommandRunner) -> None:
    assert wgig("query", "ASK { GRAPH <urn:g> {} }").stdout == "yes\n"
    assert wgig("query", "ASK { <urn:x> ?p ?o }").returncode == 1
    assert wgig("query", "SELECT * { <urn:x> ?p ?o }").returncode == 1
    assert wgig("query", "CONSTRUCT WHERE { <urn:x> ?p ?o }").returncode == 1


def test_syntax_error_is_shown_with_a_caret(wgig: CommandRunner) -> None:
    process = wgig("query", "SELECT * { ?s ?p ?o")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.endswith("SELECT * { ?s ?p ?o\n         ^\n")


def test_update_is_refused_as_a_query(wgig: CommandRunner) -> None:
    assert wgig("query", "DROP ALL").returncode == 2
    assert wgig("query", COUNT_QUERY).stdout == "n\n2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["query", "--name", "coverage-matriks"], 1, "Did you mean coverage-matrix?"),
        (["query", "--name", "judgments", "--param", "the_isue=spam"], 2, "Did you mean the_issue?"),
        (
            ["query", "--name", "judgments", "--param", "the_issue=agent:icann"],
            2,
            "is a resource of the kind agent",
        ),
        (["query", "--name", "judgments", "--param", "the_issue"], 2, "Write it as NAME=VALUE"),
        (["query", "ASK {}", "--param", "the_issue=spam"], 2, "Give the name of one with --name"),
        (["new", "paper", "spamm"], 2, "Did you mean spam?"),
        (["query", COUNT_QUERY, "--format", "ttl"], 2, "Use --format json, xml, csv, tsv"),
        (["query", "nothing.rq"], 2, "nothing.rq"),
        (
            ["query", "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"],
            2,
            "SERVICE and LOAD are refused",
        ),
        (["query", "SELECT * " + "{" * 20_000], 2, "Use fewer nested brackets"),
        (["query", "ASK {}", "--url", "http://127.0.0.1:9/sparql"], 3, "cannot be reached"),
        (["query", "ASK {}", "--url", "ftp://example.org"], 2, "start with http://"),
        (["dump", "-o", "nope/x.nq"], 2, "There is no folder nope. Create it"),
        (["new", "paper", "spam", "-o", "nope/x.md"], 2, "There is no folder nope. Create it"),
        (["check", "a\n::error::b", "-c\n::error::d"], 2, "-c ::error::d"),  # on one line
        (["dump", "--graph", "urn:none"], 1, "There is no graph urn:none"),
        (["load"], 2, "No file was given"),
        (["load", "nowhere.ttl"], 2, "nowhere.ttl: No such file or directory"),
        (["load", "two.ttl", "--graph", "g"], 2, "not an absolute IRI"),
        (["serve", "--port", "99999"], 2, "from 0 to 65535"),
        (["no-such-command"], 2, "See: wgig --help"),
        (["release", "--lst"], 2, "wgig release: unrecognized arguments: --lst.\nSee: wgig release --help"),
        (["stats", "--store", "two.ttl"], 3, "is not a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_error_has_a_message_and_an_exit_code(
    wgig: CommandRunner, arguments: list[str], code: int, message: str
) -> None:
    process = wgig(*arguments)
    error = process.stderr
    assert (process.returncode, message in error, "Traceback" in error) == (code, True, False), process


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "SELECT *\n::error::pwned {"],
        ["query", "\n::error::\u202epwned"],
        ["query", "--name", "x\n::error::pwned"],
        ["load", "x\n::error::pwned\x1b[2J.ttl"],
        ["check", "x\n::error::pwned", "-o", "no/\n::error::pwned/x.html"],
        ["queries", "##[error]pwned"],
        ["no-such-command\n::error::pwned"],
    ],
    ids=" ".join,
)
def test_error_message_cannot_control_a_terminal_or_ci_job(wgig: CommandRunner, arguments: list[str]) -> None:
    process = wgig(*arguments)
    assert "pwned" in process.stderr
    assert not re.search(r"^\s*::|##\[|[\x1b\u202e]", process.stderr, re.MULTILINE), process


@pytest.mark.parametrize(
    "arguments",
    [["queries"], ["check", "two.ttl"], ["stats"], ["new", "paper", "spam", "-o", "-"]],
    ids=" ".join,
)
def test_exit_code_is_that_of_sigpipe_if_the_output_is_closed(folder: Path, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "wgig", *arguments],
        cwd=folder,
        env=os.environ | {"WGIG_STORE": str(folder / "store"), "WGIG_DATA": "none"},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (128 + signal.SIGPIPE, b"")


def test_new_paper_is_written_once_for_an_issue_in_any_case(wgig: CommandRunner, folder: Path) -> None:
    assert wgig("new", "paper", "SPAM").returncode == 0
    assert "issue: spam" in (folder / "spam.md").read_text(encoding="utf-8")
    process = wgig("new", "paper", "spam")  # as with `> spam.md`, for which the shell creates the file
    assert (process.returncode, "or print to standard output with --output -" in process.stderr) == (2, True)


def test_help_has_a_query_that_lists_the_issues(wgig: CommandRunner) -> None:
    query = shlex.split(wgig("new", "--help").stdout.splitlines()[-1])
    assert query[:2] == ["wgig", "query"]
    store = ox.Store()
    store.load(path=SHIPPED_FOLDER / "data" / "issues.ttl", format=ox.RdfFormat.TURTLE)
    solutions = store.query(query[2])
    assert isinstance(solutions, ox.QuerySolutions)
    assert ox.NamedNode("https://w3id.org/wgig/id/issue/spam") in [row[0] for row in solutions]


def test_exit_code_is_2_for_an_invalid_file_and_others_are_loaded(wgig: CommandRunner, folder: Path) -> None:
    (folder / "bad.ttl").write_text("<urn:s> <urn:p> .")
    (folder / "good.ttl").write_text("<urn:s> <urn:p> 1 .")
    process = wgig("load", "bad.ttl", "good.ttl", "--graph", "urn:h", "--store", "other")
    assert (process.returncode, "bad.ttl, line 1, column 17" in process.stderr) == (2, True)
    assert wgig("query", "ASK { GRAPH <urn:h> { ?s ?p 1 } }", "--store", "other").stdout == "yes\n"


def test_dump_is_complete_and_can_be_loaded(wgig: CommandRunner, folder: Path) -> None:
    assert wgig("dump", "-o", "all.nq.gz").returncode == 0
    assert len(gzip.decompress((folder / "all.nq.gz").read_bytes()).splitlines()) == 2
    assert wgig("load", "all.nq.gz", "--store", "again").returncode == 0
    assert wgig("query", COUNT_QUERY, "--store", "again").stdout == "n\n2\n"


def test_single_graph_is_dumped_as_turtle(wgig: CommandRunner) -> None:
    turtle = wgig("dump", "--graph", "urn:g").stdout
    assert len(list(ox.parse(turtle, ox.RdfFormat.TURTLE))) == 2


def test_stats_count_graphs_and_classes(wgig: CommandRunner) -> None:
    counts = json.loads(wgig("stats").stdout)
    assert (counts["quads"], counts["graphs"], counts["classes"]) == (2, {"urn:g": 2}, {})
    assert "urn:g" in wgig("stats", "--format", "table").stdout


def test_example_queries_are_listed_and_printed(wgig: CommandRunner) -> None:
    assert "coverage-matrix" in wgig("queries").stdout
    assert "SELECT" in wgig("queries", "coverage-matrix").stdout


def test_list_of_queries_in_a_pipe_is_tab_separated(wgig: CommandRunner) -> None:
    assert all(len(line.split("\t")) == 2 for line in wgig("queries").stdout.splitlines())


def test_control_characters_in_a_table_are_replaced(wgig: CommandRunner) -> None:
    query = "SELECT ('a\\u001B[2Jb\\u009B\\u202Ec' AS ?x) {}"
    assert "a\ufffd[2Jb\ufffd\ufffdc" in wgig("query", query, "--format", "table").stdout


def test_misspelled_environment_variable_is_reported(wgig: CommandRunner) -> None:
    process = wgig("queries", WGIG_STOR="x")
    assert (process.returncode, process.stderr) == (
        0,
        "wgig: The variable WGIG_STOR is not a setting. Did you mean WGIG_STORE?\n",
    )


@pytest.mark.parametrize(
    ("redirection", "message"),
    [(">&-", "Standard output is closed"), ("> /dev/full", "The output cannot be written: No space left")],
)
def test_unwritable_output_is_an_error(folder: Path, redirection: str, message: str) -> None:
    command = f"{sys.executable} -m wgig queries {redirection}"
    process = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 3
    assert process.stderr.startswith(f"wgig: {message}")
    assert "Error" not in process.stderr


def test_interrupted_load_loads_nothing(wgig: CommandRunner, folder: Path) -> None:
    command = [sys.executable, "-m", "wgig", "load", "-", "--format", "nt", "--store", "cut"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"WGIG_DATA": "none"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        lines = b"<urn:s> <urn:p> <urn:o> .\n" * 100_000  # more than the buffers can contain
        process.stdin.write(lines)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(BrokenPipeError):  # raised when the process has ended
            for _ in range(40):
                process.stdin.write(lines)
        assert process.wait(20) == 130
        *_, message = process.stderr.read().splitlines()
        assert message == b"wgig: Stopped; nothing from - was loaded: repeat the command to load it."
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    assert wgig("query", "ASK { ?s ?p ?o }", "--store", "cut").stdout == "no\n"


@pytest.fixture(scope="module")
def server_url(folder: Path) -> Iterator[str]:
    """The URL of a running `wgig serve` with an empty store."""
    with subprocess.Popen(
        [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", "served", "--data", "none"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2]
        process.kill()


def test_server_prints_its_url_when_it_listens(server_url: str) -> None:
    with urlopen(f"{server_url}health") as response:
        assert response.status == 200


def test_query_is_sent_to_a_url(wgig: CommandRunner, server_url: str) -> None:
    for url in (f"{server_url}sparql", server_url, server_url.rstrip("/")):
        assert wgig("query", COUNT_QUERY, "--url", url).stdout == "n\n0\n"
    process = wgig("query", "SELECT * { ?s ?p }", "--url", f"{server_url}sparql")
    assert (process.returncode, "refused the query: Line 1, column" in process.stderr) == (2, True)


class StatusHandler(BaseHTTPRequestHandler):
    """An endpoint whose responses have the status in the path of the request, and no body."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  overrides a method
        pass


@pytest.fixture(scope="module")
def status_url() -> Iterator[str]:
    """The URL of an endpoint with StatusHandler."""
    with serve_on_thread(ThreadingHTTPServer(("127.0.0.1", 0), StatusHandler)) as endpoint:
        yield f"http://127.0.0.1:{endpoint.server_port}/"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [(404, 2, "refused the query: 404"), (429, 2, "refused the query: 429"), (502, 3, "failed: 502")],
)
def test_error_response_of_an_endpoint_is_reported(
    wgig: CommandRunner, status_url: str, status: int, code: int, message: str
) -> None:
    process = wgig("query", "ASK {}", "--url", f"{status_url}{status}")
    assert (process.returncode, message in process.stderr) == (code, True), process


@pytest.mark.usefixtures("server_url")
def test_store_of_a_running_server_can_only_be_read(wgig: CommandRunner) -> None:
    assert wgig("query", COUNT_QUERY, "--store", "served").stdout == "n\n0\n"
    process = wgig("load", "two.ttl", "--store", "served")
    assert (process.returncode, "in use by another process" in process.stderr) == (3, True)


def read_store_state(wgig: CommandRunner, folder: Path) -> tuple[str, bytes, list[tuple[int, str]]]:
    """The quads, the position of the engine, and the entries of the change log of the served store."""
    with contextlib.closing(sqlite3.connect(folder / "served" / CHANGE_LOG_FILE)) as log:
        entries = log.execute("SELECT version, kind FROM commits").fetchall()
    return (
        wgig("dump", "--format", "nq", "--store", "served").stdout,
        (folder / "served" / POSITION_FILE).read_bytes(),
        entries,
    )


@pytest.mark.usefixtures("server_url")
@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("serve --port 0", 3, "in use by another process"),
        ("load two.ttl", 3, "in use by another process"),
        ("load --shipped issues", 3, "in use by another process"),
        ("restore saved", 3, "in use by another process"),
        ("forget /graph/paper/x?version=20260101T120000000000Z", 1, "There is no version"),
        (f"forget {'ab' * 32}", 1, "has never contained"),
        ("backup saved", 0, ""),
        ("verify", 0, ""),
    ],
)
def test_a_command_beside_a_server_changes_nothing(
    wgig: CommandRunner, folder: Path, command: str, code: int, message: str
) -> None:
    if "restore" in command:
        assert wgig("backup", "saved").returncode == 0
    before = read_store_state(wgig, folder)
    process = wgig(*command.split(), "--store", "served")
    assert (process.returncode, message in process.stderr) == (code, True), process
    assert "Traceback" not in process.stderr
    assert read_store_state(wgig, folder) == before


def test_a_server_beside_a_load_is_refused(wgig: CommandRunner, folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "wgig", "load", "two.ttl", "-", "--format", "ttl", "--store", "loading"],
        cwd=folder,
        env=os.environ | {"WGIG_DATA": "none"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert any(b" Loading - ..." in line for line in process.stderr)  # two.ttl is loaded
        for command in ("serve --port 0", "load two.ttl", "backup saved-while-loading"):
            other = wgig(*command.split(), "--store", "loading")
            assert (other.returncode, "in use by another process" in other.stderr) == (3, True), other
        process.stdin.write(b"<urn:last> <urn:p> 3 .")
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdin = None  # so that the end of the block does not flush it
    assert wgig("query", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "--store", "loading").stdout == "n\n3\n"


def test_port_in_use_is_an_error(wgig: CommandRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = wgig("serve", "--port", str(listener.getsockname()[1]), "--store", "never")
    assert (process.returncode, "choose another address with --port" in process.stderr) == (3, True)


@pytest.mark.parametrize(("grace_seconds", "signals"), [(1, 1), (1000, 2)], ids=["timeout", "second signal"])
def test_server_stops_while_a_query_runs(folder: Path, grace_seconds: int, signals: int) -> None:
    code = (
        f"from wgig.cli import main, serve; serve.SHUTDOWN_GRACE_SECONDS = {grace_seconds}; "
        "main.main(['serve', '--port', '0', '--store', 'busy', '--data', 'none'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        url = process.stdout.readline().split()[2]
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
            connection.sendall(f"GET /sparql?query={quote(SLOW_QUERY)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            with urlopen(f"{url}health", timeout=10):
                process.send_signal(signal.SIGTERM)
            if signals == 2:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(1)
                process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert process.stderr.read() == "wgig: Stopped.\n"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_server_stops_at_a_signal(folder: Path, signal_: signal.Signals) -> None:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", "stops", "--data", "none"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal_)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "wgig: Stopped.\n"

import contextlib
import gzip
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
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

from tests.fixtures.forking import forker

pytestmark = pytest.mark.slow

TEN = " ".join(map(str, range(10)))
Shell = Callable[..., subprocess.CompletedProcess[str]]
ENDLESS = f"SELECT (COUNT(*) AS ?n) {{ {' '.join(f'VALUES ?{v} {{ {TEN} }}' for v in 'abcdefghijklmnop')} }}"
COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH <urn:g> { ?s ?p ?o } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell")


@pytest.fixture(scope="module")
def wgig(folder: Path) -> Iterator[Shell]:
    environment = os.environ | {"WGIG_STORE": str(folder / "store"), "WGIG_DATA": "none"}
    with forker() as process:

        def call(*words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
            return process.run(*words, stdin=stdin, folder=folder, environment=environment | more)

        (folder / "two.ttl").write_text("<urn:s> <urn:p> 1, 2 .")
        assert call("load", "two.ttl", "--graph", "urn:g").returncode == 0
        yield call


@pytest.mark.parametrize("command", list(CLI_COMMANDS))
def test_help_shows_an_example(wgig: Shell, command: str) -> None:
    done = wgig(command, "--help")
    assert done.returncode == 0
    assert f"examples:\n  wgig {command}" in done.stdout


def test_the_formats_of_the_help_are_those_that_there_are() -> None:
    assert set(RESULT_FORMAT_CHOICES) == {
        TABLE_FORMAT,
        *(one.suffix for offered in FORMATS_BY_FORM.values() for one in offered),
    }
    assert set(RDF_FORMAT_CHOICES) == {one.suffix for one in (*GRAPH_FORMATS, *DATASET_FORMATS)}


def test_help_imports_no_more_than_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wgig", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"pyoxigraph", "fastapi", "rich", "uvicorn"} & {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines()
    }


def test_a_query_comes_as_text_as_a_file_and_from_standard_input(wgig: Shell, folder: Path) -> None:
    (folder / "count.rq").write_text(COUNT)
    for done in (wgig("query", COUNT), wgig("query", "count.rq"), wgig("query", "-", stdin=COUNT)):
        assert (done.returncode, done.stdout) == (0, "n\n2\n")


def test_from_says_what_a_query_runs_over(wgig: Shell) -> None:
    query = "SELECT (COUNT(*) AS ?n) FROM <urn:none> { ?s ?p ?o }"
    assert wgig("query", query).stdout == "n\n0\n"


@pytest.mark.parametrize(
    ("query", "format_", "shown"),
    [
        (COUNT, "table", " 2 "),
        (COUNT, "json", '"2"'),
        (COUNT, "tsv", "?n\n2\n"),
        (COUNT, "xml", "<literal"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "nt", "<urn:s> <urn:p>"),
        ("CONSTRUCT WHERE { ?s ?p ?o }", "jsonld", '"urn:p"'),
    ],
)
def test_each_format_of_an_answer(wgig: Shell, query: str, format_: str, shown: str) -> None:
    done = wgig("query", query, "--format", format_)
    assert (done.returncode, shown in done.stdout) == (0, True), done


def test_a_script_sees_yes_no_and_nothing_found(wgig: Shell) -> None:
    assert (wgig("query", "ASK { GRAPH <urn:g> {} }").stdout) == "yes\n"
    assert wgig("query", "ASK { <urn:x> ?p ?o }").returncode == 1
    assert wgig("query", "SELECT * { <urn:x> ?p ?o }").returncode == 1
    assert wgig("query", "CONSTRUCT WHERE { <urn:x> ?p ?o }").returncode == 1


def test_a_query_that_does_not_parse_is_shown_with_a_caret(wgig: Shell) -> None:
    done = wgig("query", "SELECT * { ?s ?p ?o")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("SELECT * { ?s ?p ?o\n         ^\n")


def test_an_update_is_no_query(wgig: Shell) -> None:
    assert wgig("query", "DROP ALL").returncode == 2
    assert wgig("query", COUNT).stdout == "n\n2\n"


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (["query", "--name", "coverage-matriks"], 1, "Did you mean coverage-matrix?"),
        (["new", "paper", "spamm"], 2, "Did you mean spam?"),
        (["query", COUNT, "--format", "ttl"], 2, "Use --format json, xml, csv, tsv"),
        (["query", "nothing.rq"], 2, "nothing.rq"),
        (
            ["query", "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"],
            2,
            "SERVICE and LOAD are refused",
        ),
        (["query", "SELECT * " + "{" * 20_000], 2, "Nest it less deeply"),
        (["query", "ASK {}", "--url", "http://127.0.0.1:9/sparql"], 3, "cannot be reached"),
        (["query", "ASK {}", "--url", "ftp://example.org"], 2, "start with http://"),
        (["dump", "-o", "nope/x.nq"], 2, "There is no folder nope. Create it"),
        (["new", "paper", "spam", "-o", "nope/x.md"], 2, "There is no folder nope. Create it"),
        (["check", "a\n::error::b", "-c\n::error::d"], 2, "-c ::error::d"),
        (["dump", "--graph", "urn:none"], 1, "There is no graph urn:none"),
        (["load"], 2, "No file is given"),
        (["load", "nowhere.ttl"], 2, "nowhere.ttl: No such file or directory"),
        (["load", "two.ttl", "--graph", "g"], 2, "not an absolute IRI"),
        (["serve", "--port", "99999"], 2, "from 0 to 65535"),
        (["sing"], 2, "See: wgig --help"),
        (["stats", "--store", "two.ttl"], 3, "is not a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_a_sentence_and_a_code(wgig: Shell, call: list[str], code: int, said: str) -> None:
    done = wgig(*call)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False), done


@pytest.mark.parametrize(
    "call",
    [
        ["query", "SELECT *\n::error::pwned {"],
        ["query", "\n::error::\u202epwned"],
        ["query", "--name", "x\n::error::pwned"],
        ["load", "x\n::error::pwned\x1b[2J.ttl"],
        ["check", "x\n::error::pwned", "-o", "no/\n::error::pwned/x.html"],
        ["queries", "##[error]pwned"],
        ["sing\n::error::pwned"],
    ],
    ids=" ".join,
)
def test_no_message_steers_a_terminal_or_commands_a_job(wgig: Shell, call: list[str]) -> None:
    done = wgig(*call)
    assert "pwned" in done.stderr
    assert not re.search(r"^\s*::|##\[|[\x1b\u202e]", done.stderr, re.MULTILINE), done


@pytest.mark.parametrize(
    "call", [["queries"], ["check", "two.ttl"], ["stats"], ["new", "paper", "spam", "-o", "-"]], ids=" ".join
)
def test_a_reader_that_goes_away_is_told_as_by_other_commands(folder: Path, call: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "wgig", *call],
        cwd=folder,
        env=os.environ | {"WGIG_STORE": str(folder / "store"), "WGIG_DATA": "none"},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_the_name_of_an_issue_may_be_in_capitals(wgig: Shell, folder: Path) -> None:
    assert wgig("new", "paper", "SPAM").returncode == 0
    assert "issue: spam" in (folder / "spam.md").read_text(encoding="utf-8")
    again = wgig("new", "paper", "spam")  # as with > spam.md, before which the shell makes the file
    assert (again.returncode, "For standard output: --output -" in again.stderr) == (2, True)


def test_the_help_tells_how_to_list_the_issues(wgig: Shell) -> None:
    query = shlex.split(wgig("new", "--help").stdout.splitlines()[-1])
    assert query[:2] == ["wgig", "query"]
    issues = ox.Store()
    issues.load(path=SHIPPED_FOLDER / "data" / "issues.ttl", format=ox.RdfFormat.TURTLE)
    answer = issues.query(query[2])
    assert isinstance(answer, ox.QuerySolutions)
    assert ox.NamedNode("https://w3id.org/wgig/id/issue/spam") in [row[0] for row in answer]


def test_a_broken_file_ends_with_2_and_the_others_are_loaded(wgig: Shell, folder: Path) -> None:
    (folder / "bad.ttl").write_text("<urn:s> <urn:p> .")
    (folder / "good.ttl").write_text("<urn:s> <urn:p> 1 .")
    done = wgig("load", "bad.ttl", "good.ttl", "--graph", "urn:h", "--store", "other")
    assert (done.returncode, "bad.ttl, line 1, column 17" in done.stderr) == (2, True)
    assert wgig("query", "ASK { GRAPH <urn:h> { ?s ?p 1 } }", "--store", "other").stdout == "yes\n"


def test_a_dump_holds_everything_and_loads_again(wgig: Shell, folder: Path) -> None:
    assert wgig("dump", "-o", "all.nq.gz").returncode == 0
    assert len(gzip.decompress((folder / "all.nq.gz").read_bytes()).splitlines()) == 2
    assert wgig("load", "all.nq.gz", "--store", "again").returncode == 0
    assert wgig("query", COUNT, "--store", "again").stdout == "n\n2\n"


def test_one_graph_is_dumped_as_turtle(wgig: Shell) -> None:
    turtle = wgig("dump", "--graph", "urn:g").stdout
    assert len(list(ox.parse(turtle, ox.RdfFormat.TURTLE))) == 2


def test_stats_count_graphs_and_classes(wgig: Shell) -> None:
    counts = json.loads(wgig("stats").stdout)
    assert (counts["quads"], counts["graphs"], counts["classes"]) == (2, {"urn:g": 2}, {})
    assert "urn:g" in wgig("stats", "--format", "table").stdout


def test_the_example_queries_are_listed_and_printed(wgig: Shell) -> None:
    assert "coverage-matrix" in wgig("queries").stdout
    assert "SELECT" in wgig("queries", "coverage-matrix").stdout


def test_without_a_terminal_the_list_is_lines_with_tabs(wgig: Shell) -> None:
    assert all(len(line.split("\t")) == 2 for line in wgig("queries").stdout.splitlines())


def test_a_table_does_not_steer_the_terminal(wgig: Shell) -> None:
    evil = "SELECT ('a\\u001B[2Jb\\u009B\\u202Ec' AS ?x) {}"
    assert "a\ufffd[2Jb\ufffd\ufffdc" in wgig("query", evil, "--format", "table").stdout


def test_a_misspelt_variable_is_named(wgig: Shell) -> None:
    done = wgig("queries", WGIG_STOR="x")
    assert (done.returncode, done.stderr) == (
        0,
        "wgig: The environment variable WGIG_STOR is not a setting. Did you mean WGIG_STORE?\n",
    )


@pytest.mark.parametrize(
    ("redirection", "said"),
    [(">&-", "Standard output is closed"), ("> /dev/full", "The output cannot be written: No space left")],
)
def test_an_output_that_takes_nothing_is_said(folder: Path, redirection: str, said: str) -> None:
    call = f"{sys.executable} -m wgig queries {redirection}"
    done = subprocess.run(call, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith(f"wgig: {said}"), "Error" in done.stderr) == (
        3,
        True,
        False,
    ), done


def test_an_interrupted_load_leaves_nothing_and_says_so(wgig: Shell, folder: Path) -> None:
    call = [sys.executable, "-m", "wgig", "load", "-", "--format", "nt", "--store", "cut"]
    with subprocess.Popen(
        call,
        cwd=folder,
        env=os.environ | {"WGIG_DATA": "none"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        lines = b"<urn:s> <urn:p> <urn:o> .\n" * 100_000  # more than fits into any buffer on the way
        process.stdin.write(lines)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(BrokenPipeError):
            for _ in range(40):
                process.stdin.write(lines)
        assert process.wait(20) == 130
        assert process.stderr.read() == b"wgig: Stopped; nothing of - was loaded.\n"
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    assert wgig("query", "ASK { ?s ?p ?o }", "--store", "cut").stdout == "no\n"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", "served", "--data", "none"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[2]
        process.kill()


def test_the_url_is_printed_when_it_answers(server: tuple[subprocess.Popen[str], str]) -> None:
    with urlopen(f"{server[1]}health") as response:
        assert response.status == 200


def test_a_query_goes_to_a_url(wgig: Shell, server: tuple[subprocess.Popen[str], str]) -> None:
    for url in (f"{server[1]}sparql", server[1], server[1].rstrip("/")):
        assert wgig("query", COUNT, "--url", url).stdout == "n\n0\n"
    refused = wgig("query", "SELECT * { ?s ?p }", "--url", f"{server[1]}sparql")
    assert (refused.returncode, "refused the query: Line 1, column" in refused.stderr) == (2, True)


class Refusing(BaseHTTPRequestHandler):
    """An endpoint, not one of ours, that answers with the status that is its path."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the word of the library
        pass


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as endpoint:
        threading.Thread(target=endpoint.serve_forever).start()
        yield f"http://127.0.0.1:{endpoint.server_port}/"
        endpoint.shutdown()


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(404, 2, "refused the query: 404"), (429, 2, "refused the query: 429"), (502, 3, "failed: 502")],
)
def test_what_another_endpoint_refuses_is_said_in_a_sentence(
    wgig: Shell, refusing: str, status: int, code: int, said: str
) -> None:
    done = wgig("query", "ASK {}", "--url", f"{refusing}{status}")
    assert (done.returncode, said in done.stderr) == (code, True), done


@pytest.mark.usefixtures("server")
def test_a_served_store_is_read_and_not_written(wgig: Shell) -> None:
    assert wgig("query", COUNT, "--store", "served").stdout == "n\n0\n"
    done = wgig("load", "two.ttl", "--store", "served")
    assert (done.returncode, "in use by another process" in done.stderr) == (3, True)


def test_a_port_in_use_is_said(wgig: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = wgig("serve", "--port", str(taken.getsockname()[1]), "--store", "never")
    assert (done.returncode, "use another address with --port" in done.stderr) == (3, True)


@pytest.mark.parametrize(("grace", "signals"), [(1, 1), (1000, 2)], ids=["grace is over", "told twice"])
def test_a_server_stops_while_a_query_runs(folder: Path, grace: int, signals: int) -> None:
    code = (
        f"from wgig.cli import main, serve; serve.SHUTDOWN_GRACE_SECONDS = {grace}; "
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
            connection.sendall(f"GET /sparql?query={quote(ENDLESS)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
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
def test_a_server_stops_when_told_to(folder: Path, signal_: signal.Signals) -> None:
    call = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", "stops", "--data", "none"]
    with subprocess.Popen(
        call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal_)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "wgig: Stopped.\n"

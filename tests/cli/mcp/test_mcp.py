"""`wgig mcp`: the MCP server, called by the client of the MCP SDK.

The fixture `content` starts the server once and makes all calls, whose results the tests find by name.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import TextContent, TextResourceContents
from wgig import connect
from wgig.cli.mcp.tools import CallBudget, TruncatedText, mark_as_data, truncate_rows, truncate_to_lines
from wgig.cli.parser import build_command_parser
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.processes import ServiceStarter, copy_filled_store

pytestmark = pytest.mark.slow

SPAM = "https://w3id.org/wgig/id/issue/spam"
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
MISSPELLED_QUERY = "PREFIX w: <https://w3id.org/wgig/ontology#> SELECT * { ?s a w:Isue }"
ALL_TRIPLES_QUERY = "SELECT * { ?s ?p ?o }"
# Tools put data between two lines with a random token, so that models can tell it from instructions.
DATA_FRAME_PATTERN = re.compile(
    r"Data from .* the line with (\w+)\. [^\n]*\n(.*)\n--- end of data \1 ---", re.DOTALL
)

ToolCall = tuple[str, dict[str, Any]]
ToolResult = tuple[bool, str]  # whether it is an error, and its text
ClientFunction = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of servers with a filled store."""
    folder = tmp_path_factory.mktemp("mcp") / "store"
    copy_filled_store(folder)
    return {**os.environ, "WGIG_STORE": str(folder)}


def run_with_server(environment: dict[str, str], function: ClientFunction, *arguments: str) -> Any:
    """Start `wgig mcp`, and return the result of the function for its client."""
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "wgig", "mcp", *arguments], env=environment
    )

    async def run_function() -> Any:
        async with Client(stdio_client(command)) as client:
            return await function(client)

    return asyncio.run(run_function())


def extract_text(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def make_tool_calls(*calls: ToolCall) -> Callable[[Client], Awaitable[list[ToolResult]]]:
    """A function that calls the tools and returns their results."""

    async def call_tools(client: Client) -> list[ToolResult]:
        results = [await client.call_tool(name, arguments) for name, arguments in calls]
        return [(bool(result.is_error), extract_text(result)) for result in results]

    return call_tools


class ServerContent(NamedTuple):
    """The tools, tool results and resources of a server with the local store."""

    results: dict[str, ToolResult]
    tools: Any
    resources: Any
    shapes: str


@pytest.fixture(scope="module")
def content(environment: dict[str, str]) -> ServerContent:
    paper = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    calls: dict[str, ToolCall] = {
        "search": ("search", {"text": "spam", "limit": 3}),
        "30 results": ("search", {"text": "internet", "limit": 30}),
        "few results": ("search", {"text": "kummer"}),
        "misspelled word": ("search", {"text": "interconection"}),
        "some words": ("search", {"text": "spam kummer"}),
        "kind": ("search", {"text": "spam", "kind": "paper"}),
        "unknown kind": ("search", {"text": "spam", "kind": "nothing"}),
        "nothing found": ("search", {"text": "x" * 50}),
        "hostile search": ("search", {"text": '") } } #'}),
        "empty search": ("search", {"text": "  "}),
        "no search": ("search", {"text": ""}),
        "resource": ("describe", {"iri": SPAM}),
        "short name": ("describe", {"iri": "issue/spam"}),
        "prefixed name": ("describe", {"iri": "issue:spam"}),
        "name in brackets": ("describe", {"iri": f"<{SPAM}>"}),
        "term": ("describe", {"iri": "wgig:Issue"}),
        "graph": ("describe", {"iri": "graph:issues"}),
        "path elsewhere": ("describe", {"iri": "../papers"}),
        "unknown resource": ("describe", {"iri": "issue/nothing"}),
        "examples": ("example_queries", {}),
        "example": ("run_example", {"name": "due-and-delivered"}),
        "filtered example": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "late"}}),
        "judgments": (
            "run_example",
            {"name": "judgments", "parameters": {"the_criterion": "adequacy", "the_mechanism": "iana"}},
        ),
        "unknown parameter": ("run_example", {"name": "due-and-delivered", "parameters": {"in_tim": "late"}}),
        "format": ("run_example", {"name": "due-and-delivered", "parameters": {"_mediatype": "text/csv"}}),
        "unknown value": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "lat"}}),
        "wrong type": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": ["late"]}}),
        "long value": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "x" * 99_999}}),
        "unknown example": ("run_example", {"name": "due-and-delivert"}),
        "unrelated example": ("run_example", {"name": "zzz"}),
        "unknown argument": ("search", {"text": "spam", "limt": 3}),
        "needless argument": ("example_queries", {"name": "spam"}),
        "missing argument": ("query", {}),
        "high limit": ("search", {"text": "spam", "limit": 99}),
        "50 results": ("search", {"text": "internet", "limit": 50}),
        "query": (
            "query",
            {"sparql": f"SELECT ?l {{ <{SPAM}> <{PREF_LABEL}> ?l FILTER(LANG(?l) = 'en') }}"},
        ),
        "ask": ("query", {"sparql": f"ASK {{ <{SPAM}> ?p ?o }}"}),
        "construct": ("query", {"sparql": f"CONSTRUCT WHERE {{ <{SPAM}> ?p ?o }}"}),
        "syntax error": ("query", {"sparql": "SELECT ?issue, ?label WHERE { ?issue ?p ?label }"}),
        "misspelled term": ("query", {"sparql": MISSPELLED_QUERY}),
        "update": ("query", {"sparql": "DROP ALL"}),
        "many rows": ("query", {"sparql": ALL_TRIPLES_QUERY}),
        "endless": ("query", {"sparql": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"}),
        "paper": ("validate", {"paper": paper}),
        "no paper": ("validate", {"paper": "<urn:a> <urn:b> 1 .", "format": "turtle"}),
        "unknown profile": ("validate", {"paper": paper, "profile": "last"}),
        "citation": ("cite", {"iri": SPAM, "form": "bibtex"}),
        "citation by prefixed name": ("cite", {"iri": "issue:spam", "form": "bibtex"}),
        "citation by path": ("cite", {"iri": "issue/spam", "form": "bibtex"}),
        "citation in brackets": ("cite", {"iri": f"<{SPAM}>", "form": "bibtex"}),
        "nothing to cite": ("cite", {}),
        "two to cite": ("cite", {"iri": "issue/spam", "sparql": "ASK {}"}),
    }  # fmt: skip

    async def read_content(client: Client) -> ServerContent:
        results = dict(zip(calls, await make_tool_calls(*calls.values())(client), strict=True))
        tools, resources = await client.list_tools(), await client.list_resources()
        (shapes,) = (await client.read_resource("wgig://shapes")).contents
        assert isinstance(shapes, TextResourceContents)
        return ServerContent(results, tools.tools, resources.resources, shapes.text)

    limits = ("--seconds", "2", "--rows", "50", "--bytes", "8192")
    content: ServerContent = run_with_server(environment, read_content, *limits)
    return content


@pytest.fixture
def results(content: ServerContent) -> dict[str, ToolResult]:
    """The results of the tool calls of the fixture `content`, by their names there."""
    return content.results


def extract_data(result: ToolResult) -> str:
    """The data between the marks of a successful result."""
    match = DATA_FRAME_PATTERN.search(result[1])
    assert match, result
    assert not result[0]
    return match[2]


def test_search_finds_resources_by_name(results: dict[str, ToolResult]) -> None:
    lines = [line.split("\t") for line in extract_data(results["search"]).splitlines()]
    assert lines[0][:3] == [SPAM, "issue", "Spam"]
    assert all("spam" in " ".join(line).lower() for line in lines)
    assert len(lines) == 3
    assert results["search"][1].endswith("3 results. To see more, give a higher limit, at most 50.")
    assert len(extract_data(results["30 results"]).splitlines()) == 30
    assert "Truncated" not in results["few results"][1]
    assert {line.split("\t")[1] for line in extract_data(results["kind"]).splitlines()} == {"paper"}
    assert results["nothing found"] == (False, "Nothing was found.")


def test_search_corrects_misspellings_with_a_notice(results: dict[str, ToolResult]) -> None:
    notice, *lines = extract_data(results["misspelled word"]).splitlines()
    assert notice == "Searched for: interconnection"
    assert all("interconnection" in line.lower() for line in lines)
    assert extract_data(results["some words"]).startswith("Nothing has all the words; these have some.\n")


def test_resource_is_described_in_turtle_with_its_own_statements_first(
    results: dict[str, ToolResult],
) -> None:
    statements = extract_data(results["resource"]).partition("\nissue:spam ")[2]
    assert results["resource"][1].find("\nissue:spam ") < results["resource"][1].find("\ngraph:")
    assert '"Spam"@en' in statements.partition(" .\n")[0]
    assert (
        extract_data(results["short name"])
        == extract_data(results["prefixed name"])
        == extract_data(results["resource"])
    )


def test_example_queries_are_listed_and_run(results: dict[str, ToolResult]) -> None:
    assert "due-and-delivered: What was due when" in results["examples"][1]
    assert results["example"][1].startswith("# title: Due and delivered")
    assert "Issue papers ready and on the website" in extract_data(results["example"])


def test_example_query_is_run_with_parameters(
    results: dict[str, ToolResult],
) -> None:
    assert re.search(r"^due-and-delivered: .*\?.* \(in_time\)$", results["examples"][1], re.MULTILINE)
    rows, all_rows = (
        extract_data(results["filtered example"]).splitlines(),
        extract_data(results["example"]).splitlines(),
    )
    assert 1 < len(rows) < len(all_rows)
    assert set(rows) < set(all_rows)
    assert results["filtered example"][1].startswith("# title: Due and delivered")
    _, *judgments = extract_data(results["judgments"]).splitlines()
    assert judgments
    assert all('"adequacy in general"@en' in row for row in judgments)


def test_query_of_each_form_has_a_result(results: dict[str, ToolResult]) -> None:
    assert extract_data(results["query"]) == '?l\n"Spam"@en'
    assert results["ask"] == (False, "yes")
    assert f"<{SPAM}> " in extract_data(results["construct"])


def test_syntax_error_has_a_position_and_an_empty_result_has_a_hint(
    results: dict[str, ToolResult],
) -> None:
    is_error, message = results["syntax error"]
    assert is_error
    assert "Line 1, column 14" in message
    assert "Remove the comma." in message
    assert "\n             ^" in message
    assert "The result is empty." in results["misspelled term"][1]
    assert "Did you mean" in results["misspelled term"][1]


def test_paper_is_checked_and_resource_is_cited(results: dict[str, ToolResult]) -> None:
    assert "✓ complete; 28 of 28 parts are present" in extract_data(results["paper"])
    assert extract_data(results["citation"]).startswith("@misc{wgig-issue-spam-")
    for name in ("citation by prefixed name", "citation by path", "citation in brackets"):
        assert extract_data(results[name]) == extract_data(results["citation"])


def test_resources_terms_and_graphs_are_described_by_all_names(
    results: dict[str, ToolResult],
) -> None:
    for name in ("short name", "prefixed name", "name in brackets"):
        assert extract_data(results[name]) == extract_data(results["resource"])
    assert "ontology#Issue> " in extract_data(results["term"])
    assert "graph/issues> " in extract_data(results["graph"])


def test_errors_do_not_refer_to_pages_that_tools_cannot_open(results: dict[str, ToolResult]) -> None:
    for is_error, text in results.values():
        assert not is_error or not re.search("home page|by POST|There are: none", text), text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("unknown resource", "There is no resource"),
        ("unknown example", "Did you mean due-and-delivered?"),
        ("path elsewhere", "'../papers' does not name a resource. Give its IRI"),
        ("unknown parameter", "There is no parameter 'in_tim'. Did you mean in_time?"),
        ("format", "There is no parameter '_mediatype'. The parameters are: in_time."),
        ("unknown value", "Did you mean late?"),
        (
            "wrong type",
            "The argument parameters.in_time is invalid: input should be a valid string.",
        ),
        ("long value", "The URL would be invalid"),
        ("unrelated example", "There is no example query zzz. See: the tool example_queries"),
        ("unknown argument", "There is no argument 'limt'. Did you mean limit?"),
        ("needless argument", "There is no argument 'name'. There are none."),
        ("missing argument", "The argument sparql is missing."),
        ("high limit", "The argument limit is invalid: input should be less than or equal to 50."),
        ("empty search", "The argument text is empty."),
        ("no search", "The argument text is empty."),
        ("hostile search", "contains no word to search for"),
        ("unknown kind", "Nothing has the kind 'nothing'."),
        ("update", "DROP starts an update, but these tools are read-only."),
        ("no paper", "No paper found"),
        ("unknown profile", "profile"),
        ("nothing to cite", "Give exactly one of the arguments iri and sparql."),
        ("two to cite", "Give exactly one of the arguments iri and sparql."),
        ("endless", "seconds and was canceled"),
    ],
)
def test_invalid_call_has_an_error_message(results: dict[str, ToolResult], call: str, message: str) -> None:
    is_error, text = results[call]
    assert (is_error, message in text, "pydantic" in text) == (True, True, False), text


def test_results_are_within_the_budget_and_truncation_is_reported(
    results: dict[str, ToolResult],
) -> None:
    assert all(len(text.encode()) <= 8192 for _, text in results.values())
    assert "Truncated after" in results["many rows"][1]
    assert results["many rows"][1].endswith("use the tool query with ORDER BY, LIMIT and OFFSET.")
    assert results["50 results"][1].endswith("search for more words, or only for one kind or language.")
    assert len(extract_data(results["many rows"]).splitlines()) <= 51  # with the header
    assert "Truncated" not in results["query"][1]


def test_tools_are_read_only_and_resources_are_complete(content: ServerContent) -> None:
    assert all(tool.annotations.read_only_hint and tool.description for tool in content.tools)
    assert all(tool.input_schema["additionalProperties"] is False for tool in content.tools)
    assert {resource.name for resource in content.resources} == {"ontology", "shapes"}
    assert content.shapes.count("sh:NodeShape") > 10


def test_service_at_a_url_is_read(service_url: str, environment: dict[str, str]) -> None:
    environment = environment | {"WGIG_STORE": "/nowhere"}  # which is not read
    tool_calls = make_tool_calls(("query", {"sparql": ALL_TRIPLES_QUERY}))
    (result,) = run_with_server(environment, tool_calls, "--url", service_url, "--rows", "1")
    assert "Truncated after 1 rows." in result[1]
    assert len(extract_data(result).splitlines()) == 2


@pytest.fixture
def http_url(service_url: str) -> Iterator[str]:
    """The URL of an MCP server over HTTP."""
    command = [sys.executable, "-m", "wgig", "mcp", "--http", "--url", service_url, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        (url,) = re.findall(r"http://\S+", process.stderr.readline())
        yield url
        process.terminate()


def test_server_can_be_used_over_http(http_url: str) -> None:
    async def call_query_tool() -> Any:
        async with Client(http_url) as client:
            return await client.call_tool("query", {"sparql": "ASK {}"})

    assert extract_text(asyncio.run(call_query_tool())) == "yes"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--http", "--port", "99999"], "99999 is not a valid port"),
        (["--url", "example.org"], "not the URL of a service"),
    ],
)
def test_invalid_argument_has_an_error_message(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "wgig", "mcp", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    error = process.stderr
    assert (process.returncode, message in error, "Traceback" in error) == (2, True, False), error


def test_text_is_truncated_at_the_end_of_a_line_or_of_a_character() -> None:
    assert truncate_to_lines(b"a\nb\n", 10, is_whole=True) == ("a\nb\n", "")
    assert truncate_to_lines(b"a\nbb\nccc", 5, is_whole=True) == ("a\nbb\n", "Truncated after 5 bytes.")
    # The last line of an incomplete text is left out.
    assert truncate_to_lines(b"a\nbb", 5, is_whole=False) == ("a\n", "Truncated after 2 bytes.")
    assert truncate_to_lines("éé".encode(), 3, is_whole=True).text == "é…"
    assert truncate_rows(truncate_to_lines(b"?x\n1\n2\n", 99, is_whole=True), 1).text == "?x\n1\n"
    # The line separator U+2028 in a value ends no row.
    assert truncate_rows(TruncatedText("?x\n1\u20281\n", ""), 1).text == "?x\n1\u20281\n"


def test_data_frame_has_a_random_token() -> None:
    assert mark_as_data("text") != mark_as_data("text")
    assert DATA_FRAME_PATTERN.fullmatch(mark_as_data("--- end of data 0 ---"))


def test_default_arguments_equal_the_default_budget(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = build_command_parser().parse_args(["mcp"])
    assert CallBudget(arguments.rows, arguments.bytes, arguments.seconds) == CallBudget()
    for invalid_arguments in (["--bytes", "100"], ["--rows", "0"], ["--seconds", "soon"]):
        with pytest.raises(SystemExit):
            build_command_parser().parse_args(["mcp", *invalid_arguments])
        assert "See: wgig mcp --help" in capsys.readouterr().err


def test_missing_sdk_is_reported_with_the_command() -> None:
    code = "import sys; sys.modules['mcp'] = None; from wgig.cli.main import main; sys.exit(main(['mcp']))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (process.returncode, "pip install 'wgig[mcp]'" in process.stderr) == (2, True), process.stderr


# The build of the search index creates files for as long as it can.
CREATE_FILES_CODE = """
import itertools, sys
from wgig.cli.main import main
from wgig.search import index

def create_files(path, *_):
    path.parent.mkdir(parents=True, exist_ok=True)
    print("building", file=sys.stderr)
    for number in itertools.count():
        (path.parent / str(number)).touch()

index.fill_index = create_files
sys.exit(main(["mcp"]))
"""
INITIALIZE_MESSAGE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-03-26",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@contextmanager
def run_during_index_build(tmp_path: Path, *wrapper: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of `wgig mcp` while it builds the search index; its TMPDIR is the folder `temporary`."""
    (tmp_path / "temporary").mkdir()
    environment = {
        **os.environ,
        "WGIG_STORE": str(tmp_path / "store"),
        "WGIG_DATA": "none",
        "TMPDIR": str(tmp_path / "temporary"),
    }
    pipe = subprocess.PIPE
    command = [*wrapper, sys.executable, "-c", CREATE_FILES_CODE]
    with subprocess.Popen(
        command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stderr
        try:
            assert "building\n" in iter(process.stderr.readline, "")
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("signal_", [None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_temporary_folder_is_removed_during_the_index_build(
    tmp_path: Path, signal_: signal.Signals | None
) -> None:
    with run_during_index_build(tmp_path) as process:
        assert process.stdin
        if signal_:
            process.send_signal(signal_)
        else:
            process.stdin.close()
        assert process.wait(30) == 0
        assert not list((tmp_path / "temporary").iterdir())


def test_server_below_nohup_ignores_sighup(tmp_path: Path) -> None:
    with run_during_index_build(tmp_path, "nohup") as process:
        assert process.stdin
        assert process.stdout
        process.send_signal(signal.SIGHUP)
        process.stdin.write(f"{json.dumps(INITIALIZE_MESSAGE)}\n")
        process.stdin.flush()
        assert '"id":1' in process.stdout.readline()
        process.stdin.close()
        assert process.wait(30) == 0


def test_store_of_a_running_service_can_be_read(start_service: ServiceStarter, tmp_path: Path) -> None:
    environment = {**os.environ, "WGIG_STORE": str(tmp_path), "WGIG_DATA": "none"}
    query = "ASK { ?s ?p ?o }"
    with (
        start_service(tmp_path, WGIG_DATA="none", WGIG_TOKEN="secret") as url,
        connect(url, token="secret") as graph,
    ):
        (tmp_path / "one.ttl").write_text("<urn:a> <urn:b> 1 .")
        assert graph.put("one", tmp_path / "one.ttl")
        (result,) = run_with_server(environment, make_tool_calls(("query", {"sparql": query})))
        assert result == (False, "yes")
        assert graph.query(query)

"""The server for language models, asked by the client of the protocol's SDK."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import TextContent, TextResourceContents
from wgig import connect
from wgig.cli.mcp.tools import CallBudget, CutText, cut_lines, cut_rows, mark_as_data
from wgig.cli.parser import build_command_parser
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

SPAM = "https://w3id.org/wgig/id/issue/spam"
PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel"
MISSPELT = "PREFIX w: <https://w3id.org/wgig/ontology#> SELECT * { ?s a w:Isue }"
MANY = "SELECT * { ?s ?p ?o }"
FRAMED = re.compile(r"Data from .* the line with (\w+)\. [^\n]*\n(.*)\n--- end of data \1 ---", re.DOTALL)

Call = tuple[str, dict[str, Any]]
Work = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**os.environ, "WGIG_STORE": str(tmp_path_factory.mktemp("mcp") / "store")}


def asking(environment: dict[str, str], *arguments: str) -> Callable[[Work], Any]:
    """Start `wgig mcp` and do something with a client of it."""

    def ask(work: Work) -> Any:
        command = StdioServerParameters(
            command=sys.executable, args=["-m", "wgig", "mcp", *arguments], env=environment
        )

        async def once() -> Any:
            async with Client(stdio_client(command)) as client:
                return await work(client)

        return asyncio.run(once())

    return ask


def text_of(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def calls(*wanted: Call) -> Callable[[Client], Awaitable[list[tuple[bool, str]]]]:
    """Whether each call is refused, and what it says."""

    async def work(client: Client) -> list[tuple[bool, str]]:
        results = [await client.call_tool(name, arguments) for name, arguments in wanted]
        return [(bool(one.is_error), text_of(one)) for one in results]

    return work


class Local(NamedTuple):
    """What one client gets over standard input and output, of the local store."""

    answers: dict[str, tuple[bool, str]]
    tools: Any
    resources: Any
    shapes: str


@pytest.fixture(scope="module")
def local(environment: dict[str, str]) -> Local:
    paper = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    wanted: dict[str, Call] = {
        "search": ("search", {"text": "spam", "limit": 3}),
        "many found": ("search", {"text": "internet", "limit": 30}),
        "all found": ("search", {"text": "kummer"}),
        "slip found": ("search", {"text": "interconection"}),
        "some words": ("search", {"text": "spam kummer"}),
        "kind": ("search", {"text": "spam", "kind": "paper"}),
        "unknown kind": ("search", {"text": "spam", "kind": "nothing"}),
        "nothing found": ("search", {"text": "x" * 50}),
        "hostile search": ("search", {"text": '") } } #'}),
        "empty search": ("search", {"text": "  "}),
        "no search": ("search", {"text": ""}),
        "thing": ("describe", {"iri": SPAM}),
        "short name": ("describe", {"iri": "issue/spam"}),
        "prefixed name": ("describe", {"iri": "issue:spam"}),
        "name in brackets": ("describe", {"iri": f"<{SPAM}>"}),
        "term": ("describe", {"iri": "wgig:Issue"}),
        "graph": ("describe", {"iri": "graph:issues"}),
        "path elsewhere": ("describe", {"iri": "../papers"}),
        "unknown thing": ("describe", {"iri": "issue/nothing"}),
        "examples": ("example_queries", {}),
        "example": ("run_example", {"name": "due-and-delivered"}),
        "late alone": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "late"}}),
        "unknown parameter": ("run_example", {"name": "due-and-delivered", "parameters": {"in_tim": "late"}}),
        "format": ("run_example", {"name": "due-and-delivered", "parameters": {"_mediatype": "text/csv"}}),
        "unknown value": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "lat"}}),
        "no value": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": ["late"]}}),
        "long value": ("run_example", {"name": "due-and-delivered", "parameters": {"in_time": "x" * 99_999}}),
        "unknown example": ("run_example", {"name": "due-and-delivert"}),
        "far example": ("run_example", {"name": "zzz"}),
        "unknown argument": ("search", {"text": "spam", "limt": 3}),
        "needless argument": ("example_queries", {"name": "spam"}),
        "missing argument": ("query", {}),
        "high limit": ("search", {"text": "spam", "limit": 99}),
        "most found": ("search", {"text": "internet", "limit": 50}),
        "query": ("query", {"sparql": f"SELECT ?l {{ <{SPAM}> <{PREF_LABEL}> ?l }}"}),
        "ask": ("query", {"sparql": f"ASK {{ <{SPAM}> ?p ?o }}"}),
        "construct": ("query", {"sparql": f"CONSTRUCT WHERE {{ <{SPAM}> ?p ?o }}"}),
        "slip": ("query", {"sparql": "SELECT ?issue, ?label WHERE { ?issue ?p ?label }"}),
        "doubt": ("query", {"sparql": MISSPELT}),
        "update": ("query", {"sparql": "DROP ALL"}),
        "many": ("query", {"sparql": MANY}),
        "endless": ("query", {"sparql": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"}),
        "paper": ("validate", {"paper": paper}),
        "no paper": ("validate", {"paper": "<urn:a> <urn:b> 1 .", "format": "turtle"}),
        "unknown profile": ("validate", {"paper": paper, "profile": "last"}),
        "citation": ("cite", {"iri": SPAM, "form": "bibtex"}),
        "short citation": ("cite", {"iri": "issue:spam", "form": "bibtex"}),
        "citation by the end": ("cite", {"iri": "issue/spam", "form": "bibtex"}),
        "citation in brackets": ("cite", {"iri": f"<{SPAM}>", "form": "bibtex"}),
        "nothing to cite": ("cite", {}),
        "two to cite": ("cite", {"iri": "issue/spam", "sparql": "ASK {}"}),
    }  # fmt: skip

    async def work(client: Client) -> Local:
        answers = dict(zip(wanted, await calls(*wanted.values())(client), strict=True))
        tools, resources = await client.list_tools(), await client.list_resources()
        (shapes,) = (await client.read_resource("wgig://shapes")).contents
        assert isinstance(shapes, TextResourceContents)
        return Local(answers, tools.tools, resources.resources, shapes.text)

    found: Local = asking(environment, "--seconds", "2", "--rows", "50", "--bytes", "8192")(work)
    return found


@pytest.fixture
def answers(local: Local) -> dict[str, tuple[bool, str]]:
    """Whether each call of a tool is refused, and what it says."""
    return local.answers


def data(answer: tuple[bool, str]) -> str:
    """What stands between the marks."""
    found = FRAMED.search(answer[1])
    assert found, answer
    assert not answer[0]
    return found[2]


def test_search_finds_things_by_their_names(answers: dict[str, tuple[bool, str]]) -> None:
    lines = [line.split("\t") for line in data(answers["search"]).splitlines()]
    assert lines[0][:3] == [SPAM, "issue", "Spam"]
    assert all("spam" in " ".join(line).lower() for line in lines)
    assert len(lines) == 3
    assert answers["search"][1].endswith("3 results. To see more, give a higher limit, at most 50.")
    assert len(data(answers["many found"]).splitlines()) == 30
    assert "Truncated" not in answers["all found"][1]
    assert {line.split("\t")[1] for line in data(answers["kind"]).splitlines()} == {"paper"}
    assert answers["nothing found"] == (False, "Nothing is found.")


def test_search_mends_slips_and_says_so(answers: dict[str, tuple[bool, str]]) -> None:
    meant, *found = data(answers["slip found"]).splitlines()
    assert meant == "Searched for: interconnection"
    assert all("interconnection" in line.lower() for line in found)
    assert data(answers["some words"]).startswith("Nothing has all the words; these have some.\n")


def test_a_thing_is_described_in_turtle(answers: dict[str, tuple[bool, str]]) -> None:
    assert 'skos:prefLabel "Spam"@en' in data(answers["thing"])
    assert data(answers["short name"]) == data(answers["prefixed name"]) == data(answers["thing"])


def test_examples_are_listed_and_answered(answers: dict[str, tuple[bool, str]]) -> None:
    assert "due-and-delivered: What was due when" in answers["examples"][1]
    assert answers["example"][1].startswith("# title: Due and delivered")
    assert "Issue papers ready and on the website" in data(answers["example"])


def test_an_example_is_answered_for_the_parameters_that_are_given(
    answers: dict[str, tuple[bool, str]],
) -> None:
    assert re.search(r"^due-and-delivered: .*\?.* \(in_time\)$", answers["examples"][1], re.MULTILINE)
    rows, all_rows = data(answers["late alone"]).splitlines(), data(answers["example"]).splitlines()
    assert 1 < len(rows) < len(all_rows)
    assert set(rows) < set(all_rows)
    assert answers["late alone"][1].startswith("# title: Due and delivered")


def test_each_form_of_query_is_answered(answers: dict[str, tuple[bool, str]]) -> None:
    assert data(answers["query"]) == '?l\n"Spam"@en'
    assert answers["ask"] == (False, "yes")
    assert f"<{SPAM}> " in data(answers["construct"])


def test_a_slip_comes_back_with_its_place_and_a_doubt_with_the_empty_answer(
    answers: dict[str, tuple[bool, str]],
) -> None:
    refused, said = answers["slip"]
    assert refused
    assert "Line 1, column 14" in said
    assert "Remove the comma." in said
    assert "\n             ^" in said
    assert "The result is empty." in answers["doubt"][1]
    assert "Did you mean" in answers["doubt"][1]


def test_a_paper_is_checked_and_a_thing_cited(answers: dict[str, tuple[bool, str]]) -> None:
    assert "conform" in data(answers["paper"])
    assert data(answers["citation"]).startswith("@misc{wgig-issue-spam-")
    for name in ("short citation", "citation by the end", "citation in brackets"):
        assert data(answers[name]) == data(answers["citation"])


def test_a_thing_a_term_and_a_graph_are_described_by_any_of_their_names(
    answers: dict[str, tuple[bool, str]],
) -> None:
    for name in ("short name", "prefixed name", "name in brackets"):
        assert data(answers[name]) == data(answers["thing"])
    assert "ontology#Issue> " in data(answers["term"])
    assert "graph/issues> " in data(answers["graph"])


def test_no_message_sends_a_model_where_it_cannot_go(answers: dict[str, tuple[bool, str]]) -> None:
    for refused, said in answers.values():
        assert not refused or not re.search("home page|by POST|There are: none", said), said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("unknown thing", "Nothing is known about"),
        ("unknown example", "Did you mean due-and-delivered?"),
        ("path elsewhere", "'../papers', which names no resource. Give its IRI"),
        ("unknown parameter", "There is no parameter 'in_tim' here. Did you mean in_time?"),
        ("format", "There is no parameter '_mediatype' here. There are: in_time."),
        ("unknown value", "Did you mean late?"),
        ("no value", "The argument parameters.in_time is invalid: input should be a valid string."),
        ("long value", "The URL would be invalid"),
        ("far example", "There is no example query zzz. See: the tool example_queries"),
        ("unknown argument", "There is no argument 'limt'. Did you mean limit?"),
        ("needless argument", "There is no argument 'name'. There are none."),
        ("missing argument", "The argument sparql is missing."),
        ("high limit", "The argument limit is invalid: input should be less than or equal to 50."),
        ("empty search", "The argument text is empty."),
        ("no search", "The argument text is empty."),
        ("hostile search", "There is no word in"),
        ("unknown kind", "Nothing has the kind 'nothing'."),
        ("update", "DROP starts an update, but these tools are read-only."),
        ("no paper", "No paper found"),
        ("unknown profile", "profile"),
        ("nothing to cite", "Give exactly one of the arguments iri and sparql."),
        ("two to cite", "Give exactly one of the arguments iri and sparql."),
        ("endless", "seconds and was canceled"),
    ],
)
def test_what_cannot_be_done_is_an_error_in_words(
    answers: dict[str, tuple[bool, str]], what: str, said: str
) -> None:
    refused, text = answers[what]
    assert (refused, said in text, "pydantic" in text) == (True, True, False), text


def test_every_answer_is_within_its_budget_and_says_where_it_is_cut(
    answers: dict[str, tuple[bool, str]],
) -> None:
    assert all(len(text.encode()) <= 8192 for _, text in answers.values())
    assert "Truncated after" in answers["many"][1]
    assert answers["many"][1].endswith("use the tool query with ORDER BY, LIMIT and OFFSET.")
    assert answers["most found"][1].endswith("search for more words, or for one kind or language.")
    assert len(data(answers["many"]).splitlines()) <= 51
    assert "Truncated" not in answers["query"][1]


def test_tools_only_read_and_resources_are_whole(local: Local) -> None:
    assert all(one.annotations.read_only_hint and one.description for one in local.tools)
    assert all(one.input_schema["additionalProperties"] is False for one in local.tools)
    assert {one.name for one in local.resources} == {"ontology", "shapes"}
    assert local.shapes.count("sh:NodeShape") > 10


def test_a_service_is_read_by_its_address(served: str, environment: dict[str, str]) -> None:
    environment = environment | {"WGIG_STORE": "/nowhere"}
    (answer,) = asking(environment, "--url", served, "--rows", "1")(calls(("query", {"sparql": MANY})))
    assert "Truncated after 1 rows." in answer[1]
    assert len(data(answer).splitlines()) == 2


@pytest.fixture
def over_http(served: str) -> Iterator[str]:
    command = [sys.executable, "-m", "wgig", "mcp", "--http", "--url", served, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        (address,) = re.findall(r"http://\S+", process.stderr.readline())
        yield address
        process.terminate()


def test_it_speaks_http_too(over_http: str) -> None:
    async def once() -> Any:
        async with Client(over_http) as client:
            return await client.call_tool("query", {"sparql": "ASK {}"})

    assert text_of(asyncio.run(once())) == "yes"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--http", "--port", "99999"], "99999 is no port"),
        (["--url", "example.org"], "not the URL of a service"),
    ],
)
def test_a_wrong_call_is_told_in_a_sentence(arguments: list[str], said: str) -> None:
    command = [sys.executable, "-m", "wgig", "mcp", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_lines_are_whole_and_a_long_one_is_cut_by_characters() -> None:
    assert cut_lines(b"a\nb\n", 10, is_whole=True) == ("a\nb\n", "")
    assert cut_lines(b"a\nbb\nccc", 5, is_whole=True) == ("a\nbb\n", "Truncated after 5 bytes.")
    assert cut_lines(b"a\nbb", 5, is_whole=False) == ("a\n", "Truncated after 2 bytes.")
    assert cut_lines("éé".encode(), 3, is_whole=True).text == "é…"
    assert cut_rows(cut_lines(b"?x\n1\n2\n", 99, is_whole=True), 1).text == "?x\n1\n"
    assert cut_rows(CutText("?x\n1\u20281\n", ""), 1).text == "?x\n1\u20281\n"


def test_data_cannot_know_its_end() -> None:
    first, second = mark_as_data("text"), mark_as_data("text")
    assert first != second
    assert FRAMED.fullmatch(mark_as_data("--- end of data 0 ---"))


def test_the_budget_of_the_shell_is_that_of_the_tools(capsys: pytest.CaptureFixture[str]) -> None:
    given = build_command_parser().parse_args(["mcp"])
    assert CallBudget(given.rows, given.bytes, given.seconds) == CallBudget()
    for bad in (["--bytes", "100"], ["--rows", "0"], ["--seconds", "soon"]):
        with pytest.raises(SystemExit):
            build_command_parser().parse_args(["mcp", *bad])
        assert "See: wgig mcp --help" in capsys.readouterr().err


def test_without_the_sdk_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None; from wgig.cli.main import main; sys.exit(main(['mcp']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'wgig[mcp]'" in done.stderr) == (2, True), done.stderr


def test_a_service_on_the_same_store_goes_on(serving: Serving, tmp_path: Path) -> None:
    environment = {**os.environ, "WGIG_STORE": str(tmp_path)}
    some = "ASK { ?s ?p ?o }"
    with (
        serving(tmp_path, WGIG_DATA="none", WGIG_TOKEN="secret") as url,
        connect(url, token="secret") as graph,
    ):
        (tmp_path / "one.ttl").write_text("<urn:a> <urn:b> 1 .")
        assert graph.put("one", tmp_path / "one.ttl")
        (answer,) = asking(environment | {"WGIG_DATA": "none"})(calls(("query", {"sparql": some})))
        assert answer == (False, "yes")
        assert graph.query(some)

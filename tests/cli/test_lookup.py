"""`wgig search`, `wgig describe`, `wgig cite` and `wgig completion`, on a store and on a service."""

import json
import subprocess
from argparse import Namespace
from pathlib import Path

import httpx2
import pytest
from rdflib import Graph, URIRef
from wgig.cli import lookup
from wgig.cli.arguments import SHELL_CHOICES
from wgig.cli.completion import run_completion
from wgig.cli.lookup import run_cite, run_describe, run_search
from wgig.cli.main import main
from wgig.problems import Problem
from wgig.settings import Settings
from wgig_client.client import GraphClient
from wgig_client.connection import Connection, RequestLimits

Output = pytest.CaptureFixture[str]
SPAM = URIRef(f"{Settings.base}id/issue/spam")


@pytest.fixture(autouse=True)
def graph_of_test_service(monkeypatch: pytest.MonkeyPatch, filled_client: httpx2.Client) -> None:
    """Without --url, the commands read the filled store."""

    class FilledGraph(GraphClient):
        def __init__(self) -> None:
            super().__init__(Connection("http://localhost/", RequestLimits(), filled_client._transport))

    monkeypatch.setattr(lookup, "open_graph", lambda *_: FilledGraph())


def search(*words: str, format_: str | None = None, limit: int = 20, kind: str = "", lang: str = "") -> int:
    """The exit code of `wgig search`."""
    return run_search(
        Namespace(words=[*words], kind=kind, lang=lang, limit=limit, format=format_, url=None), Settings()
    )


def test_search_in_a_pipe_prints_a_line_for_each_result(capsys: Output) -> None:
    assert search("spam") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t")[:3] == ["Spam", "issue", "issue/spam"]


def test_search_shows_at_most_the_limit_and_says_how_many_there_are(capsys: Output) -> None:
    assert search("paper", format_="json", limit=25) == 0
    output = capsys.readouterr()
    assert len(json.loads(output.out)) == 25
    assert "the first 25 are shown" in output.err


def test_search_names_the_corrected_words(capsys: Output) -> None:
    assert search("peering", "interconection", kind="issue", format_="table") == 0
    output = capsys.readouterr()
    assert "Searched for: peering interconnection" in output.err
    assert "issue/peering-interconnection" in output.out


def test_search_that_finds_nothing_has_exit_code_1(capsys: Output) -> None:
    assert search("xqzzyqx", format_="table") == 1
    assert "Nothing was found" in capsys.readouterr().err


def describe(name: str, format_: str | None = None) -> int:
    """The exit code of `wgig describe`."""
    return run_describe(Namespace(name=name, format=format_, url=None), Settings())


@pytest.mark.parametrize("name", ["issue/spam", "issue:spam", str(SPAM)])
def test_description_in_a_pipe_is_turtle(capsys: Output, name: str) -> None:
    assert describe(name) == 0
    assert (SPAM, None, None) in Graph().parse(data=capsys.readouterr().out, format="turtle")


def test_term_of_the_ontology_is_described(capsys: Output) -> None:
    assert describe("wgig:Issue", "ttl") == 0
    iri = URIRef(f"{Settings.base}ontology#Issue")
    assert (iri, None, None) in Graph().parse(data=capsys.readouterr().out, format="turtle")


def test_description_on_a_terminal_has_names_instead_of_addresses(capsys: Output) -> None:
    assert describe("issue/spam", "table") == 0
    text = capsys.readouterr().out
    assert "access for all" in text
    assert "category:access-for-all" not in text


@pytest.mark.parametrize(("name", "suggestion"), [("issue/spm", "issue/spam"), ("VoIP", "issue/voip")])
def test_unknown_name_is_refused_with_a_similar_one(name: str, suggestion: str) -> None:
    with pytest.raises(Problem, match=rf"Did you mean .*{suggestion}") as caught:
        describe(name, "ttl")
    assert caught.value.status == 404


def cite(name: str | None = None, query: str | None = None, format_: str = "text") -> int:
    """The exit code of `wgig cite`."""
    return run_cite(Namespace(name=name, query=query, format=format_, url=None), Settings())


@pytest.mark.parametrize(
    ("format_", "start"), [("text", "Contributors"), ("bibtex", "@misc{"), ("csl-json", "[")]
)
def test_citation_is_printed_in_each_format(capsys: Output, format_: str, start: str) -> None:
    assert cite("issue/spam", format_=format_) == 0
    assert capsys.readouterr().out.startswith(start)


def test_result_of_a_query_in_a_file_is_cited(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "issues.rq"
    path.write_text("SELECT ?issue { ?issue a <https://w3id.org/wgig/ontology#Issue> } ORDER BY ?issue")
    assert cite(query=str(path)) == 0
    assert "&sha256=" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(None, None), ("issue/spam", "ASK {}")])
def test_either_a_name_or_a_query_is_cited(arguments: tuple[str | None, str | None]) -> None:
    with pytest.raises(Problem, match="Nothing to cite was given"):
        cite(*arguments)


@pytest.mark.parametrize("shell", SHELL_CHOICES)
def test_completion_script_has_all_commands(capsys: Output, shell: str) -> None:
    assert run_completion(Namespace(shell=shell), Settings()) == 0
    script = capsys.readouterr().out
    assert "describe" in script
    assert "skip-others" in script


def test_completion_in_bash_completes_a_command(tmp_path: Path, capsys: Output) -> None:
    main(["completion", "bash"])
    script = tmp_path / "wgig"
    script.write_text(capsys.readouterr().out)
    words = "COMP_WORDS=(wgig des) COMP_CWORD=1 COMP_LINE='wgig des' COMP_POINT=8"
    function = "$(complete -p wgig | sed 's/.*-F //;s/ .*//')"
    command = f"source {script}; {words}; {function}; echo ${{COMPREPLY[@]}}"
    process = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "describe"

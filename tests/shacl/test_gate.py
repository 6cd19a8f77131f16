"""The gate: a paper that does not conform is not written; one that does is, in any form it comes in."""

import json

import httpx
import pyoxigraph as ox
import pytest
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.shacl.gate import is_paper_graph
from wgig.shacl.reports import REPORT_WRITERS
from wgig.store.store import Store

from tests.fixtures.service import writer_of

BASE = Settings.base
NAME = "example-community-networks"
PATH = f"/graph/paper/{NAME}"
TTL = {"Content-Type": "text/turtle"}
MD = {"Content-Type": "text/markdown"}
TURTLE = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_text("utf-8")
MARKDOWN = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
# Two titles in one language: what is written is wrong, so even a draft is refused.
WRONG = f'<{BASE}id/paper/{NAME}> <http://purl.org/dc/terms/title> "Another"@en, "A third"@en .'
KNOWN = sorted((SHIPPED_FOLDER / "data/papers").glob("*.ttl"))


@pytest.fixture
def client() -> httpx.Client:
    return writer_of(Store.in_memory())


def held(client: httpx.Client, path: str = PATH) -> list[str]:
    answer = client.get(path, headers={"Accept": "application/n-triples"})
    return sorted(answer.text.splitlines()) if answer.status_code == 200 else []


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_each_known_paper_may_be_written_again(client: httpx.Client, path: object) -> None:
    name = path.stem  # type: ignore[attr-defined]
    answer = client.put(f"/graph/paper/{name}", content=path.read_bytes(), headers=TTL)  # type: ignore[attr-defined]
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "foreign",
    [
        f"<{BASE}ontology#Issue> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{BASE}ontology#Paper> .",
        f'<{BASE}graph/issues> <http://purl.org/dc/terms/title> "Mine" .',
        f'<{BASE}id/issue/spam> <http://purl.org/dc/terms/title> "Mine" .',
        f'<{BASE}id/paper/wp-spam/swot> <http://purl.org/dc/terms/title> "Mine" .',
        '<http://example.org/other> <http://purl.org/dc/terms/title> "Mine" .',
    ],
)
def test_a_paper_says_nothing_of_what_is_not_its_own(client: httpx.Client, foreign: str) -> None:
    answer = client.put(
        PATH, content=f"{TURTLE}\n{foreign}", headers=TTL | {"Accept": "application/problem+json"}
    )
    assert answer.status_code == 422
    assert held(client) == []
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    assert client.post(PATH, content=foreign, headers=TTL).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "POST", "UPDATE"])
def test_a_paper_is_checked_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = writer_of(Store.in_memory(first=[ConformanceGraph(BASE, Settings.shacl)]))

    def write(name: str) -> int:
        paper = TURTLE.replace(NAME, name)
        if method != "UPDATE":
            return client.request(method, f"/graph/paper/{name}", content=paper, headers=TTL).status_code
        triples = ox.serialize(ox.parse(paper, ox.RdfFormat.TURTLE), format=ox.RdfFormat.N_TRIPLES) or b""
        text = f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{name}> {{ {triples.decode()} }} }}"
        return 201 if client.post("/update", data={"update": text}).status_code == 204 else 0

    def again(*_: object) -> set[object]:
        raise AssertionError("checked again")

    assert write("first") == 201  # with which the made-up papers come to the board
    monkeypatch.setattr("wgig.shacl.conformance.find_document_results", again)
    assert write("second") == 201


def test_a_wrong_paper_is_refused_with_the_report_and_nothing_changes(client: httpx.Client) -> None:
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    before = held(client)
    answer = client.put(PATH, content=f"{TURTLE}\n{WRONG}", headers=TTL)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    findings = answer.json()["files"][0]["papers"][0]["findings"]
    assert {"WGIG-0-TITLE-TWICE"} <= {one["code"] for one in findings}
    assert all(one["line"] for one in findings if one["severity"] == "Violation")
    assert held(client) == before


def test_a_round_that_is_no_number_is_refused(client: httpx.Client) -> None:
    wrong = f'<{BASE}id/paper/{NAME}> <{BASE}ontology#round> "x" .'
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    answers = [
        client.post(PATH, content=wrong, headers=TTL),
        client.post(
            "/update", data={"update": f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{NAME}> {{ {wrong} }} }}"}
        ),
    ]
    assert [one.status_code for one in answers] == [422, 422]
    assert all("WGIG-0-ROUND-VALUE" in one.text for one in answers)


@pytest.mark.parametrize(
    "format_", [one for one in REPORT_WRITERS if one.suffix != "html"], ids=lambda one: one.suffix
)
def test_the_report_comes_in_each_form(client: httpx.Client, format_: object) -> None:
    accept = {"Accept": format_.media_type}  # type: ignore[attr-defined]
    answer = client.put(PATH, content=f"{TURTLE}\n{WRONG}", headers=TTL | accept)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith(accept["Accept"])
    assert "WGIG-0-TITLE-TWICE" in answer.text


@pytest.mark.parametrize("accept", ["application/problem+json", "text/html", "image/png"])
def test_who_accepts_no_report_gets_the_problem(client: httpx.Client, accept: str) -> None:
    answer = client.put(PATH, content=f"{TURTLE}\n{WRONG}", headers=TTL | {"Accept": accept})
    assert answer.status_code == 422
    assert "does not conform to the profile draft" in answer.text
    if accept != "text/html":
        assert answer.json()["report"]["conforms"] is False


def test_the_report_speaks_the_language_of_the_author(client: httpx.Client) -> None:
    headers = TTL | {"Accept-Language": "fr"}
    answer = client.put(PATH, content=f"{TURTLE}\n{WRONG}", headers=headers)
    assert (answer.headers["content-language"], "deux titres" in answer.text) == ("fr", True)


def test_what_is_added_is_checked_with_what_is_there(client: httpx.Client) -> None:
    client.put(PATH, content=TURTLE, headers=TTL)
    before = held(client)
    one_title = f'<{BASE}id/paper/{NAME}> <http://purl.org/dc/terms/title> "Another"@en .'
    assert client.post(PATH, content=one_title, headers=TTL).status_code == 422
    assert held(client) == before
    link = f"<{BASE}id/paper/{NAME}> <http://www.w3.org/2000/01/rdf-schema#seeAlso> <x:page> ."
    assert client.post(PATH, content=link, headers=TTL).status_code == 204
    assert set(held(client)) > set(before)


def test_parts_are_checked_together(client: httpx.Client) -> None:
    files = [("f", ("a.ttl", TURTLE)), ("f", ("b.ttl", WRONG))]
    assert client.put(PATH, files=files).status_code == 422
    assert client.put(PATH, files=files[:1]).status_code == 201
    extra = [("f", (f"{name}.ttl", f"<{BASE}id/paper/{NAME}> <x:has> _:x .")) for name in ("b", "c")]
    assert client.put(PATH, files=[*files[:1], *extra]).status_code == 204
    assert len([one for one in held(client) if "<x:has>" in one]) == 2


def findings(answer: httpx.Response) -> dict[str, dict[str, object]]:
    """The findings of a refused write by their codes, with the name of the file that they are told of."""
    assert answer.status_code == 422, answer.text
    (file,) = answer.json()["files"]
    return {
        one["code"]: one | {"name": file["name"]} for paper in file["papers"] for one in paper["findings"]
    }


@pytest.mark.parametrize("turtle", [WRONG, WRONG.replace('"A third"@en', "_:x . _:x <x:p> 1")])
def test_a_finding_in_what_is_added_has_its_line_there(client: httpx.Client, turtle: str) -> None:
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    headers = TTL | {"Content-Disposition": 'attachment; filename="more.ttl"'}
    found = findings(client.post(PATH, content=f"# one\n\n{turtle}", headers=headers))["WGIG-0-TITLE-TWICE"]
    assert (found["name"], found["line"], found["column"]) == ("more.ttl", 3, turtle.index('"Another"') + 1)


def test_a_finding_in_added_markdown_has_its_line_there(client: httpx.Client) -> None:
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    text = MARKDOWN.replace("\ntitle: ", "\ntitle: Another ")
    lines = text.splitlines()
    found = findings(client.post(PATH, content=text, headers=MD))["WGIG-0-TITLE-TWICE"]
    assert lines[int(str(found["line"])) - 1].startswith("title: Another ")


def test_a_finding_in_what_is_there_has_no_line() -> None:
    unchecked = writer_of(store := Store.in_memory(), write_profile="off")
    assert unchecked.put(PATH, content=f"{TURTLE}\n{WRONG}", headers=TTL).status_code == 201
    link = f"<{BASE}id/paper/{NAME}> <http://www.w3.org/2000/01/rdf-schema#seeAlso> <x:page> ."
    found = findings(writer_of(store).post(PATH, content=link, headers=TTL))["WGIG-0-TITLE-TWICE"]
    assert (found["line"], found["column"]) == (None, None)


def test_a_finding_in_several_parts_has_no_line(client: httpx.Client) -> None:
    files = [("f", ("a.ttl", TURTLE)), ("f", ("b.ttl", WRONG))]
    found = findings(client.put(PATH, files=files))["WGIG-0-TITLE-TWICE"]
    assert (found["name"], found["line"], found["column"]) == (NAME, None, None)


def test_a_finding_in_an_update_has_no_line(client: httpx.Client) -> None:
    assert client.put(PATH, content=TURTLE, headers=TTL).status_code == 201
    update = f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{NAME}> {{ {WRONG} }} }}"
    found = findings(client.post("/update", data={"update": update}))["WGIG-0-TITLE-TWICE"]
    assert (found["name"], found["line"], found["column"]) == (NAME, None, None)


def test_a_paper_in_markdown_is_written_as_what_it_says(client: httpx.Client) -> None:
    assert client.put(PATH, content=MARKDOWN, headers=MD).status_code == 201
    assert f"{BASE}ontology#IssuePaper" in "\n".join(held(client))
    broken = MARKDOWN.replace("### Threats", "### Treats")
    answer = client.put(PATH, content=broken, headers=MD)
    assert (answer.status_code, "line" in answer.json()) == (400, True)


def test_markdown_is_no_graph_of_another_kind(client: httpx.Client) -> None:
    assert client.put("/graph/one", content=MARKDOWN, headers=MD).status_code == 415


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("/graph/paper/other", TURTLE, "is for the paper"),
        (PATH, "", "would not describe its paper"),
        (PATH, "<x:a> <x:p> 1 .", "would not describe its paper"),
        (PATH, f"{TURTLE}\n<{BASE}id/paper/two> a <{BASE}ontology#IssuePaper> .", "Change the graph or"),
        ("/graph/paper/a/b", TURTLE, "is not a paper name"),
    ],
)
def test_a_graph_describes_the_paper_of_its_name_alone(
    client: httpx.Client, path: str, content: str, says: str
) -> None:
    answer = client.put(path, content=content, headers=TTL)
    assert (answer.status_code, says in answer.json()["detail"]) == (422, True), answer.text
    assert held(client, path) == []


@pytest.mark.parametrize(
    ("profile", "status"), [("off", 201), ("draft", 201), ("complete", 422), ("final", 422)]
)
def test_the_profile_is_the_operators_choice(profile: str, status: int) -> None:
    client = writer_of(Store.in_memory(), write_profile=profile)
    known = next(one for one in KNOWN if one.stem == "wp-spam")
    assert client.put("/graph/paper/wp-spam", content=known.read_bytes(), headers=TTL).status_code == status


def test_where_nothing_is_checked_anything_may_be_written() -> None:
    client = writer_of(Store.in_memory(), write_profile="off")
    assert client.put("/graph/paper/a/b", content="<x:a> <x:p> 1 .", headers=TTL).status_code == 201


def test_relative_names_are_those_of_the_graph() -> None:
    client = writer_of(Store.in_memory(), write_profile="off")
    client.put(PATH, content="<#a> <x:p> 1 .", headers=TTL)
    assert held(client)[0].startswith(f"<{BASE}graph/paper/{NAME}#a>")


def test_a_paper_in_json_ld_may_name_our_context(client: httpx.Client) -> None:
    paper = {
        "@context": f"{BASE}context.jsonld",
        "@id": f"{BASE}id/paper/{NAME}",
        "@type": "IssuePaper",
    }
    headers = {"Content-Type": "application/ld+json"}
    assert client.put(PATH, content=json.dumps(paper), headers=headers).status_code == 201


def test_blank_nodes_of_a_paper_are_its_own(client: httpx.Client) -> None:
    for name in ("one", "two"):
        turtle = f"<{BASE}id/paper/{name}> a <{BASE}ontology#IssuePaper> ; <x:p> _:same . _:same <x:q> 1 ."
        assert client.put(f"/graph/paper/{name}", content=turtle, headers=TTL).status_code == 201
    names = {
        one.subject
        for name in ("one", "two")
        for one in ox.parse("\n".join(held(client, f"/graph/paper/{name}")), ox.RdfFormat.N_TRIPLES)
        if isinstance(one.subject, ox.BlankNode)
    }
    assert len(names) == 2


def test_the_gate_knows_the_graphs_of_papers() -> None:
    assert is_paper_graph(f"{BASE}graph/paper/x", BASE)
    assert not is_paper_graph(f"{BASE}graph/papers", BASE)
    assert not is_paper_graph(None, BASE)

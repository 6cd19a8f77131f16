"""The gate: a paper is written only if it conforms to the profile of the setting `write_profile`."""

import json
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.formats import Format
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.shacl.gate import is_paper_graph
from wgig.shacl.reports import REPORT_WRITERS
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

BASE = Settings.base
PAPER_NAME = "example-community-networks"
GRAPH_PATH = f"/graph/paper/{PAPER_NAME}"
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
MARKDOWN_HEADERS = {"Content-Type": "text/markdown"}
PAPER_TURTLE = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_text("utf-8")
PAPER_MARKDOWN = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
# Two titles in one language break a rule of the profile draft.
WRONG_STATEMENT = (
    f'<{BASE}id/paper/{PAPER_NAME}> <http://purl.org/dc/terms/title> "Another"@en, "A third"@en .'
)
BUNDLED_PAPER_PATHS = sorted((SHIPPED_FOLDER / "data/papers").glob("*.ttl"))


@pytest.fixture
def client() -> httpx2.Client:
    return make_writer_client(Store.in_memory())


def list_stored_lines(client: httpx2.Client, path: str = GRAPH_PATH) -> list[str]:
    response = client.get(path, headers={"Accept": "application/n-triples"})
    return sorted(response.text.splitlines()) if response.status_code == 200 else []


@pytest.mark.parametrize("path", BUNDLED_PAPER_PATHS, ids=lambda path: path.stem)
def test_each_bundled_paper_may_be_written(client: httpx2.Client, path: Path) -> None:
    response = client.put(f"/graph/paper/{path.stem}", content=path.read_bytes(), headers=TURTLE_HEADERS)
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    "foreign_statement",
    [
        f"<{BASE}ontology#Issue> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <{BASE}ontology#Paper> .",
        f'<{BASE}graph/issues> <http://purl.org/dc/terms/title> "Mine" .',
        f'<{BASE}id/issue/spam> <http://purl.org/dc/terms/title> "Mine" .',
        f'<{BASE}id/paper/wp-spam/swot> <http://purl.org/dc/terms/title> "Mine" .',
        '<http://example.org/other> <http://purl.org/dc/terms/title> "Mine" .',
    ],
)
def test_a_paper_with_statements_about_other_resources_is_refused(
    client: httpx2.Client, foreign_statement: str
) -> None:
    response = client.put(
        GRAPH_PATH,
        content=f"{PAPER_TURTLE}\n{foreign_statement}",
        headers=TURTLE_HEADERS | {"Accept": "application/problem+json"},
    )
    assert response.status_code == 422
    assert list_stored_lines(client) == []
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    assert client.post(GRAPH_PATH, content=foreign_statement, headers=TURTLE_HEADERS).status_code == 422


@pytest.mark.parametrize("method", ["PUT", "POST", "SPARQL Update"])
def test_a_paper_is_checked_once(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_writer_client(Store.in_memory(computed_graphs=[ConformanceGraph(BASE, Settings.shacl)]))

    def write_paper(name: str) -> int:
        """Write the paper under a name; the status is that of PUT, 201, for an accepted update, too."""
        paper = PAPER_TURTLE.replace(PAPER_NAME, name)
        if method != "SPARQL Update":
            return client.request(
                method, f"/graph/paper/{name}", content=paper, headers=TURTLE_HEADERS
            ).status_code
        triples = ox.serialize(ox.parse(paper, ox.RdfFormat.TURTLE), format=ox.RdfFormat.N_TRIPLES) or b""
        text = f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{name}> {{ {triples.decode()} }} }}"
        return 201 if client.post("/update", data={"update": text}).status_code == 204 else 0

    def fail_on_check(*_: object) -> set[object]:
        raise AssertionError("the paper is checked twice")

    assert write_paper("first") == 201  # the first paper adds the example papers to the conformance graph
    monkeypatch.setattr("wgig.shacl.conformance.find_document_results", fail_on_check)
    assert write_paper("second") == 201


def test_a_wrong_paper_is_refused_with_the_report_and_nothing_changes(client: httpx2.Client) -> None:
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    before = list_stored_lines(client)
    response = client.put(GRAPH_PATH, content=f"{PAPER_TURTLE}\n{WRONG_STATEMENT}", headers=TURTLE_HEADERS)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/json")
    findings = response.json()["files"][0]["papers"][0]["findings"]
    assert {"WGIG-0-TITLE-TWICE"} <= {finding["code"] for finding in findings}
    assert all(finding["line"] for finding in findings if finding["severity"] == "Violation")
    assert list_stored_lines(client) == before


def test_a_round_that_is_no_number_is_refused(client: httpx2.Client) -> None:
    wrong_statement = f'<{BASE}id/paper/{PAPER_NAME}> <{BASE}ontology#round> "x" .'
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    responses = [
        client.post(GRAPH_PATH, content=wrong_statement, headers=TURTLE_HEADERS),
        client.post(
            "/update",
            data={
                "update": f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{PAPER_NAME}> {{ {wrong_statement} }} }}"
            },
        ),
    ]
    assert [response.status_code for response in responses] == [422, 422]
    assert all("WGIG-0-ROUND-VALUE" in response.text for response in responses)


@pytest.mark.parametrize(
    "format_",
    [format_ for format_ in REPORT_WRITERS if format_.suffix != "html"],
    ids=lambda format_: format_.suffix,
)
def test_the_report_is_available_in_each_format(client: httpx2.Client, format_: Format) -> None:
    accept = {"Accept": format_.media_type}
    response = client.put(
        GRAPH_PATH, content=f"{PAPER_TURTLE}\n{WRONG_STATEMENT}", headers=TURTLE_HEADERS | accept
    )
    assert response.status_code == 422
    assert response.headers["content-type"].startswith(accept["Accept"])
    assert "WGIG-0-TITLE-TWICE" in response.text


@pytest.mark.parametrize("accept", ["application/problem+json", "text/html", "image/png"])
def test_a_client_that_accepts_no_report_format_gets_a_problem(client: httpx2.Client, accept: str) -> None:
    response = client.put(
        GRAPH_PATH, content=f"{PAPER_TURTLE}\n{WRONG_STATEMENT}", headers=TURTLE_HEADERS | {"Accept": accept}
    )
    assert response.status_code == 422
    assert "does not conform to the profile draft" in response.text
    if accept != "text/html":
        assert response.json()["report"]["conforms"] is False


def test_the_report_is_in_the_language_of_the_request(client: httpx2.Client) -> None:
    headers = TURTLE_HEADERS | {"Accept-Language": "fr"}
    response = client.put(GRAPH_PATH, content=f"{PAPER_TURTLE}\n{WRONG_STATEMENT}", headers=headers)
    assert (response.headers["content-language"], "deux titres" in response.text) == ("fr", True)
    assert {"Accept-Language", "Cookie"} <= set(response.headers["vary"].split(", "))


def test_added_triples_are_checked_with_the_existing_ones(client: httpx2.Client) -> None:
    client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS)
    before = list_stored_lines(client)
    title = f'<{BASE}id/paper/{PAPER_NAME}> <http://purl.org/dc/terms/title> "Another"@en .'
    assert client.post(GRAPH_PATH, content=title, headers=TURTLE_HEADERS).status_code == 422
    assert list_stored_lines(client) == before
    link = f"<{BASE}id/paper/{PAPER_NAME}> <http://www.w3.org/2000/01/rdf-schema#seeAlso> <x:page> ."
    assert client.post(GRAPH_PATH, content=link, headers=TURTLE_HEADERS).status_code == 204
    assert set(list_stored_lines(client)) > set(before)


def test_parts_of_a_multipart_request_are_checked_together(client: httpx2.Client) -> None:
    files = [("f", ("a.ttl", PAPER_TURTLE)), ("f", ("b.ttl", WRONG_STATEMENT))]
    assert client.put(GRAPH_PATH, files=files).status_code == 422
    assert client.put(GRAPH_PATH, files=files[:1]).status_code == 201
    further_files = [
        ("f", (f"{name}.ttl", f"<{BASE}id/paper/{PAPER_NAME}> <x:has> _:x .")) for name in ("b", "c")
    ]
    assert client.put(GRAPH_PATH, files=[*files[:1], *further_files]).status_code == 204
    assert len([line for line in list_stored_lines(client) if "<x:has>" in line]) == 2


def get_findings_by_code(response: httpx2.Response) -> dict[str, dict[str, object]]:
    """The findings of a refused write by code, each with the name of its file."""
    assert response.status_code == 422, response.text
    (file,) = response.json()["files"]
    return {
        finding["code"]: finding | {"name": file["name"]}
        for paper in file["papers"]
        for finding in paper["findings"]
    }


@pytest.mark.parametrize(
    "turtle",
    [WRONG_STATEMENT, WRONG_STATEMENT.replace('"A third"@en', "_:x . _:x <x:p> 1")],
    ids=["literals only", "with a blank node"],
)
def test_a_finding_in_added_triples_has_its_line(client: httpx2.Client, turtle: str) -> None:
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    headers = TURTLE_HEADERS | {"Content-Disposition": 'attachment; filename="more.ttl"'}
    finding = get_findings_by_code(client.post(GRAPH_PATH, content=f"# line 1\n\n{turtle}", headers=headers))[
        "WGIG-0-TITLE-TWICE"
    ]
    assert (finding["name"], finding["line"], finding["column"]) == (
        "more.ttl",
        3,
        turtle.index('"Another"') + 1,
    )


def test_a_finding_in_added_markdown_has_its_line(client: httpx2.Client) -> None:
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    text = PAPER_MARKDOWN.replace("\ntitle: ", "\ntitle: Another ")
    lines = text.splitlines()
    finding = get_findings_by_code(client.post(GRAPH_PATH, content=text, headers=MARKDOWN_HEADERS))[
        "WGIG-0-TITLE-TWICE"
    ]
    assert lines[int(str(finding["line"])) - 1].startswith("title: Another ")


def test_a_finding_in_existing_triples_has_no_line() -> None:
    client_without_check = make_writer_client(store := Store.in_memory(), write_profile="off")
    assert (
        client_without_check.put(
            GRAPH_PATH, content=f"{PAPER_TURTLE}\n{WRONG_STATEMENT}", headers=TURTLE_HEADERS
        ).status_code
        == 201
    )
    link = f"<{BASE}id/paper/{PAPER_NAME}> <http://www.w3.org/2000/01/rdf-schema#seeAlso> <x:page> ."
    finding = get_findings_by_code(
        make_writer_client(store).post(GRAPH_PATH, content=link, headers=TURTLE_HEADERS)
    )["WGIG-0-TITLE-TWICE"]
    assert (finding["line"], finding["column"]) == (None, None)


def test_a_finding_in_several_parts_of_a_request_has_no_line(client: httpx2.Client) -> None:
    files = [("f", ("a.ttl", PAPER_TURTLE)), ("f", ("b.ttl", WRONG_STATEMENT))]
    finding = get_findings_by_code(client.put(GRAPH_PATH, files=files))["WGIG-0-TITLE-TWICE"]
    assert (finding["name"], finding["line"], finding["column"]) == (PAPER_NAME, None, None)


def test_a_finding_in_an_update_has_no_line(client: httpx2.Client) -> None:
    assert client.put(GRAPH_PATH, content=PAPER_TURTLE, headers=TURTLE_HEADERS).status_code == 201
    update = f"INSERT DATA {{ GRAPH <{BASE}graph/paper/{PAPER_NAME}> {{ {WRONG_STATEMENT} }} }}"
    finding = get_findings_by_code(client.post("/update", data={"update": update}))["WGIG-0-TITLE-TWICE"]
    assert (finding["name"], finding["line"], finding["column"]) == (PAPER_NAME, None, None)


def test_a_paper_in_markdown_is_stored_as_triples(client: httpx2.Client) -> None:
    assert client.put(GRAPH_PATH, content=PAPER_MARKDOWN, headers=MARKDOWN_HEADERS).status_code == 201
    assert f"{BASE}ontology#IssuePaper" in "\n".join(list_stored_lines(client))
    broken = PAPER_MARKDOWN.replace("### Threats", "### Treats")
    response = client.put(GRAPH_PATH, content=broken, headers=MARKDOWN_HEADERS)
    assert (response.status_code, "line" in response.json()) == (400, True)


def test_markdown_is_refused_for_other_graphs(client: httpx2.Client) -> None:
    assert client.put("/graph/one", content=PAPER_MARKDOWN, headers=MARKDOWN_HEADERS).status_code == 415


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("/graph/paper/other", PAPER_TURTLE, "is for the paper"),
        (GRAPH_PATH, "", "would not describe its paper"),
        (GRAPH_PATH, "<x:a> <x:p> 1 .", "would not describe its paper"),
        (
            GRAPH_PATH,
            f"{PAPER_TURTLE}\n<{BASE}id/paper/two> a <{BASE}ontology#IssuePaper> .",
            "Change the graph or",
        ),
        ("/graph/paper/a/b", PAPER_TURTLE, "is not a valid name for a paper"),
    ],
)
def test_a_graph_may_describe_only_the_paper_of_its_name(
    client: httpx2.Client, path: str, content: str, message: str
) -> None:
    response = client.put(path, content=content, headers=TURTLE_HEADERS)
    assert (response.status_code, message in response.json()["detail"]) == (422, True), response.text
    assert list_stored_lines(client, path) == []


@pytest.mark.parametrize(
    ("profile", "status"), [("off", 201), ("draft", 201), ("complete", 422), ("final", 422)]
)
def test_the_operator_sets_the_profile(profile: str, status: int) -> None:
    client = make_writer_client(Store.in_memory(), write_profile=profile)
    # This bundled paper conforms to the profile draft only.
    paper_path = next(path for path in BUNDLED_PAPER_PATHS if path.stem == "wp-spam")
    assert (
        client.put(
            "/graph/paper/wp-spam", content=paper_path.read_bytes(), headers=TURTLE_HEADERS
        ).status_code
        == status
    )


def test_without_a_profile_any_graph_may_be_written() -> None:
    client = make_writer_client(Store.in_memory(), write_profile="off")
    assert (
        client.put("/graph/paper/a/b", content="<x:a> <x:p> 1 .", headers=TURTLE_HEADERS).status_code == 201
    )


def test_relative_iris_are_resolved_against_the_graph() -> None:
    client = make_writer_client(Store.in_memory(), write_profile="off")
    client.put(GRAPH_PATH, content="<#a> <x:p> 1 .", headers=TURTLE_HEADERS)
    assert list_stored_lines(client)[0].startswith(f"<{BASE}graph/paper/{PAPER_NAME}#a>")


def test_a_paper_in_json_ld_may_refer_to_the_context_of_the_service(client: httpx2.Client) -> None:
    paper = {
        "@context": f"{BASE}context.jsonld",
        "@id": f"{BASE}id/paper/{PAPER_NAME}",
        "@type": "IssuePaper",
    }
    headers = {"Content-Type": "application/ld+json"}
    assert client.put(GRAPH_PATH, content=json.dumps(paper), headers=headers).status_code == 201


def test_papers_do_not_share_blank_nodes(client: httpx2.Client) -> None:
    for name in ("one", "two"):
        turtle = f"<{BASE}id/paper/{name}> a <{BASE}ontology#IssuePaper> ; <x:p> _:same . _:same <x:q> 1 ."
        assert client.put(f"/graph/paper/{name}", content=turtle, headers=TURTLE_HEADERS).status_code == 201
    blank_nodes = {
        triple.subject
        for name in ("one", "two")
        for triple in ox.parse(
            "\n".join(list_stored_lines(client, f"/graph/paper/{name}")), ox.RdfFormat.N_TRIPLES
        )
        if isinstance(triple.subject, ox.BlankNode)
    }
    assert len(blank_nodes) == 2


def test_is_paper_graph_accepts_only_graphs_of_papers() -> None:
    assert is_paper_graph(f"{BASE}graph/paper/x", BASE)
    assert not is_paper_graph(f"{BASE}graph/papers", BASE)
    assert not is_paper_graph(None, BASE)

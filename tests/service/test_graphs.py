"""The list of graphs and the dumps."""

import gzip

import httpx
import pytest

TTL = {"Content-Type": "text/turtle"}


@pytest.fixture
def filled(writable: httpx.Client) -> httpx.Client:
    writable.put("/graph/one", content="<x:a> <x:p> <x:b> .", headers=TTL)
    writable.put("/graphs?default", content="<x:c> <x:p> <x:d> .", headers=TTL)
    return writable


def test_the_list_of_graphs_comes_as_json_rdf_and_page(filled: httpx.Client) -> None:
    assert filled.get("/graphs", headers={"Accept": "application/json"}).json() == {
        "graphs": ["https://w3id.org/wgig/graph/one"]
    }
    assert "sd:NamedGraph" in filled.get("/graphs").text
    assert "graph/one" in filled.get("/graphs", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("path", ["/dump.nq", "/dump.nq.gz", "/dump.trig", "/dump.trig.gz"])
def test_a_dump_holds_every_graph(filled: httpx.Client, path: str) -> None:
    answer = filled.get(path)
    content = gzip.decompress(answer.content) if path.endswith(".gz") else answer.content
    assert b"x:b" in content
    assert b"x:d" in content
    assert b"graph/one" in content or b"graph:one" in content


def test_there_is_no_other_dump(filled: httpx.Client) -> None:
    answer = filled.get("/dump.zip")
    assert answer.status_code == 404
    assert "/dump.nq.gz" in answer.json()["detail"]


def test_a_dump_over_the_limit_is_refused_not_cut(filled: httpx.Client) -> None:
    for number in range(3):
        body = "".join(f"<x:{number}> <x:p> {value} .\n" for value in range(500))
        assert filled.put(f"/graph/{number}", content=body, headers=TTL).status_code == 201
    assert filled.get("/dump.nq").status_code == 503

"""The parameter `timeout`: the time that a query may take, in seconds, up to the limit of the service."""

import httpx2
import pytest
from wgig.problems import Problem
from wgig.sparql.request import MIN_TIMEOUT_SECONDS, parse_timeout

ENDLESS_QUERY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("2.5", 2.5),
        ("30s", 30),
        ("2500ms", 2.5),
        ("30000", 30_000),  # the milliseconds of a client of Virtuoso: more than any limit
        ("0", 0),
        ("0.0", 0),
        ("", 0),
        ("0.001", MIN_TIMEOUT_SECONDS),
        ("1ms", MIN_TIMEOUT_SECONDS),
    ],
)
def test_timeout_is_in_seconds_unless_it_has_a_unit(text: str, seconds: float) -> None:
    assert parse_timeout([("timeout", text)]) == seconds
    assert parse_timeout([]) == 0


@pytest.mark.parametrize("text", ["-1", "1e3", "nan", "1m", "1 s", ".5", "١", "soon", "1" * 11])
def test_malformed_timeout_is_refused(writable_client: httpx2.Client, text: str) -> None:
    with pytest.raises(Problem, match="number of seconds"):
        parse_timeout([("timeout", text)])
    response = writable_client.get("/sparql", params={"query": "ASK {}", "timeout": text})
    assert response.status_code == 400
    assert response.json()["detail"].endswith("Send a number of seconds, such as 2.5, or 2500ms.")


def test_repeated_timeout_is_refused(writable_client: httpx2.Client) -> None:
    assert writable_client.get("/sparql?query=ASK+%7B%7D&timeout=1&timeout=2").status_code == 400


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_that_takes_longer_is_refused_with_the_limit(service_url: str, method: str) -> None:
    arguments = {"query": ENDLESS_QUERY, "timeout": "0.2"}
    values = {"params": arguments} if method == "GET" else {"data": arguments}
    response = httpx2.request(method, f"{service_url}sparql", timeout=60, **values)  # type: ignore[arg-type]
    assert response.status_code == 503
    detail = "The query took longer than 0.2 seconds and was canceled."
    assert response.json()["detail"].startswith(detail)
    assert "retry-after" not in response.headers


@pytest.mark.slow
def test_query_that_is_faster_is_not_affected(service_url: str) -> None:
    arguments = {"query": "ASK {}", "timeout": "30000"}
    response = httpx2.get(f"{service_url}sparql", params=arguments, timeout=60)
    assert response.json()["boolean"] is True
    assert "wgig-warning" not in response.headers

"""What holds for the whole surface: routes, refusals, safety headers, the description in OpenAPI."""

import asyncio
import json
import logging
import re
from dataclasses import replace

import httpx
import pytest
from anyio import to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from wgig.app import ROUTES, QueryBackends, create_app, make_service
from wgig.http.work_queue import WorkQueue
from wgig.pages.errors import ErrorResponses
from wgig.problems import PROBLEM_KINDS
from wgig.settings import Settings
from wgig.sparql.workers.evaluation import ThreadQueryWorkers
from wgig.store.errors import StoreError
from wgig.store.store import Store

pytestmark = pytest.mark.slow


def test_head_is_wherever_get_is() -> None:
    methods = {
        path: {method for other, some, *_ in ROUTES for method in some if other == path}
        for path, *_ in ROUTES
    }
    assert all(("GET" in known) == ("HEAD" in known) for known in methods.values())


def test_every_route_is_described_with_a_sentence(writable: httpx.Client) -> None:
    paths = writable.get("/openapi.json").json()["paths"]
    for path, methods, *_ in ROUTES:
        for method in set(methods) - {"HEAD", "QUERY"}:
            assert paths[path.replace(":path", "")][method.lower()]["summary"].endswith(".")


def test_operation_ids_are_unique_and_path_parameters_declared(writable: httpx.Client) -> None:
    paths = writable.get("/openapi.json").json()["paths"]
    operations = [(path, one) for path, item in paths.items() for one in item.values()]
    assert len({one["operationId"] for _, one in operations}) == len(operations)
    assert all(one["operationId"].isalpha() for _, one in operations)
    assert paths["/sparql"]["get"]["operationId"] == "getSparql"
    for path, one in operations:
        declared = {p["name"] for p in one.get("parameters", []) if p["in"] == "path"}
        assert declared == {
            name
            for name in ("id", "name", "path", "slug", "suffix", "version", "what")
            if f"{{{name}}}" in path
        }


@pytest.mark.parametrize(
    ("method", "path", "answers"),
    [
        ("post", "/update", {"204", "default"}),
        ("put", "/graph/{name}", {"201", "204", "default"}),
        ("delete", "/graph/{name}", {"204", "default"}),
        ("delete", "/queries/running/{id}", {"204", "default"}),
        ("get", "/id/{path}", {"303", "default"}),
        ("get", "/sparql", {"200", "default"}),
    ],
)
def test_the_description_says_with_which_status_a_route_answers(
    writable: httpx.Client, method: str, path: str, answers: set[str]
) -> None:
    assert writable.get("/openapi.json").json()["paths"][path][method]["responses"].keys() == answers


def test_the_description_declares_what_it_refers_to(writable: httpx.Client) -> None:
    description = writable.get("/openapi.json").json()
    operations = [one for item in description["paths"].values() for one in item.values()]
    needed = {scheme for one in operations for wanted in one.get("security", []) for scheme in wanted}
    assert needed == description["components"]["securitySchemes"].keys() == {"token"}
    named = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text := json.dumps(description)))
    assert text.count('"$ref"') == text.count('"$ref": "#/components/schemas/')
    assert named == description["components"]["schemas"].keys()


def test_every_refusal_is_described_as_a_problem_and_as_nothing_else(writable: httpx.Client) -> None:
    for item in writable.get("/openapi.json").json()["paths"].values():
        for one in item.values():
            assert set(one["responses"]) <= {"200", "201", "204", "303", "default"}
            assert "application/problem+json" in one["responses"]["default"]["content"]


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_the_service_says_that_it_is_well(writable: httpx.Client, path: str) -> None:
    assert writable.get(path).status_code == 200


def test_a_service_without_a_backup_says_so(writable: httpx.Client) -> None:
    assert writable.get("/ready").json() == {
        "status": "ready",
        "lastBackup": None,
        "failedWrite": None,
        "copying": False,
        "indexing": False,
        "comparing": True,
        "describing": False,
    }


def test_it_is_not_ready_when_the_store_does_not_answer(broken: httpx.Client) -> None:
    assert broken.get("/ready").status_code == 503


def test_an_unknown_path_is_a_problem_or_a_page(writable: httpx.Client) -> None:
    problem = writable.get("/nothing", headers={"Accept": "application/sparql-results+json"})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json()["instance"] == "/nothing"
    page = writable.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/sparql", "GET, HEAD, OPTIONS, POST, QUERY"),
        ("/graph/x", "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        ("/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(writable: httpx.Client, path: str, allowed: str) -> None:
    answer = writable.patch(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_script_of_another_site_may_ask(writable: httpx.Client) -> None:
    asked = writable.options(
        "/sparql", headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    answer = writable.get("/sparql", params={"query": "oops"}, headers={"Origin": "http://x"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_parameters_that_the_framework_refuses_are_a_problem_too() -> None:
    request = Request(
        {
            "type": "http",
            "app": create_app(make_service(Settings(), Store.in_memory())),
            "path": "/",
            "raw_path": b"/",
            "headers": [],
        }
    )
    error = RequestValidationError([{"loc": ("query", "limit"), "msg": "Input should be a valid integer"}])
    answer = ErrorResponses(Settings.base).respond_to_parameter_error(request, error)
    assert (answer.status_code, answer.media_type) == (400, "application/problem+json")
    assert b"query.limit: Input should be a valid integer." in bytes(answer.body)


def test_a_bug_tells_nothing_outside_and_everything_in_the_log(
    broken: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "wgig"):
        answer = broken.get("/graphs")
    number = answer.json()["detail"].rstrip(".").split()[-1]
    assert answer.status_code == 500
    assert "object" not in answer.text
    assert number in caplog.text
    assert "AttributeError" in caplog.text


def test_a_disk_that_fails_is_no_bug_and_tells_nothing_of_the_inside(
    writable: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The store /secret/place is on a disk that is full.")

    monkeypatch.setattr(Store, "query", fail)
    read = writable.get("/sparql", params={"query": "ASK {}"})
    assert (read.status_code, "written" in read.text) == (503, False)
    monkeypatch.undo()
    monkeypatch.setattr(Store, "apply", fail)
    answer = writable.post("/update", data={"update": "INSERT DATA { <x:a> <x:p> 1 }"})
    assert (answer.status_code, answer.json()["title"]) == (500, "The write failed")
    assert "/secret/place" not in answer.text
    assert "/secret/place" in caplog.text
    assert "may or may not have been written" in answer.json()["detail"]


def test_every_answer_forbids_sniffing(writable: httpx.Client) -> None:
    for path in ("/sparql", "/nothing", "/health", "/graphs"):
        assert writable.get(path).headers["x-content-type-options"] == "nosniff"


def test_answers_to_a_token_are_not_kept(writable: httpx.Client) -> None:
    assert writable.get("/sparql").headers["cache-control"] == "no-store"
    del writable.headers["Authorization"]
    assert writable.get("/sparql").headers["cache-control"] == "no-cache"


def test_the_type_of_a_problem_leads_to_a_page_that_explains_it(writable: httpx.Client) -> None:
    kind = writable.get("/id/issue/none").json()["type"]
    page = writable.get(kind.removeprefix("https://w3id.org/wgig"))
    assert page.status_code == 200
    assert "There is nothing at this address." in page.text


def test_an_unknown_kind_of_problem_is_not_found(writable: httpx.Client) -> None:
    assert writable.get("/doc/problem/hunger").status_code == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/doc/issue/", "/doc/issue"),
        ("/doc/issue/a%3Fb/?lang=en&_profile=skos", "/doc/issue/a%3Fb?lang=en&_profile=skos"),
        ("/sparql/", "/sparql"),
        ("/graph/none/", "/graph/none"),
        ("//elsewhere.example/", "/elsewhere.example"),
    ],
)
def test_a_slash_too_many_leads_to_the_address_without_it(
    writable: httpx.Client, path: str, location: str
) -> None:
    answer = writable.get(f"http://localhost{path}")
    assert (answer.status_code, answer.headers["location"]) == (308, location)


def test_nothing_is_deleted_by_an_address_with_a_slash_too_many(writable: httpx.Client) -> None:
    assert writable.delete("/graph/none/").status_code == 404


@pytest.mark.parametrize(("client", "word"), [("closed", "It is closed"), ("writable", "It is open")])
def test_the_address_of_updates_is_a_page_for_a_browser(
    client: str, word: str, request: pytest.FixtureRequest
) -> None:
    asked: httpx.Client = request.getfixturevalue(client)
    assert word in asked.get("/update", headers={"Accept": "text/html"}).text
    assert "sd:Service" in asked.get("/update").text


def test_a_thing_may_be_called_as_a_problem_is_unless_it_is_one(writable: httpx.Client) -> None:
    writable.put(
        "/graph/x",
        content="<https://w3id.org/wgig/id/problem/hunger> a <x:Problem> .",
        headers={"Content-Type": "text/turtle"},
    )
    assert "x:Problem" in writable.get("/doc/problem/hunger.ttl").text


def test_a_path_is_shown_as_it_was_sent(writable: httpx.Client) -> None:
    problem = writable.get("/no%FFthing/%C3%A9").json()
    assert problem["instance"] == "/no%FFthing/%C3%A9"
    assert "/no%FFthing/%C3%A9" in problem["detail"]


@pytest.mark.parametrize(("path", "slug"), [(f"/{'x' * 40_000}", "uri-too-long"), ("/graphs", "internal")])
def test_the_guard_says_no_as_everybody_does(broken: httpx.Client, path: str, slug: str) -> None:
    problem = broken.get(path).json()
    kind = PROBLEM_KINDS[slug]
    assert (problem["status"], problem["title"], problem["instance"]) == (kind.status, kind.title, path)
    assert problem["type"] == f"https://w3id.org/wgig/doc/problem/{slug}"


def test_the_service_says_that_it_is_alive_while_no_thread_is_free() -> None:
    async def ask() -> int:
        threads = to_thread.current_default_thread_limiter()
        threads.total_tokens = 1
        await threads.acquire_on_behalf_of("somebody")
        transport = httpx.ASGITransport(app=create_app(make_service(Settings(), Store.in_memory())))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await asyncio.wait_for(client.get("/health"), 10)).status_code

    assert asyncio.run(ask()) == 200


def test_too_many_queries_and_writes_are_told_to_come_again() -> None:
    waiting = WorkQueue(max_running=1, max_waiting=1, timeout_seconds=0.05)
    service = make_service(Settings(token="secret"), store := Store.in_memory())
    threads = ThreadQueryWorkers(store)
    threads.limiter, threads.timeout_seconds = waiting.limiter, 0.05
    service = replace(service, backends=QueryBackends(threads, threads))
    app = create_app(replace(service, queues=replace(service.queues, writes=waiting)))

    async def ask(method: str, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        headers = {"Authorization": "Bearer secret"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    asyncio.run(waiting.limiter.acquire_on_behalf_of("somebody"))
    for method, path in [("GET", "/sparql?query=ASK%7B%7D"), ("DELETE", "/graph/x"), ("GET", "/ready")]:
        answer = asyncio.run(ask(method, path))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert asyncio.run(ask("GET", "/health")).status_code == 200

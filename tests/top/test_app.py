"""Properties of the whole HTTP interface: routes, errors, security headers, OpenAPI description."""

import asyncio
import json
import logging
import re
from dataclasses import replace

import httpx2
import pytest
from anyio import to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from wgig.app import ROUTES, QueryBackends, create_app, make_service
from wgig.http.status import ServiceStatus
from wgig.http.work_queue import WorkQueue
from wgig.pages.errors import ErrorResponses
from wgig.problems import PROBLEM_KINDS
from wgig.settings import Settings
from wgig.sparql.workers.threads import ThreadQueryWorkers
from wgig.store.errors import StoreError
from wgig.store.store import Store

from tests.fixtures.openapi import list_parameters

pytestmark = pytest.mark.slow


def test_every_route_with_get_has_head() -> None:
    methods = {
        path: {
            method
            for other_path, route_methods, *_ in ROUTES
            for method in route_methods
            if other_path == path
        }
        for path, *_ in ROUTES
    }
    assert all(("GET" in path_methods) == ("HEAD" in path_methods) for path_methods in methods.values())


def test_every_route_has_a_summary_sentence(writable_client: httpx2.Client) -> None:
    paths = writable_client.get("/openapi.json").json()["paths"]
    for path, methods, *_ in ROUTES:
        for method in set(methods) - {"HEAD", "QUERY"}:
            assert paths[path.replace(":path", "")][method.lower()]["summary"].endswith(".")


def test_operation_ids_are_unique_and_path_parameters_declared(writable_client: httpx2.Client) -> None:
    description = writable_client.get("/openapi.json").json()
    paths = description["paths"]
    operations = [(path, operation) for path, item in paths.items() for operation in item.values()]
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    assert all(operation["operationId"].isalpha() for _, operation in operations)
    assert paths["/sparql"]["get"]["operationId"] == "getQueryResult"
    for path, operation in operations:
        declared = {
            parameter["name"]
            for parameter in list_parameters(description, operation)
            if parameter["in"] == "path"
        }
        assert declared == {
            name
            for name in ("file", "id", "name", "path", "slug", "suffix", "version", "what")
            if f"{{{name}}}" in path
        }


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/update", {"204", "default"}),
        ("put", "/graph/{name}", {"201", "204", "default"}),
        ("delete", "/graph/{name}", {"204", "default"}),
        ("delete", "/queries/running/{id}", {"204", "default"}),
        ("get", "/id/{path}", {"303", "default"}),
        ("get", "/sparql", {"200", "default"}),
    ],
)
def test_the_description_has_the_statuses_of_a_route(
    writable_client: httpx2.Client, method: str, path: str, statuses: set[str]
) -> None:
    assert writable_client.get("/openapi.json").json()["paths"][path][method]["responses"].keys() == statuses


def test_the_description_declares_its_security_schemes_and_schemas(writable_client: httpx2.Client) -> None:
    description = writable_client.get("/openapi.json").json()
    operations = [
        operation for path_item in description["paths"].values() for operation in path_item.values()
    ]
    used_schemes = {
        scheme
        for operation in operations
        for requirement in operation.get("security", [])
        for scheme in requirement
    }
    assert used_schemes == description["components"]["securitySchemes"].keys() == {"token"}
    referenced_schemas = set(
        re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text := json.dumps(description))
    )
    assert referenced_schemas == description["components"]["schemas"].keys()
    referenced_parameters = set(re.findall(r'"\$ref": "#/components/parameters/([\w.-]+)"', text))
    assert referenced_parameters == description["components"]["parameters"].keys()
    assert text.count('"$ref"') == len(
        re.findall(r'"\$ref": "#/components/(?:schemas|parameters|responses)/', text)
    )


def test_every_operation_describes_errors_as_problem_documents(writable_client: httpx2.Client) -> None:
    description = writable_client.get("/openapi.json").json()
    problem_content = description["components"]["responses"]["Problem"]["content"]
    assert problem_content["application/problem+json"]["schema"] == {
        "$ref": "#/components/schemas/ProblemDocument"
    }
    for path_item in description["paths"].values():
        for operation in path_item.values():
            assert set(operation["responses"]) <= {"200", "201", "204", "303", "default"}
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_and_ready_respond_with_200(writable_client: httpx2.Client, path: str) -> None:
    assert writable_client.get(path).status_code == 200


def test_ready_reports_the_state_of_a_service_without_a_backup(writable_client: httpx2.Client) -> None:
    assert writable_client.get("/ready").json() == {
        "status": "ready",
        "lastBackup": None,
        "failedWrite": None,
        "copying": False,
        "indexing": False,
        "comparing": True,  # until `wgig serve` opens the change log
        "describing": False,
        "failedProjections": [],
        "rules": None,
        "failedNotifications": 0,
    }


def test_the_service_is_not_ready_if_the_store_fails(broken_store_client: httpx2.Client) -> None:
    assert broken_store_client.get("/ready").status_code == 503


def test_an_unknown_path_is_a_problem_or_a_page(writable_client: httpx2.Client) -> None:
    problem = writable_client.get("/nothing", headers={"Accept": "application/sparql-results+json"})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json()["instance"] == "/nothing"
    page = writable_client.get("/nothing", headers={"Accept": "text/html,*/*;q=0.8"})
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
def test_a_wrong_method_is_refused_with_the_allowed_ones(
    writable_client: httpx2.Client, path: str, allowed: str
) -> None:
    response = writable_client.patch(path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


def test_scripts_of_other_origins_may_send_requests(writable_client: httpx2.Client) -> None:
    preflight = writable_client.options(
        "/sparql", headers={"Origin": "http://x", "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    response = writable_client.get("/sparql", params={"query": "oops"}, headers={"Origin": "http://x"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_parameters_that_the_framework_refuses_are_a_problem() -> None:
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
    response = ErrorResponses(Settings.base, ServiceStatus()).respond_to_parameter_error(request, error)
    assert (response.status_code, response.media_type) == (400, "application/problem+json")
    assert b"query.limit: Input should be a valid integer." in bytes(response.body)


def test_an_internal_error_is_logged_and_hidden_from_clients(
    broken_store_client: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "wgig"):
        response = broken_store_client.get("/graphs")
    error_number = response.json()["detail"].rstrip(".").split()[-1]
    assert response.status_code == 500
    assert "object" not in response.text  # of the message "… object has no attribute …"
    assert error_number in caplog.text
    assert "AttributeError" in caplog.text


def test_a_disk_error_is_logged_and_hidden_from_clients(
    writable_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The store /secret/place is on a disk that is full.")

    monkeypatch.setattr(Store, "query", fail)
    read_response = writable_client.get("/sparql", params={"query": "ASK {}"})
    assert (read_response.status_code, "written" in read_response.text) == (503, False)
    monkeypatch.undo()
    monkeypatch.setattr(Store, "commit", fail)
    write_response = writable_client.post("/update", data={"update": "INSERT DATA { <x:a> <x:p> 1 }"})
    assert (write_response.status_code, write_response.json()["title"]) == (500, "The write failed")
    assert "/secret/place" not in write_response.text
    assert "/secret/place" in caplog.text
    assert "either completely or not at all" in write_response.json()["detail"]


def test_every_response_forbids_content_sniffing(writable_client: httpx2.Client) -> None:
    for path in ("/sparql", "/nothing", "/health", "/graphs"):
        assert writable_client.get(path).headers["x-content-type-options"] == "nosniff"


def test_responses_to_requests_with_a_token_are_not_cached(writable_client: httpx2.Client) -> None:
    assert writable_client.get("/sparql").headers["cache-control"] == "no-store"
    del writable_client.headers["Authorization"]
    assert writable_client.get("/sparql").headers["cache-control"] == "no-cache"


def test_the_type_of_a_problem_has_a_page(writable_client: httpx2.Client) -> None:
    type_url = writable_client.get("/id/issue/none").json()["type"]
    page = writable_client.get(type_url.removeprefix("https://w3id.org/wgig"))
    assert page.status_code == 200
    assert "There is nothing at this address." in page.text


def test_an_unknown_problem_type_is_not_found(writable_client: httpx2.Client) -> None:
    assert writable_client.get("/doc/problem/hunger").status_code == 404


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
def test_a_trailing_slash_is_redirected(writable_client: httpx2.Client, path: str, location: str) -> None:
    response = writable_client.get(f"http://localhost{path}")
    assert (response.status_code, response.headers["location"]) == (308, location)


def test_delete_with_a_trailing_slash_is_not_redirected(writable_client: httpx2.Client) -> None:
    assert writable_client.delete("/graph/none/").status_code == 404


@pytest.mark.parametrize(
    ("client", "sentence"),
    [("read_only_client", "Updates are turned off"), ("writable_client", "You need a token")],
)
def test_update_shows_a_page_to_a_browser(client: str, sentence: str, request: pytest.FixtureRequest) -> None:
    http_client: httpx2.Client = request.getfixturevalue(client)
    assert sentence in http_client.get("/update", headers={"Accept": "text/html"}).text
    assert "sd:Service" in http_client.get("/update").text


def test_a_resource_may_have_a_problem_iri_that_is_no_problem_type(writable_client: httpx2.Client) -> None:
    writable_client.put(
        "/graph/x",
        content="<https://w3id.org/wgig/id/problem/hunger> a <x:Problem> .",
        headers={"Content-Type": "text/turtle"},
    )
    assert "x:Problem" in writable_client.get("/doc/problem/hunger.ttl").text


def test_a_problem_has_the_path_as_sent(writable_client: httpx2.Client) -> None:
    problem = writable_client.get("/no%FFthing/%C3%A9").json()
    assert problem["instance"] == "/no%FFthing/%C3%A9"
    assert "/no%FFthing/%C3%A9" in problem["detail"]


@pytest.mark.parametrize(("path", "slug"), [(f"/{'x' * 40_000}", "uri-too-long"), ("/graphs", "internal")])
def test_errors_of_the_outer_middleware_are_problem_documents(
    broken_store_client: httpx2.Client, path: str, slug: str
) -> None:
    problem = broken_store_client.get(path).json()
    problem_kind = PROBLEM_KINDS[slug]
    assert (problem["status"], problem["title"], problem["instance"]) == (
        problem_kind.status,
        problem_kind.title,
        path,
    )
    assert problem["type"] == f"https://w3id.org/wgig/doc/problem/{slug}"


def test_health_responds_while_no_thread_is_free() -> None:
    async def request_health() -> int:
        threads = to_thread.current_default_thread_limiter()
        threads.total_tokens = 1
        await threads.acquire_on_behalf_of("somebody")
        transport = httpx2.ASGITransport(app=create_app(make_service(Settings(), Store.in_memory())))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await asyncio.wait_for(client.get("/health"), 10)).status_code

    assert asyncio.run(request_health()) == 200


def test_too_many_queries_and_writes_get_503_with_retry_after() -> None:
    full_queue = WorkQueue(max_running=1, max_waiting=1, timeout_seconds=0.05)
    service = make_service(Settings(token="secret"), store := Store.in_memory())
    threads = ThreadQueryWorkers(store)
    threads.limiter, threads.timeout_seconds = full_queue.limiter, 0.05
    service = replace(service, backends=QueryBackends(threads, threads))
    app = create_app(replace(service, queues=replace(service.queues, writes=full_queue)))

    async def send_request(method: str, path: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        headers = {"Authorization": "Bearer secret"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, headers=headers)

    asyncio.run(full_queue.limiter.acquire_on_behalf_of("somebody"))
    for method, path in [("GET", "/sparql?query=ASK%7B%7D"), ("DELETE", "/graph/x"), ("GET", "/ready")]:
        response = asyncio.run(send_request(method, path))
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert asyncio.run(send_request("GET", "/health")).status_code == 200

"""Hostile shapes: they end at a limit with a clear problem, fetch nothing, and do not hold up others."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from wgig.http.bodies import MULTIPART_MEDIA_TYPE, ContentType
from wgig.http.work_queue import ProcessWorkQueue
from wgig.papers.validate import ValidationJob, ValidationJobResult, run_limited_job
from wgig.problems import Problem
from wgig.rdf.formats import JSON
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.engines import ENGINE_NAMES

from tests.crash.family import find_descendants, kill_process
from tests.fixtures.processes import run_service
from tests.fixtures.shapes import PERSON_DATA, PERSON_SHAPES, PREFIXES, count_connections

pytestmark = pytest.mark.slow

MAX_SECONDS = 60  # enough to start a process on a busy machine
MAX_ENDLESS_SECONDS = 1
TARGET = "ex:S a sh:NodeShape ; sh:targetClass ex:T ;"
SMALL_DATA = f'ex:a a ex:T ; ex:value "{"a" * 60}b" .'
NODES = range(60)
DENSE_DATA = "".join(f"ex:n{n} a ex:T ; ex:p {' , '.join(f'ex:n{m}' for m in NODES)} .\n" for n in NODES)
ANY_DIRECTION = "[ sh:oneOrMorePath [ sh:alternativePath ( ex:p [ sh:inversePath ex:p ] ) ] ]"

# Shapes that no machine checks in time: data and shapes.
ENDLESS = {
    "nested choices": (
        SMALL_DATA,
        f"{TARGET} sh:node ex:n0 . ex:n24 sh:nodeKind sh:Literal ."
        + "".join(
            f"ex:n{n} sh:or ( [ sh:node ex:n{n + 1} ] [ sh:node ex:n{n + 1} ] ) .\n" for n in range(24)
        ),
    ),
    "query": (
        DENSE_DATA,
        f"{TARGET} sh:sparql [ sh:select '''SELECT $this {{ $this ?a ?b . ?c ?d ?e . ?f ?g ?h . ?i ?j ?k . "
        "?l ?m ?n FILTER(?a = ?d && ?e = ?g && ?n = 1) }''' ] .",
    ),
    "product": (
        "".join(f"ex:a{n} a ex:T . " for n in range(15_000)),
        "".join(f"ex:S{n} sh:targetClass ex:T ; sh:nodeKind sh:Literal . " for n in range(1500)),
    ),
}
ENDLESS_BY_ENGINE = {
    "pyshacl": {
        "pattern": (
            SMALL_DATA,
            f'{TARGET} sh:property [ sh:path ex:value ; sh:pattern "^(a|aa)+(a|aa)+$" ] .',
        ),
        "path": (
            DENSE_DATA,
            f"{TARGET} sh:property [ sh:path ( {ANY_DIRECTION * 6} ) ; sh:maxCount 1 ] .",
        ),
    },
    "shifty": {},
}


def make_job(data: str, shapes: str, **settings: str) -> ValidationJob:
    files = {"data": ("data.ttl", PREFIXES + data), "shapes": ("shapes.ttl", PREFIXES + shapes)}
    request = httpx2.Request("POST", "http://localhost/", files=files)
    boundary = request.headers["content-type"].partition("boundary=")[2]
    content_type = ContentType(MULTIPART_MEDIA_TYPE, {"boundary": boundary})
    return ValidationJob(content_type, request.read(), [], "en", JSON, Settings(**settings))  # type: ignore[arg-type]


def run_jobs(*jobs: ValidationJob, max_seconds: int = MAX_SECONDS) -> list[ValidationJobResult | Problem]:
    """The results of jobs that run one after another in a process that is ended at a limit."""

    async def run_all() -> list[ValidationJobResult | Problem]:
        queue = ProcessWorkQueue(1, 1, 60, MAX_SECONDS)
        await run_limited_job(queue, make_job("", TARGET[:-1] + ".", shacl=jobs[0].settings.shacl))
        queue.max_seconds = max_seconds  # the process has started, and has imported all modules
        results: list[ValidationJobResult | Problem] = []
        for job in jobs:
            try:
                results.append(await run_limited_job(queue, job))
            except Problem as problem:
                results.append(problem)
        return results

    return asyncio.run(run_all())


@pytest.mark.parametrize(
    ("engine", "name"),
    [(engine, name) for engine in ENGINE_NAMES for name in ENDLESS | ENDLESS_BY_ENGINE[engine]],
)
def test_endless_shapes_end_at_the_limit_with_a_clear_problem(engine: str, name: str) -> None:
    data, shapes = (ENDLESS | ENDLESS_BY_ENGINE[engine])[name]
    (problem,) = run_jobs(make_job(data, shapes, shacl=engine), max_seconds=MAX_ENDLESS_SECONDS)
    assert isinstance(problem, Problem)
    assert problem.status in (413, 503)
    assert "Your shapes may be the reason" in problem.detail
    assert "Retry-After" not in problem.headers


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_too_many_shapes_or_triples_are_refused_by_number(engine: str) -> None:
    def make_shapes(count: int) -> str:
        return "".join(f"ex:S{n} sh:targetClass ex:T . " for n in range(count))

    shapes, triples = run_jobs(
        make_job(SMALL_DATA, make_shapes(3000), shacl=engine),
        make_job(SMALL_DATA, make_shapes(100_000), shacl=engine),
    )
    assert isinstance(shapes, Problem)
    assert shapes.detail.startswith("More than 2000 shapes were sent")
    assert isinstance(triples, Problem)
    assert "more than 20000 triples" in triples.detail
    assert "Your shapes may be the reason" not in triples.detail


def make_fetching_shapes(url: str) -> list[str]:
    """Shapes that name a URL wherever an engine could fetch it."""
    keyword_queries = [
        f"SELECT $this {{ SERVICE <{url}> {{ $this ?p ?o }} }}",
        f"SELECT $this FROM <{url}> {{ $this ?p ?o }}",
        f"SELECT $this FROM NAMED <{url}> {{ GRAPH <{url}> {{ $this ?p ?o }} }}",
    ]
    return [
        f"<> owl:imports <{url}> . {TARGET} sh:nodeKind sh:Literal .",
        f"<{url}> a owl:Ontology ; owl:imports <{url}#x> . {TARGET} sh:nodeKind sh:Literal .",
        f"{TARGET} sh:sparql [ sh:prefixes <{url}> ; sh:select 'SELECT $this {{ $this ?p ?o }}' ] .",
        f"{TARGET} sh:sparql [ sh:select 'SELECT $this {{ GRAPH <{url}> {{ $this ?p ?o }} }}' ] .",
        f"{TARGET} sh:js [ sh:jsLibrary [ sh:jsLibraryURL '{url}' ] ] .",
        f"{TARGET} sh:class <{url}> ; sh:shapesGraph <{url}> ; rdfs:seeAlso <{url}> .",
        *(f'{TARGET} sh:sparql [ sh:select "{query}" ] .' for query in keyword_queries),
    ]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_no_shapes_and_no_data_open_a_connection(engine: str) -> None:
    with count_connections() as counter:
        data = f"ex:a a ex:T ; sh:shapesGraph <{counter.url}> ; owl:imports <{counter.url}> ."
        jobs = [make_job(data, shapes, shacl=engine) for shapes in make_fetching_shapes(counter.url)]
        context = f'{{"@context": "{counter.url}", "@id": "ex:S"}}'
        results = run_jobs(*jobs, make_job(data, context, shacl=engine))
        assert counter.count == 0
        statuses = [result.status if isinstance(result, Problem) else 200 for result in results]
        graph_status = 400 if engine == "pyshacl" else 200  # rdflib has no named graphs in a graph
        assert statuses == [200, 200, 200, graph_status, 400, 200, 403, 403, 403, 400]
        httpx_error = None
        try:
            httpx2.get(counter.url)
        except httpx2.HTTPError as error:
            httpx_error = error
        assert httpx_error
        assert counter.count == 1  # it does count


def send_hostile_shapes(url: str) -> httpx2.Response:
    """The response to shapes that no machine checks in time."""
    data, shapes = ENDLESS["nested choices"]
    files = {"data": ("d.ttl", PREFIXES + data), "shapes": ("s.ttl", PREFIXES + shapes)}
    return httpx2.post(f"{url}validate", files=files, timeout=90)


def test_papers_are_checked_while_shapes_use_all_other_processes(tmp_path: Path) -> None:
    paper = (SHIPPED_FOLDER / "data/examples/community-networks.ttl").read_bytes()
    with (
        ThreadPoolExecutor() as pool,
        run_service(tmp_path / "store", WGIG_PAPER_SECONDS="80") as service,
        httpx2.Client(base_url=service.url, timeout=60) as client,
    ):
        hostile = [pool.submit(send_hostile_shapes, service.url) for _ in range(3)]
        try:
            for _ in range(3):
                report = client.post("/validate", content=paper, headers={"Content-Type": "text/turtle"})
                assert report.json()["conforms"] is True
            assert not any(future.done() for future in hostile)
        finally:  # the hostile checks would run until their limit
            processes = find_descendants(service.process.pid)
            service.process.kill()
            for process in processes:
                kill_process(process.pid)


def test_the_service_answers_others_while_hostile_shapes_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WGIG_PAPER_SECONDS", raising=False)  # it would override the file
    settings_file = tmp_path / "settings"
    settings_file.write_text("WGIG_PAPER_SECONDS=5\n", encoding="utf-8")
    with (
        run_service(tmp_path / "store", WGIG_SETTINGS=str(settings_file)) as service,
        httpx2.Client(base_url=service.url, timeout=60) as client,
        ThreadPoolExecutor() as pool,
    ):
        hostile = pool.submit(send_hostile_shapes, service.url)
        answers_meanwhile = 0
        while not hostile.done():
            assert client.get("/health").status_code == 200
            assert client.get("/sparql", params={"query": "ASK { ?s ?p ?o }"}).status_code == 200
            answers_meanwhile += 1
        assert answers_meanwhile > 3
        assert hostile.result().status_code == 503
        assert "was stopped" in hostile.result().json()["detail"]
        settings_file.write_text(f"WGIG_PAPER_SECONDS={MAX_SECONDS}\n", encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        assert service.process.stderr
        assert any("the settings were reloaded" in line for line in service.process.stderr)
        files = {"data": ("d.ttl", PERSON_DATA), "shapes": ("s.ttl", PERSON_SHAPES)}
        report = client.post("/validate", files=files).json()
        assert report["files"][0]["focusNodes"] == 3

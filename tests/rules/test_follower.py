"""The graph of what follows by rules, while a service runs: in step, protected, or marked as out of date."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from wgig.app import make_service
from wgig.cli.main import main
from wgig.cli.parser import EXIT_UNREADABLE
from wgig.http import access_log
from wgig.problems import Problem
from wgig.processes import list_process_tree
from wgig.rules.follower import RulesFollower
from wgig.rules.result import check_rule_settings
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.triples import parse_triples

DATA_PATH, RESULT_PATH = "/graph/data", "/graph/derived"
VOCABULARY = (
    "PREFIX : <http://example.org/> PREFIX owl: <http://www.w3.org/2002/07/owl#> "
    "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> :Dog rdfs:subClassOf :Animal . "
)
ENDLESS_QUERY = "CONSTRUCT { [] <http://example.org/in> ?x } { ?x ?p ?y FILTER(isIRI(?x)) }"
SLOW_QUERY = (
    "CONSTRUCT { ?a <http://example.org/q> ?c } { ?a ?p1 ?b . ?c ?p2 ?d . ?e ?p3 ?f . ?g ?p4 ?h . ?i ?p5 ?j }"
)
MAX_WAIT_SECONDS = 60.0

pytestmark = pytest.mark.slow  # starts services


class RulesClient:
    """A client of a service with rules."""

    def __init__(self, url: str) -> None:
        """Take the URL of the service."""
        self.client = httpx2.Client(base_url=url, headers={"Authorization": "Bearer secret"}, timeout=30)

    def write(self, turtle: str, method: str = "PUT", path: str = DATA_PATH) -> httpx2.Response:
        """Write Turtle, after the vocabulary, to a graph."""
        headers = {"Content-Type": "text/turtle"}
        return self.client.request(method, path, content=VOCABULARY + turtle, headers=headers)

    def read_status(self) -> dict[str, str]:
        """The state of the rules in /ready."""
        status: dict[str, str] = self.client.get("/ready").json()["rules"]
        return status

    def wait_for_rules(self) -> dict[str, str]:
        """The state of the rules after they were evaluated for all writes."""
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while (status := self.read_status())["state"] == "pending":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return status

    def ask(self, pattern: str) -> bool:
        """Whether the result has a pattern."""
        graph = f"{Settings().base}graph/derived"
        query = (
            "PREFIX : <http://example.org/> PREFIX prov: <http://www.w3.org/ns/prov#> "
            f"PREFIX wgig: <{Settings().base}ontology#> ASK {{ GRAPH <{graph}> {{ {pattern} }} }}"
        )
        response = self.client.get("/sparql", params={"query": query}, headers={"Accept": "application/json"})
        answer: bool = response.json()["boolean"]
        return answer

    def read_page(self) -> str:
        """The page of the result."""
        return self.client.get(RESULT_PATH, headers={"Accept": "text/html"}).text


@contextmanager
def serve_rules(folder: Path, rules: str = "owl2rl", **settings: str) -> Iterator[tuple[RulesClient, int]]:
    """Run a service with rules. Yields a client and the ID of the process."""
    with run_service(folder / "store", WGIG_RULES=rules, WGIG_TOKEN="secret", **settings) as service:
        client = RulesClient(service.url)
        with client.client:
            client.wait_for_rules()
            yield client, service.process.pid


def test_the_result_is_in_step_with_writes_and_after_a_restart(tmp_path: Path) -> None:
    with serve_rules(tmp_path) as (client, _):
        assert client.write(":rex a :Dog .").status_code == 201
        assert client.read_status()["state"] == "pending"
        assert client.wait_for_rules() == {"state": "current", "detail": ""}
        assert client.ask(":rex a :Animal")
        client.write("[] a :Dog ; :name 'Bo' .")
        client.wait_for_rules()
        assert client.ask("?dog a :Animal FILTER EXISTS { GRAPH ?data { ?dog :name 'Bo' } }")  # the same node
        client.write(":max a :Dog .")
        client.wait_for_rules()
        assert client.ask(":max a :Animal")
        assert not client.ask(":rex a :Animal")
        assert "by rules that the operator" in client.read_page()
        client.client.post(
            "/update",
            data={"update": "INSERT DATA { <http://example.org/joe> a <http://example.org/Dog> }"},
        )
        client.wait_for_rules()
        assert client.ask(":joe a :Animal")
    with serve_rules(tmp_path, WGIG_RULES_GRAPHS="data") as (client, _):
        assert client.ask(":max a :Animal")
        assert not client.ask(":joe a :Animal")  # it is in the default graph
        client.client.delete(DATA_PATH)
        client.wait_for_rules()
        assert not client.ask(":max a :Animal")


def test_the_result_has_a_record_of_its_origin_and_a_version_only_if_it_differs(tmp_path: Path) -> None:
    (tmp_path / "rules.rq").write_text(
        "CONSTRUCT { ?x a <http://example.org/Pet> } { ?x a <http://example.org/Dog> }"
    )
    with serve_rules(tmp_path, rules=str(tmp_path / "rules.rq"), WGIG_RULES_GRAPHS="data") as (client, _):
        client.write(":rex a :Dog .")
        client.wait_for_rules()
        client.write(":rex a :Dog ; :age 3 .")
        client.wait_for_rules()
        versions = client.client.get(f"{RESULT_PATH}?versions", headers={"Accept": "application/json"}).json()
        assert len(versions["versions"]) == 2  # of the start and the first write
        assert client.ask(
            "?g prov:wasDerivedFrom ?data ; prov:wasGeneratedBy ?run . ?run prov:used ?rules ; "
            "prov:endedAtTime ?time ; prov:wasAssociatedWith ?tool . ?rules wgig:digest ?digest . "
            "FILTER(STRENDS(STR(?data), '/graph/data'))"
        )


def test_others_cannot_write_to_the_result(tmp_path: Path) -> None:
    with serve_rules(tmp_path) as (client, _):
        client.write(":rex a :Dog .")
        client.wait_for_rules()
        assert client.write(":x a :Dog .", path=RESULT_PATH).status_code == 403
        assert client.write(":x a :Dog .", "POST", RESULT_PATH).status_code == 403
        assert client.client.delete(RESULT_PATH).status_code == 403
        graph = f"{Settings().base}graph/derived"
        for update in (f"DROP GRAPH <{graph}>", f"INSERT DATA {{ GRAPH <{graph}> {{ <a:x> <a:x> <a:x> }} }}"):
            assert client.client.post("/update", data={"update": update}).status_code == 403
        assert client.client.post("/update", data={"update": "CLEAR ALL"}).status_code == 204
        client.wait_for_rules()
        assert not client.ask(":rex a :Animal")  # as nothing follows any more


def test_above_the_size_limit_the_previous_result_is_marked_as_out_of_date(tmp_path: Path) -> None:
    with serve_rules(tmp_path, WGIG_RULES_QUADS="3") as (client, _):
        client.write(":rex a :Dog .")
        client.wait_for_rules()
        client.write(":rex a :Dog . :max a :Dog . :joe a :Dog .")
        status = client.wait_for_rules()
        assert status["state"] == "large"
        assert "more than 3 statements" in status["detail"]
        page = client.read_page()
        assert "too many for an update after each change" in page
        assert "chose. It may be out of date" in page
        assert client.ask(":rex a :Animal")
        assert not client.ask(":max a :Animal")


def test_rules_that_never_end_keep_the_previous_result(tmp_path: Path) -> None:
    rules = tmp_path / "rules.rq"
    rules.write_text("CONSTRUCT { ?x a <http://example.org/Pet> } { ?x a <http://example.org/Dog> }")
    with serve_rules(tmp_path, rules=str(rules), WGIG_RULES_TRIPLES="100") as (client, _):
        client.write(":rex a :Dog .")
        client.wait_for_rules()
        rules.write_text(ENDLESS_QUERY)
        client.write(":max a :Dog .")
        status = client.wait_for_rules()
        assert status["state"] == "failed"
        assert "More than 100 triples" in status["detail"]
        rules.write_text("CONSTRUCT")
        client.write(":mia a :Dog .")
        assert client.wait_for_rules()["detail"].startswith("rules.rq: ")  # no folder: everyone can read it
        assert "the last update failed" in client.read_page()
        assert client.ask(":rex a :Pet")
        assert not client.ask(":max a :Pet")


def find_checker(process: int) -> int | None:
    """A process below this one that evaluates rules; None if there is none."""
    for child in list_process_tree(process)[1:]:
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            nice = os.getpriority(os.PRIO_PROCESS, child)
        except OSError:
            continue
        if b"anyio" in words and nice == 10:
            return child
    return None


@pytest.mark.parametrize("is_killed", [True, False])
def test_rules_whose_process_is_killed_or_stopped_delay_no_write(tmp_path: Path, *, is_killed: bool) -> None:
    rules = tmp_path / "rules.rq"
    rules.write_text(SLOW_QUERY)
    seconds = "600" if is_killed else "2"
    data = " ".join(f":x{number} :p{number} {number} ." for number in range(300))
    with serve_rules(tmp_path, rules=str(rules), WGIG_RULES_SECONDS=seconds) as (client, process):
        client.write(data)
        while client.read_status()["state"] == "pending":
            checker = find_checker(process)
            if checker and is_killed:
                assert client.write(":rex a :Dog .", path="/graph/other").status_code in {201, 204}
                os.kill(checker, signal.SIGKILL)
            time.sleep(0.05)
            if is_killed and client.read_status()["state"] == "failed":
                break
        status = client.read_status()
        assert status["state"] == "failed"
        assert ("was killed" if is_killed else "longer than 2 seconds") in status["detail"]
        rules.write_text("CONSTRUCT { ?x a <http://example.org/Pet> } { ?x a <http://example.org/Dog> }")
        client.write(":rex a :Dog .")
        assert client.wait_for_rules()["state"] == "current"
        assert client.ask(":rex a :Pet")


def test_a_graph_of_facts_is_not_replaced_at_the_start() -> None:
    graph = f"{Settings.base}graph/mine"
    store = Store.in_memory()
    store.replace({graph: parse_triples("<x:s> <x:p> <x:o> .")})
    service = make_service(Settings(rules="owl2rl", rules_graph="mine"), store)
    with pytest.raises(Problem, match=r"graph/mine>, which has its own content\. Choose"):
        RulesFollower(service.writes)
    store.replace({graph: None})
    RulesFollower(service.writes)


def test_a_service_with_rules_that_it_cannot_use_does_not_fill_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(access_log, "configure_logging", lambda _: None)
    (tmp_path / "broken.ttl").write_text("<a> <b>")
    for name, value, words in (
        ("WGIG_RULES", str(tmp_path / "broken.ttl"), "broken.ttl:1:"),
        ("WGIG_RULES", "missing.rq", "missing.rq: No such file"),
        ("WGIG_RULES_GRAPHS", "derived", "cannot be both chosen for the rules and their result"),
        ("WGIG_WEBHOOK_SECRET", "weak", "WGIG_WEBHOOK_SECRET is not a secret"),
    ):
        with monkeypatch.context() as environment:
            environment.setenv("WGIG_RULES", "owl2rl")
            environment.setenv("WGIG_WEBHOOKS", "https://example.org/hook")
            environment.setenv("WGIG_WEBHOOK_SECRET", f"whsec_{'QUFB' * 8}")
            environment.setenv(name, value)
            assert main(["serve", "--port", "0", "--store", str(tmp_path / "store")]) == EXIT_UNREADABLE
        (message,) = capsys.readouterr().err.splitlines()[:1]
        assert message.startswith("wgig: ")
        assert words in message
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_does_not_start_over_a_graph_of_facts(tmp_path: Path, workers: str) -> None:
    store = Store.open(tmp_path / "store")
    store.replace({f"{Settings.base}graph/mine": parse_triples("<x:s> <x:p> <x:o> .")})
    store.close()
    del store
    gc.collect()  # the engine has the folder open until its object is deleted
    settings = {"RULES": "owl2rl", "RULES_GRAPH": "mine", "DATA": "none", "WORKERS": workers}
    environment = os.environ | {f"WGIG_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", str(tmp_path / "store")]
    process = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=MAX_WAIT_SECONDS, check=False
    )
    assert process.returncode == EXIT_UNREADABLE
    assert process.stderr.startswith("wgig: The result of rules cannot be in <")
    assert "Problem" not in process.stderr


REFUSED_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"rules": "missing.rq"}, "missing.rq: No such file"),
    ({"rules": "owl2rl", "rules_graph": "urn:a b"}, "IRI"),
    ({"rules": "owl2rl", "rules_graph": "void"}, "which has its own content"),
    ({"rules": "owl2rl", "rules_graph": "paper/x"}, "which has its own content"),
    ({"rules": "owl2rl", "rules_graph": "a", "rules_graphs": "a b"}, "both"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED_SETTINGS)
def test_rules_that_cannot_be_used_are_refused_at_the_start(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(Problem, match=words):
        check_rule_settings(Settings(**settings))


def test_rules_and_a_shared_store_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_RULES", "owl2rl")
    monkeypatch.setenv("WGIG_REMOTE_QUERY", "http://127.0.0.1:1/sparql")
    with pytest.raises(ValueError, match="WGIG_RULES cannot be used"):
        Settings.from_environment()

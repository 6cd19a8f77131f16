"""The benchmarks of serving: what is asked is the same work for all, and what is counted is right."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from bench import crowd, floor, generate, page, serving, turns
from bench.client import request
from bench.measure import PYTHON, WGIG
from bench.peers import FROM_DISK, OURS, OXIGRAPH, ours, peers
from bench.questions import QUESTIONS, TURTLE, Question, rows
from bench.serving import FIRST, REPEATED, Measured
from bench.start import running

PAPERS = 100
YES = "/sparql?query=ASK%7B%7D"
BY_NAME = pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def store() -> ox.Store:
    found = ox.Store()
    for quads in generate.papers(PAPERS, 1):
        found.load(quads, ox.RdfFormat.N_QUADS)
    return found


def answered(store: ox.Store, question: Question, number: int) -> list[tuple[str, ...]]:
    results = store.query(question.text(number, PAPERS), use_default_graph_as_union=True)
    if isinstance(results, ox.QueryTriples):
        return rows(question, results.serialize(format=ox.RdfFormat.TURTLE) or b"")
    return rows(question, results.serialize(format=ox.QueryResultsFormat.JSON) or b"")


@pytest.mark.parametrize("question", [one for one in QUESTIONS if not one.page], ids=lambda one: one.name)
def test_a_question_has_another_text_each_time_and_as_much_to_answer(
    store: ox.Store, question: Question
) -> None:
    assert question.text(1, PAPERS) != question.text(1 + PAPERS, PAPERS)
    assert question.text(1, PAPERS) == question.text(1, PAPERS)
    assert answered(store, question, 1) == answered(store, question, 1 + PAPERS) != []


@BY_NAME
def test_only_questions_about_a_paper_have_another_answer_for_another_one(
    store: ox.Store, question: Question
) -> None:
    of_a_paper = "PAPER" in question.query and question.name != "ASK"
    assert (answered(store, question, 1) != answered(store, question, 2)) == of_a_paper


def test_answers_are_compared_without_the_types_of_literals() -> None:
    table, graph = Question("", ""), Question("", "", accept=TURTLE)
    assert rows(table, b'{"head": {}, "boolean": true}') == [("true",)]
    assert rows(table, b'{"head": {"vars": ["a"]}, "results": {"bindings": [{"a": {"value": "1"}}]}}') == [
        ("true",)
    ]
    assert rows(graph, b"<a:b> <a:c> true .") == rows(graph, b"<a:b> <a:c> 1 .")
    with pytest.raises(SyntaxError):
        rows(graph, b"no Turtle")


def test_the_slow_end_is_one_of_the_values() -> None:
    values = [float(one) for one in range(1, 101)]
    assert turns.quantile(values, 0.95) == 95
    assert turns.quantile(values, 0.99) == 99
    assert turns.quantile([3.0], 0.99) == 3
    assert turns.quantile([2.0, 1.0], 0.5) == 1


def measured(way: str, own: dict[str, float], peer: dict[str, float]) -> Measured:
    return Measured(1000, "coverage matrix", way, 1, {OURS: own, OXIGRAPH: peer}, {})


def test_a_goal_is_met_by_the_clock_and_by_the_cpu_or_the_page_says_by_which() -> None:
    peer = {"p50": 10.0, "cpu": 10.0}
    assert measured(FIRST, {"p50": 4.0, "cpu": 5.0}, peer).ratio(OURS, "p50") == 2.5
    words = {
        (4.0, 4.0): "yes", (4.1, 4.0): "by CPU only", (4.0, 4.1): "by time only", (4.1, 4.1): "**no**",
    }  # fmt: skip
    for (p50, cpu), word in words.items():
        assert page.verdict(measured(FIRST, {"p50": p50, "cpu": cpu}, peer), OURS) == word


def test_one_of_ours_that_fails_is_shown_with_the_reason_and_misses_its_goal() -> None:
    figures = {"p50": 1.0, "p99": 1.0, "cpu": 1.0}
    failed = Measured(1000, "COUNT", FIRST, 1, {OXIGRAPH: figures}, {OURS: "The answer ended early."})
    assert page.verdict(failed, OURS) == "**no**"
    assert f"| {OURS} | The answer ended early. |" in page.ours([failed])


def test_the_goal_depends_on_the_way_of_asking_and_on_where_the_graph_is() -> None:
    figures = {"p50": 1.0, "cpu": 1.0}
    assert measured(REPEATED, figures, figures).goal(OURS) == 15
    assert measured(FIRST, figures, figures).goal(OURS) == 2.5
    assert measured(FIRST, figures, figures).goal(FROM_DISK) == 0.85


def test_ours_is_asked_in_memory_while_the_papers_fit() -> None:
    def own(papers: int, **settings: str) -> list[str]:
        return [one.name for one in peers(papers, settings) if one.ours]

    assert own(10_000, WGIG_READER_QUADS="2000000") == [OURS, FROM_DISK]
    assert own(100_000, WGIG_READER_QUADS="2000000") == [FROM_DISK]
    assert own(100_000, WGIG_READER_QUADS="20000000") == [OURS, FROM_DISK]


def test_a_server_that_answers_otherwise_is_not_timed() -> None:
    with running([PYTHON, floor.__file__], "{port}", question="/true") as server:
        fine = turns.Asked(server, lambda number: request(f"/{number + 1}"))
        times = turns.in_turns({"fine": fine}, 0, most=3)["fine"]
        assert len(times.seconds) == 3
        assert times.size == 4
        wrong = turns.in_turns({"wrong": fine._replace(status=304)}, 0)["wrong"]
        assert wrong.failed == "answers 200 at request 0"
        with pytest.raises(SystemExit, match="answers 200"):
            wrong.figures()


def test_tables_come_between_their_marks_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("Before\n<!-- measured: a -->\nold\n<!-- end: a -->\nAfter\n")
    page.write(path, "a", "new")
    assert path.read_text() == "Before\n<!-- measured: a -->\n\nnew\n\n<!-- end: a -->\nAfter\n"
    with pytest.raises(SystemExit, match="needs a place"):
        page.write(path, "b", "new")


def test_the_page_has_a_place_for_each_section() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name in ("serving", "growth", "streams", "writing"):
        assert text.count(f"<!-- measured: {name} -->") == text.count(f"<!-- end: {name} -->") == 1


def test_ours_answers_all_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "peers", lambda *_: [ours(OURS, {})])
    found = serving.compare(tmp_path, 5, 0, {})
    assert {(one.question, one.way) for one in found} == {
        (question.name, way) for question in QUESTIONS for way in (FIRST, REPEATED)
    }
    assert not [one.refused for one in found if one.refused]
    once_a_paper = [one.figures[OURS]["requests"] for one in found if one.question.startswith("/doc")]
    assert once_a_paper[0] < 5
    unchanged = [one.question for one in found if serving.UNCHANGED in one.figures]
    assert unchanged == [question.name for question in QUESTIONS]
    for block in page.answers(found).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count(" | ") for line in block.splitlines()}) == 1


def test_an_answer_that_is_not_the_same_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = ours(OXIGRAPH, {"WGIG_DEFAULT_GRAPH": "unnamed"})
    monkeypatch.setattr(serving, "peers", lambda *_: [ours(OURS, {}), peer])
    monkeypatch.setattr(serving, "QUESTIONS", [one for one in QUESTIONS if one.name == "COUNT"])
    first, _ = serving.compare(tmp_path, 5, 0, {})
    assert first.refused[OURS].startswith("differs: ")
    assert OURS not in first.figures


PAPER = b'<a:/graph/paper/3> <a:b> "Made-up paper 3", "SWOT of made-up paper 3" .'


def test_a_crowd_that_lost_anything_misses_its_goal() -> None:
    assert crowd.Crowd(busy=1).met
    refused = ["401 Writing needs the token."]
    for fault in (
        crowd.Crowd(lost=1),
        crowd.Crowd(half=1),
        crowd.Crowd(stale=1),
        crowd.Crowd(refused=refused),
    ):
        assert not fault.met


@pytest.mark.parametrize(
    ("labels", "versions"),
    [
        (["Made-up paper 2", "SWOT of made-up paper 2"], {2}),
        (["Made-up paper 2", "SWOT of made-up paper 1"], {1, 2}),
        (["Made-up paper 2"], None),
        ([], set()),
    ],
    ids=["whole", "of two versions", "half", "not there"],
)
def test_a_half_written_paper_is_seen(labels: list[str], versions: set[int] | None) -> None:
    bindings = ",".join(f'{{"label": {{"value": "{one}"}}}}' for one in labels)
    body = f'{{"results": {{"bindings": [{bindings}]}}}}'.encode()
    assert crowd.Paper(PAPER).read(body) == versions


def test_a_crowd_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "READERS", 2)
    environment = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"}
    words = [*WGIG, "serve", "--store", str(tmp_path / "store")]
    texts = [PAPER, PAPER.replace(b"a:/", b"b:/")]
    with running(words, "--port", "{port}", question=YES, environment=environment) as server:
        found = crowd.gather(server.port, "secret", texts)
        assert found.met
        assert found.writes == len(texts) * crowd.VERSIONS
        assert found.reads > 0


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench import plots  # noqa: PLC0415

    figures = {"p50": 0.1, "cpu": 0.2}
    found = [measured(way, figures, figures) for way in (FIRST, REPEATED)]
    for folder in (tmp_path / "one", tmp_path / "two"):
        plots.draw(folder, found)
    one, two = ((tmp_path / name / "answers-1000.svg").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"coverage matrix" in one

"""Keeps the graph of what follows by the rules of the operator in step with writes, in the background.

After a pause of the writes to the graphs that the rules read, a process evaluates the rules within limits on
time and memory; a write never waits for it. The result is one commit, if it differs from the graph. After a
failure, and if the graphs are too large, the graph keeps the previous result, and the status says so.
"""

import logging
import math
import os
from collections.abc import Container, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import anyio
import pyoxigraph as ox

from ..graphs.provenance import graphs_in_change
from ..graphs.write_pipeline import WritePipeline, list_computed_graphs
from ..http.status import RulesStatus
from ..http.work_queue import ProcessWorkQueue, is_process_limit
from ..problems import Problem
from ..rdf.serialization import serialize_n_triples
from ..store.errors import StoreError
from ..store.projection_runner import CommittedChange
from ..store.store import Store
from ..store.transactions import Debouncer
from .evaluation import InferenceResult, evaluate_in_process
from .result import DerivedGraph, build_result_commit, check_result_content
from .rule_set import RuleFile, read_rule_files

RULES_PAUSE_SECONDS, MAX_RULES_DELAY_SECONDS = 1.0, 10.0  # from a write until the rules are evaluated

log = logging.getLogger("wgig")


class RulesFollower:
    """Evaluates the rules of the settings after each write to the graphs that they read, and at the start."""

    def __init__(self, pipeline: WritePipeline) -> None:
        """Take the pipeline with the store. Raises Problem for rules and graphs that cannot be used."""
        settings = pipeline.settings
        self.pipeline, self.settings, self.store = pipeline, settings, pipeline.store
        self.graph = settings.rules_graph_iri
        self.inputs = settings.rules_graph_iris
        self.computed = list_computed_graphs(settings).keys()
        check_result_content(self.store, self.graph)
        pipeline.status.rules = RulesStatus("pending")

    def start(self) -> None:
        """Follow the commits from now on, and evaluate the rules for the first time."""
        self.debouncer = Debouncer(self.update, RULES_PAUSE_SECONDS, MAX_RULES_DELAY_SECONDS)
        self.store.runner.subscribe(self)
        self.debouncer.trigger()

    def read_files(self) -> tuple[RuleFile, ...]:
        """The files with rules as they are now. Raises Problem."""
        return read_rule_files(self.settings.rules.split(), self.settings)

    def receive(self, commits: Sequence[CommittedChange] | None, last_number: int) -> None:
        """Evaluate the rules later, if the commits (None: an unknown change) concern them."""
        del last_number
        if commits is None or any(self.is_concerned(commit) for commit in commits):
            self.debouncer.trigger()  # first, see `update`
            self.pipeline.status.rules = RulesStatus("pending")

    def is_concerned(self, commit: CommittedChange) -> bool:
        """Whether a commit changes a graph that the rules read."""
        if self.inputs:
            return not graphs_in_change(commit.full).isdisjoint(self.inputs)
        return not graphs_in_change(commit.stated) <= self.computed

    def update(self) -> None:
        """Evaluate the rules, and commit the result if it differs; the status says how that went."""
        status = self.pipeline.status
        try:
            outcome = self.evaluate()
        except (Problem, StoreError) as error:
            outcome = RulesStatus("failed", error.detail if isinstance(error, Problem) else str(error))
        except Exception:
            status.rules = RulesStatus("failed", "This is a bug in wgig. The log of the service has more.")
            raise  # the debouncer logs it
        if outcome.detail:
            log.warning("the graph <%s> of what follows by rules: %s", self.graph, outcome.detail)
        status.rules = RulesStatus(outcome.state, self.remove_folders(outcome.detail))
        if self.debouncer.triggered.is_set():  # there was another write meanwhile
            status.rules = RulesStatus("pending")
        self.store.touch()  # the page of the graph shows the status

    def remove_folders(self, text: str) -> str:
        """The text with the names of the files with rules, without their folders: everyone can read it."""
        for path in sorted(self.settings.rules.split(), key=len, reverse=True):
            text = text.replace(path, Path(path).name)
        return text

    def evaluate(self) -> RulesStatus:
        """Evaluate the rules once. Raises Problem and StoreError; then the graph has not changed."""
        settings = self.settings
        triples = list(
            islice(iter_input_triples(self.store, self.inputs, self.computed), settings.rules_quads + 1)
        )
        if len(triples) > settings.rules_quads:
            return RulesStatus(
                "large",
                f"The graphs that the rules read have more than {settings.rules_quads} statements, so they "
                "are not evaluated after writes. Stop the service and run wgig infer, or increase "
                "WGIG_RULES_QUADS.",
            )
        files = self.read_files()
        queue = ProcessWorkQueue(1, 1, math.inf, settings.rules_seconds)
        data = serialize_n_triples(triples)
        try:
            result: InferenceResult = anyio.run(
                queue.run, evaluate_in_process, files, data, settings, os.getpid()
            )
        except Problem as problem:
            if isinstance(problem.__cause__, TimeoutError):
                raise Problem(
                    422,
                    f"The rules took longer than {settings.rules_seconds} seconds and were stopped. Use "
                    "simpler ones, choose smaller graphs, or increase WGIG_RULES_SECONDS.",
                ) from problem
            if is_process_limit(problem):
                raise Problem(
                    422,
                    "The process that evaluates the rules needed more memory than is allowed, or was killed. "
                    "Use simpler rules, or choose smaller graphs.",
                ) from problem
            raise
        with self.store.exclusive_writer():
            graph = DerivedGraph(self.graph, self.inputs, files)
            commit = build_result_commit(self.store, self.pipeline.recorder, graph, result.triples)
            if commit:
                self.pipeline.commit([commit], {})
        return RulesStatus("current", describe_contradictions(result.contradictions))


def iter_input_triples(store: Store, inputs: Sequence[str], excluded: Container[str]) -> Iterator[ox.Triple]:
    """The triples of the chosen graphs; without any, of all graphs but the excluded ones."""
    graphs: list[str | None] = list(inputs)
    if not inputs:
        graphs = [None, *(graph for graph in store.graphs() if graph not in excluded)]
    return chain.from_iterable(map(store.triples, graphs))


def describe_contradictions(contradictions: Sequence[str]) -> str:
    """The contradictions that a reasoner found, in one sentence; empty if there are none."""
    return f"The data contradicts itself: {'; '.join(contradictions)}." if contradictions else ""

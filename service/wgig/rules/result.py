"""The graph of what follows by rules: its content, with the record of its origin (PROV), and its commit."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from typing import NamedTuple

import pyoxigraph as ox
from wgig_client.literals import build_typed_literal

from .._version import __version__
from ..graphs.provenance import PROV_ACTIVITY_CLASS, ProvenanceRecorder, WriteRequest
from ..graphs.write_pipeline import list_computed_graphs
from ..http.auth import AccessToken
from ..http.bodies import BodyPart
from ..problems import Problem
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    PROV_ENDED_AT_TIME,
    PROV_NAMESPACE,
    RDF_TYPE,
    RDFS_LABEL,
    WGIG_DIGEST,
)
from ..rdf.sparql_lexer import check_absolute_iri
from ..settings import Settings
from ..shacl.gate import is_paper_graph
from ..store.change import Change
from ..store.change_log import NewCommit
from ..store.history import PROV_USED, PROV_WAS_ASSOCIATED_WITH, PROV_WAS_GENERATED_BY
from ..store.store import Store
from .rule_set import OWL_RULES, QUERY_SUFFIXES, RuleFile, parse_rules, read_rule_files

PROV_SOFTWARE_CLASS, PROV_WAS_DERIVED_FROM = (
    ox.NamedNode(f"{PROV_NAMESPACE}{name}") for name in ("SoftwareAgent", "wasDerivedFrom")
)
RULES_WRITER = AccessToken("rules", "Rules of this store", "", (), "")


class DerivedGraph(NamedTuple):
    """The IRI of a graph of what follows by rules, the graphs that they read (empty: all), and the rules."""

    iri: str
    inputs: Sequence[str]
    files: Sequence[RuleFile]


def build_record(graph: DerivedGraph, time: ox.Literal) -> Iterator[ox.Triple]:
    """The origin of a graph: the rules with their digests, the graphs that they read, the time and tool."""
    node, activity, tool = (ox.NamedNode(f"{graph.iri}{end}") for end in ("", "#inference", "#tool"))
    titles = ", ".join(file.title for file in graph.files)
    yield ox.Triple(node, DCTERMS_DESCRIPTION, ox.Literal(f"What follows by rules: {titles}.", language="en"))
    yield ox.Triple(node, PROV_WAS_GENERATED_BY, activity)
    for iri in graph.inputs:
        yield ox.Triple(node, PROV_WAS_DERIVED_FROM, ox.NamedNode(iri))
    yield ox.Triple(activity, RDF_TYPE, PROV_ACTIVITY_CLASS)
    yield ox.Triple(activity, PROV_ENDED_AT_TIME, time)
    yield ox.Triple(activity, PROV_WAS_ASSOCIATED_WITH, tool)
    yield ox.Triple(tool, RDF_TYPE, PROV_SOFTWARE_CLASS)
    yield ox.Triple(tool, RDFS_LABEL, ox.Literal(describe_tools(graph.files)))
    for number, file in enumerate(graph.files, 1):
        rules = ox.NamedNode(f"{graph.iri}#rules-{number}")
        yield ox.Triple(activity, PROV_USED, rules)
        yield ox.Triple(rules, RDFS_LABEL, ox.Literal(file.title))
        if file.data:
            yield ox.Triple(rules, WGIG_DIGEST, ox.Literal(file.digest))


def describe_tools(files: Iterable[RuleFile]) -> str:
    """The names and versions of the programs that evaluate rules."""
    packages = {
        "owlrl" if file.name == OWL_RULES else "pyoxigraph" if file.suffix in QUERY_SUFFIXES else "pyshacl"
        for file in files
    }
    return ", ".join([f"wgig {__version__}", *(f"{name} {version(name)}" for name in sorted(packages))])


def build_result_commit(
    store: Store,
    recorder: ProvenanceRecorder | None,
    graph: DerivedGraph,
    triples: Sequence[ox.Triple],
) -> NewCommit | None:
    """The commit that gives a graph the triples that follow; None if it has them already by the same rules.

    The write lock must be held.
    """

    def compute_change(time: ox.Literal) -> Change:
        return store.compute_replacement(graph.iri, chain(triples, build_record(graph, time)))

    now = build_typed_literal(datetime.now(UTC).isoformat(timespec="seconds"), "dateTime")
    recorded = store.match(ox.NamedNode(f"{graph.iri}#inference"), PROV_ENDED_AT_TIME)
    time = next((quad.object for quad in recorded if isinstance(quad.object, ox.Literal)), now)
    if not compute_change(time):
        return None
    media_types = {"rq": "application/sparql-query", "sparql": "application/sparql-query"}
    parts = [
        BodyPart(file.title, media_types.get(file.suffix, "text/turtle"), file.data)
        for file in graph.files
        if file.data
    ]
    title = f"Inference: {', '.join(file.title for file in graph.files)}"
    write = WriteRequest(RULES_WRITER, title, parts)
    change = compute_change(now)
    return recorder.build_commit(change, write) if recorder else NewCommit(change, write.origin)


def check_rule_settings(settings: Settings) -> None:
    """Raise Problem for rules and graphs of the settings that no store can use."""
    parse_rules(read_rule_files(settings.rules.split(), settings), settings)
    check_result_graph(settings.rules_graph_iri, settings.rules_graph_iris, settings)


def check_result_graph(graph: str, inputs: Iterable[str], settings: Settings) -> None:
    """Raise Problem 400 for a result graph that is a computed one, of a paper, or one of the inputs."""
    for iri in (graph, *inputs):
        check_absolute_iri(iri, "The graph")
    reserved = list_computed_graphs(replace(settings, rules=""))
    if graph in inputs:
        raise Problem(400, f"The graph <{graph}> cannot be both chosen for the rules and their result.")
    if graph in reserved or is_paper_graph(graph, settings.base):
        raise build_content_problem(graph)


def check_result_content(store: Store, graph: str) -> None:
    """Raise Problem 400 if a graph has content that no rules made: without the record of its origin."""
    node = ox.NamedNode(graph)
    record = store.match(node, PROV_WAS_GENERATED_BY, ox.NamedNode(f"{graph}#inference"), node)
    if next(store.match(graph=node), None) and not next(record, None):
        raise build_content_problem(graph)


def build_content_problem(graph: str) -> Problem:
    """The Problem 400 for a graph that rules must not replace."""
    return Problem(
        400,
        f"The result of rules cannot be in <{graph}>, which has its own content. Choose a graph that does "
        "not exist yet, such as derived.",
    )

"""What both engines find in papers of all kinds: `python -m tests.service.agreement FIRST COUNT`.

Prints, as JSON, the differences between the engines, those between papers validated with the prepared
vocabulary and with all that is shipped, and how often each rule was broken.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from random import Random
from typing import Any, NamedTuple

import pyoxigraph as ox
import rdflib
import shifty
from pyshacl.constraints.constraint_component import ConstraintComponent
from rdflib.namespace import SH
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.processor import SPARQLProcessor
from wgig import documents, known, rules
from wgig.check import asked
from wgig.documents import Document
from wgig.engines import Result, pyshacl
from wgig.engines.shifty import n_triples, result, results
from wgig.formats import TURTLE
from wgig.inference import Inference
from wgig.settings import SHIPPED

from bench.data.generate import papers
from tests.service.mutations import mutated

SEED = 3
TOGETHER = 100  # papers in one file: the shapes then run once over all


class Raw(NamedTuple):
    """A result as the report has it, without the help of the rules."""

    focus: str
    path: str
    value: str
    component: str
    severity: str
    shape: str


def made_up(first: int, count: int) -> Iterator[list[ox.Triple]]:
    """Generated papers, each mutated in its own way; every tenth is left as it is."""
    for number, text in enumerate(islice(papers(first + count, SEED), first, None), first):
        triples = [quad.triple for quad in ox.parse(text, ox.RdfFormat.N_QUADS)]
        yield mutated(triples, Random(number)) if number % 10 else triples


def files(first: int, count: int) -> Iterator[list[ox.Triple]]:
    """The papers as files of several, as the engines get them."""
    several = made_up(first, count)
    while together := [one for paper in islice(several, TOGETHER) for one in paper]:
        yield list(asked(Document("", "", TURTLE, together, list)))


def examples() -> Iterator[list[ox.Triple]]:
    """The examples of the rules and of whole papers, each for itself."""
    for pattern in ("shapes/examples/issue-paper/*.ttl", "data/examples/*.ttl"):
        for path in sorted(SHIPPED.glob(pattern)):
            yield list(asked(documents.read(path.name, path.read_bytes(), TURTLE)))


def reported(report: rdflib.Graph) -> set[Raw]:
    """The results of a report."""
    return {
        Raw(
            focus=n3(report.value(one, SH.focusNode)),
            path=path(report, report.value(one, SH.resultPath)),
            value=n3(report.value(one, SH.value)),
            component=local(report.value(one, SH.sourceConstraintComponent)),
            severity=local(report.value(one, SH.resultSeverity)),
            shape=str(report.value(one, SH.sourceShape)),
        )
        for one in report.objects(None, SH.result)
    }


def n3(node: rdflib.term.Node | None) -> str:
    return str(pyshacl.term(node)) if node is not None else ""


def local(node: rdflib.term.Node | None) -> str:
    return str(node).removeprefix(str(SH)).removesuffix("ConstraintComponent")


def path(report: rdflib.Graph, node: rdflib.term.Node | None) -> str:
    """A property path as SPARQL writes it."""
    triples = [ox.Triple(*map(pyshacl.term, one)) for one in report.cbd(node)] if node is not None else []
    said: rules.Subjects = {}
    for one in triples:
        said.setdefault(one.subject, {}).setdefault(one.predicate.value, []).append(one.object)
    return rules.path_text(pyshacl.term(node), said) if node is not None else ""


def by_rule(found: Iterable[Result]) -> set[Raw]:
    """Results as a report would have them by what the rules say."""
    return {
        Raw(
            focus=str(one.focus),
            path=rule.path,
            value=str(one.value) if one.value is not None else "",
            component=rule.component,
            severity=rule.severity,
            shape=rule.iri,
        )
        for one in found
        for rule in [rules.rules()[one.code]]
    }


def whole() -> shifty.PreparedValidator:
    """The rules with all shipped facts, the ontology and what follows from them; without single papers."""
    store = ox.Store()
    for number, triples in enumerate((known.facts(), known.ontology())):
        graph = ox.NamedNode(f"{rules.BASE}graph/{number}")
        store.extend(ox.Quad(one.subject, one.predicate, one.object, graph) for one in triples)
    texts = [one.read_text() for one in SHIPPED.glob("data/rules/*.rq")]
    Inference(texts, f"{rules.BASE}graph/inferred", None).follow(store, None)
    return shifty.PreparedValidator(n_triples([*rules.graph(), *{quad.triple for quad in store}]))


def found_by(prepared: shifty.PreparedValidator, triples: list[ox.Triple]) -> set[Result]:
    """What the fast engine finds with another vocabulary."""
    found = prepared.validate_algebra(n_triples(triples), graph_mode="union", infer=False)
    return {
        result(violation.shape_name or "", violation.focus_node, reason.value)
        for violation in found.violations
        for reason in violation.reasons
    }


def hasten() -> None:
    """Make the reference engine parse a query once, not once a paper, and describe no result in words."""
    prepared = cache(prepareQuery)
    query = SPARQLProcessor.query

    def once(self: SPARQLProcessor, text: str, *rest: Any, **named: Any) -> Any:
        return query(self, prepared(text), *rest, **named)

    SPARQLProcessor.query = once  # type: ignore[assignment,method-assign]
    ConstraintComponent.make_v_result_description = lambda *_, **__: ""  # type: ignore[method-assign]


def main(first: int, count: int) -> None:
    """Check papers in both ways, and by both engines."""
    hasten()
    engines, vocabularies, broken = list[str](), list[str](), Counter[str]()
    everything = whole()
    for triples in files(first, count):
        fast, reference = results(triples), reported(pyshacl.validated(triples))
        engines += sorted(map(str, by_rule(fast) ^ reference))
        vocabularies += sorted(map(str, fast ^ found_by(everything, triples)))
        broken.update(one.code for one in fast)
    for triples in examples():
        vocabularies += sorted(map(str, results(triples) ^ found_by(everything, triples)))
    json.dump({"engines": engines, "vocabularies": vocabularies, "broken": broken}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

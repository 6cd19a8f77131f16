"""A paper section by section: what stands there, and beside it what the checker finds by the template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyoxigraph as ox

from ..namespaces import OUTSIDE, namespaces
from ..rules import rules
from ..speaking import language
from ..store import Store
from .thing import Group, Page

SH, EARL = OUTSIDE["sh"], OUTSIDE["earl"]
RESULT, PART = ox.NamedNode(f"{EARL}result"), ox.NamedNode(f"{OUTSIDE['dcterms']}hasPart")
# The properties that each section of the template is made of; 0 is the paper itself.
PROPERTIES = (
    (
        "dcterms:title",
        "schema:inLanguage",
        "wgig:drafter",
        "wgig:posted",
        "bibo:numPages",
        "schema:creativeWorkStatus",
    ),
    ("wgig:issue", "wgig:issueDescription"),
    ("wgig:category",),
    ("wgig:swot",),
    ("wgig:mainActor", "wgig:otherActor"),
    ("wgig:forum",),
    ("wgig:mechanism",),
    ("wgig:assessment",),
    ("wgig:additionalComments",),
)


class Finding(NamedTuple):
    """What is wrong with a section: the code of the rule, how grave it is, and what to do."""

    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class Section:
    """A section: its number, how it stands, what it says itself and in parts of its own, and the findings.

    It stands `passed`, `missing`, `faulty`, `waived` or `untested`.
    """

    number: int
    state: str
    groups: Sequence[Group]
    parts: Sequence[tuple[str, Sequence[Group]]]
    findings: Sequence[Finding]


def sections(store: Store, page: Page, base: str) -> list[Section]:
    """The sections of a paper; none where nothing is known of how it stands by the template."""
    known = namespaces(base)
    iri = page.description.iri
    whole = known["assertion"] + iri.removeprefix(known["paper"])
    if not iri.startswith(known["paper"]) or not any(store.match(ox.NamedNode(whole), RESULT)):
        return []
    parts = dict(page.parts)
    by_property = {one.iri: one for one in page.facts}
    found = []
    for number, names in enumerate(PROPERTIES):
        iris = [full(name, known) for name in names]
        groups = [by_property[one] for one in iris if one in by_property]
        ends = [
            value.term.value for one in groups for value in one.values if isinstance(value.term, ox.NamedNode)
        ]
        own = [(one, parts[one]) for one in ends if one in parts]
        plain = [one for one in groups if not any(leads_to(one, part) for part, _ in own)]
        state, findings = standing(store, f"{whole}/{number}", known)
        found.append(Section(number, state, plain, own, findings))
    return found


def full(name: str, known: dict[str, str]) -> str:
    """The IRI that is given as prefix and local name."""
    prefix, _, local = name.partition(":")
    return known[prefix] + local


def leads_to(group: Group, iri: str) -> bool:
    """Whether one of the values is this."""
    return any(isinstance(one.term, ox.NamedNode) and one.term.value == iri for one in group.values)


def standing(store: Store, assertion: str, known: dict[str, str]) -> tuple[str, list[Finding]]:
    """How a section stands, and what was found in it."""
    node = ox.NamedNode(assertion)
    states = (end(quad) for quad in store.match(node, RESULT))
    state = next(states, "").removeprefix(known["test-result"]) or "untested"
    findings = [
        finding(store, quad.object)
        for quad in store.match(node, PART)
        if isinstance(quad.object, ox.NamedNode)
    ]
    return state, sorted(findings)


def finding(store: Store, node: ox.NamedNode) -> Finding:
    """What was found, by its node."""
    said = {quad.predicate.value: end(quad) for quad in store.match(node)}
    code, severity = (said.get(SH + name, "").partition("#")[2] for name in ("sourceShape", "resultSeverity"))
    rule = rules().get(code)
    return Finding(code, severity, rule.says(language()) if rule else said.get(f"{SH}resultMessage", ""))


def end(quad: ox.Quad) -> str:
    """The IRI or text at the end of a statement."""
    return quad.object.value if isinstance(quad.object, ox.NamedNode | ox.Literal) else ""

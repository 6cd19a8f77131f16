"""What papers are counted by, and how that is found: in a query, or from the statements around one paper."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from .namespaces import namespaces
from .writes.changes import Change

# What is counted: papers by a value; by a value and a criterion that they measure by; and by a verdict, too.
Cell = tuple[str, ...]
Match = Callable[..., Iterable[ox.Quad]]
Nodes = set[Any]

NOTHING = Change()
ACTORS = ("wgig:mainActor", "wgig:otherActor", "wgig:drafter")
# The paths from a paper to what it is counted by, by the name of the side.
SIDES = {
    "issue": ["wgig:issue"],
    "category": ["wgig:category"],
    "stakeholder-group": [
        f"{actor}/{way}"
        for actor in ACTORS
        for way in ("wgig:stakeholderGroup", "^org:member/wgig:stakeholderGroup")
    ],
    "posted": ["wgig:posted"],
}
PAPERS = ("wgig:IssuePaper", "wgig:AssessmentPaper")


@dataclass(frozen=True)
class Step:
    """A property that leads on, or back from its values to what has them."""

    predicate: ox.NamedNode
    back: bool

    @property
    def turned(self) -> "Step":
        """The same step the other way."""
        return Step(self.predicate, not self.back)


Path = Sequence[Step]


class Side:
    """What papers are counted by: issues, categories, stakeholder groups, or days when they were posted."""

    def __init__(self, name: str, base: str) -> None:
        """Take a name of SIDES and the base IRI of the graph."""
        self.name, known = name, namespaces(base)

        def node(short: str) -> ox.NamedNode:
            prefix, _, local = short.partition(":")
            return ox.NamedNode(known[prefix] + local)

        def path(text: str) -> Path:
            return [Step(node(one.removeprefix("^")), one.startswith("^")) for one in text.split("/")]

        self.type, self.papers = node("rdf:type"), frozenset(map(node, PAPERS))
        self.illustrative, self.assessment = node("wgig:illustrative"), node("wgig:assessment")
        self.criterion, self.verdict = node("wgig:criterion"), node("wgig:verdict")
        self.paths = list(map(path, SIDES[name]))
        judged = [[Step(self.assessment, False), Step(one, False)] for one in (self.criterion, self.verdict)]
        self.every = [*self.paths, *judged, [Step(self.illustrative, False)]]
        self.properties = {step.predicate for one in self.every for step in one}

    def tells(self, quad: ox.Quad) -> bool:
        """Whether a statement may say what a paper is counted for."""
        return quad.predicate in self.properties or (
            quad.predicate == self.type and quad.object in self.papers
        )

    def query(self) -> str:
        """The query that counts all papers: rows of a value, a criterion, a verdict and how many they are."""
        ways = "|".join(
            "/".join(f"{'^' if step.back else ''}{step.predicate}" for step in one) for one in self.paths
        )
        paper = " UNION ".join(
            [
                f"{{ ?text {self.assessment} ?any }}",
                *(f"{{ ?text a {one} }}" for one in sorted(self.papers, key=str)),
            ]
        )
        real = (
            f"FILTER NOT EXISTS {{ ?text {self.illustrative} true }} "
            "FILTER (isIRI(?value) || isLiteral(?value))"
        )
        measured = (
            f"?text {self.assessment} ?assessment . ?assessment {self.criterion} ?criterion . "
            f"?text {ways} ?value . FILTER (isIRI(?criterion)) {real}"
        )
        judged = f"{measured} ?assessment {self.verdict} ?verdict . FILTER (isIRI(?verdict))"
        parts = (
            ("?value", f"{paper} ?text {ways} ?value . {real}"),
            ("?value ?criterion", measured),
            ("?value ?criterion ?verdict", judged),
        )
        return (
            "SELECT * WHERE { "
            + " UNION ".join(
                f"{{ SELECT {by} (COUNT(DISTINCT ?text) AS ?papers) WHERE {{ {pattern} }} GROUP BY {by} }}"
                for by, pattern in parts
            )
            + " }"
        )

    def key(self, term: Any) -> str:
        """What a value stands under in a cell: its IRI, or a literal as SPARQL writes it."""
        return term.value if isinstance(term, ox.NamedNode) else str(term)


class Moment:
    """The statements of a store, whatever graph they stand in: as they are, or were before a change."""

    def __init__(self, match: Match, change: Change = NOTHING) -> None:
        """Take what finds the statements of the store by their terms, and a change that it is after."""
        self.match, self.come = match, frozenset(change.added)
        self.gone = defaultdict[Any, Nodes](set)
        for one in change.removed:
            self.gone[one.subject, one.predicate].add(one.object)
            self.gone[one.predicate, one.object].add(one.subject)

    def ends(self, subject: Any, property_: ox.NamedNode) -> Nodes:
        """What a property of a node leads to."""
        if isinstance(subject, ox.Literal | ox.Triple):
            return set()
        there = {one.object for one in self.match(subject, property_) if one not in self.come}
        return there | self.gone.get((subject, property_), set())

    def starts(self, property_: ox.NamedNode, object_: Any) -> Nodes:
        """The nodes from which a property leads to this one."""
        there = {one.subject for one in self.match(None, property_, object_) if one not in self.come}
        return there | self.gone.get((property_, object_), set())

    def along(self, nodes: Nodes, path: Path) -> Nodes:
        """Where a path leads from any of the nodes."""
        for step in path:
            nodes = {
                end
                for one in nodes
                for end in (self.starts(step.predicate, one) if step.back else self.ends(one, step.predicate))
            }
        return nodes


def touched(quad: ox.Quad, side: Side, moments: Sequence[Moment]) -> Nodes:
    """The texts that a statement may move from one cell to another."""
    if quad.predicate == side.type:
        return {quad.subject}
    found: Nodes = set()
    for path in side.every:
        for place, step in enumerate(path):
            if step.predicate == quad.predicate:
                node = quad.object if step.back else quad.subject
                way_back = [one.turned for one in reversed(path[:place])]
                for moment in moments:
                    found |= moment.along({node}, way_back)
    return found


def cells(text: Any, moment: Moment, side: Side) -> set[Cell]:
    """The cells that a text counts for."""
    if ox.Literal(True) in moment.ends(text, side.illustrative):
        return set()
    assessments = moment.ends(text, side.assessment)
    if not assessments and side.papers.isdisjoint(moment.ends(text, side.type)):
        return set()
    found = set[Cell]()
    ends = {end for path in side.paths for end in moment.along({text}, path)}
    values = [side.key(one) for one in ends if isinstance(one, ox.NamedNode | ox.Literal)]
    if values:
        measured = {one for each in assessments for one in judged(each, moment, side)}
        found = {(value, *one) for value in values for one in ((), *measured)}
    return found


def judged(assessment: Any, moment: Moment, side: Side) -> set[Cell]:
    """The criteria of an assessment, alone and with each of its verdicts."""
    verdicts = iris(moment.ends(assessment, side.verdict))
    criteria = iris(moment.ends(assessment, side.criterion))
    return {(one, *more) for one in criteria for more in ((), *((verdict,) for verdict in verdicts))}


def iris(terms: Iterable[Any]) -> list[str]:
    """Those of the terms that are IRIs."""
    return [one.value for one in terms if isinstance(one, ox.NamedNode)]

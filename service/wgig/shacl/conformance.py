"""How an issue paper stands by the template, as RDF: tests and outcomes in EARL, single findings in SHACL.

The assertion on a paper, `id/assertion/<paper>`, says whether the paper is complete and how many parts it
has. Below it is one for each other profile (`…/draft`), each section of the template (`…/7`), and each part
that the paper itself must have (`…/7b`), with the findings that it rests on. What a paper waives with a
reason is not found. The template is that of the shapes; what the graph does not hold of a paper is missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from .._version import __version__
from ..rdf.formats import TURTLE
from ..rdf.namespaces import BASE, namespaces
from ..text import balanced
from .check import LIMIT, by_template, results_of, summaries
from .documents import Document
from .engines import Result, Term
from .findings import DONE, FAULTY, MISSING, NOT_CHECKED, WAIVED
from .rules import PROFILES, Rule, rules
from .summary import Summary

KNOWN = namespaces(BASE)
PAPER, ASSERTION, FORM = KNOWN["paper"], KNOWN["assertion"], KNOWN["form-issue-paper"]
CHECKER, RESULT, SHAPES = f"{KNOWN['software']}checker", KNOWN["test-result"], f"{BASE}shapes"
WHOLE = "complete"  # the profile of the assertion on the paper as a whole

# How a test can go, and what EARL calls it. What fails a section or a part is missing, or there and faulty.
PASSED, FAILED, UNTESTED = "passed", "failed", "untested"
OUTCOMES = {
    PASSED: PASSED,
    FAILED: FAILED,
    MISSING: FAILED,
    FAULTY: FAILED,
    WAIVED: "inapplicable",
    UNTESTED: UNTESTED,
}
BY_STATE = {DONE: PASSED, MISSING: MISSING, FAULTY: FAULTY, WAIVED: WAIVED, NOT_CHECKED: UNTESTED}


class Test(NamedTuple):
    """A test of a paper.

    `name` is the end of its IRI, `criterion` the profile or passage of the template that it tests by,
    `source` where that comes from, `outcome` one of OUTCOMES, `results` why it failed.
    """

    name: str
    title: str
    criterion: str
    source: str
    outcome: str
    results: Sequence[Result] = ()


def state(
    paper: ox.NamedNode,
    triples: Iterable[ox.Triple],
    digest: str,
    by: str,
    results: Set[Result] | None = None,
) -> set[ox.Triple]:
    """What is to be said of a paper that these triples describe, checked by the engine of this name.

    `digest` is of what this rests on, `results` what the engine found where it was asked before. Statements
    of RDF 1.2 count for nothing, blank nodes have no name by which to speak of them.
    """
    old = [one for one in triples if not is_new(one.object)]
    document = Document(paper.value, "", TURTLE, old, list)
    found = summaries(document, results_of(document, by) if results is None else results)
    return set(Standing(next(one for one in found if one.paper == paper), digest))


class Standing:
    """How one paper stands, as triples."""

    def __init__(self, summary: Summary, digest: str) -> None:
        """Take what was found of the paper, and the digest of what that rests on."""
        self.summary, self.digest = summary, digest
        self.asked = len(summary.required)
        self.met = summary.met
        self.whole = ASSERTION + summary.paper.value.removeprefix(PAPER)
        held = [one for one in summary.results if one.code not in summary.waivers]
        self.waived = [rules()[code] for code in summary.codes & summary.waivers.keys()]
        self.results = sorted(held, key=by_template)[:LIMIT]
        self.left_out = len(held) - len(self.results)
        self.names = {one: f"{self.whole}/finding/{end}" for one, end in numbered(self.results)}
        made_up = any(
            one.value == "true"
            for one in summary.places.ends(summary.paper, known("wgig:illustrative").value)
        )
        self.mark = [("wgig:illustrative", ox.Literal(True))] if made_up else []

    def __iter__(self) -> Iterator[ox.Triple]:
        """All that is to be said of it, beside what is shared."""
        yield from self.figures()
        for test in (*self.of_profiles(), *self.of_sections(), *self.of_parts()):
            yield from self.assertion(test)
        for result in self.results:
            yield from self.finding(result)

    def figures(self) -> Iterator[ox.Triple]:
        """How much of what the template asks for is there."""
        yield from about(
            self.whole,
            ("wgig:partsMet", ox.Literal(self.met)),
            ("wgig:partsAsked", ox.Literal(self.asked)),
            ("wgig:digest", ox.Literal(self.digest)),
        )
        if self.left_out:
            sentence = f"Findings that are not listed: {self.left_out}."
            yield from about(self.whole, ("rdfs:comment", ox.Literal(sentence, language="en")))

    def of_profiles(self) -> Iterator[Test]:
        """A test by each profile."""
        for profile in PROFILES:
            outcome = PASSED if self.summary.conforms(profile) else FAILED
            name, parts = (
                ("", f", {self.met} of {self.asked} parts") if profile == WHOLE else (f"/{profile}", "")
            )
            title = f"profile {profile}: {outcome}{parts}"
            yield Test(name, title, KNOWN["profile"] + profile, FORM.rstrip("/"), outcome)

    def of_sections(self) -> Iterator[Test]:
        """A test by each section."""
        for section, how in self.summary.sections(WHOLE):
            found = [one for one in self.results if rules()[one.code].section == section]
            yield self.by_form(str(section), f"section {section}: {how}", BY_STATE[how], found)

    def of_parts(self) -> Iterator[Test]:
        """A test by each part of a section that the paper itself must have."""
        for part in parts():
            found = [one for one in self.results if rules()[one.code].part == part]
            outcome = self.of_part(part)
            yield self.by_form(part, f"part {part}: {outcome}", outcome, found)

    def of_part(self, part: str) -> str:
        """How it went with a part."""
        broken = [rule for rule in self.summary.broken if rule.part == part]
        waived = [rule for rule in self.waived if rule.part == part]
        states = {MISSING: any(map(asks, broken)), FAULTY: broken, WAIVED: any(map(asks, waived))}
        return next((state for state, holds in states.items() if holds), PASSED)

    def by_form(self, number: str, title: str, outcome: str, results: Sequence[Result]) -> Test:
        """A test by a passage of the template."""
        return Test(f"/{number}", title, FORM + number, FORM + number, outcome, results)

    def assertion(self, test: Test) -> Iterator[ox.Triple]:
        """The assertion that a test went so (EARL 1.0, section 2.1)."""
        whole = [("dcterms:isPartOf", ox.NamedNode(self.whole))] if test.name else []
        yield from self.described(
            self.whole + test.name,
            ("earl:Assertion", test.title, test.source),
            ("earl:assertedBy", ox.NamedNode(CHECKER)),
            ("earl:mode", known("earl:automatic")),
            ("earl:subject", self.summary.paper),
            ("earl:test", ox.NamedNode(test.criterion)),
            ("earl:result", ox.NamedNode(RESULT + test.outcome)),
            *whole,
            *(("dcterms:hasPart", ox.NamedNode(self.names[one])) for one in test.results),
        )

    def finding(self, result: Result) -> Iterator[ox.Triple]:
        """A result as SHACL has it (section 3.6.2); what is wrong with a blank node is said of the paper."""
        rule = rules()[result.code]
        value = [("sh:value", result.value)] if isinstance(result.value, ox.NamedNode | ox.Literal) else []
        yield from self.described(
            self.names[result],
            ("sh:ValidationResult", f"{rule.code}: {rule.name['en']}", FORM + rule.part),
            ("sh:focusNode", result.focus if isinstance(result.focus, ox.NamedNode) else self.summary.paper),
            ("sh:sourceShape", ox.NamedNode(rule.iri)),
            ("sh:sourceConstraintComponent", known(f"sh:{rule.component}ConstraintComponent")),
            ("sh:resultSeverity", known(f"sh:{rule.severity}")),
            ("sh:resultMessage", ox.Literal(rule.says("en"), language="en")),
            *value,
        )

    def described(
        self, node: str, what: tuple[str, str, str], *pairs: tuple[str, Term]
    ) -> Iterator[ox.Triple]:
        """A node of this paper: what it is, and the pairs of property and value."""
        type_, title, source = what
        yield from described(node, type_, f"{balanced(self.summary.title)}, {title}", source)
        yield from about(node, *pairs, *self.mark)


def shared() -> Iterator[ox.Triple]:
    """What the assertions on all papers point to: who asserts, and how a test can go."""
    yield from described(CHECKER, "earl:Software", "Checker of issue papers", SHAPES)
    yield from about(CHECKER, ("schema:version", ox.Literal(__version__)))
    for name, outcome in OUTCOMES.items():
        yield from described(RESULT + name, "earl:TestResult", name, SHAPES)
        yield from about(RESULT + name, ("earl:outcome", known(f"earl:{outcome}")))


def described(node: str, type_: str, label: str, source: str) -> Iterator[ox.Triple]:
    """What every node says of itself: type, label and source."""
    return about(
        node,
        ("rdf:type", known(type_)),
        ("rdfs:label", ox.Literal(label, language="en")),
        ("dcterms:source", ox.NamedNode(source)),
    )


def about(node: str, *pairs: tuple[str, Term]) -> Iterator[ox.Triple]:
    """Triples about a node from pairs of property and value."""
    subject = ox.NamedNode(node)
    return (ox.Triple(subject, known(name), value) for name, value in pairs)


def numbered(results: Sequence[Result]) -> Iterator[tuple[Result, str]]:
    """The results, each with the code of its rule and a number."""
    seen = Counter[str]()
    for one in results:
        seen[one.code] += 1
        yield one, f"{one.code}-{seen[one.code]}"


def is_new(value: Term) -> bool:
    """Whether a term is a statement, or text with a direction, of which RDF 1.1 knows nothing."""
    return isinstance(value, ox.Triple) or getattr(value, "direction", None) is not None


@cache
def parts() -> list[str]:
    """The parts of sections that the paper itself must have, such as 7b."""
    asked = [rule for rule in rules().values() if asks(rule) and not rule.steps]
    return sorted({rule.part for rule in asked if rule.part != str(rule.section)})


def asks(rule: Rule) -> bool:
    """Whether a rule asks for something to be there."""
    return rule.code.endswith("-MISSING")


@cache
def known(name: str) -> ox.NamedNode:
    """The term of a vocabulary that is given as prefix and local name."""
    prefix, _, local = name.partition(":")
    return ox.NamedNode(KNOWN[prefix] + local)

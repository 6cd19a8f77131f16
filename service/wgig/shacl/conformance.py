"""Conformance of an issue paper to the template, as RDF: tests and outcomes in EARL, findings in SHACL.

EARL is the Evaluation and Report Language of the W3C. An assertion is the outcome of one test.

The assertion on a paper, `id/assertion/<paper>`, states whether the paper is complete and how many parts it
has. There is also an assertion for each other profile (`…/draft`), for each section of the template (`…/7`),
and for each part that is required of the paper itself (`…/7b`). Each has its findings, without those that are
waived with a reason. Parts of a paper that are not in its graph count as missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache, cached_property
from typing import NamedTuple

import pyoxigraph as ox

from .._version import __version__
from ..rdf.formats import TURTLE
from ..rdf.namespaces import BASE_IRI, DEFAULT_NAMESPACES, PAPER_NAMESPACE, expand_curie
from ..text import MAX_QUOTED_CHARACTERS, balance_text_bidi, shorten_text
from .check import MAX_SHOWN_FINDINGS, build_paper_summaries, find_document_results, result_sort_key
from .documents import Document
from .findings import STATE_DONE, STATE_FAULTY, STATE_MISSING, STATE_NOT_CHECKED, STATE_WAIVED
from .results import Term, ValidationResult
from .rules import CHECK_PROFILES, Rule, rules_by_code
from .summary import PaperSummary

ASSERTION_NAMESPACE = DEFAULT_NAMESPACES["assertion"]
ISSUE_PAPER_FORM_NAMESPACE = DEFAULT_NAMESPACES["form-issue-paper"]
CHECKER_IRI, TEST_RESULT_NAMESPACE, SHAPES_DOCUMENT_IRI = (
    f"{DEFAULT_NAMESPACES['software']}checker",
    DEFAULT_NAMESPACES["test-result"],
    f"{BASE_IRI}shapes",
)
WHOLE_PAPER_PROFILE = "complete"  # the profile of the assertion on the paper as a whole

# The outcomes of a test, and their names in EARL. A section or part fails as missing or as faulty.
TEST_PASSED, TEST_FAILED, TEST_UNTESTED = "passed", "failed", "untested"
EARL_OUTCOMES = {
    TEST_PASSED: TEST_PASSED,
    TEST_FAILED: TEST_FAILED,
    STATE_MISSING: TEST_FAILED,
    STATE_FAULTY: TEST_FAILED,
    STATE_WAIVED: "inapplicable",
    TEST_UNTESTED: TEST_UNTESTED,
}
OUTCOME_BY_STATE = {
    STATE_DONE: TEST_PASSED,
    STATE_MISSING: STATE_MISSING,
    STATE_FAULTY: STATE_FAULTY,
    STATE_WAIVED: STATE_WAIVED,
    STATE_NOT_CHECKED: TEST_UNTESTED,
}


class ConformanceTest(NamedTuple):
    """A test of a paper.

    `name` is the end of the IRI of the assertion, `criterion` the IRI of the profile, section or part that is
    tested, `source` the IRI of the resource that defines it, `outcome` a key of EARL_OUTCOMES. `results` are
    the violations that made the test fail.
    """

    name: str
    title: str
    criterion: str
    source: str
    outcome: str
    results: Sequence[ValidationResult] = ()


def build_conformance_triples(
    paper: ox.NamedNode,
    triples: Iterable[ox.Triple],
    digest: str,
    engine_name: str,
    results: Set[ValidationResult] | None = None,
) -> set[ox.Triple]:
    """The assertions on a paper that these triples describe, checked by the engine of this name.

    `digest` is that of the triples and rules. `results` are those of the engine if it has already run.
    Triples with terms of RDF 1.2 are ignored. Findings have no positions, as there is no text.
    """
    rdf11_triples = [triple for triple in triples if not is_rdf12_term(triple.object)]
    document = Document(paper.value, text="", format=TURTLE, triples=rdf11_triples, find_positions=list)
    summaries = build_paper_summaries(
        document, find_document_results(document, engine_name) if results is None else results
    )
    return set(PaperConformance(next(summary for summary in summaries if summary.paper == paper), digest))


class PaperConformance:
    """The conformance of one paper, as triples."""

    def __init__(self, summary: PaperSummary, digest: str) -> None:
        """Take the summary of the paper, and the digest of its triples and of the rules."""
        self.summary, self.digest = summary, digest
        self.required_count = len(summary.required)
        self.met = summary.met
        self.assertion_iri = ASSERTION_NAMESPACE + summary.paper.value.removeprefix(PAPER_NAMESPACE)
        unwaived = [result for result in summary.results if result.code not in summary.waiver_reasons]
        self.waived_rules = [
            rules_by_code()[code] for code in summary.broken_codes & summary.waiver_reasons.keys()
        ]
        self.results = sorted(unwaived, key=result_sort_key)[:MAX_SHOWN_FINDINGS]
        self.left_out_count = len(unwaived) - len(self.results)
        self.finding_iris = {
            result: f"{self.assertion_iri}/finding/{suffix}"
            for result, suffix in number_results(self.results)
        }
        is_illustrative = any(  # a made-up example
            value.value == "true"
            for value in summary.document.find_objects(summary.paper, expand_curie("wgig:illustrative").value)
        )
        self.illustrative_pairs = [("wgig:illustrative", ox.Literal(True))] if is_illustrative else []

    @cached_property
    def short_title(self) -> str:
        """The title of the paper, cut for use in many labels, with balanced bidi controls."""
        return balance_text_bidi(shorten_text(self.summary.title))

    def __iter__(self) -> Iterator[ox.Triple]:
        """All assertions on the paper, without the statements that all papers share."""
        yield from self.part_count_triples()
        for test in (*self.profile_tests(), *self.section_tests(), *self.part_tests()):
            yield from self.assertion_triples(test)
        for result in self.results:
            yield from self.finding_triples(result)

    def part_count_triples(self) -> Iterator[ox.Triple]:
        """The number of required parts that the paper has, and the number that the template requires."""
        yield from build_node_triples(
            self.assertion_iri,
            ("wgig:partsMet", ox.Literal(self.met)),
            ("wgig:partsAsked", ox.Literal(self.required_count)),
            ("wgig:digest", ox.Literal(self.digest)),
        )
        if self.left_out_count:
            sentence = f"Findings that are not listed: {self.left_out_count}."
            yield from build_node_triples(
                self.assertion_iri, ("rdfs:comment", ox.Literal(sentence, language="en"))
            )

    def profile_tests(self) -> Iterator[ConformanceTest]:
        """The test for each profile."""
        for profile in CHECK_PROFILES:
            outcome = TEST_PASSED if self.summary.conforms(profile) else TEST_FAILED
            name, parts = (
                ("", f", {self.met} of {self.required_count} parts")
                if profile == WHOLE_PAPER_PROFILE
                else (f"/{profile}", "")
            )
            title = f"profile {profile}: {outcome}{parts}"
            yield ConformanceTest(
                name,
                title,
                DEFAULT_NAMESPACES["profile"] + profile,
                ISSUE_PAPER_FORM_NAMESPACE.rstrip("/"),
                outcome,
            )

    def section_tests(self) -> Iterator[ConformanceTest]:
        """The test for each section."""
        for section, state in self.summary.sections(WHOLE_PAPER_PROFILE):
            results = [result for result in self.results if rules_by_code()[result.code].section == section]
            yield self.build_form_test(
                str(section), f"section {section}: {state}", OUTCOME_BY_STATE[state], results
            )

    def part_tests(self) -> Iterator[ConformanceTest]:
        """The test for each part of a section that the paper itself must have."""
        for part in list_template_parts():
            results = [result for result in self.results if rules_by_code()[result.code].part == part]
            outcome = self.part_outcome(part)
            yield self.build_form_test(part, f"part {part}: {outcome}", outcome, results)

    def part_outcome(self, part: str) -> str:
        """The outcome for a part, a key of EARL_OUTCOMES."""
        broken = [rule for rule in self.summary.broken_rules if rule.part == part]
        waived = [rule for rule in self.waived_rules if rule.part == part]
        states = {
            STATE_MISSING: any(map(is_presence_rule, broken)),
            STATE_FAULTY: broken,
            STATE_WAIVED: any(map(is_presence_rule, waived)),
        }
        return next((state for state, holds in states.items() if holds), TEST_PASSED)

    def build_form_test(
        self, number: str, title: str, outcome: str, results: Sequence[ValidationResult]
    ) -> ConformanceTest:
        """A test for a section or part of the template."""
        return ConformanceTest(
            f"/{number}",
            title,
            ISSUE_PAPER_FORM_NAMESPACE + number,
            ISSUE_PAPER_FORM_NAMESPACE + number,
            outcome,
            results,
        )

    def assertion_triples(self, test: ConformanceTest) -> Iterator[ox.Triple]:
        """The assertion of a test (EARL 1.0, section 2.1)."""
        parent = [("dcterms:isPartOf", ox.NamedNode(self.assertion_iri))] if test.name else []
        yield from self.describe_node(
            self.assertion_iri + test.name,
            ("earl:Assertion", test.title, test.source),
            ("earl:assertedBy", ox.NamedNode(CHECKER_IRI)),
            ("earl:mode", expand_curie("earl:automatic")),
            ("earl:subject", self.summary.paper),
            ("earl:test", ox.NamedNode(test.criterion)),
            ("earl:result", ox.NamedNode(TEST_RESULT_NAMESPACE + test.outcome)),
            *parent,
            *(("dcterms:hasPart", ox.NamedNode(self.finding_iris[result])) for result in test.results),
        )

    def finding_triples(self, result: ValidationResult) -> Iterator[ox.Triple]:
        """A result in SHACL terms (section 3.6.2), with the paper as focus node in place of a blank node.

        Long terms are not repeated: the value is left out, and the focus node is the paper.
        """
        rule = rules_by_code()[result.code]
        focus, value = result.focus, result.value
        yield from self.describe_node(
            self.finding_iris[result],
            (
                "sh:ValidationResult",
                f"{rule.code}: {rule.name['en']}",
                ISSUE_PAPER_FORM_NAMESPACE + rule.part,
            ),
            (
                "sh:focusNode",
                focus if isinstance(focus, ox.NamedNode) and is_short_term(focus) else self.summary.paper,
            ),
            ("sh:sourceShape", ox.NamedNode(rule.iri)),
            (
                "sh:sourceConstraintComponent",
                expand_curie(f"sh:{rule.component}ConstraintComponent"),
            ),
            ("sh:resultSeverity", expand_curie(f"sh:{rule.severity}")),
            ("sh:resultMessage", ox.Literal(rule.message_in("en"), language="en")),
            *(
                [("sh:value", value)]
                if isinstance(value, ox.NamedNode | ox.Literal) and is_short_term(value)
                else []
            ),
        )

    def describe_node(
        self, node: str, description: tuple[str, str, str], *pairs: tuple[str, Term]
    ) -> Iterator[ox.Triple]:
        """A node of this paper: its type, title and source, and pairs of property and value."""
        type_, title, source = description
        yield from describe_assertion_node(node, type_, f"{self.short_title}, {title}", source)
        yield from build_node_triples(node, *pairs, *self.illustrative_pairs)


def shared_assertion_triples() -> Iterator[ox.Triple]:
    """The statements about the checker and the possible outcomes, to which all assertions refer."""
    yield from describe_assertion_node(
        CHECKER_IRI, "earl:Software", "Checker of issue papers", SHAPES_DOCUMENT_IRI
    )
    yield from build_node_triples(CHECKER_IRI, ("schema:version", ox.Literal(__version__)))
    for name, outcome in EARL_OUTCOMES.items():
        yield from describe_assertion_node(
            TEST_RESULT_NAMESPACE + name, "earl:TestResult", name, SHAPES_DOCUMENT_IRI
        )
        yield from build_node_triples(
            TEST_RESULT_NAMESPACE + name, ("earl:outcome", expand_curie(f"earl:{outcome}"))
        )


def describe_assertion_node(node: str, type_: str, label: str, source: str) -> Iterator[ox.Triple]:
    """The statements that every node has: type, label and source."""
    return build_node_triples(
        node,
        ("rdf:type", expand_curie(type_)),
        ("rdfs:label", ox.Literal(label, language="en")),
        ("dcterms:source", ox.NamedNode(source)),
    )


def build_node_triples(node: str, *pairs: tuple[str, Term]) -> Iterator[ox.Triple]:
    """Triples about a node from pairs of property and value."""
    subject = ox.NamedNode(node)
    return (ox.Triple(subject, expand_curie(name), value) for name, value in pairs)


def number_results(results: Sequence[ValidationResult]) -> Iterator[tuple[ValidationResult, str]]:
    """The results, each with its rule code and its number among the results of that rule."""
    seen = Counter[str]()
    for result in results:
        seen[result.code] += 1
        yield result, f"{result.code}-{seen[result.code]}"


def is_short_term(term: ox.NamedNode | ox.Literal) -> bool:
    """Whether the text of a term has at most MAX_QUOTED_CHARACTERS."""
    return len(term.value) <= MAX_QUOTED_CHARACTERS


def is_rdf12_term(value: Term) -> bool:
    """Whether a term is a triple term or a literal with a base direction, which RDF 1.1 does not have."""
    return isinstance(value, ox.Triple) or getattr(value, "direction", None) is not None


@cache
def list_template_parts() -> list[str]:
    """The names of the parts of sections that the paper itself must have, such as `7b`."""
    presence_rules = [rule for rule in rules_by_code().values() if is_presence_rule(rule) and not rule.steps]
    return sorted({rule.part for rule in presence_rules if rule.part != str(rule.section)})


def is_presence_rule(rule: Rule) -> bool:
    """Whether a rule requires a property or part."""
    return rule.code.endswith("-MISSING")

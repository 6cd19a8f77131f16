"""Conformance of an issue paper to the template, as RDF: an assertion in EARL, findings in SHACL.

EARL is the Evaluation and Report Language of the W3C. An assertion is the outcome of one test.

The assertion on a paper, `id/assertion/<paper>`, states whether the paper is complete, how many of the
required parts it has, and what it fails: the profiles, the sections and parts with another outcome than
passed (see `outcomes`), and the rules that it breaks and does not waive. What passed is not stated: a paper
has 11 statements if all did, and would have 160 with a statement on each. Parts of a paper that are not in
its graph count as missing, unless the paper states that its text was not seen, or not all of it
(`wgig:evidence`): then nobody can tell what it lacks, and the assertion states only that.

A broken rule has findings (`id/assertion/<paper>/finding/<rule>-<number>`) only if these say more than the
rule: the name of a part of the paper that breaks it, or a wrong value.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import BASE_IRI

from .._version import __version__
from ..rdf.formats import TURTLE
from ..rdf.namespaces import (
    DCTERMS_HAS_PART,
    DCTERMS_SOURCE,
    EARL_RESULT,
    PAPER_NAMESPACE,
    RDF_TYPE,
    RDFS_LABEL,
    WGIG_DIGEST,
    expand_curie,
)
from ..rdf.serialization import normalize_triples
from ..text import MAX_QUOTED_CHARACTERS, balance_text_bidi, shorten_text
from .batch import find_independent_documents, find_results_by_document
from .check import MAX_SHOWN_FINDINGS, build_paper_summaries, find_document_results, result_sort_key
from .documents import Document
from .findings import STATE_FAULTY, STATE_MISSING, STATE_WAIVED
from .outcomes import (
    ASSERTION_NAMESPACE,
    CHECKER_NODE,
    EARL_OUTCOMES,
    ISSUE_PAPER_FORM_NAMESPACE,
    OUTCOME_CANNOT_TELL,
    OUTCOME_FAILED,
    OUTCOME_PASSED,
    OUTCOMES_BY_STATE,
    PROPERTIES_BY_OUTCOME,
    TEST_RESULT_LABELS,
    TEST_RESULT_NAMESPACE,
    WGIG_BREAKS,
)
from .results import Term, ValidationResult
from .rules import CHECK_PROFILES, PROFILE_NAMESPACE, Rule, rules_by_code
from .summary import PaperSummary

SHAPES_DOCUMENT = ox.NamedNode(f"{BASE_IRI}shapes")
ISSUE_PAPER_FORM = ox.NamedNode(ISSUE_PAPER_FORM_NAMESPACE.rstrip("/"))
WHOLE_PAPER_PROFILE = "complete"  # the profile of the assertion
WGIG_PROFILE_FAILED, WGIG_PARTS_MET, WGIG_PARTS_ASKED = map(
    expand_curie, ("wgig:profileFailed", "wgig:partsMet", "wgig:partsAsked")
)
WGIG_ILLUSTRATIVE_IRI = expand_curie("wgig:illustrative").value


class PaperToCheck(NamedTuple):
    """A paper, its triples, and the digest of these and of the rules.

    `results` are those of the engine if it has already run, else None.
    """

    node: ox.NamedNode
    triples: Sequence[ox.Triple]
    digest: str
    results: Set[ValidationResult] | None = None


def build_conformance_triples(papers: Sequence[PaperToCheck], engine_name: str) -> list[set[ox.Triple]]:
    """The triples about the conformance of each paper, checked by the engine of this name.

    Triples with terms of RDF 1.2 are ignored. Findings have no positions, as there is no text.
    """
    documents = [build_paper_document(paper) for paper in papers]
    unchecked = [document for paper, document in zip(papers, documents, strict=True) if paper.results is None]
    independent = find_independent_documents(unchecked) if unchecked[1:] else []
    results_by_id: dict[int, Iterable[ValidationResult]] = {
        id(document): results
        for document, results in zip(
            independent, find_results_by_document(independent, engine_name), strict=True
        )
    }

    def find_results(paper: PaperToCheck, document: Document) -> Iterable[ValidationResult]:
        if paper.results is not None:
            return paper.results
        results = results_by_id.get(id(document))
        return find_document_results(document, engine_name) if results is None else results

    return [
        set(PaperConformance(summarize_paper(paper, document, find_results(paper, document)), paper.digest))
        for paper, document in zip(papers, documents, strict=True)
    ]


def build_paper_document(paper: PaperToCheck) -> Document:
    """The document with the triples of a paper that RDF 1.1 has."""
    triples = [triple for triple in paper.triples if not is_rdf12_term(triple.object)]
    return Document(paper.node.value, text="", format=TURTLE, triples=triples, find_positions=list)


def summarize_paper(
    paper: PaperToCheck, document: Document, results: Iterable[ValidationResult]
) -> PaperSummary:
    """The summary of the results for the paper; its document may also have other papers."""
    return next(
        summary for summary in build_paper_summaries(document, results) if summary.paper == paper.node
    )


class PaperConformance:
    """The conformance of one paper, as triples."""

    def __init__(self, summary: PaperSummary, digest: str) -> None:
        """Take the summary of the paper, and the digest of its triples and of the rules."""
        self.summary, self.digest = summary, digest
        self.assertion_iri = ASSERTION_NAMESPACE + summary.paper.value.removeprefix(PAPER_NAMESPACE)
        self.assertion = ox.NamedNode(self.assertion_iri)

    def __iter__(self) -> Iterator[ox.Triple]:
        """The assertion and its findings, without the statements that all papers share."""
        is_text_seen = self.summary.is_text_seen
        pairs = (*self.assertion_pairs(), *(self.failure_pairs() if is_text_seen else ()))
        yield from (ox.Triple(self.assertion, property_, value) for property_, value in pairs)
        if is_text_seen:
            yield from self.finding_triples()

    def assertion_pairs(self) -> Iterator[tuple[ox.NamedNode, Term]]:
        """The statements of the assertion on the paper as a whole (EARL 1.0, section 2.1)."""
        summary = self.summary
        met, required = summary.met, len(summary.required)
        if summary.is_text_seen:
            outcome = OUTCOME_PASSED if summary.conforms(WHOLE_PAPER_PROFILE) else OUTCOME_FAILED
            result_text = f"{outcome}, {met} of {required} parts"
        else:
            outcome, result_text = OUTCOME_CANNOT_TELL, TEST_RESULT_LABELS[OUTCOME_CANNOT_TELL]
        # The title is cut, as it may be long.
        title = balance_text_bidi(shorten_text(summary.title))
        label = f"{title}, profile {WHOLE_PAPER_PROFILE}: {result_text}"
        yield from shared_assertion_pairs()
        yield RDFS_LABEL, ox.Literal(label, language="en")
        yield expand_curie("earl:subject"), summary.paper
        yield EARL_RESULT, ox.NamedNode(TEST_RESULT_NAMESPACE + outcome)
        if summary.is_text_seen:
            yield WGIG_PARTS_MET, ox.Literal(met)
        yield WGIG_PARTS_ASKED, ox.Literal(required)
        yield WGIG_DIGEST, ox.Literal(self.digest)
        illustrative = summary.document.find_objects(summary.paper, WGIG_ILLUSTRATIVE_IRI)
        if any(value.value == "true" for value in illustrative):  # a made-up example
            yield expand_curie("wgig:illustrative"), ox.Literal(True)

    def failure_pairs(self) -> Iterator[tuple[ox.NamedNode, Term]]:
        """What did not pass: profiles, sections, parts and rules."""
        yield from self.profile_pairs()
        yield from self.section_pairs()
        yield from self.part_pairs()
        yield from ((WGIG_BREAKS, ox.NamedNode(rule.iri)) for rule in self.summary.broken_rules)

    def profile_pairs(self) -> Iterator[tuple[ox.NamedNode, Term]]:
        """The profiles to which the paper does not conform."""
        for profile in CHECK_PROFILES:
            if not self.summary.conforms(profile):
                yield WGIG_PROFILE_FAILED, ox.NamedNode(PROFILE_NAMESPACE + profile)

    def section_pairs(self) -> Iterator[tuple[ox.NamedNode, Term]]:
        """The sections with another outcome than passed."""
        for section in self.summary.sections(WHOLE_PAPER_PROFILE):
            yield from build_outcome_pairs(str(section.number), OUTCOMES_BY_STATE[section.state])

    def part_pairs(self) -> Iterator[tuple[ox.NamedNode, Term]]:
        """The parts of sections that the paper itself must have, with another outcome than passed."""
        broken_rules = self.summary.broken_rules
        waived_codes = self.summary.broken_codes & self.summary.waiver_reasons.keys()
        waived_rules = [rules_by_code()[code] for code in waived_codes]
        for part in list_template_parts():
            broken = [rule for rule in broken_rules if rule.part == part]
            if broken:
                is_missing = any(map(is_presence_rule, broken))
                yield from build_outcome_pairs(part, STATE_MISSING if is_missing else STATE_FAULTY)
            elif any(rule.part == part and is_presence_rule(rule) for rule in waived_rules):
                yield from build_outcome_pairs(part, STATE_WAIVED)

    def finding_triples(self) -> Iterator[ox.Triple]:
        """The findings, without those that are waived, and those that the rule describes completely.

        Beyond MAX_SHOWN_FINDINGS findings, only their number is stated.
        """
        results = sorted(
            (
                result
                for result in self.summary.results
                if result.code not in self.summary.waiver_reasons
                and (is_quotable_node(result.focus, self.summary.paper) or is_quotable_value(result.value))
            ),
            key=result_sort_key,
        )
        for result, suffix in number_results(results[:MAX_SHOWN_FINDINGS]):
            finding = ox.NamedNode(f"{self.assertion_iri}/finding/{suffix}")
            yield ox.Triple(self.assertion, DCTERMS_HAS_PART, finding)
            yield from build_finding_triples(finding, result, self.summary.paper)
        if left_out_count := len(results[MAX_SHOWN_FINDINGS:]):
            sentence = f"Findings not listed: {left_out_count}."
            yield ox.Triple(self.assertion, expand_curie("rdfs:comment"), ox.Literal(sentence, language="en"))


@cache
def shared_assertion_pairs() -> tuple[tuple[ox.NamedNode, Term], ...]:
    """The statements that the assertions on all papers have, as pairs of property and value."""
    return (
        (RDF_TYPE, expand_curie("earl:Assertion")),
        (DCTERMS_SOURCE, ISSUE_PAPER_FORM),
        (expand_curie("earl:assertedBy"), CHECKER_NODE),
        (expand_curie("earl:mode"), expand_curie("earl:automatic")),
        (expand_curie("earl:test"), ox.NamedNode(PROFILE_NAMESPACE + WHOLE_PAPER_PROFILE)),
    )


def build_outcome_pairs(number: str, outcome: str) -> Iterator[tuple[ox.NamedNode, Term]]:
    """The statement that a section or part of the template has an outcome; none if it passed."""
    if outcome != OUTCOME_PASSED:
        yield PROPERTIES_BY_OUTCOME[outcome], ox.NamedNode(ISSUE_PAPER_FORM_NAMESPACE + number)


def build_finding_triples(
    finding: ox.NamedNode, result: ValidationResult, paper: ox.NamedNode
) -> Iterable[ox.Triple]:
    """A result in SHACL terms (section 3.6.2).

    The paper is the focus node in place of a blank node or a long IRI; such values are left out.
    """
    rule = rules_by_code()[result.code]
    pairs: list[tuple[ox.NamedNode, Term]] = [
        (RDF_TYPE, expand_curie("sh:ValidationResult")),
        (RDFS_LABEL, ox.Literal(f"{rule.code}: {rule.name['en']}", language="en")),
        (DCTERMS_SOURCE, ox.NamedNode(ISSUE_PAPER_FORM_NAMESPACE + rule.part)),
        (expand_curie("sh:focusNode"), result.focus if is_quotable_node(result.focus, paper) else paper),
        (expand_curie("sh:sourceShape"), ox.NamedNode(rule.iri)),
        (
            expand_curie("sh:sourceConstraintComponent"),
            expand_curie(f"sh:{rule.component}ConstraintComponent"),
        ),
        (expand_curie("sh:resultSeverity"), expand_curie(f"sh:{rule.severity}")),
    ]
    if is_quotable_value(result.value):
        pairs.append((expand_curie("sh:value"), result.value))
    # The value may be from a request, and is stated as the store would return it.
    return normalize_triples(ox.Triple(finding, property_, value) for property_, value in pairs)


def is_quotable_node(node: Term, paper: ox.NamedNode) -> bool:
    """Whether a focus node is another resource than the paper, and named by an IRI that is not long."""
    return node != paper and isinstance(node, ox.NamedNode) and len(node.value) <= MAX_QUOTED_CHARACTERS


def is_quotable_value(value: Term | None) -> bool:
    """Whether there is a value, and it is no blank node and not long."""
    return (
        isinstance(value, ox.NamedNode | ox.Literal)
        and len(value.value) <= MAX_QUOTED_CHARACTERS
        and not is_rdf12_term(value)
    )


def shared_conformance_triples(rules_digest: str) -> Iterator[ox.Triple]:
    """The statements about the checker, with the digest of its rules, and about the outcomes for papers."""
    checker_pairs = (
        (RDF_TYPE, expand_curie("earl:Software")),
        (RDFS_LABEL, ox.Literal("Issue paper checker", language="en")),
        (expand_curie("schema:version"), ox.Literal(__version__)),
        (WGIG_DIGEST, ox.Literal(rules_digest)),
        (DCTERMS_SOURCE, SHAPES_DOCUMENT),
    )
    yield from (ox.Triple(CHECKER_NODE, property_, value) for property_, value in checker_pairs)
    for outcome, earl_outcome in EARL_OUTCOMES.items():
        result_pairs = (
            (RDF_TYPE, expand_curie("earl:TestResult")),
            (RDFS_LABEL, ox.Literal(TEST_RESULT_LABELS[outcome], language="en")),
            (expand_curie("earl:outcome"), earl_outcome),
            (DCTERMS_SOURCE, SHAPES_DOCUMENT),
        )
        result = ox.NamedNode(TEST_RESULT_NAMESPACE + outcome)
        yield from (ox.Triple(result, property_, value) for property_, value in result_pairs)


def number_results(results: Sequence[ValidationResult]) -> Iterator[tuple[ValidationResult, str]]:
    """The results, each with its rule code and its number among the results of that rule."""
    seen = Counter[str]()
    for result in results:
        seen[result.code] += 1
        yield result, f"{result.code}-{seen[result.code]}"


def is_rdf12_term(value: Term) -> bool:
    """Whether a term is a triple term or a literal with a base direction, which RDF 1.1 does not have."""
    return isinstance(value, ox.Triple) or (isinstance(value, ox.Literal) and value.direction is not None)


@cache
def list_template_parts() -> list[str]:
    """The names of the parts of sections that the paper itself must have, such as `7b`."""
    presence_rules = [rule for rule in rules_by_code().values() if is_presence_rule(rule) and not rule.steps]
    return sorted({rule.part for rule in presence_rules if rule.part != str(rule.section)})


def is_presence_rule(rule: Rule) -> bool:
    """Whether a rule requires a property or part."""
    return rule.code.endswith("-MISSING")

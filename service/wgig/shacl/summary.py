"""The summary of the results for one paper: parts that are there or waived, and the state of each section."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import cached_property

import pyoxigraph as ox

from ..rdf.labels import best_text
from ..rdf.namespaces import DCTERMS_TITLE, WGIG_NAMESPACE, WGIG_WAIVES
from .documents import Document
from .findings import (
    STATE_DONE,
    STATE_FAULTY,
    STATE_MISSING,
    STATE_NOT_CHECKED,
    STATE_WAIVED,
    Finding,
    SectionState,
)
from .locations import is_blank_text
from .results import Term, ValidationResult
from .rules import (
    COMMENTS_SECTION,
    SHAPES_NAMESPACE,
    TEMPLATE_SECTIONS,
    Rule,
    required_rules,
    rules_by_code,
)

WGIG_WAIVER_IRI, WGIG_REASON_IRI = f"{WGIG_NAMESPACE}waiver", f"{WGIG_NAMESPACE}reason"
WGIG_EVIDENCE_IRI, WHOLE_TEXT_EVIDENCE = f"{WGIG_NAMESPACE}evidence", "full text"
# Properties of a paper whose text is in its graph. Title, issue and categories are known of others, too.
TEXT_PROPERTY_IRIS = frozenset(
    f"{WGIG_NAMESPACE}{name}"
    for name in ("issueDescription", "swot", "mainActor", "forum", "mechanism", "assessment")
)
ASSESSMENT_STEPS = (f"{WGIG_NAMESPACE}assessment",)  # of the rules on what each assessment must have
ADDITIONAL_COMMENTS_IRI = f"{WGIG_NAMESPACE}additionalComments"
UNWAIVABLE_CODE_PREFIX = "WGIG-0-WAIVER"  # the rules about waivers cannot be waived

# The results of a file by focus node, then by code. Papers that share a node share its results.
ResultsByNode = dict[Term, dict[str, list[ValidationResult]]]


class PaperSummary:
    """One paper of a document, and its results by the rules of all profiles."""

    def __init__(
        self, paper: Term, nodes: Set[Term], document: Document, results_by_node: ResultsByNode
    ) -> None:
        """Take the paper, its nodes that have results, the document, and the results of the document."""
        self.paper, self.nodes, self.document, self.results_by_node = paper, nodes, document, results_by_node
        self.required = required_rules()
        # The summary of the paper with its misspelled names corrected, and the results that it does not have:
        # they follow from such a name, about which there is a result of its own.
        self.corrected: PaperSummary = self
        self.explained: Set[ValidationResult] = set()

    @property
    def results(self) -> Iterator[ValidationResult]:
        """The results for the paper, without those that follow from a misspelled name."""
        return (
            result
            for node in self.nodes
            for results in self.results_by_node[node].values()
            for result in results
            if result not in self.explained
        )

    def count_results(self, profile: str) -> int:
        """The number of results of the rules of a profile."""
        return sum(rules_by_code()[result.code].is_in_profile(profile) for result in self.results)

    def count_severities(self, profile: str) -> Counter[str]:
        """The numbers of these results that are not waived, by severity."""
        rules = (rules_by_code()[result.code] for result in self.results)
        return Counter(
            rule.severity
            for rule in rules
            if rule.is_in_profile(profile) and rule.code not in self.waiver_reasons
        )

    @cached_property
    def broken_codes(self) -> Set[str]:
        """The codes of the broken rules, including waived ones."""
        return {code for node in self.nodes for code in self.results_by_node[node]}

    @cached_property
    def broken_rules(self) -> list[Rule]:
        """The rules that are broken and not waived."""
        return [rules_by_code()[code] for code in self.broken_codes - self.waiver_reasons.keys()]

    @cached_property
    def waiver_reasons(self) -> Mapping[str, str]:
        """The reasons of the waivers of the paper, by rule code."""
        reasons_by_code = {}
        for waiver in self.document.find_objects(self.paper, WGIG_WAIVER_IRI):
            reasons = [
                reason.value.strip()
                for reason in self.document.find_objects(waiver, WGIG_REASON_IRI)
                if isinstance(reason, ox.Literal)
            ]
            for rule in self.document.find_objects(waiver, WGIG_WAIVES.value):
                code = str(rule.value).removeprefix(SHAPES_NAMESPACE)
                if any(reasons) and not code.startswith(UNWAIVABLE_CODE_PREFIX):
                    reasons_by_code[code] = " ".join(filter(None, reasons))
        return reasons_by_code

    @cached_property
    def title(self) -> str:
        """A title of the paper, preferably in English; without a title, the last part of its IRI."""
        titles = self.document.find_objects(self.paper, DCTERMS_TITLE.value)
        return best_text(titles, default=str(self.paper.value).rpartition("/")[2]).value

    @property
    def is_text_seen(self) -> bool:
        """Whether the text was seen, so that what the paper lacks is known.

        It was unless the paper states with wgig:evidence that it was not, or not all of it, and has nothing
        of its sections, as after somebody entered the text of a paper that was known by its title.
        """
        evidence = self.document.find_objects(self.paper, WGIG_EVIDENCE_IRI)
        return not self.stated_properties.isdisjoint(TEXT_PROPERTY_IRIS) or all(
            value.value == WHOLE_TEXT_EVIDENCE for value in evidence
        )

    @cached_property
    def stated_properties(self) -> set[str]:
        """The IRIs of the properties of the paper."""
        return {triple.predicate.value for triple in self.document.triples_about(self.paper)}

    def has_focus_node(self, rule: Rule) -> bool:
        """Whether the paper has a focus node for the rule."""
        return not (rule.steps and self.stated_properties.isdisjoint(rule.steps))

    def is_excused(self, rule: Rule) -> bool:
        """Whether the rule is waived, or all rules that require its focus node are waived."""
        requiring_codes = [
            required_rule.code
            for required_rule in self.required
            if not set(rule.steps).isdisjoint(required_rule.predicates)
        ]
        return rule.code in self.waiver_reasons or (
            bool(requiring_codes) and self.waiver_reasons.keys() >= set(requiring_codes)
        )

    @cached_property
    def unmet_rules(self) -> list[Rule]:
        """The required rules that the paper neither meets nor waives."""
        return [
            rule
            for rule in self.required
            if rule in self.broken_rules
            or not (self.has_focus_node(rule) or self.is_excused(rule))
            or self.is_left_blank(rule)
        ]

    @cached_property
    def waived_rules(self) -> list[Rule]:
        """The required rules that the paper does not meet and waives."""
        return [
            rule
            for rule in self.required
            if rule not in self.unmet_rules
            and (rule.code in self.broken_codes or not self.has_focus_node(rule))
        ]

    @property
    def met(self) -> int:
        """The number of required parts that the paper has."""
        return len(self.required) - len(self.unmet_rules) - len(self.waived_rules)

    def is_left_blank(self, rule: Rule) -> bool:
        """Whether a node of the paper has only blank texts for the properties that a rule requires."""
        return rule.code not in self.waiver_reasons and any(
            self.has_only_blank_texts(node, set(rule.predicates).intersection(blank_rule.predicates))
            for blank_rule in self.broken_rules
            if blank_rule.code.endswith("-BLANK") and blank_rule.steps == rule.steps
            for node in self.nodes
            if blank_rule.code in self.results_by_node[node]
        )

    def has_only_blank_texts(self, node: Term, predicates: Set[str]) -> bool:
        """Whether a node has values of these properties, and all are blank texts."""
        values = [value for predicate in predicates for value in self.document.find_objects(node, predicate)]
        return bool(values) and all(map(is_blank_text, values))

    def blocking_rules(self, profile: str) -> list[Rule]:
        """The broken rules that make the paper fail the profile."""
        return [
            rule for rule in self.broken_rules if rule.is_in_profile(profile) and rule.is_blocking(profile)
        ]

    def conforms(self, profile: str) -> bool:
        """Whether the paper conforms to the profile."""
        return not self.blocking_rules(profile)

    def sections(self, profile: str, findings: Iterable[Finding] = ()) -> list[SectionState]:
        """The state of each section of the template, with the parts that it lacks.

        A part with a misspelled name is faulty, not missing. With `findings`, an unknown name is in
        the section of the name that was probably meant.
        """
        sections_by_code: dict[str, set[int]] = {}
        for finding in findings:
            sections_by_code.setdefault(finding.rule.code, set()).add(finding.section)
        corrected = self.corrected
        unmet = {rule.section for rule in corrected.unmet_rules}
        done = {rule.section for rule in self.required} - unmet
        # A part is missing only if a finding says so: the parts of a part with a misspelled name have none.
        reported_codes = {result.code for result in self.results}
        # A draft may lack parts. An assessment that lacks, say, its verdict is there, with a fault.
        missing_rules = [
            rule
            for rule in corrected.unmet_rules
            if profile != "draft"
            and (rule.code in reported_codes or corrected.is_left_blank(rule))
            and not (rule.steps == ASSESSMENT_STEPS and corrected.has_focus_node(rule))
        ]
        # The numbers of the sections in each state. A section in several has the first of them.
        states = {
            STATE_MISSING: {rule.section for rule in missing_rules},
            STATE_FAULTY: {
                section
                for rule in self.blocking_rules(profile)
                for section in sections_by_code.get(rule.code, {rule.section})
            },
            STATE_WAIVED: {rule.section for rule in corrected.waived_rules},
            STATE_DONE: done
            | ({COMMENTS_SECTION} if ADDITIONAL_COMMENTS_IRI in corrected.stated_properties else set()),
        }
        return [
            SectionState(
                number,
                next((state for state, numbers in states.items() if number in numbers), STATE_NOT_CHECKED),
                # Without a forum, say, not also what the forum lacks.
                tuple(
                    rule
                    for rule in missing_rules
                    if rule.section == number and corrected.has_focus_node(rule)
                ),
            )
            for number in TEMPLATE_SECTIONS
        ]

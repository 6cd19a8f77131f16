"""What the results of a check come to for one paper: what is waived, what is met, how each section stands."""

from collections.abc import Iterator, Mapping, Set
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
    SectionState,
)
from .locations import is_blank_text
from .results import Term, ValidationResult
from .rules import SHAPES_NAMESPACE, TEMPLATE_SECTIONS, Rule, required_rules, rules_by_code

WGIG_WAIVER_IRI, WGIG_REASON_IRI = f"{WGIG_NAMESPACE}waiver", f"{WGIG_NAMESPACE}reason"
ADDITIONAL_COMMENTS_IRI = f"{WGIG_NAMESPACE}additionalComments"
UNWAIVABLE_CODE_PREFIX = "WGIG-0-WAIVER"

# What was found in a file: the results by focus nodes, then by codes. Papers that share a node share them.
ResultsByNode = dict[Term, dict[str, list[ValidationResult]]]


class PaperSummary:
    """One paper of a document, and what was found of it by the rules of all profiles."""

    def __init__(self, paper: Term, nodes: Set[Term], document: Document, found: ResultsByNode) -> None:
        """Take the paper, those of its nodes at which something was found, and what was found in the file."""
        self.paper, self.nodes, self.document, self.results_by_node = paper, nodes, document, found
        self.required = required_rules()

    @property
    def results(self) -> Iterator[ValidationResult]:
        """What was found of the paper."""
        return (
            one for node in self.nodes for results in self.results_by_node[node].values() for one in results
        )

    def count_results(self, profile: str) -> int:
        """How much was found of the paper by the rules of a profile."""
        found = (one for node in self.nodes for one in self.results_by_node[node].items())
        return sum(len(results) for code, results in found if rules_by_code()[code].is_in_profile(profile))

    @cached_property
    def broken_codes(self) -> Set[str]:
        """The codes of the rules that are broken, waived ones among them."""
        return {code for node in self.nodes for code in self.results_by_node[node]}

    @cached_property
    def broken_rules(self) -> list[Rule]:
        """The rules that are broken and not waived."""
        return [rules_by_code()[code] for code in self.broken_codes - self.waiver_reasons.keys()]

    @cached_property
    def waiver_reasons(self) -> Mapping[str, str]:
        """The reasons why rules should not hold for the paper, by the codes of the rules."""
        found = {}
        for waiver in self.document.find_objects(self.paper, WGIG_WAIVER_IRI):
            reasons = [
                one.value.strip()
                for one in self.document.find_objects(waiver, WGIG_REASON_IRI)
                if isinstance(one, ox.Literal)
            ]
            for rule in self.document.find_objects(waiver, WGIG_WAIVES.value):
                code = str(rule.value).removeprefix(SHAPES_NAMESPACE)
                if any(reasons) and not code.startswith(UNWAIVABLE_CODE_PREFIX):
                    found[code] = " ".join(filter(None, reasons))
        return found

    @cached_property
    def title(self) -> str:
        """A title of the paper, the English one before others; or the last part of its IRI."""
        titles = self.document.find_objects(self.paper, DCTERMS_TITLE.value)
        return best_text(titles, otherwise=str(self.paper.value).rpartition("/")[2]).value

    @cached_property
    def stated_properties(self) -> set[str]:
        """The IRIs of the properties that are said of the paper."""
        return {one.predicate.value for one in self.document.triples_about(self.paper)}

    def has_focus_node(self, rule: Rule) -> bool:
        """Whether there is a node that the rule looks at."""
        return not (rule.steps and self.stated_properties.isdisjoint(rule.steps))

    def is_excused(self, rule: Rule) -> bool:
        """Whether the rule is waived, or all rules are that ask for the nodes that it looks at."""
        asking = [one.code for one in self.required if not set(rule.steps).isdisjoint(one.predicates)]
        return rule.code in self.waiver_reasons or (
            bool(asking) and self.waiver_reasons.keys() >= set(asking)
        )

    @cached_property
    def unmet_rules(self) -> list[Rule]:
        """What the template asks for and the paper neither has nor waives."""
        return [
            rule
            for rule in self.required
            if rule in self.broken_rules
            or not (self.has_focus_node(rule) or self.is_excused(rule))
            or self.is_left_blank(rule)
        ]

    @cached_property
    def waived_rules(self) -> list[Rule]:
        """What the template asks for and the paper waives, as it does not have it."""
        return [
            rule
            for rule in self.required
            if rule not in self.unmet_rules
            and (rule.code in self.broken_codes or not self.has_focus_node(rule))
        ]

    @property
    def met(self) -> int:
        """How many of the parts that the template asks for are there."""
        return len(self.required) - len(self.unmet_rules) - len(self.waived_rules)

    def is_left_blank(self, rule: Rule) -> bool:
        """Whether some node has only texts that say nothing where the rule asks for one."""
        return rule.code not in self.waiver_reasons and any(
            self.has_only_blank_texts(node, set(rule.predicates).intersection(blank.predicates))
            for blank in self.broken_rules
            if blank.code.endswith("-BLANK") and blank.steps == rule.steps
            for node in self.nodes
            if blank.code in self.results_by_node[node]
        )

    def has_only_blank_texts(self, node: Term, predicates: Set[str]) -> bool:
        """Whether a node has texts along the properties, and none of them says anything."""
        ends = [end for predicate in predicates for end in self.document.find_objects(node, predicate)]
        return bool(ends) and all(map(is_blank_text, ends))

    def blocking_rules(self, profile: str) -> list[Rule]:
        """The broken rules that keep the paper from the profile."""
        return [one for one in self.broken_rules if one.is_in_profile(profile) and one.is_blocking(profile)]

    def conforms(self, profile: str) -> bool:
        """Whether nothing keeps the paper from the profile."""
        return not self.blocking_rules(profile)

    def sections(self, profile: str) -> list[SectionState]:
        """The state of each section of the template."""
        unmet = {rule.section for rule in self.unmet_rules}
        done = {rule.section for rule in self.required} - unmet
        states = {
            STATE_MISSING: set() if profile == "draft" else unmet,
            STATE_FAULTY: {rule.section for rule in self.blocking_rules(profile)},
            STATE_WAIVED: {rule.section for rule in self.waived_rules},
            STATE_DONE: done | ({8} if ADDITIONAL_COMMENTS_IRI in self.stated_properties else set()),
        }
        return [
            SectionState(
                number,
                next((state for state, inside in states.items() if number in inside), STATE_NOT_CHECKED),
            )
            for number in TEMPLATE_SECTIONS
        ]

"""What the results of a check come to for one paper: what is waived, what is met, how each section stands."""

from collections.abc import Iterator, Mapping, Set
from functools import cached_property

import pyoxigraph as ox

from ..rdf.namespaces import WGIG
from .engines import Result, Term
from .findings import BLOCKING, DONE, FAULTY, MISSING, NOT_CHECKED, WAIVED, Section
from .locations import Places, is_blank
from .rules import SECTIONS, SHAPES, WAIVES, Rule, required, rules

WAIVER, REASON = f"{WGIG}waiver", f"{WGIG}reason"
COMMENTS = f"{WGIG}additionalComments"
TITLE = "http://purl.org/dc/terms/title"
NEVER_WAIVED = "WGIG-0-WAIVER"

# What was found in a file: the results by focus nodes, then by codes. Papers that share a node share them.
Found = dict[Term, dict[str, list[Result]]]


class Summary:
    """One paper of a document, and what was found of it by the rules of all profiles."""

    def __init__(self, paper: Term, nodes: Set[Term], places: Places, found: Found) -> None:
        """Take the paper, those of its nodes at which something was found, and what was found in the file."""
        self.paper, self.nodes, self.places, self.found = paper, nodes, places, found
        self.required = required()

    @property
    def results(self) -> Iterator[Result]:
        """What was found of the paper."""
        return (one for node in self.nodes for results in self.found[node].values() for one in results)

    def count(self, profile: str) -> int:
        """How much was found of the paper by the rules of a profile."""
        found = (one for node in self.nodes for one in self.found[node].items())
        return sum(len(results) for code, results in found if rules()[code].holds_in(profile))

    @cached_property
    def codes(self) -> Set[str]:
        """The codes of the rules that are broken, waived ones among them."""
        return {code for node in self.nodes for code in self.found[node]}

    @cached_property
    def broken(self) -> list[Rule]:
        """The rules that are broken and not waived."""
        return [rules()[code] for code in self.codes - self.waivers.keys()]

    @cached_property
    def waivers(self) -> Mapping[str, str]:
        """The reasons why rules should not hold for the paper, by the codes of the rules."""
        found = {}
        for waiver in self.places.ends(self.paper, WAIVER):
            reasons = [
                one.value.strip() for one in self.places.ends(waiver, REASON) if isinstance(one, ox.Literal)
            ]
            for rule in self.places.ends(waiver, WAIVES):
                code = str(rule.value).removeprefix(SHAPES)
                if any(reasons) and not code.startswith(NEVER_WAIVED):
                    found[code] = " ".join(filter(None, reasons))
        return found

    @cached_property
    def title(self) -> str:
        """A title of the paper, the English one before others; or the last part of its IRI."""
        titles = [one for one in self.places.ends(self.paper, TITLE) if isinstance(one, ox.Literal)]
        first = sorted(titles, key=lambda one: (one.language != "en", one.language or "", one.value))
        return first[0].value if first else str(self.paper.value).rpartition("/")[2]

    @cached_property
    def said(self) -> set[str]:
        """The IRIs of the properties that are said of the paper."""
        return {self.places.triples[one].predicate.value for one in self.places.of[self.paper]}

    def asked(self, rule: Rule) -> bool:
        """Whether there is a node that the rule looks at."""
        return not (rule.steps and self.said.isdisjoint(rule.steps))

    def excused(self, rule: Rule) -> bool:
        """Whether the rule is waived, or all rules are that ask for the nodes that it looks at."""
        asking = [one.code for one in self.required if not set(rule.steps).isdisjoint(one.predicates)]
        return rule.code in self.waivers or (bool(asking) and self.waivers.keys() >= set(asking))

    @cached_property
    def unmet(self) -> list[Rule]:
        """What the template asks for and the paper neither has nor waives."""
        return [
            rule
            for rule in self.required
            if rule in self.broken or not (self.asked(rule) or self.excused(rule)) or self.left_blank(rule)
        ]

    @cached_property
    def waived(self) -> list[Rule]:
        """What the template asks for and the paper waives, as it does not have it."""
        return [
            rule
            for rule in self.required
            if rule not in self.unmet and (rule.code in self.codes or not self.asked(rule))
        ]

    @property
    def met(self) -> int:
        """How many of the parts that the template asks for are there."""
        return len(self.required) - len(self.unmet) - len(self.waived)

    def left_blank(self, rule: Rule) -> bool:
        """Whether some node has only texts that say nothing where the rule asks for one."""
        return rule.code not in self.waivers and any(
            self.only_blank(node, set(rule.predicates).intersection(blank.predicates))
            for blank in self.broken
            if blank.code.endswith("-BLANK") and blank.steps == rule.steps
            for node in self.nodes
            if blank.code in self.found[node]
        )

    def only_blank(self, node: Term, predicates: Set[str]) -> bool:
        """Whether a node has texts along the properties, and none of them says anything."""
        ends = [end for predicate in predicates for end in self.places.ends(node, predicate)]
        return bool(ends) and all(map(is_blank, ends))

    def wrong(self, profile: str) -> list[Rule]:
        """The broken rules that keep the paper from the profile."""
        return [one for one in self.broken if one.holds_in(profile) and one.severity in BLOCKING[profile]]

    def conforms(self, profile: str) -> bool:
        """Whether nothing keeps the paper from the profile."""
        return not self.wrong(profile)

    def sections(self, profile: str) -> list[Section]:
        """The state of each section of the template."""
        unmet = {rule.section for rule in self.unmet}
        done = {rule.section for rule in self.required} - unmet
        states = {
            MISSING: set() if profile == "draft" else unmet,
            FAULTY: {rule.section for rule in self.wrong(profile)},
            WAIVED: {rule.section for rule in self.waived},
            DONE: done | ({8} if COMMENTS in self.said else set()),
        }
        return [
            Section(
                number, next((state for state, inside in states.items() if number in inside), NOT_CHECKED)
            )
            for number in SECTIONS
        ]

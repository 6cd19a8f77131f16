"""What the results of a check come to for one paper: what is waived, what is met, how each section stands."""

from collections.abc import Mapping, Sequence, Set
from functools import cached_property

import pyoxigraph as ox

from .engines import Result, Term
from .placing import Places
from .report import BLOCKING, DONE, FAULTY, MISSING, NOT_CHECKED, Section
from .rules import SECTIONS, SHAPES, WAIVES, WGIG, Rule, rules

WAIVER, REASON = f"{WGIG}waiver", f"{WGIG}reason"
COMMENTS = f"{WGIG}additionalComments"
TITLE = "http://purl.org/dc/terms/title"
NEVER_WAIVED = "WGIG-0-WAIVER"


class Summary:
    """One paper of a document, and what was found of it by the rules of all profiles."""

    def __init__(self, paper: Term, nodes: Set[Term], places: Places, results: Sequence[Result]) -> None:
        """Take the paper, the nodes that belong to it, and the results whose focus nodes are among them."""
        self.paper, self.nodes, self.places, self.results = paper, nodes, places, results
        self.required = [rule for rule in rules().values() if rule.required]

    @cached_property
    def broken(self) -> list[Rule]:
        """The rules that are broken and not waived."""
        return [rules()[code] for code in {one.code for one in self.results} - self.waivers.keys()]

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

    @property
    def title(self) -> str:
        """A title of the paper, the English one before others; or the last part of its IRI."""
        titles = [one for one in self.places.ends(self.paper, TITLE) if isinstance(one, ox.Literal)]
        first = sorted(titles, key=lambda one: (one.language != "en", one.language or "", one.value))
        return first[0].value if first else str(self.paper.value).rpartition("/")[2]

    @cached_property
    def said(self) -> set[str]:
        """The IRIs of the properties that are said of the paper or a node of it."""
        triples = self.places.triples
        return {triples[one].predicate.value for node in self.nodes for one in self.places.of.get(node, ())}

    def asked(self, rule: Rule) -> bool:
        """Whether there is a node that the rule looks at."""
        return not rule.steps or any(step in self.said for step in rule.steps)

    @cached_property
    def unmet(self) -> list[Rule]:
        """What the template asks for and the paper neither has nor waives."""
        return [
            rule
            for rule in self.required
            if rule in self.broken or not (rule.code in self.waivers or self.asked(rule))
        ]

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
            DONE: done | ({8} if COMMENTS in self.said else set()),
        }
        return [
            Section(
                number, next((state for state, inside in states.items() if number in inside), NOT_CHECKED)
            )
            for number in SECTIONS
        ]

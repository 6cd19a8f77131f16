"""What follows after a change, found from the change and what surrounds it, and not from all quads.

First goes all that may rest on what was removed, however far; then comes back what still follows from the
rest; then comes what follows from what is new. Each rule runs as it is, over no more than the triples that it
asks for around the change. It ends where running the rules over everything does, for no rule asks for what is
absent but in what it consults; where that changes, nothing is said here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from ..change import BeforeAfter, Change
from .rule import Bindings, InferenceRule, RdfTerm, RulePattern, bind_pattern, run_construct_rule

Triples = set[ox.Triple]
RuleInstance = tuple[InferenceRule, Sequence[ox.Triple]]  # a rule, and triples that fit its premises together


class IncrementalReasoner:
    """Says what comes and goes of the graph of a store that holds what follows by the rules."""

    def __init__(self, rules: Iterable[InferenceRule], graph: ox.NamedNode) -> None:
        """Take the rules and the graph."""
        self.rules, self.graph = tuple(rules), graph
        self.consulted = {one for rule in self.rules for one in rule.consulted_properties}
        self.indexes: RuleIndexes | None = None

    def compute_difference(self, quads: ox.Store, change: Change) -> tuple[Triples, Triples] | None:
        """The triples that go and those that come, after this change of the other graphs.

        It may be that some went and came already, and that less was removed than the change says. None where
        that touches what a rule consults.
        """
        added = {one.triple for one in change.added}
        lost = {one.triple for one in change.removed}
        if self.touches_consulted(lost | added):
            return None
        doubtful = self.derive_all(lost, ReasoningState(quads, change))
        # As if none of it had been inferred yet.
        now = ReasoningState(quads, Change(added=tuple(build_quad(one, self.graph) for one in doubtful)))
        back = {one for one in self.find_supported(doubtful, now) if one not in now}
        now.add(back)
        follows = self.derive_all(added | back, now)
        if self.touches_consulted(doubtful | follows):
            return None
        inferred = set(self.select_inferred(doubtful | follows, quads))
        missing = {one for one in follows - added - inferred if not store_has_triple(quads, one)}
        return inferred - (follows - added), missing

    def forget(self) -> None:
        """Take note that what rules consult may be another."""
        self.indexes = None

    def select_inferred(self, triples: Triples, quads: ox.Store) -> Iterator[ox.Triple]:
        """Those of the triples that stand in the graph; of most subjects it says nothing."""
        subjects = {one.subject for one in triples}
        told = {
            one for one in subjects if any(True for _ in quads.quads_for_pattern(one, None, None, self.graph))
        }
        return (one for one in triples if one.subject in told and build_quad(one, self.graph) in quads)

    def touches_consulted(self, triples: Triples) -> bool:
        """Whether a rule consults the property of one of these."""
        return any(one.predicate in self.consulted for one in triples)

    def derive_all(self, seeds: Triples, state: "ReasoningState") -> Triples:
        """The seeds and all that follows from them, and then from that, whether it is there or not."""
        found, new = set(seeds), seeds
        while new:
            instances = chain.from_iterable(self.instances_with(one, state) for one in new)
            new = self.conclusions(instances, state.quads) - found
            state.add(new)
            found |= new
        return found

    def instances_with(self, triple: ox.Triple, state: "ReasoningState") -> Iterator[RuleInstance]:
        """The instances of all rules of which a premise is this triple."""
        for rule, premise, bound in self.get_rule_indexes(state.quads).premises.matches(triple):
            for others in state.join([one for one in rule.premises if one is not premise], bound):
                yield rule, [triple, *others]

    def find_supported(self, wanted: Triples, state: "ReasoningState") -> Triples:
        """Those of the triples that follow in one step. One instance is enough, so few are tried first."""
        found: Triples = set()
        left = {one: self.instances_for(one, state) for one in wanted}
        few = 1
        while left:
            tried = {one: list(islice(instances, few)) for one, instances in left.items()}
            found |= wanted & self.conclusions(chain.from_iterable(tried.values()), state.quads)
            left = {one: left[one] for one, instances in tried.items() if instances and one not in found}
            few *= 10
        return found

    def instances_for(self, triple: ox.Triple, state: "ReasoningState") -> Iterator[RuleInstance]:
        """The instances of all rules that may yield this triple."""
        for rule, _, bound in self.get_rule_indexes(state.quads).conclusions.matches(triple):
            for premises in state.join(rule.premises, bound):
                yield rule, premises

    def get_rule_indexes(self, quads: ox.Store) -> "RuleIndexes":
        """What the rules consult, and the patterns in which that leaves something to be found."""
        if self.indexes is None:
            beside = {rule: self.read_consulted(rule, quads) for rule in self.rules}
            self.indexes = RuleIndexes(
                beside,
                PatternIndex(((rule, one) for rule in self.rules for one in rule.premises), beside),
                PatternIndex(((rule, one) for rule in self.rules for one in rule.conclusions), beside),
            )
        return self.indexes

    def read_consulted(self, rule: InferenceRule, quads: ox.Store) -> "ConsultedFacts":
        """What a rule consults."""
        found = (quads.quads_for_pattern(None, one, None, None) for one in rule.consulted_properties)
        triples = {one.triple for one in chain.from_iterable(found)}
        return ConsultedFacts(
            quads_in_default_graph(triples), {term for triple in triples for term in triple}
        )

    def conclusions(self, instances: Iterable[RuleInstance], quads: ox.Store) -> Triples:
        """What the rules yield from these instances, and from what they consult."""
        around = defaultdict[InferenceRule, Triples](set)
        for rule, triples in instances:
            around[rule].update(triples)
        return {
            one for rule, triples in around.items() for one in self.conclusions_of_rule(rule, triples, quads)
        }

    def conclusions_of_rule(
        self, rule: InferenceRule, triples: Triples, quads: ox.Store
    ) -> Iterator[ox.Triple]:
        """What one rule yields from these triples, and from what it consults."""
        room = ox.Store()
        room.extend(
            chain(self.get_rule_indexes(quads).consulted[rule].quads, quads_in_default_graph(triples))
        )
        return run_construct_rule(rule.text, room)


class ConsultedFacts(NamedTuple):
    """What a rule consults: triples, as quads of the unnamed graph, and the terms in them."""

    quads: list[ox.Quad]
    terms: set[RdfTerm]


class PatternIndex:
    """Patterns of rules, by the properties that they may be about."""

    def __init__(
        self,
        patterns: Iterable[tuple[InferenceRule, RulePattern]],
        beside: Mapping[InferenceRule, ConsultedFacts],
    ) -> None:
        """Take the patterns, and what each rule consults."""
        self.by_property = defaultdict[object, list[tuple[InferenceRule, RulePattern]]](list)
        self.any_property = list[tuple[InferenceRule, RulePattern]]()  # of any property
        self.consulted = beside
        for rule, pattern in patterns:
            property_ = pattern[1]
            if property_ in rule.consulted_variables:
                for term in beside[rule].terms:
                    self.by_property[term].append((rule, pattern))
            elif isinstance(property_, ox.Variable):
                self.any_property.append((rule, pattern))
            else:
                self.by_property[property_].append((rule, pattern))

    def matches(self, triple: ox.Triple) -> Iterator[tuple[InferenceRule, RulePattern, Bindings]]:
        """The patterns that a triple fits, and what their variables are then."""
        for rule, pattern in chain(self.by_property.get(triple.predicate, ()), self.any_property):
            bound = bind_pattern(pattern, triple, {})
            if bound is not None and self.can_bind(rule, bound):
                yield rule, pattern, bound

    def can_bind(self, rule: InferenceRule, bound: Bindings) -> bool:
        """Whether the variables of a rule can stand for these terms, by what it consults."""
        terms = self.consulted[rule].terms
        return all(bound[name] in terms for name in rule.consulted_variables & bound.keys())


class RuleIndexes(NamedTuple):
    """What the rules consult, and their premises and what they yield, as far as that lets them be of use."""

    consulted: Mapping[InferenceRule, ConsultedFacts]
    premises: PatternIndex
    conclusions: PatternIndex


class ReasoningState:
    """What holds at one moment: the triples of a store as they were before a change, and some more."""

    def __init__(self, quads: ox.Store, change: Change) -> None:
        """Take the store, and the change that it is after."""
        self.quads, self.moments = quads, BeforeAfter(quads.quads_for_pattern, change)
        self.added = ox.Store()

    def add(self, triples: Iterable[ox.Triple]) -> None:
        """Let these hold as well."""
        self.added.extend(quads_in_default_graph(triples))

    def matches(self, pattern: RulePattern, known: Bindings) -> Iterator[ox.Triple]:
        """The triples that fit a pattern in which some variables are known; maybe some that do not."""
        subject, predicate, object_ = (
            known.get(one) if isinstance(one, ox.Variable) else one for one in pattern
        )
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode | None):
            return
        for find in (self.moments.before, self.added.quads_for_pattern):
            for quad in find(subject, predicate, object_):
                yield quad.triple

    def __contains__(self, triple: ox.Triple) -> bool:
        """Whether a triple holds."""
        return any(True for _ in self.matches(tuple(triple), {}))

    def join(self, patterns: Sequence[RulePattern], known: Bindings) -> Iterator[list[ox.Triple]]:
        """All ways to fit triples to the patterns, one to each. What is known most of is looked for first."""
        if not patterns:
            yield []
            return
        nearest = min(patterns, key=lambda one: estimate_pattern_breadth(one, known))
        rest = [one for one in patterns if one is not nearest]
        for triple in self.matches(nearest, known):
            bound = bind_pattern(nearest, triple, known)
            if bound is not None:
                for others in self.join(rest, bound):
                    yield [triple, *others]


def quads_in_default_graph(triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    """The triples as quads of the unnamed graph."""
    graph = ox.DefaultGraph()
    return [build_quad(one, graph) for one in triples]


def store_has_triple(quads: ox.Store, triple: ox.Triple) -> bool:
    """Whether a triple stands in any graph."""
    found = quads.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return next(found, None) is not None


def estimate_pattern_breadth(pattern: RulePattern, known: Bindings) -> tuple[int, int, bool]:
    """How much may fit a pattern, to be compared: little where few variables are unknown, many known.

    Of two alike, the one that knows its subject: many things share an object, few a subject.
    """
    variables = [one for one in pattern if isinstance(one, ox.Variable)]
    count = sum(one in known for one in variables)
    return len(variables) - count, -count, pattern[0] in variables and pattern[0] not in known

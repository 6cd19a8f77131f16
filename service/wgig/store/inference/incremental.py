"""Incremental inference (delete and rederive): computes how inferred triples change after a change of quads.

First, all triples that may depend on removed triples are deleted, transitively ("overdeleted"). Then the
deleted triples that still follow are added again ("rederived"), then the triples that follow from added ones.
Each rule runs unchanged, but only over triples that match its premises together with a triple of the change.

A rule also consults triples that are not premises, such as those within EXISTS (see `rule`). The result is
the same as that of running the rules over everything, because rules use negation only for consulted triples.
If consulted triples change, nothing is computed here (None).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from ..change import BeforeAfter, Change
from ..errors import InferenceTooLargeError
from .rule import Bindings, InferenceRule, RdfTerm, RulePattern, bind_pattern, run_construct_rule

Triples = set[ox.Triple]
RuleInstance = tuple[InferenceRule, Sequence[ox.Triple]]  # a rule, and triples that match all its premises


class StepCounter:
    """Counts the steps of inference after one write: the triples that rules examine, and their results."""

    def __init__(self, max_steps: float = math.inf) -> None:
        """Take the maximum number of steps."""
        self.count, self.max_steps = 0, max_steps

    def count_steps(self, count: int = 1) -> None:
        """Count steps. Raises InferenceTooLargeError beyond the maximum."""
        self.count += count
        if self.count > self.max_steps:
            raise InferenceTooLargeError(f"Inference needs more than {self.max_steps} steps.")


class IncrementalReasoner:
    """Computes the changes of the inferred graph of a store."""

    def __init__(self, rules: Iterable[InferenceRule], graph: ox.NamedNode) -> None:
        """Take the rules, and the name of the inferred graph."""
        self.rules, self.graph = tuple(rules), graph
        self.consulted_properties = {
            property_ for rule in self.rules for property_ in rule.consulted_properties
        }
        self.indexes: RuleIndexes | None = None

    def compute_difference(
        self, quads: ox.Store, change: Change, max_steps: float = math.inf
    ) -> tuple[Triples, Triples] | None:
        """The inferred triples to remove and to add after this change of the other graphs.

        After a crash, some of these triples may be removed or added already, and the change may list quads as
        removed that still exist. The result is None if the change affects triples that a rule consults.
        Raises InferenceTooLargeError after `max_steps`.
        """
        counter = StepCounter(max_steps)
        added = {quad.triple for quad in change.added}
        removed = {quad.triple for quad in change.removed}
        if self.touches_consulted(removed | added):
            if max_steps < math.inf:
                self.count_least_steps(added, ReasoningState(quads, Change(), counter))
            return None
        overdeleted = self.derive_all(removed, ReasoningState(quads, change, counter))
        # The state without the overdeleted triples, as if the change had added them.
        state = ReasoningState(
            quads, Change(added=tuple(build_quad(triple, self.graph) for triple in overdeleted)), counter
        )
        rederived = {triple for triple in self.find_supported(overdeleted, state) if triple not in state}
        state.add(rederived)
        derived = self.derive_all(added | rederived, state)
        if self.touches_consulted(overdeleted | derived):
            return None
        inferred = set(self.select_inferred(overdeleted | derived, quads))
        missing = {triple for triple in derived - added - inferred if not store_has_triple(quads, triple)}
        return inferred - (derived - added), missing

    def forget(self) -> None:
        """Drop the indexes, as consulted triples may have changed."""
        self.indexes = None

    def select_inferred(self, triples: Triples, quads: ox.Store) -> Iterator[ox.Triple]:
        """The triples that are in the inferred graph. Subjects are looked up first, as that graph has few."""
        subjects = {
            subject
            for subject in {triple.subject for triple in triples}
            if any(True for _ in quads.quads_for_pattern(subject, None, None, self.graph))
        }
        return (
            triple
            for triple in triples
            if triple.subject in subjects and build_quad(triple, self.graph) in quads
        )

    def touches_consulted(self, triples: Triples) -> bool:
        """Whether a rule consults the property of one of the triples."""
        return any(triple.predicate in self.consulted_properties for triple in triples)

    def count_least_steps(self, triples: Triples, state: "ReasoningState") -> None:
        """Count the steps that inference from these triples takes when the rules run over everything.

        The engine finds all pairs of terms that a path connects before the first result, so these are counted
        first. Raises InferenceTooLargeError.
        """
        self.forget()
        for triple in triples:
            if triple.predicate in self.consulted_properties:
                below = find_connected_terms(triple.subject, triple.predicate, state, is_above=False)
                above = find_connected_terms(triple.object, triple.predicate, state, is_above=True)
                state.counter.count_steps(len(below) * len(above))
        self.derive_all(triples, state)

    def derive_all(self, seeds: Triples, state: "ReasoningState") -> Triples:
        """The seeds and all triples that follow from them transitively, whether they exist already or not."""
        derived, new = set(seeds), seeds
        while new:
            instances = chain.from_iterable(self.iter_instances_with_premise(triple, state) for triple in new)
            new = self.conclusions(instances, state.quads) - derived
            state.add(new)
            derived |= new
        return derived

    def iter_instances_with_premise(
        self, triple: ox.Triple, state: "ReasoningState"
    ) -> Iterator[RuleInstance]:
        """The instances of all rules with this triple as a premise."""
        for rule, premise, bindings in self.get_rule_indexes(state.quads).premises.matches(triple):
            other_premises = [pattern for pattern in rule.premises if pattern is not premise]
            for other_triples in state.join(other_premises, bindings):
                state.counter.count_steps()
                yield rule, [triple, *other_triples]

    def find_supported(self, candidates: Triples, state: "ReasoningState") -> Triples:
        """The candidates that follow in one step. One instance each is enough, so few are tried first."""
        supported: Triples = set()
        remaining = {triple: self.iter_instances_concluding(triple, state) for triple in candidates}
        batch_size = 1
        while remaining:
            batches = {triple: list(islice(instances, batch_size)) for triple, instances in remaining.items()}
            supported |= candidates & self.conclusions(chain.from_iterable(batches.values()), state.quads)
            remaining = {
                triple: remaining[triple]
                for triple, instances in batches.items()
                if instances and triple not in supported
            }
            batch_size *= 10
        return supported

    def iter_instances_concluding(self, triple: ox.Triple, state: "ReasoningState") -> Iterator[RuleInstance]:
        """The instances of all rules that may conclude this triple."""
        for rule, _, bindings in self.get_rule_indexes(state.quads).conclusions.matches(triple):
            for premises in state.join(rule.premises, bindings):
                yield rule, premises

    def get_rule_indexes(self, quads: ox.Store) -> "RuleIndexes":
        """The consulted facts and the pattern indexes of the rules, built on first use."""
        if self.indexes is None:
            consulted_facts = {rule: self.read_consulted(rule, quads) for rule in self.rules}
            self.indexes = RuleIndexes(
                consulted_facts,
                PatternIndex(
                    ((rule, pattern) for rule in self.rules for pattern in rule.premises), consulted_facts
                ),
                PatternIndex(
                    ((rule, pattern) for rule in self.rules for pattern in rule.conclusions), consulted_facts
                ),
            )
        return self.indexes

    def read_consulted(self, rule: InferenceRule, quads: ox.Store) -> "ConsultedFacts":
        """The facts that a rule consults, read from the store."""
        by_property = (quads.quads_for_pattern(None, name, None, None) for name in rule.consulted_properties)
        triples = {quad.triple for quad in chain.from_iterable(by_property)}
        return ConsultedFacts(
            quads_in_default_graph(triples), {term for triple in triples for term in triple}
        )

    def conclusions(self, instances: Iterable[RuleInstance], quads: ox.Store) -> Triples:
        """The results of the rules on these instances and the consulted facts."""
        triples_by_rule = defaultdict[InferenceRule, Triples](set)
        for rule, triples in instances:
            triples_by_rule[rule].update(triples)
        return {
            conclusion
            for rule, triples in triples_by_rule.items()
            for conclusion in self.conclusions_of_rule(rule, triples, quads)
        }

    def conclusions_of_rule(
        self, rule: InferenceRule, triples: Triples, quads: ox.Store
    ) -> Iterator[ox.Triple]:
        """The results of one rule on these triples and its consulted facts."""
        rule_store = ox.Store()
        rule_store.extend(
            chain(self.get_rule_indexes(quads).consulted_facts[rule].quads, quads_in_default_graph(triples))
        )
        return run_construct_rule(rule.text, rule_store)


class ConsultedFacts(NamedTuple):
    """The triples that a rule consults, as quads of the unnamed graph, and the terms in them."""

    quads: list[ox.Quad]
    terms: set[RdfTerm]


class PatternIndex:
    """Triple patterns of rules, indexed by property."""

    def __init__(
        self,
        patterns: Iterable[tuple[InferenceRule, RulePattern]],
        consulted_facts: Mapping[InferenceRule, ConsultedFacts],
    ) -> None:
        """Take the patterns, and the consulted facts of each rule."""
        self.by_property = defaultdict[object, list[tuple[InferenceRule, RulePattern]]](list)
        self.any_property = list[tuple[InferenceRule, RulePattern]]()  # patterns whose property is a variable
        self.consulted_facts = consulted_facts
        for rule, pattern in patterns:
            property_ = pattern[1]
            if property_ in rule.consulted_variables:
                for term in consulted_facts[rule].terms:
                    self.by_property[term].append((rule, pattern))
            elif isinstance(property_, ox.Variable):
                self.any_property.append((rule, pattern))
            else:
                self.by_property[property_].append((rule, pattern))

    def matches(self, triple: ox.Triple) -> Iterator[tuple[InferenceRule, RulePattern, Bindings]]:
        """The patterns that match a triple, with their bindings."""
        for rule, pattern in chain(self.by_property.get(triple.predicate, ()), self.any_property):
            bindings = bind_pattern(pattern, triple, {})
            if bindings is not None and self.can_bind(rule, bindings):
                yield rule, pattern, bindings

    def can_bind(self, rule: InferenceRule, bindings: Bindings) -> bool:
        """Whether the bindings of a rule are possible, given the terms that it consults."""
        terms = self.consulted_facts[rule].terms
        return all(bindings[name] in terms for name in rule.consulted_variables & bindings.keys())


class RuleIndexes(NamedTuple):
    """The consulted facts of each rule, and indexes of all premises and conclusions."""

    consulted_facts: Mapping[InferenceRule, ConsultedFacts]
    premises: PatternIndex
    conclusions: PatternIndex


class ReasoningState:
    """The triples that hold in a state: those of a store before a change, and those that were added."""

    def __init__(self, quads: ox.Store, change: Change, counter: StepCounter) -> None:
        """Take the store as it is after the change, the change, and the counter of matched triples."""
        self.quads, self.counter = quads, counter
        self.before_after = BeforeAfter(quads.quads_for_pattern, change)
        self.added = ox.Store()

    def add(self, triples: Iterable[ox.Triple]) -> None:
        """Add triples to those that hold."""
        self.added.extend(quads_in_default_graph(triples))

    def matches(self, pattern: RulePattern, bindings: Bindings) -> Iterator[ox.Triple]:
        """Candidates for a pattern with these bindings: a superset of the triples that match."""
        subject, predicate, object_ = (
            bindings.get(term) if isinstance(term, ox.Variable) else term for term in pattern
        )
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode | None):
            return
        for find_quads in (self.before_after.before, self.added.quads_for_pattern):
            for quad in find_quads(subject, predicate, object_):
                self.counter.count_steps()
                yield quad.triple

    def __contains__(self, triple: ox.Triple) -> bool:
        """Whether a triple holds."""
        return any(True for _ in self.matches(tuple(triple), {}))

    def join(self, patterns: Sequence[RulePattern], bindings: Bindings) -> Iterator[list[ox.Triple]]:
        """All lists of triples that match the patterns together. The most selective pattern is first."""
        if not patterns:
            yield []
            return
        most_selective = min(patterns, key=lambda pattern: estimate_pattern_breadth(pattern, bindings))
        other_patterns = [pattern for pattern in patterns if pattern is not most_selective]
        for triple in self.matches(most_selective, bindings):
            extended = bind_pattern(most_selective, triple, bindings)
            if extended is not None:
                for other_triples in self.join(other_patterns, extended):
                    yield [triple, *other_triples]


def find_connected_terms(
    term: RdfTerm, property_: ox.NamedNode, state: ReasoningState, *, is_above: bool
) -> set[RdfTerm]:
    """The term, and all terms that paths of this property lead to (`is_above`) or from."""
    other, connected, new = ox.Variable("other"), {term}, [term]
    while new:
        current = new.pop()
        pattern = (current, property_, other) if is_above else (other, property_, current)
        for triple in state.matches(pattern, {}):
            found = triple.object if is_above else triple.subject
            if found not in connected:
                connected.add(found)
                new.append(found)
    return connected


def quads_in_default_graph(triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    """The triples as quads of the unnamed graph."""
    graph = ox.DefaultGraph()
    return [build_quad(triple, graph) for triple in triples]


def store_has_triple(quads: ox.Store, triple: ox.Triple) -> bool:
    """Whether a triple is in any graph."""
    matches = quads.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return next(matches, None) is not None


def estimate_pattern_breadth(pattern: RulePattern, bindings: Bindings) -> tuple[int, int, bool]:
    """A sort key for the expected number of matches: few unbound variables first, then many bound ones.

    Then patterns with a bound subject, as many triples share an object, but few a subject.
    """
    variables = [term for term in pattern if isinstance(term, ox.Variable)]
    bound_count = sum(term in bindings for term in variables)
    return len(variables) - bound_count, -bound_count, pattern[0] in variables and pattern[0] not in bindings

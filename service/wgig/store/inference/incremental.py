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

from ...rdf.serialization import quad
from ..change import Change
from .rule import Bound, Pattern, Rule, Term, bind, construct

Triples = set[ox.Triple]
Instance = tuple[Rule, Sequence[ox.Triple]]  # a rule, and triples that fit its premises together


class Upkeep:
    """Says what comes and goes of the graph of a store that holds what follows by the rules."""

    def __init__(self, rules: Iterable[Rule], graph: ox.NamedNode) -> None:
        """Take the rules and the graph."""
        self.rules, self.graph = tuple(rules), graph
        self.consulted = {one for rule in self.rules for one in rule.consulted}
        self.known: Known | None = None

    def after(self, quads: ox.Store, change: Change) -> tuple[Triples, Triples] | None:
        """The triples that go and those that come, after this change of the other graphs.

        It may be that some went and came already, and that less was removed than the change says. None where
        that touches what a rule consults.
        """
        added = {one.triple for one in change.added}
        lost = {one.triple for one in change.removed}
        if self.touches_consulted(lost | added):
            return None
        before = State(quads)
        before.add(lost)
        doubtful = self.spread(lost, before)
        now = State(quads, without={quad(one, self.graph) for one in doubtful})
        back = {one for one in self.backed(doubtful, now) if one not in now}
        now.add(back)
        follows = self.spread(added | back, now)
        if self.touches_consulted(doubtful | follows):
            return None
        inferred = set(self.inferred(doubtful | follows, quads))
        missing = {one for one in follows - added - inferred if not holds(quads, one)}
        return inferred - (follows - added), missing

    def forget(self) -> None:
        """Take note that what rules consult may be another."""
        self.known = None

    def inferred(self, triples: Triples, quads: ox.Store) -> Iterator[ox.Triple]:
        """Those of the triples that stand in the graph; of most subjects it says nothing."""
        subjects = {one.subject for one in triples}
        told = {
            one for one in subjects if any(True for _ in quads.quads_for_pattern(one, None, None, self.graph))
        }
        return (one for one in triples if one.subject in told and quad(one, self.graph) in quads)

    def touches_consulted(self, triples: Triples) -> bool:
        """Whether a rule consults the property of one of these."""
        return any(one.predicate in self.consulted for one in triples)

    def spread(self, seeds: Triples, state: "State") -> Triples:
        """The seeds and all that follows from them, and then from that, whether it is there or not."""
        found, new = set(seeds), seeds
        while new:
            instances = chain.from_iterable(self.instances_with(one, state) for one in new)
            new = self.conclusions(instances, state.quads) - found
            state.add(new)
            found |= new
        return found

    def instances_with(self, triple: ox.Triple, state: "State") -> Iterator[Instance]:
        """The instances of all rules of which a premise is this triple."""
        for rule, premise, bound in self.consult(state.quads).asking.fitting(triple):
            for others in state.joined([one for one in rule.premises if one is not premise], bound):
                yield rule, [triple, *others]

    def backed(self, wanted: Triples, state: "State") -> Triples:
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

    def instances_for(self, triple: ox.Triple, state: "State") -> Iterator[Instance]:
        """The instances of all rules that may yield this triple."""
        for rule, _, bound in self.consult(state.quads).yielding.fitting(triple):
            for premises in state.joined(rule.premises, bound):
                yield rule, premises

    def consult(self, quads: ox.Store) -> "Known":
        """What the rules consult, and the patterns in which that leaves something to be found."""
        if self.known is None:
            beside = {rule: self.read(rule, quads) for rule in self.rules}
            self.known = Known(
                beside,
                Index(((rule, one) for rule in self.rules for one in rule.premises), beside),
                Index(((rule, one) for rule in self.rules for one in rule.yields), beside),
            )
        return self.known

    def read(self, rule: Rule, quads: ox.Store) -> "Beside":
        """What a rule consults."""
        found = (quads.quads_for_pattern(None, one, None, None) for one in rule.consulted)
        triples = {one.triple for one in chain.from_iterable(found)}
        return Beside(unnamed(triples), {term for triple in triples for term in triple})

    def conclusions(self, instances: Iterable[Instance], quads: ox.Store) -> Triples:
        """What the rules yield from these instances, and from what they consult."""
        around = defaultdict[Rule, Triples](set)
        for rule, triples in instances:
            around[rule].update(triples)
        return {one for rule, triples in around.items() for one in self.concluded(rule, triples, quads)}

    def concluded(self, rule: Rule, triples: Triples, quads: ox.Store) -> Iterator[ox.Triple]:
        """What one rule yields from these triples, and from what it consults."""
        room = ox.Store()
        room.extend(chain(self.consult(quads).beside[rule].quads, unnamed(triples)))
        return construct(rule.text, room)


class Beside(NamedTuple):
    """What a rule consults: triples, as quads of the unnamed graph, and the terms in them."""

    quads: list[ox.Quad]
    terms: set[Term]


class Index:
    """Patterns of rules, by the properties that they may be about."""

    def __init__(self, patterns: Iterable[tuple[Rule, Pattern]], beside: Mapping[Rule, Beside]) -> None:
        """Take the patterns, and what each rule consults."""
        self.fixed = defaultdict[object, list[tuple[Rule, Pattern]]](list)
        self.open = list[tuple[Rule, Pattern]]()  # of any property
        self.beside = beside
        for rule, pattern in patterns:
            property_ = pattern[1]
            if property_ in rule.tied:
                for term in beside[rule].terms:
                    self.fixed[term].append((rule, pattern))
            elif isinstance(property_, ox.Variable):
                self.open.append((rule, pattern))
            else:
                self.fixed[property_].append((rule, pattern))

    def fitting(self, triple: ox.Triple) -> Iterator[tuple[Rule, Pattern, Bound]]:
        """The patterns that a triple fits, and what their variables are then."""
        for rule, pattern in chain(self.fixed.get(triple.predicate, ()), self.open):
            bound = bind(pattern, triple, {})
            if bound is not None and self.can_be(rule, bound):
                yield rule, pattern, bound

    def can_be(self, rule: Rule, bound: Bound) -> bool:
        """Whether the variables of a rule can stand for these terms, by what it consults."""
        terms = self.beside[rule].terms
        return all(bound[name] in terms for name in rule.tied & bound.keys())


class Known(NamedTuple):
    """What the rules consult, and their premises and what they yield, as far as that lets them be of use."""

    beside: Mapping[Rule, Beside]
    asking: Index
    yielding: Index


class State:
    """What holds at one moment: the triples of a store without some of its quads, and some more."""

    def __init__(self, quads: ox.Store, without: Iterable[ox.Quad] = ()) -> None:
        """Take the store, and the quads of it that do not count."""
        self.quads, self.without = quads, frozenset(without)
        self.more = ox.Store()

    def add(self, triples: Iterable[ox.Triple]) -> None:
        """Let these hold as well."""
        self.more.extend(unnamed(triples))

    def fitting(self, pattern: Pattern, known: Bound) -> Iterator[ox.Triple]:
        """The triples that fit a pattern in which some variables are known; maybe some that do not."""
        subject, predicate, object_ = (
            known.get(one) if isinstance(one, ox.Variable) else one for one in pattern
        )
        if isinstance(subject, ox.Literal) or not isinstance(predicate, ox.NamedNode | None):
            return
        for store in (self.quads, self.more):
            for one in store.quads_for_pattern(subject, predicate, object_, None):
                if one not in self.without:
                    yield one.triple

    def __contains__(self, triple: ox.Triple) -> bool:
        """Whether a triple holds."""
        return any(True for _ in self.fitting(tuple(triple), {}))

    def joined(self, patterns: Sequence[Pattern], known: Bound) -> Iterator[list[ox.Triple]]:
        """All ways to fit triples to the patterns, one to each. What is known most of is looked for first."""
        if not patterns:
            yield []
            return
        nearest = min(patterns, key=lambda one: breadth(one, known))
        rest = [one for one in patterns if one is not nearest]
        for triple in self.fitting(nearest, known):
            bound = bind(nearest, triple, known)
            if bound is not None:
                for others in self.joined(rest, bound):
                    yield [triple, *others]


def unnamed(triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    """The triples as quads of the unnamed graph."""
    graph = ox.DefaultGraph()
    return [quad(one, graph) for one in triples]


def holds(quads: ox.Store, triple: ox.Triple) -> bool:
    """Whether a triple stands in any graph."""
    found = quads.quads_for_pattern(triple.subject, triple.predicate, triple.object, None)
    return next(found, None) is not None


def breadth(pattern: Pattern, known: Bound) -> tuple[int, int, bool]:
    """How much may fit a pattern, to be compared: little where few variables are unknown, many known.

    Of two alike, the one that knows its subject: many things share an object, few a subject.
    """
    variables = [one for one in pattern if isinstance(one, ox.Variable)]
    count = sum(one in known for one in variables)
    return len(variables) - count, -count, pattern[0] in variables and pattern[0] not in known

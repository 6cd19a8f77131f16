"""Materialization: all triples that follow from the asserted ones, computed from scratch.

Each rule is evaluated once on all triples, read in the order of one premise, then only on new triples
together with the others (semi-naive evaluation). The triples of a premise are read from the store once, as a
scan is faster than many look-ups: for 10,000 papers, 5 and 12 microseconds a triple.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from itertools import chain, islice
from typing import Any

import pyoxigraph as ox

from ..change import Change
from .evaluation import RuleEvaluator, TripleIndex
from .plan import PatternPlan, Row, RulePlan, SlotPattern, StepCounter, Triples

ScanKey = tuple[Any, Any]  # property and object of all triples that a scan reads; None: any

MAX_SCANNED_PER_CANDIDATE = 2  # a look-up takes as long as reading so many triples in a scan
MIN_TRIPLES_PER_OBJECT = 20  # from this number on, triples are read by property and object
CHUNK_TRIPLES = 50_000  # read by a scan before their conclusions are computed, to bound memory


class AssertedTriples:
    """The triples of a store after a change, in all graphs but some."""

    def __init__(
        self, quads: ox.Store, ignored_graphs: Set[ox.NamedNode], change: Change | None = None
    ) -> None:
        """Take the quads before the change, the graphs whose triples do not count, and the change."""
        self.quads, self.ignored_graphs = quads, ignored_graphs
        self.removed = frozenset(change.removed) if change else frozenset[ox.Quad]()
        self.added = ox.Store()
        if change:
            self.added.extend(change.added)

    def find(self, subject: Any, predicate: Any, object_: Any) -> Iterator[ox.Triple]:
        """The triples with these terms; None matches any term."""
        # A query takes half the time for many triples, but 0.1 ms to begin.
        is_scan = subject is None and object_ is None
        for quads, removed in ((self.quads, self.removed), (self.added, frozenset[ox.Quad]())):
            if is_scan and not removed:
                yield from self.scan(quads, predicate)
                continue
            for quad in quads.quads_for_pattern(subject, predicate, object_, None):
                if quad.graph_name not in self.ignored_graphs and quad not in removed:
                    yield quad.triple

    def has(self, triple: ox.Triple) -> bool:
        """Whether a triple is asserted."""
        return next(self.find(triple.subject, triple.predicate, triple.object), None) is not None

    def scan(self, quads: ox.Store, predicate: Any) -> Iterator[ox.Triple]:
        """The triples of some quads with a property (None: any), by a query."""
        pattern = f"?s {'?p' if predicate is None else predicate} ?o"
        return query_triples(quads, f"CONSTRUCT {{ {pattern} }} WHERE {{ {self.build_union(pattern)} }}")

    def build_union(self, pattern: str, number: int = 0) -> str:
        """A triple pattern as a group that matches it in all graphs but the ignored ones.

        Patterns of one query need different numbers.
        """
        name, graphs = f"?asserted_graph_{number}", ", ".join(map(str, self.ignored_graphs))
        # `NOT IN ()` would be false, which is an error of pyoxigraph.
        is_asserted = f"FILTER({name} NOT IN ({graphs}))" if graphs else ""
        return f"{{ {pattern} }} UNION {{ GRAPH {name} {{ {pattern} }} {is_asserted} }}"

    def find_single_store(self) -> ox.Store | None:
        """The store that has all the triples, if they are in one."""
        if is_empty(self.quads):
            return self.added
        return self.quads if not self.removed and is_empty(self.added) else None


def is_empty(quads: ox.Store) -> bool:
    """Whether a store has no quads. (Its length would be counted by reading all of them.)"""
    return next(iter(quads), None) is None


def query_triples(quads: ox.Store, query: str) -> Iterator[ox.Triple]:
    """The results of a CONSTRUCT query."""
    triples = quads.query(query)
    assert isinstance(triples, ox.QueryTriples)
    return triples


class MaterializationState:
    """The triples that hold: the asserted ones, read by scans when they are needed, and the inferred ones."""

    def __init__(self, asserted: AssertedTriples, evaluator: RuleEvaluator) -> None:
        """Take the asserted triples, and the evaluator."""
        self.asserted, self.evaluator = asserted, evaluator
        self.counter = StepCounter()
        self.joined_triples = list[ox.Triple]()  # inferred triples that may be looked up
        self.indexes = dict[ScanKey, TripleIndex]()
        self.constant_keys = {
            (plan.pattern.terms[1], plan.pattern.terms[2])
            for plan in chain.from_iterable(evaluator.premise_plans)
            if None not in plan.pattern.terms[1:]
        }

    def add(self, triples: Iterable[ox.Triple]) -> None:
        """Add inferred triples."""
        for triple in triples:
            if self.evaluator.joined.may_match(triple):
                self.joined_triples.append(triple)
                for property_, object_ in self.indexes.keys() & {
                    (triple.predicate, triple.object), (triple.predicate, None), (None, None)
                }:  # fmt: skip
                    self.indexes[property_, object_].add(triple)

    def matches(self, subject: Any, predicate: Any, object_: Any) -> Iterable[ox.Triple]:
        """The triples with these terms; None matches any term."""
        key = (predicate, object_)
        if key not in self.constant_keys:
            key = (predicate, None)
        if key not in self.indexes:
            self.indexes[key] = self.read_index(*key)
        # All triples of an index have the property and the object of its key.
        return self.indexes[key].matches(subject, None, None if key[1] else object_)

    def read_index(self, predicate: Any, object_: Any) -> TripleIndex:
        """An index of the triples with these terms; None matches any term."""
        added = (
            triple
            for triple in self.joined_triples
            if predicate in (None, triple.predicate) and object_ in (None, triple.object)
        )
        return TripleIndex(chain(self.asserted.find(None, predicate, object_), added))


def materialize(
    evaluator: RuleEvaluator,
    asserted: AssertedTriples,
    known: Set[ox.Triple] = frozenset(),
    counter: StepCounter | None = None,
) -> Triples | None:
    """All triples that follow from the asserted ones and are not asserted; None if a rule consults one.

    Those that are not among the known ones are counted as steps. The evaluator must be prepared for the
    asserted triples.
    """
    state = MaterializationState(asserted, evaluator)
    inferred: Triples = set()
    first_results = infer_first(evaluator, state)
    new_by_property = exclude_asserted(set().union(*first_results.values()), asserted)
    while new_by_property:
        if not evaluator.consulted_properties.isdisjoint(new_by_property):
            return None
        premises = list[ox.Triple]()
        for property_, triples in new_by_property.items():
            if counter:
                counter.count_steps(len(triples - known))
            inferred |= triples
            if evaluator.premises.may_have_property(property_):
                state.add(triples)
                premises += triples
        results = evaluator.conclude(premises, state, first_results)
        new_by_property = exclude_asserted(results - inferred, asserted)
    return inferred


def infer_first(evaluator: RuleEvaluator, state: MaterializationState) -> dict[RulePlan, Triples]:
    """The conclusions of each rule from the asserted triples, in one step."""
    results = query_first(evaluator, state.asserted)
    plans_by_key = defaultdict[ScanKey, list[PatternPlan]](list)
    for rule_plan, premise_plans in zip(evaluator.rule_plans, evaluator.premise_plans, strict=True):
        if rule_plan in results:
            continue
        results[rule_plan] = set() if premise_plans else conclude_without_premises(rule_plan, state)
        if premise_plans:
            # The premise with the fewest variables, as its triples are probably few.
            plan = min(premise_plans, key=lambda plan: len(plan.pattern.variable_slots))
            for key in list_scan_keys(plan):
                plans_by_key[key].append(plan)
    for key, plans in plans_by_key.items():
        triples = state.asserted.find(None, *key)
        while chunk := list(islice(triples, CHUNK_TRIPLES)):
            for plan in plans:
                rows = filter(None, map(plan.bind_triple, chunk))
                results[plan.plan] |= plan.plan.conclude(plan.join_rows(rows, state))
    return results


def query_first(evaluator: RuleEvaluator, asserted: AssertedTriples) -> dict[RulePlan, Triples]:
    """The conclusions of each rule for which a query of a single store can find them.

    The queries take a third of the time of the evaluation in Python.
    """
    store = asserted.find_single_store()
    results = dict[RulePlan, Triples]()
    if store is None:
        return results
    for rule_plan in evaluator.rule_plans:
        try:
            queries = list_queries(rule_plan, asserted)
        except ValueError:
            continue
        results[rule_plan] = set()
        for where, template in queries.items():
            query = f"CONSTRUCT {{ {' . '.join(template)} }} WHERE {{ {where} }}"
            results[rule_plan].update(query_triples(store, query))
    return results


def list_queries(rule_plan: RulePlan, asserted: AssertedTriples) -> dict[str, set[str]]:
    """Queries for the conclusions of a rule: the triples of the template by the WHERE.

    A rule with a table becomes a query for each premise with the terms of a row. Raises ValueError if the
    rule cannot be put so.
    """
    has_table = bool(rule_plan.table_slots)
    if rule_plan.needs_engine or not rule_plan.premises or (has_table and len(rule_plan.premises) > 1):
        raise ValueError
    queries = defaultdict[str, set[str]](set)
    for solution in rule_plan.table if has_table else [()]:
        row: Row = [None] * rule_plan.row_size
        for slot, term in zip(rule_plan.table_slots, solution, strict=True):
            row[slot] = term
        names = {
            slot: f"?v{number}"
            for number, slot in enumerate(
                dict.fromkeys(slot for premise in rule_plan.premises for slot in premise.slots if slot >= 0)
            )
        }
        premises = [serialize_pattern(premise, row, names) for premise in rule_plan.premises]
        conclusions = {serialize_pattern(conclusion, row, names) for conclusion in rule_plan.conclusions}
        tests = []
        for slot, test in rule_plan.tests:
            if row[slot] is None:
                tests.append(test.serialize(names[slot]))
            elif not test.accepts(row[slot]):
                premises.append("")
        conclusions.discard("")
        if conclusions and "" not in premises:
            groups = [f"{{ {asserted.build_union(text, number)} }}" for number, text in enumerate(premises)]
            queries[" ".join([*groups, *tests])] |= conclusions
    return queries


def serialize_pattern(pattern: SlotPattern, row: Row, names: dict[int, str]) -> str:
    """A pattern in SPARQL, with the terms of a row; empty if no triple can match it.

    Raises ValueError if a query cannot have it: a blank node, a variable as a property, which would be slow,
    or a triple term.
    """
    texts = []
    for position, (constant, slot) in enumerate(zip(pattern.terms, pattern.slots, strict=True)):
        term = constant if slot < 0 else row[slot]
        if term is None:
            if slot not in names:
                return ""
            if position == 1:
                raise ValueError
            texts.append(names[slot])
            continue
        if isinstance(term, ox.BlankNode | ox.Triple):
            raise ValueError
        if position < 2 and not isinstance(term, ox.NamedNode):
            return ""
        texts.append(str(term))
    return " ".join(texts)


def conclude_without_premises(rule_plan: RulePlan, state: MaterializationState) -> Triples:
    """The conclusions of a rule that reads only consulted triples."""
    rows: Iterable[Row] = [[None] * rule_plan.row_size]
    for join in rule_plan.plan_joins(set(), []):
        rows = [extended for row in rows for extended in join.extend_row(row, state)]
    return rule_plan.conclude(rows)


def list_scan_keys(plan: PatternPlan) -> list[ScanKey]:
    """The properties and objects of all triples that may match the pattern of a plan."""
    properties, objects = plan.list_values(1), plan.list_values(2)
    if properties is None:
        return [(None, None)]
    named_properties = [property_ for property_ in properties if isinstance(property_, ox.NamedNode)]
    return [(property_, object_) for property_ in named_properties for object_ in objects or (None,)]


def exclude_asserted(candidates: Triples, asserted: AssertedTriples) -> dict[Any, Triples]:
    """The candidates that are not asserted, by property."""
    candidates_by_property = defaultdict[Any, Triples](set)
    for triple in candidates:
        candidates_by_property[triple.predicate].add(triple)
    for property_, triples in candidates_by_property.items():
        objects: set[Any] = {triple.object for triple in triples}
        # Few objects are few classes. Many triples have their property, and few of these such an object.
        if len(objects) * MIN_TRIPLES_PER_OBJECT > len(triples):
            objects = {None}
        scan = chain.from_iterable(asserted.find(None, property_, object_) for object_ in objects)
        triples.difference_update(list(islice(scan, MAX_SCANNED_PER_CANDIDATE * len(triples) + 1)))
        if next(scan, None) is not None:  # there are more: look up each candidate
            triples.difference_update([triple for triple in triples if asserted.has(triple)])
    return {property_: triples for property_, triples in candidates_by_property.items() if triples}

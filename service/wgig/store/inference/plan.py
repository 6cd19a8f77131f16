"""Plans for the evaluation of one rule in Python: which joins follow in which order.

The consulted part of a rule (see `rule`) is evaluated by the engine once, as a table of solutions. Then a
rule is a join of its premises with that table. A rule whose FILTER or BIND is not understood here is
evaluated by the engine, on the triples that match its premises and the consulted triples.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, Protocol, cast

import pyoxigraph as ox

from ...rdf.serialization import build_quad
from ..errors import InferenceTooLargeError
from .rule import InferenceRule, RdfTerm, RulePattern, TypeTest, collect_variables, run_construct_rule

Triples = set[ox.Triple]
Row = list[Any]  # the term of each variable of a rule, by slot; None: not bound
Table = list[tuple[RdfTerm, ...]]

MAX_CLOSED_TABLE_ROWS = 10_000  # of a table for which it is computed whether a rule is idempotent
CONSTANT_SLOT = -1  # instead of a slot: a position of a pattern that has no variable
SUBJECT_TYPES = (ox.NamedNode, ox.BlankNode)
TERM_NAMES = ("subject", "predicate", "object")


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


class TripleMatcher(Protocol):
    """The triples that hold in a state."""

    counter: StepCounter

    def matches(self, subject: Any, predicate: Any, object_: Any) -> Iterable[ox.Triple]:
        """The triples with these terms; None matches any term."""


class SlotPattern:
    """A triple pattern whose variables are slots of a row: each position has a constant term or a slot."""

    def __init__(self, pattern: RulePattern, slots: dict[ox.Variable, int]) -> None:
        """Take the pattern, and the slot of each variable of its rule."""
        self.terms: list[Any] = [None if isinstance(term, ox.Variable) else term for term in pattern]
        self.slots = [slots[term] if isinstance(term, ox.Variable) else CONSTANT_SLOT for term in pattern]

    @property
    def variable_slots(self) -> set[int]:
        """The slots of the variables."""
        return {slot for slot in self.slots if slot >= 0}

    def bind(self, triple: ox.Triple, row: Row) -> bool:
        """Bind the variables in the row, which may be changed. Returns whether the triple matches."""
        for term, constant, slot in zip(triple, self.terms, self.slots, strict=True):
            if slot < 0:
                if constant != term:
                    return False
            elif row[slot] is None:
                row[slot] = term
            elif row[slot] != term:
                return False
        return True

    def instantiate(self, row: Row) -> ox.Triple | None:
        """The triple with the terms of a row; None if it is no RDF triple, such as one about a literal."""
        # Terms that are always valid are not tested, as this runs for each inferred triple.
        subject, predicate, object_ = self.terms
        subject_slot, predicate_slot, object_slot = self.slots
        if subject_slot >= 0:
            subject = row[subject_slot]
            if not isinstance(subject, SUBJECT_TYPES):
                return None
        if predicate_slot >= 0:
            predicate = row[predicate_slot]
            if not isinstance(predicate, ox.NamedNode):
                return None
        if object_slot >= 0:
            object_ = row[object_slot]
            if object_ is None:
                return None
        return ox.Triple(subject, predicate, object_)


class TableJoin:
    """Joins rows with the table of a rule."""

    def __init__(self, table: Table, table_slots: Sequence[int], bound_slots: set[int]) -> None:
        """Take the table, the slots of its columns, and the slots that are bound before."""
        columns = list(enumerate(table_slots))
        self.keys = [slot for _, slot in columns if slot in bound_slots]
        self.values = [slot for _, slot in columns if slot not in bound_slots]
        key_columns = [column for column, slot in columns if slot in bound_slots]
        value_columns = [column for column, slot in columns if slot not in bound_slots]
        self.index = defaultdict[Any, list[tuple[Any, ...]]](list)
        for solution in table:
            key = tuple(solution[column] for column in key_columns)
            # A key of one term needs no tuple for each look-up.
            self.index[key[0] if len(key) == 1 else key].append(
                tuple(solution[column] for column in value_columns)
            )

    def extend_row(self, row: Row, _state: TripleMatcher) -> list[Row]:
        """The rows with the solutions of the table that agree with a row."""
        keys = self.keys
        key = row[keys[0]] if len(keys) == 1 else tuple([row[slot] for slot in keys])
        rows = []
        for solution in self.index.get(key, ()):
            extended = row.copy()
            for slot, term in zip(self.values, solution, strict=True):
                extended[slot] = term
            rows.append(extended)
        return rows


class PremiseJoin:
    """Joins rows with the triples that match a premise."""

    def __init__(self, pattern: SlotPattern, bound_slots: set[int]) -> None:
        """Take the pattern, and the slots that are bound before."""
        self.pattern = pattern
        unbound = [
            (slot, name)
            for slot, name in zip(pattern.slots, TERM_NAMES, strict=True)
            if slot >= 0 and slot not in bound_slots
        ]
        self.has_repeated_variable = len({slot for slot, _ in unbound}) < len(unbound)
        self.unbound = unbound

    def extend_row(self, row: Row, state: TripleMatcher) -> Iterator[Row]:
        """The rows with the variables of the premise bound, for each triple that matches."""
        subject, predicate, object_ = (
            row[slot] if slot >= 0 else term
            for term, slot in zip(self.pattern.terms, self.pattern.slots, strict=True)
        )
        for triple in state.matches(subject, predicate, object_):
            extended = row.copy()
            if self.has_repeated_variable:
                if self.pattern.bind(triple, extended):
                    yield extended
                continue
            for slot, name in self.unbound:
                extended[slot] = getattr(triple, name)
            yield extended


class RulePlan:
    """A rule with the table of its consulted part, by which rows are joined and conclusions made."""

    def __init__(self, rule: InferenceRule, facts: Iterable[ox.Triple]) -> None:
        """Take the rule, and the triples that it consults."""
        self.rule = rule
        fact_store = ox.Store()
        fact_store.extend(quads_in_default_graph(facts))
        self.facts = list(fact_store)
        self.table, table_variables = evaluate_consulted_part(rule, fact_store)
        # An unbound variable of a solution would have to be joined with any term.
        self.needs_engine = rule.consulted_query is None or any(None in solution for solution in self.table)
        if self.needs_engine:
            self.table, table_variables = [], []
        variables = collect_variables([*rule.premises, *rule.conclusions]).union(table_variables)
        slots = {variable: slot for slot, variable in enumerate(sorted(variables, key=str))}
        self.row_size = len(slots)
        self.table_slots = [slots[variable] for variable in table_variables]
        self.premises = [SlotPattern(pattern, slots) for pattern in rule.premises]
        self.conclusions = [SlotPattern(pattern, slots) for pattern in rule.conclusions]
        self.tests: list[tuple[int, TypeTest]] = [(slots[test.variable], test) for test in rule.type_tests]

    @cached_property
    def is_idempotent(self) -> bool:
        """Whether all that the rule concludes from its own results is among its results.

        That is so if the conclusion is the premise with another term, and the table has for two terms all
        pairs that it connects, such as the superclasses of superclasses.
        """
        if len(self.premises) != 1 or len(self.conclusions) != 1 or self.tests or len(self.table_slots) != 2:
            return False
        for lower, upper in (self.table_slots, self.table_slots[::-1]):
            premise, conclusion = self.premises[0], self.conclusions[0]
            replaced = [upper if slot == lower else slot for slot in premise.slots]
            is_same = (replaced, premise.terms) == (conclusion.slots, conclusion.terms)
            if is_same and upper not in premise.slots and len(self.table) <= MAX_CLOSED_TABLE_ROWS:
                pairs = {
                    (row[lower == self.table_slots[1]], row[upper == self.table_slots[1]])
                    for row in self.table
                }
                uppers = defaultdict[Any, set[Any]](set)
                for low, high in pairs:
                    uppers[low].add(high)
                return all(uppers.get(high, set()) <= uppers[low] for low, high in pairs)
        return False

    def plan_joins(self, bound_slots: set[int], premises: Iterable[SlotPattern]) -> list[Any]:
        """The joins with the table and with these premises, the most selective one first."""
        joins: list[TableJoin | PremiseJoin] = []
        bound_slots, remaining = set(bound_slots), list(premises)
        is_table_due = bool(self.table_slots)
        while remaining or is_table_due:
            premise = min(
                remaining, key=lambda pattern: estimate_pattern_breadth(pattern, bound_slots), default=None
            )
            # A subject has few triples. Without one, the table leaves fewer rows, if it shares a variable.
            is_premise_first = premise is not None and (
                premise.slots[0] in (*bound_slots, CONSTANT_SLOT) or bound_slots.isdisjoint(self.table_slots)
            )
            if premise and (is_premise_first or not is_table_due):
                remaining.remove(premise)
                joins.append(PremiseJoin(premise, bound_slots))
                bound_slots |= premise.variable_slots
            else:
                joins.append(TableJoin(self.table, self.table_slots, bound_slots))
                bound_slots.update(self.table_slots)
                is_table_due = False
        return joins

    def values_of_slot(self, slot: int) -> set[RdfTerm] | None:
        """The terms in the column of the table for this slot; None if the slot has no column."""
        if slot not in self.table_slots:
            return None
        column = self.table_slots.index(slot)
        return {solution[column] for solution in self.table}

    def conclude(self, rows: Iterable[Row]) -> Triples:
        """The conclusions for rows in which all variables are bound."""
        if self.needs_engine:
            return self.conclude_by_engine(rows)
        if self.tests:
            rows = [row for row in rows if all(test.accepts(row[slot]) for slot, test in self.tests)]
        elif len(self.conclusions) > 1:
            rows = list(rows)
        results: set[ox.Triple | None] = set()
        for pattern in self.conclusions:
            results.update(map(pattern.instantiate, rows))
        results.discard(None)
        return cast(Triples, results)

    def conclude_by_engine(self, rows: Iterable[Row]) -> Triples:
        """The conclusions of a rule that the engine evaluates, for rows with the variables of premises."""
        instantiated = (pattern.instantiate(row) for row in rows for pattern in self.premises)
        triples = {triple for triple in instantiated if triple is not None}
        if self.premises and not triples:
            return set()
        store = ox.Store()
        store.extend(chain(self.facts, quads_in_default_graph(triples)))
        return set(run_construct_rule(self.rule.text, store))


class PatternPlan:
    """A pattern of a rule, a premise or a conclusion, and the joins that bind the other variables."""

    def __init__(self, plan: RulePlan, pattern: SlotPattern, premises: Iterable[SlotPattern]) -> None:
        """Take the plan of the rule, the pattern, and the premises to join."""
        self.plan, self.pattern = plan, pattern
        self.joins = plan.plan_joins(pattern.variable_slots, premises)
        self.variables = [
            (slot, name) for slot, name in zip(pattern.slots, TERM_NAMES, strict=True) if slot >= 0
        ]
        # Property and object were compared by a look-up (see PatternPlans).
        self.is_bound_by_index = (
            pattern.slots[0] >= 0
            and len(pattern.variable_slots) == len(self.variables)
            and self.list_values(1) is not None
        )

    def list_values(self, position: int) -> set[RdfTerm] | None:
        """The possible terms at a position of the pattern: 1: property, 2: object; None: any."""
        term, slot = self.pattern.terms[position], self.pattern.slots[position]
        return self.plan.values_of_slot(slot) if slot >= 0 else {term}

    def bind_triple(self, triple: ox.Triple) -> Row | None:
        """A row with the variables of the pattern bound; None if the triple does not match.

        Property and object of the triple must be among those of `list_values`.
        """
        row: Row = [None] * self.plan.row_size
        if self.is_bound_by_index:
            for slot, name in self.variables:
                row[slot] = getattr(triple, name)
            return row
        return row if self.pattern.bind(triple, row) else None

    def join_rows(self, rows: Iterable[Row], state: TripleMatcher) -> Iterable[Row]:
        """The rows with all variables bound."""
        for join in self.joins:
            rows = [extended for row in rows for extended in join.extend_row(row, state)]
        return rows

    def iter_joined_rows(self, row: Row, state: TripleMatcher, first: int = 0) -> Iterator[Row]:
        """The same rows for one row, one after the other, depth first."""
        if first == len(self.joins):
            yield row
            return
        for extended in self.joins[first].extend_row(row, state):
            yield from self.iter_joined_rows(extended, state, first + 1)


def evaluate_consulted_part(rule: InferenceRule, facts: ox.Store) -> tuple[Table, list[ox.Variable]]:
    """The solutions of the consulted part of a rule, and its variables; none if it has no such part."""
    if not rule.consulted_query:
        return [], []
    solutions = facts.query(rule.consulted_query)
    assert isinstance(solutions, ox.QuerySolutions)
    variables = solutions.variables
    return [tuple(solution) for solution in solutions], variables


def quads_in_default_graph(triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    """The triples as quads of the unnamed graph."""
    graph = ox.DefaultGraph()
    return [build_quad(triple, graph) for triple in triples]


def estimate_pattern_breadth(pattern: SlotPattern, bound_slots: set[int]) -> tuple[int, int, bool]:
    """A sort key for the expected number of matches: few unbound variables first, then many bound ones.

    Then patterns with a bound subject, as many triples share an object, but few a subject.
    """
    slots = [slot for slot in pattern.slots if slot >= 0]
    bound_count = sum(slot in bound_slots for slot in slots)
    return (
        len(slots) - bound_count,
        -bound_count,
        pattern.slots[0] >= 0 and pattern.slots[0] not in bound_slots,
    )

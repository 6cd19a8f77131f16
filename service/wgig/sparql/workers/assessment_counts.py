"""Counts of the assessments in papers by issue, criterion and verdict: a join that is kept with the quads.

A join of 600,000 assessments takes the engine 1.6 s, and a write changes few of them. As in `triple_counts`,
the answer to a count query is a query whose VALUES are the counts: it replaces the SELECT in the text.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import product
from operator import itemgetter
from typing import Any

import pyoxigraph as ox

from ..language.assessment_query import (
    AssessmentCountQuery,
    AssessmentFigure,
    AssessmentProperties,
    VerdictUse,
    find_assessment_queries,
)
from .triple_counts import TripleCounts, is_countable_value

NO_VERDICT = "UNDEF"  # in the key of an assessment without a verdict
MAX_ASSESSMENT_COUNTS = 20_000  # above this, nothing is counted

UNCOUNTABLE_KEY = ""  # in the key of a term that VALUES cannot contain, such as a blank node

GroupKey = tuple[str, ...]  # the terms of issue, criterion and, in some counts, verdict, as in SPARQL


class GroupCounts:
    """The number of matches of a join, and of their papers, by group."""

    def __init__(self) -> None:
        """Begin without matches."""
        self.matches, self.papers = Counter[GroupKey](), Counter[GroupKey]()

    def add(self, keys: Collection[GroupKey], sign: int) -> None:
        """Add the matches of a paper, which have these keys, or subtract them."""
        for counts, counted_keys in ((self.matches, keys), (self.papers, {*keys})):
            for key in counted_keys:
                counts[key] += sign
                if not counts[key]:
                    del counts[key]


class AssessmentCounts:
    """The counts of the assessments in a copy of the quads, each triple once.

    They change together with the quads: `add_papers` subtracts before a change, and adds after it.
    """

    def __init__(self, quads: ox.Store, base: str, counts: TripleCounts) -> None:
        """Count the assessments, which takes 3 s for 100,000 papers.

        `base` is the base IRI of the graph, `counts` are those of the triples.
        """
        self.quads = quads
        self.properties = AssessmentProperties(
            *(f"{base}ontology#{name}" for name in AssessmentProperties._fields)
        )
        self.nodes = list(map(ox.NamedNode, self.properties))
        self.by_criterion, self.by_verdict = GroupCounts(), GroupCounts()
        # Only triples in several graphs match several times. DISTINCT takes more time and memory.
        self.counted = "DISTINCT *" if any(map(counts.has_repeated, self.properties)) else "*"
        issue, assessment, criterion, verdict = self.nodes
        join = f"?paper {issue} ?issue ; {assessment} ?assessment . ?assessment {criterion} ?criterion"
        self.count_all(self.by_criterion, "?issue ?criterion", join)
        verdicts = f"{join} OPTIONAL {{ ?assessment {verdict} ?verdict }}"
        self.count_all(self.by_verdict, "?issue ?criterion ?verdict", verdicts)

    def count_all(self, counts: GroupCounts, names: str, pattern: str) -> None:
        """Count all matches of a pattern, grouped by variables."""
        solutions: Any = self.quads.query(
            f"SELECT {names} (COUNT({self.counted}) AS ?matches) (COUNT(DISTINCT ?paper) AS ?papers) "
            f"{{ {pattern} }} GROUP BY {names}",
            use_default_graph_as_union=True,
        )
        for *terms, matches, papers in solutions:
            key = tuple(map(make_term_key, terms))
            counts.matches[key] += int(matches.value)
            counts.papers[key] += int(papers.value)

    @property
    def is_too_large(self) -> bool:
        """Whether there are too many counts, so that they should not be kept."""
        return len(self.by_verdict.matches) > MAX_ASSESSMENT_COUNTS

    def find_affected(self, quads: Iterable[ox.Quad]) -> set[Any]:
        """The papers whose counts a change of these quads affects; to be called before the change.

        Papers that get their first link to an assessment are the subjects of such a quad.
        """
        issue, assessment, *properties = self.nodes
        papers = set()
        for quad in quads:
            if quad.predicate in (issue, assessment):
                papers.add(quad.subject)
            elif quad.predicate in properties:
                papers |= self.find_subjects(assessment, quad.subject)
        return papers

    def find_subjects(self, property_: ox.NamedNode, value: Any) -> set[Any]:
        """The nodes that have this value for a property."""
        return {quad.subject for quad in self.quads.quads_for_pattern(None, property_, value)}

    def find_values(self, node: Any, property_: ox.NamedNode) -> set[Any]:
        """The values of a property of a node; none of a literal."""
        if not isinstance(node, ox.NamedNode | ox.BlankNode):
            return set()
        return {quad.object for quad in self.quads.quads_for_pattern(node, property_, None)}

    def add_papers(self, papers: Iterable[Any], sign: int = 1) -> None:
        """Add the assessments of papers to the counts as the quads are now, or subtract them."""
        issue, assessment, criterion, verdict = self.nodes
        for paper in papers:
            issues = [*map(make_term_key, self.find_values(paper, issue))]
            criterion_keys: list[GroupKey] = []
            verdict_keys: list[GroupKey] = []
            for node in self.find_values(paper, assessment) if issues else ():
                keys = [*product(issues, map(make_term_key, self.find_values(node, criterion)))]
                verdicts = [*map(make_term_key, self.find_values(node, verdict))] or [NO_VERDICT]
                criterion_keys += keys
                verdict_keys += [(*key, term) for key in keys for term in verdicts]
            self.by_criterion.add(criterion_keys, sign)
            self.by_verdict.add(verdict_keys, sign)

    def replace_counted(self, text: str, base: str, counts: TripleCounts) -> str | None:
        """A query with the counts in place of its SELECTs that count assessments; None if it has none.

        `counts` are those of the triples. Relative IRIs in the text are resolved against `base`.
        """
        parts, copied_to = list[str](), 0
        for start, end, query in find_assessment_queries(text, base, self.properties):
            answer = self.answer(query, counts)
            if answer is not None:
                parts += [text[copied_to:start], answer]
                copied_to = end
        return "".join([*parts, text[copied_to:]]) if parts else None

    def answer(self, query: AssessmentCountQuery, counts: TripleCounts) -> str | None:
        """The query whose VALUES are the result of a count query; None if something is not counted.

        A triple in several graphs matches once for each graph, which is not counted.
        """
        groups = self.by_criterion if query.verdict_use is VerdictUse.NONE else self.by_verdict
        properties = self.properties[:3] if query.verdict_use is VerdictUse.NONE else self.properties
        if any(map(counts.has_repeated, properties)) or any(UNCOUNTABLE_KEY in key for key in groups.matches):
            return None
        matches = tally_groups(groups.matches, query)
        papers = (
            tally_groups(groups.papers, query) if AssessmentFigure.PAPERS in query.columns.values() else {}
        )
        numbers = {AssessmentFigure.MATCHES: matches, AssessmentFigure.PAPERS: papers}
        columns = [
            map(str, map(numbers[column].__getitem__, matches))
            if isinstance(column, AssessmentFigure)
            else map(itemgetter(query.group.index(column)), matches)
            for column in query.columns.values()
        ]
        names = " ".join(f"?{name}" for name in query.columns)
        rows = f"({') ('.join(map(' '.join, zip(*columns, strict=True)))})" if matches else ""
        return f"{query.selection} {{ VALUES ({names}) {{ {rows} }} }} {query.modifiers}"


def tally_groups(counts: Mapping[GroupKey, int], query: AssessmentCountQuery) -> Mapping[GroupKey, int]:
    """The counts by the groups of a query. Without GROUP BY there is one group, even of no matches."""
    items: Collection[tuple[GroupKey, int]] = counts.items()
    if query.verdict_use is VerdictUse.NEEDED:
        items = [(key, number) for key, number in items if key[-1] != NO_VERDICT]
    for position, terms in query.allowed.items():
        items = [(key, number) for key, number in items if key[position] in terms]
    if not query.group:
        return {(): sum(number for _, number in items)}
    if all(len(key) == len(query.group) for key, _ in items) and [*query.group] == [*range(len(query.group))]:
        return dict(items)  # each group is one of those that are counted
    tally = Counter[GroupKey]()
    for key, number in items:
        tally[tuple([key[position] for position in query.group])] += number
    return tally


def make_term_key(term: Any) -> str:
    """The term as in SPARQL; None is the missing verdict of a solution."""
    if term is None:
        return NO_VERDICT
    return str(term) if is_countable_value(term) else UNCOUNTABLE_KEY

"""The paper as it was opened: its statements, its parts in the order of the form, and what the form shows."""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import islice
from typing import Any

import pyoxigraph as ox

from ...problems import Problem
from ...shacl.rules import rules
from ..markdown.graph import Graph, number, short_name
from ..markdown.values import NAMES, agents, iri, known_agent
from .choices import Choice, label, spoken
from .fields import ASSESSMENT, MECHANISM, MOST, PAPER, PARTS, WHO, Field, Part
from .state import Filled, Row, Value, language_of, text_of_value

PAPERS = NAMES["paper"]
LARGEST = 5000  # statements; a paper has some hundred
NONE = "No issue paper is in it. The form is for issue papers: one wgig:IssuePaper in a file or graph."


class Source:
    """The statements of one issue paper, as the form shows them."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Take the statements.

        Raises Problem 422 where they are not about just one issue paper, 413 where they are more than a form
        can hold.
        """
        self.triples = list(dict.fromkeys(islice(triples, LARGEST + 1)))
        if len(self.triples) > LARGEST:
            raise too_many(f"{LARGEST} statements")
        try:
            self.graph = Graph(self.triples)
        except ValueError as error:
            raise Problem(422, NONE, slug="no-paper") from error
        self.paper = self.graph.paper
        if not (isinstance(self.paper, ox.NamedNode) and self.paper.value.startswith(PAPERS)):
            raise Problem(422, f"The paper has no address of its own below {PAPERS}. Give it one.")

    @property
    def name(self) -> str:
        """The name of the paper in addresses."""
        return str(self.paper.value).removeprefix(PAPERS)

    @cached_property
    def language(self) -> str:
        """The language of texts that say no other, as the form says it."""
        return self.graph.one(self.paper, "schema:inLanguage").strip() or "en"

    @cached_property
    def title(self) -> str:
        """The title that labels repeat: the English one before others, or the name of the paper."""
        titles = self.graph.all(self.paper, "dcterms:title")
        english = (one.value for one in titles if getattr(one, "language", "") == "en")
        return next(english, titles[0].value if titles else self.name)

    @cached_property
    def nodes(self) -> Mapping[str, list[Any]]:
        """The parts by the key of their kind, in the order in which the form has them."""
        found = {key: self.graph.parts(part.path) for key, part in PARTS.items() if key}
        if any(len(one) > MOST for one in found.values()):
            raise too_many(f"{MOST} parts of a kind")
        found[ASSESSMENT.key].sort(key=self.by_criterion)
        return {PAPER.key: [self.paper], **found}

    def by_criterion(self, node: Any) -> tuple[int, int]:
        """The place of an assessment: by the order of the criteria in the template."""
        named = [one.value for one in self.graph.all(node, "wgig:criterion")]
        order = criteria()
        return min((order.get(one, len(order)) for one in named), default=len(order)), number(node)

    def seats(self, person: Any) -> list[Any]:
        """The seats of a person that the paper describes."""
        return self.graph.with_value("org:member", person)

    def values(self, node: Any, field: Field) -> list[Any]:
        """The values of a field of a node, in their order; none for what is asked of people in words."""
        if field.path == "wgig:stakeholderGroup":
            found = (self.graph.all(one, field.path) for one in self.seats(node) or [node])
            return list(dict.fromkeys(value for values in found for value in values))
        values = self.graph.all(node, field.path) if field.is_said else []
        if len(values) > MOST:
            raise too_many(f"{MOST} values of {field.key}")
        return values

    @cached_property
    def filled(self) -> Filled:
        """The form as it shows these statements."""
        rows = {
            key: [self.row(part, node, count) for count, node in enumerate(self.nodes[key], 1)]
            for key, part in PARTS.items()
        }
        return Filled(self.name, rows)

    def row(self, part: Part, node: Any, count: int) -> Row:
        """A part as the form shows it."""
        return Row(count, {one.key: self.shown(node, one) for one in part.fields})

    def shown(self, node: Any, field: Field) -> list[Value]:
        """The values of a field of a node as the form shows them."""
        if field.kind == WHO:
            return [Value(1, self.who(node))]
        if field.path == "member":
            return [Value(1, "yes")] if self.seats(node) else []
        if field.path == "wgig:judges":
            return [Value(1 + at, self.judged(one)) for at, one in enumerate(self.values(node, field))]
        return [
            Value(at, text_of_value(field, one), language_of(field, one, self.language))
            for at, one in enumerate(self.values(node, field), 1)
        ]

    def judged(self, node: Any) -> str:
        """How the form names a mechanism that is judged: by its number, or as it stands."""
        there = self.nodes[MECHANISM.key]
        return f"{MECHANISM.key}-{there.index(node) + 1}" if node in there else str(node)

    def who(self, node: Any) -> str:
        """How somebody is called: as the paper says, as the graph does, or by the address."""
        for one in ("foaf:name", "rdfs:label"):
            if name := self.graph.one(node, one):
                return name.replace("\r", "").replace("\n", "")
        known = choices_by_name().get(str(getattr(node, "value", node)))
        return known.words if known else str(node)


def too_many(most: str) -> Problem:
    """The 413 for a paper that is too large for a form."""
    return Problem(
        413, f"The paper has more than {most}, which is more than the form can show. Edit its file."
    )


@cache
def criteria() -> dict[str, int]:
    """The place of each criterion of the template, by its IRI."""
    counted = (one.counted for one in rules().values() if one.component == "QualifiedMinCount")
    return {one: at for at, one in enumerate(one for one in counted if one.startswith(NAMES["principle"]))}


@cache
def choices_by_name() -> dict[str, Choice]:
    """The names of the people and bodies in the graph by their IRIs, each of which finds them.

    Beside a name stands how it is written in other letters.
    """
    nodes = [iri(f"agent:{one}") for one in sorted(set(agents().values()))]
    names = {one: label(one, "en") for one in nodes}
    return {
        one.value: Choice(
            name if known_agent(name) == one else short_name(one, "agent"),
            spoken(one, "skos:altLabel", "en"),
        )
        for one, name in names.items()
    }

"""The statements of a form: those that it was opened with, but for the fields that say something else now."""

from itertools import count
from typing import Any

import pyoxigraph as ox

from ...text import balanced
from ..markdown.values import iri, segment, typed
from .fields import ASSESSMENT, MECHANISM, PARTS, SOME, SWOT, WHO, Field, Part
from .original import Source
from .people import GROUP, Draft, People
from .state import Filled, Row, group, name, term

LABEL = "Issue paper: "


class Stating:
    """The statements of a form that was sent, and the names of the fields that make them.

    `names` has them by statement, by node and IRI of a property, and by node. What is wrong becomes a
    statement that breaks a rule.
    """

    def __init__(self, source: Source, filled: Filled) -> None:
        """State all that is filled in."""
        self.source, self.filled, self.paper = source, filled, source.paper
        self.draft = Draft(source.triples)
        self.people = People(source, self.draft, self.thing)
        self.nodes: dict[tuple[str, int], Any] = {}
        self.names: dict[Any, str] = {}
        self.judged = {one.words for row in self.rows(ASSESSMENT) for one in row.values.get("judges", ())}
        for part, row in filled.every():
            self.state(part, row)
        for node in [node for part in PARTS.values() for node in self.unlinked(part)]:
            self.draft.forget(node)
        self.relabel()

    @property
    def triples(self) -> list[ox.Triple]:
        """What the form states."""
        return list(self.draft.triples)

    def rows(self, part: Part) -> list[Row]:
        """The parts of a kind."""
        return self.filled.rows[part.key]

    def state(self, part: Part, row: Row) -> None:
        """State a part, unless it is new and nothing is written in it."""
        node = self.node(part, row)
        if node is None:
            return
        self.nodes[part.key, row.number] = node
        self.names.setdefault(node, name(part, row))
        if part.path:
            self.names.setdefault(self.draft.add(self.paper, part.path, node), name(part, row))
        if not isinstance(node, ox.Literal):  # of which nothing can be said
            for field in part.fields:
                self.field(part, row, field, node)

    def node(self, part: Part, row: Row) -> Any:
        """What a part is in the graph: as before, or new; None where it is new and blank."""
        there = self.source.nodes[part.key]
        before = there[row.number - 1] if row.number <= len(there) else None
        found = self.people.node(row, before) if part.people else before
        if isinstance(found, ox.Literal) and row.values and not row.is_blank:
            found = None
        is_said = not row.is_blank or f"{part.key}-{row.number}" in self.judged
        return self.new(part, row) if found is None and is_said else found

    def new(self, part: Part, row: Row) -> ox.NamedNode:
        """A new node, with what each has."""
        node = self.people.new(part, row) if part.people else self.address(part, row)
        self.thing(node, part.kind)
        if not part.people and not row.words("label").strip():
            said = (row.words("criterion") or part.title).replace("-", " ")
            words = said if part is SWOT else said.lower()
            label = f"{balanced(self.source.title)}: {words}"
            self.draft.add(node, "rdfs:label", ox.Literal(label, language="en"))
        return node

    def address(self, part: Part, row: Row) -> ox.NamedNode:
        """A free address below that of the paper: with the criterion, or with a number."""
        stem = f"{self.paper.value}/{part.key}"
        if not part.several:
            tries = (stem if one == 1 else f"{stem}-{one}" for one in count(1))
        elif criterion := segment(row.words("criterion")):
            tries = (f"{stem}/{criterion}" if one == 1 else f"{stem}/{criterion}-{one}" for one in count(1))
        else:
            tries = (f"{stem}/{one}" for one in count(row.number))
        return next(node for one in tries if self.draft.is_free(node := ox.NamedNode(one)))

    def thing(self, node: Any, kind: str) -> None:
        """Say what a new node is, where that is from, and whether it is made up."""
        self.draft.add(node, "rdf:type", iri(kind))
        if self.filled.paper.words("illustrative") == "yes":
            self.draft.add(node, "wgig:illustrative", typed("true", "boolean"))
        sources = [one for one in self.draft.of(self.paper) if one.predicate == iri("dcterms:source")]
        for one in [triple.object for triple in sources] or [self.paper]:
            self.draft.add(node, "dcterms:source", one)

    def field(self, part: Part, row: Row, field: Field, node: Any) -> None:
        """State the values of a field."""
        of_field = group(part, row, field)
        if field.kind == WHO:
            for one in ("foaf:name", "rdfs:label"):
                self.names.setdefault((node, iri(one).value), of_field)
        elif field.path == GROUP:
            has_seat = any(one.path == "member" for one in part.fields)
            holder = self.people.seat(row, node) if has_seat else node
            self.people.groups(row, field, node, holder)
            for one in (node, holder):
                self.names.setdefault((one, iri(GROUP).value), of_field)
        elif field.is_said:
            self.names.setdefault((node, iri(field.path).value), of_field)
            (self.boxes if field.kind == SOME else self.values)(row, field, node, of_field)

    def values(self, row: Row, field: Field, node: Any, of_field: str) -> None:
        """State the values of numbered fields: one that says what it said before leaves its statement."""
        given = {one.number: one for one in row.values.get(field.key, ())}
        there = zip(self.source.values(node, field), self.source.shown(node, field), strict=True)
        for value, shown in there:
            if given.get(shown.number) == shown:
                del given[shown.number]
                self.names[ox.Triple(node, iri(field.path), value)] = f"{of_field}-{shown.number}"
            else:
                self.draft.remove(node, field.path, value)
        for number, words, language in given.values():
            if words.strip():
                said = term(field, words, language or self.filled.language)
                self.names[self.draft.add(node, field.path, said)] = f"{of_field}-{number}"

    def boxes(self, row: Row, field: Field, node: Any, of_field: str) -> None:
        """State what is checked: what was before leaves its statement."""
        given = {one.words for one in row.values.get(field.key, ())}
        there = zip(self.source.values(node, field), self.source.shown(node, field), strict=True)
        for value, shown in there:
            if shown.words in given:
                given.discard(shown.words)
                self.names[ox.Triple(node, iri(field.path), value)] = of_field
            else:
                self.draft.remove(node, field.path, value)
        for words in sorted(filter(str.strip, given)):
            judged = self.mechanism(words) if field.path == "wgig:judges" else term(field, words, "")
            self.names[self.draft.add(node, field.path, judged)] = of_field

    def mechanism(self, words: str) -> Any:
        """The mechanism of this number, or one that is not there."""
        number = words.removeprefix(f"{MECHANISM.key}-")
        there = self.nodes.get((MECHANISM.key, int(number))) if number.isdecimal() else None
        return there or ox.NamedNode(f"{self.paper.value}/mechanism/{segment(words)}")

    def unlinked(self, part: Part) -> list[Any]:
        """What was a part before and is none any more, after the link to it is taken away."""
        stated = {node for (key, _), node in self.nodes.items() if key == part.key}
        gone = [one for one in self.source.nodes[part.key] if one not in stated]
        for node in gone:
            self.draft.remove(self.paper, part.path, node)
        return gone

    def relabel(self) -> None:
        """Let labels that repeat the title repeat the new one."""
        old, new = self.source.title, Source(self.draft.triples).title
        for triple in [*self.draft.triples] if old != new else ():
            label, is_own = triple.object, triple.subject == self.paper
            before, after = (f"{LABEL}{one}" if is_own else f"{balanced(one)}: " for one in (old, new))
            if triple.predicate != iri("rdfs:label") or not isinstance(label, ox.Literal):
                continue
            if label.language and label.value.startswith(before):
                said = f"{after}{label.value.removeprefix(before)}"
                self.draft.drop(triple)
                self.draft.add(triple.subject, "rdfs:label", ox.Literal(said, language=label.language))

"""Where the triples of Turtle and its relatives are written.

The walk knows the brackets and the punctuation of the grammar alone, resolves no name, and follows the order
in which the engine yields triples. It takes for granted that the engine has read the text.
"""

from collections.abc import Sequence

import pyoxigraph as ox

from .fits import fit
from .spot import Offsets
from .tokens import SILENT, STRING, TERM, TOKEN, begin


class Walk:
    """What has been read of a statement, and the triples found so far."""

    __slots__ = ("around", "found", "held", "items", "predicate", "subject")

    def __init__(self) -> None:
        """Begin before the first statement."""
        self.found: list[Offsets] = []
        self.around: list[Offsets] = []  # subject, predicate and items of what is around the open brackets
        self.subject = self.predicate = -1
        self.items = -1  # how many items of a list were read, -1 outside of a list
        self.held = -1  # a bare string that the engine has not yielded yet

    def place(self, at: int) -> None:
        """Take a term for the first that is missing of subject, predicate and object."""
        if self.subject < 0:
            self.subject = at
        elif self.predicate < 0:
            self.predicate = at
        else:
            self.found.append((self.subject, self.predicate, at))

    def term(self, at: int) -> None:
        """A term begins and ends."""
        if self.items >= 0:
            self.item(at)
        self.place(at)

    def text(self, at: int) -> None:
        """A bare string begins; its triple comes with the next token."""
        if self.items >= 0:
            self.item(at)
        self.held = at

    def item(self, at: int) -> None:
        """An item of a list begins: the first brings the triple that the list is the object of."""
        if self.items:
            self.found.append((self.subject, self.subject, at))
        else:
            subject, predicate, _ = self.around[-1]
            if subject >= 0:
                self.found.append((subject, predicate, self.subject))
        self.items += 1

    def enter(self, at: int) -> None:
        """A blank node or a list begins."""
        if self.items >= 0:
            self.item(at)
        self.around.append((self.subject, self.predicate, self.items))
        self.subject, self.predicate, self.items = at, -1, -1

    def enter_list(self, at: int) -> None:
        """A list begins, whose items are the objects of rdf:first."""
        self.enter(at)
        self.predicate, self.items = at, 0

    def leave(self, at: int) -> None:
        """A blank node ends and is a term of what is around it."""
        del at
        begun = self.subject
        self.subject, self.predicate, self.items = self.around.pop()
        self.place(begun)

    def leave_list(self, at: int) -> None:
        """A list ends: an empty one is a term, another has been an object since its first item."""
        begun, items = self.subject, self.items
        if items:
            self.found.append((begun, begun, at))
        self.subject, self.predicate, self.items = self.around.pop()
        if self.subject < 0 or not items:
            self.place(begun)

    def end(self, at: int) -> None:
        """A statement ends, or a graph begins or ends."""
        del at
        self.subject = self.predicate = -1

    def end_objects(self, at: int) -> None:
        """Another predicate comes."""
        del at
        self.predicate = -1

    def go_on(self, at: int) -> None:
        """Nothing changes."""


AT = {
    "[": Walk.enter,
    "]": Walk.leave,
    "(": Walk.enter_list,
    ")": Walk.leave_list,
    ";": Walk.end_objects,
    ",": Walk.go_on,
    ".": Walk.end,
    "{": Walk.end,
    "}": Walk.end,
}
BY_KIND = {TERM: Walk.term, STRING: Walk.text, SILENT: Walk.go_on}


def statements(text: str) -> list[Offsets]:
    """The offsets of each triple of Turtle or TriG in the order of the engine; none for syntax of RDF 1.2.

    The engine holds a bare string back until it has seen the next token, and yields what it learns from one
    token in the reverse order.
    """
    walk = Walk()
    found = walk.found
    for token in TOKEN.finditer(text, begin(text)):
        at, before = token.start(), len(found)
        if walk.held >= 0:
            walk.place(walk.held)
            walk.held = -1
        step = BY_KIND.get(token.lastindex or 0) or AT.get(text[at])
        if step is None:
            return []
        step(walk, at)
        if len(found) > before + 1:
            found[before:] = found[before:][::-1]
    return found


def lines(text: str) -> list[Offsets]:
    """The offsets of each triple of N-Triples or N-Quads."""
    found: list[Offsets] = []
    terms: list[int] = []
    for token in TOKEN.finditer(text, begin(text)):
        if token.lastindex in (TERM, STRING):
            terms.append(token.start())
        elif token.lastindex == SILENT:
            continue
        elif text[token.start()] == "." and len(terms) in (3, 4):
            found.append((terms[0], terms[1], terms[2]))
            terms.clear()
        else:
            return []
    return found


def find(text: str, triples: Sequence[ox.Triple]) -> list[Offsets]:
    """The offsets of each triple of Turtle or TriG; none where they cannot be told."""
    try:
        found = statements(text)
    except IndexError:  # a bracket closes that was not opened
        return []
    return found if fit(text, found, triples) else []


def find_lines(text: str, triples: Sequence[ox.Triple]) -> list[Offsets]:
    """The offsets of each triple of N-Triples or N-Quads; none where they cannot be told."""
    found = lines(text)
    return found if fit(text, found, triples) else []

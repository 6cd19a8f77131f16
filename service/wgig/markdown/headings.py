"""Headings where the form has them, and what is said of those that it does not have."""

from collections.abc import Iterator, Sequence

from ..lines import Lines
from ..problems import Problem
from .faults import fault
from .form import Heading, nearest_heading, recognized
from .outline import Block, Node


class Headings:
    """The headings of a text, to be held against those of the form."""

    def __init__(self, text: str) -> None:
        """Take the text that the excerpts of Problems are from."""
        self.text = text

    def named(
        self, nodes: Sequence[Node], headings: Sequence[Heading], level: int, where: str
    ) -> Iterator[tuple[Heading, Node]]:
        """The nodes with the headings that they are. Raises Problem 400 for others, and for doubles."""
        seen: dict[Heading, Node] = {}
        for node in nodes:
            heading = recognized(node.title, headings)
            if not heading or node.level != level:
                raise self.unknown(node, headings, level, where)
            if heading in seen:
                raise self.twice(node, seen[heading], where, heading.written)
            seen[heading] = node
            yield heading, node

    def twice(self, node: Node, first: Node, where: str, title: str) -> Problem:
        """The Problem for a heading that stands twice."""
        line = Lines(self.text).place(first.at).line
        mend = f"Write below the first, on line {line}, and take this one out."
        return fault(self.text, node.at, f"{where} has the heading {title} twice.", mend)

    def unknown(self, node: Node, headings: Sequence[Heading], level: int, where: str) -> Problem:
        """The Problem for a heading that has no place where it stands."""
        marks = "#" * level
        if found := nearest_heading(node.title, headings):
            suggestion = f"Did you mean {marks} {found}?"
        elif headings:
            suggestion = f"Its headings are: {', '.join(f'{marks} {one.written}' for one in headings)}."
        else:
            suggestion = "Write text without headings here."
        return fault(
            self.text, node.at, f"{where} has no heading {'#' * node.level} {node.title}.", suggestion
        )

    def no_text(self, node: Node, where: str, suggestion: str) -> None:
        """Raise Problem 400 where text stands right below a heading that has only headings below it."""
        if node.text:
            raise fault(self.text, node.text_at, f"There is text {where}.", suggestion)

    def leaf(self, node: Node, where: str) -> None:
        """Raise Problem 400 where a heading stands below one that has only text below it."""
        for child in node.children:
            raise self.unknown(child, [], child.level, where)

    def deeper(self, node: Node, level: int, where: str, what: str) -> list[Node]:
        """The nodes one level below. Raises Problem 400 for text before them, and for other levels."""
        marks = "#" * level
        self.no_text(node, f"in {where} before its first heading", f"Begin {what} with {marks} and its name.")
        for child in node.children:
            if child.level != level or not child.title:
                cause = (
                    f"{where[0].upper()}{where[1:]} has no heading {'#' * child.level} {child.title}.".strip()
                )
                raise fault(self.text, child.at, cause, f"Begin {what} with {marks} and its name.")
        return node.children

    def values(self, node: Node, where: str) -> list[Block]:
        """The items of lists and the other blocks below a heading, each a value of its own."""
        self.leaf(node, where)
        return [one for block in node.blocks for one in (block.items or [block]) if one.text]

"""A Markdown text as a tree of headings, each with the blocks below it and its place in the text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..sparql import fault

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
BULLET = re.compile(r" {0,3}(?:[-*+]|\d+[.)])(?:[ \t]+|$)")
CONTENT = re.compile(r"[^\r\n]")
# Nothing of a text may vanish: a link definition is text like any other here, and nothing is rendered.
PARSER = MarkdownIt("commonmark").disable("reference")
PARSER.core.ruler.enableOnly(["normalize", "block"])


class Block(NamedTuple):
    """A paragraph, list or the like: offset of its first character, Markdown source, and items of a list."""

    at: int
    text: str
    items: "Sequence[Block]" = ()


@dataclass
class Node:
    """A heading with what stands below it up to the next one; the root is the whole text, at level 0.

    `at` is the offset of the heading, `lines` are all lines from the first block to the last.
    """

    level: int
    title: str
    at: int
    lines: list[Block] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    children: "list[Node]" = field(default_factory=list)
    reach: int = 0  # number of the line after the last block

    @property
    def text(self) -> str:
        """The Markdown source of all blocks."""
        return joined(self.lines)

    @property
    def text_at(self) -> int:
        """The offset of the text, or of the heading where there is none."""
        return self.blocks[0].at if self.blocks else self.at


def joined(lines: Iterable[Block]) -> str:
    """Lines as one text, without blank ends; two spaces at the end of a line inside break it, and stay."""
    return "\n".join(one.text for one in lines).strip()


class Lines:
    """The lines of a text, to go from the numbers of lines to source and offsets."""

    def __init__(self, text: str, masked: str) -> None:
        """Split at line ends of all systems, as CommonMark does; `masked` has blanks for what is no text."""
        ended = LINE.findall(masked)
        starts = [0, *accumulate(map(len, ended))]
        whole = (
            line if text.startswith(line, start) else line.rstrip()
            for line, start in zip(ended, starts, strict=False)
        )
        self.lines = [Block(start, line.rstrip("\r\n")) for line, start in zip(whole, starts, strict=False)]

    def block(self, span: Sequence[int], items: Sequence[Block] = (), bullet: int = 0) -> Block:
        """The block of these lines; the first `bullet` characters begin an item of a list, and go."""
        first, *rest = self.lines[span[0] : span[1]]
        lines = [Block(first.at, first.text[bullet:])]
        lines += [Block(one.at, one.text[min(bullet, indent(one.text)) :]) for one in rest]
        return Block(first.at + bullet + indent(lines[0].text), joined(lines), items)

    def item(self, span: Sequence[int]) -> Block:
        """The block of an item of a list."""
        found = BULLET.match(self.lines[span[0]].text)
        return self.block(span, bullet=found.end() if found else 0)


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip())


def outline(text: str, start: int) -> Node:
    """The tree of what stands in `text` from the offset `start` on.

    Comments are left out. Raises Problem 400 for a comment without end.
    """
    masked = CONTENT.sub(" ", text[:start]) + without_comments(text, start)
    lines = Lines(text, masked)
    root = Node(0, "", start)
    path = [root]
    for token, content, spans in blocks(PARSER.parse(masked)):
        span = token.map or (0, 0)
        if token.type == "heading_open":
            node = Node(int(token.tag[1:]), content, lines.lines[span[0]].at)
            path = [one for one in path if one.level < node.level]
            path[-1].children.append(node)
            path.append(node)
        else:
            here = path[-1]
            here.lines += lines.lines[here.reach or span[0] : span[1]]
            here.reach = span[1]
            here.blocks.append(lines.block(span, [lines.item(one) for one in spans]))
    return root


def blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, str, list[Sequence[int]]]]:
    """The blocks at the top, each with the content of a heading and the lines of the items of a list."""
    for place, token in enumerate(tokens):
        if token.level == 0 and token.nesting >= 0:
            content = tokens[place + 1].content if token.type == "heading_open" else ""
            yield token, content, list(items(tokens, place))


def items(tokens: Sequence[Token], place: int) -> Iterator[Sequence[int]]:
    """The lines of each item of the list that opens at this place; none where no list does."""
    if tokens[place].type not in ("bullet_list_open", "ordered_list_open"):
        return
    for token in tokens[place + 1 :]:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1 and token.map:
            yield token.map


def without_comments(text: str, start: int) -> str:
    """The text from `start` on with blanks for its comments. Raises Problem 400 for one without end."""
    pieces = []
    here = start
    while (opening := text.find("<!--", here)) >= 0:
        closing = text.find("-->", opening + 4)
        if text[opening - 1 : opening] == "\\":
            pieces.append(text[here : opening + 4])
            here = opening + 4
            continue
        if closing < 0:
            raise fault(text, opening, "This comment has no end.", "Close it with -->.")
        pieces += [text[here:opening], CONTENT.sub(" ", text[opening : closing + 3])]
        here = closing + 3
    return "".join([*pieces, text[here:]])

"""The outline of a Markdown text: a tree of headings and blocks with their source positions.

Parsed by markdown-it in CommonMark mode, without link references. HTML comments are skipped and count as
blanks; an unclosed one is an error. Errors (400) have the position and the fix.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, dropwhile
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ...problems import Problem
from ...text import TextLines
from .template import FIXED, recognized


def fault(text: str, at: int, cause: str, mend: str) -> Problem:
    """The 400 that says what is wrong at an offset of the text, and how to mend it.

    Line and column are members of it, and so is an excerpt unless the line is blank.
    """
    lines = TextLines(text)
    place = lines.place(at)
    members: dict[str, Any] = {**place._asdict(), "suggestion": mend}
    if lines.line(place.line).strip():
        members["excerpt"] = lines.excerpt(place)
    return Problem(400, f"{cause} {mend}", slug="syntax", **members)


BLANKS = " \t"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
BULLET = re.compile(r" {0,3}(?:[-*+]|\d+[.)])(?: {1,4}(?! )|[ \t])")  # five blanks begin code
MARGIN = re.compile(r" {0,3}(?![ \t])|")
CONTENT = re.compile(r"[^\r\n]")
MARK = re.compile(r"\\.|`+|<!--", re.DOTALL)
HEADING = re.compile(r"(?<![^\r\n]) {0,3}(###?)[ \t]+([^\r\n]+)")
TICKS = re.compile(r"`+")
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
    """Lines as one text, without blank ends.

    Blanks before the first word may begin code, and stay; so do two spaces that break a line inside.
    """
    return "\n".join(one.text for one in dropwhile(is_blank, lines)).rstrip()


class Lines:
    """The lines of a text, to go from the numbers of lines to source and offsets."""

    def __init__(self, text: str, masked: str) -> None:
        """Split at line ends of all systems, as CommonMark does; `masked` has blanks for what is no text."""
        ended = LINE.findall(masked)
        starts = accumulate(map(len, ended), initial=0)
        self.lines = [
            shown(text[start : start + len(line)], line, start)
            for line, start in zip(ended, starts, strict=False)
        ]

    @property
    def source(self) -> str:
        """All lines as one text."""
        return "\n".join(one.text for one in self.lines)

    def block(self, span: Sequence[int], items: Sequence[Block] = (), bullet: int = 0) -> Block:
        """The block of these lines; the first `bullet` characters begin an item of a list, and go."""
        first, *rest = self.lines[span[0] : span[1]]
        begun = Block(first.at + bullet, first.text[bullet:])
        lines = list(dropwhile(is_blank, [begun, *(moved_out(one, bullet) for one in rest)])) or [begun]
        margin = MARGIN.match(lines[0].text)
        text = joined(moved_out(one, margin.end() if margin else 0) for one in lines)
        return Block(first_word(lines[0]), text, items)

    def item(self, span: Sequence[int]) -> Block:
        """The block of an item of a list."""
        found = BULLET.match(f"{self.lines[span[0]].text} ")  # the blank is left out where nothing follows
        return self.block(span, bullet=found.end() if found else 0)


def shown(line: str, masked: str, start: int) -> Block:
    """A line without its comments; what stands behind one moves to where it began."""
    if line == masked:
        return Block(start, line.rstrip("\r\n"))
    before = line[: indent(line)]
    return Block(start + indent(masked) - len(before), f"{before}{masked.lstrip(BLANKS)}".rstrip())


def moved_out(line: Block, width: int) -> Block:
    """A line without up to so many of the blanks that it begins with."""
    gone = min(width, indent(line.text))
    return Block(line.at + gone, line.text[gone:])


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(BLANKS))


def first_word(line: Block) -> int:
    """The offset of the first character of a line that is no blank."""
    return line.at + indent(line.text)


def is_blank(line: Block) -> bool:
    """Whether nothing is on a line."""
    return not line.text.strip()


def outline(text: str, start: int) -> Node:
    """The tree of what stands in `text` from the offset `start` on.

    Comments are left out, but not in code. Raises Problem 400 for a comment that is not closed.
    """
    masked = CONTENT.sub(" ", text[:start]) + without_comments(text, start)
    lines = Lines(text, masked)
    root = Node(0, "", start)
    path = [root]
    for token, content, spans in blocks(PARSER.parse(lines.source)):
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
    """The text from `start` on with blanks for its comments. Raises Problem 400 as `closed`."""
    pieces, here = [], start
    for first, last in comments(text, start):
        pieces += [text[here:first], CONTENT.sub(" ", text[first:last])]
        here = last
    return "".join([*pieces, text[here:]])


def comments(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where the comments begin and end, from `start` on. Raises Problem 400 as `closed`."""
    here = start
    for first, last in prose(text, start):
        here = max(here, first)
        ends: dict[int, list[int]] = defaultdict(list)
        for one in TICKS.finditer(text, here, last):
            ends[len(one[0])].append(one.end())
        while mark := MARK.search(text, here, last):
            here = mark.end()
            if mark[0] == "<!--":
                here = closed(text, mark.start())
                yield mark.start(), here
            elif mark[0][0] == "`":
                same = ends[len(mark[0])]
                closing = bisect_right(same, here)
                here = same[closing] if closing < len(same) else here


def closed(text: str, start: int) -> int:
    """The offset behind the comment that begins at `start`.

    Raises Problem 400 for one without end, and for one that holds another comment or a heading that every
    paper has: its end is missing, and it would take away what was written to be read.
    """
    end = text.find("-->", start + 4)
    if end < 0:
        raise fault(text, start, "This comment has no end.", "Close it with -->.")
    if text.find("<!--", start + 4, end) > 0:
        raise fault(text, start, "Another comment begins before this one ends.", "Close this one with -->.")
    for marks, title in HEADING.findall(text, start, end):
        if recognized(title.rstrip("# \t"), FIXED[len(marks)]):
            cause = f"The heading {marks} {title} stands before the end of this comment."
            raise fault(text, start, cause, "Close the comment with --> above it.")
    return end + 3


def prose(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where paragraphs, headings and HTML begin and end, from `start` on: all but blocks of code."""
    starts = list(accumulate(map(len, LINE.findall(text, start)), initial=start))
    for token in PARSER.parse(text[start:]):
        if token.type in ("inline", "html_block") and token.map:
            yield starts[token.map[0]], starts[token.map[1]]

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
from .template import FIXED_HEADINGS, recognize_heading


def paper_syntax_problem(text: str, at: int, cause: str, mend: str) -> Problem:
    """The 400 that says what is wrong at an offset of the text, and how to mend it.

    Line and column are members of it, and so is an excerpt unless the line is blank.
    """
    lines = TextLines(text)
    place = lines.locate(at)
    members: dict[str, Any] = {**place._asdict(), "suggestion": mend}
    if lines.line(place.line).strip():
        members["excerpt"] = lines.excerpt(place)
    return Problem(400, f"{cause} {mend}", slug="syntax", **members)


BLANK_CHARACTERS = " \t"
LINE_PATTERN = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
BULLET_PATTERN = re.compile(r" {0,3}(?:[-*+]|\d+[.)])(?: {1,4}(?! )|[ \t])")  # five blanks begin code
MARGIN_PATTERN = re.compile(r" {0,3}(?![ \t])|")
CONTENT_PATTERN = re.compile(r"[^\r\n]")
CODE_OR_COMMENT_PATTERN = re.compile(r"\\.|`+|<!--", re.DOTALL)
FIXED_HEADING_PATTERN = re.compile(r"(?<![^\r\n]) {0,3}(###?)[ \t]+([^\r\n]+)")
BACKTICKS_PATTERN = re.compile(r"`+")
# Nothing of a text may vanish: a link definition is text like any other here, and nothing is rendered.
MARKDOWN_PARSER = MarkdownIt("commonmark").disable("reference")
MARKDOWN_PARSER.core.ruler.enableOnly(["normalize", "block"])


class MarkdownBlock(NamedTuple):
    """A paragraph, list or the like: offset of its first character, Markdown source, and items of a list."""

    offset: int
    text: str
    items: "Sequence[MarkdownBlock]" = ()


@dataclass
class OutlineNode:
    """A heading with what stands below it up to the next one; the root is the whole text, at level 0.

    `offset` is that of the heading, `lines` are all lines from the first block to the last.
    """

    level: int
    title: str
    offset: int
    lines: list[MarkdownBlock] = field(default_factory=list)
    blocks: list[MarkdownBlock] = field(default_factory=list)
    children: "list[OutlineNode]" = field(default_factory=list)
    end_line: int = 0  # number of the line after the last block

    @property
    def text(self) -> str:
        """The Markdown source of all blocks."""
        return join_block_lines(self.lines)

    @property
    def text_offset(self) -> int:
        """The offset of the text, or of the heading where there is none."""
        return self.blocks[0].offset if self.blocks else self.offset


def join_block_lines(lines: Iterable[MarkdownBlock]) -> str:
    """Lines as one text, without blank ends.

    Blanks before the first word may begin code, and stay; so do two spaces that break a line inside.
    """
    return "\n".join(one.text for one in dropwhile(is_blank_line, lines)).rstrip()


class SourceLines:
    """The lines of a text, to go from the numbers of lines to source and offsets."""

    def __init__(self, text: str, masked: str) -> None:
        """Split at line ends of all systems, as CommonMark does; `masked` has blanks for what is no text."""
        ended = LINE_PATTERN.findall(masked)
        starts = accumulate(map(len, ended), initial=0)
        self.lines = [
            strip_line_comments(text[start : start + len(line)], line, start)
            for line, start in zip(ended, starts, strict=False)
        ]

    @property
    def source(self) -> str:
        """All lines as one text."""
        return "\n".join(one.text for one in self.lines)

    def build_block(
        self, span: Sequence[int], items: Sequence[MarkdownBlock] = (), bullet: int = 0
    ) -> MarkdownBlock:
        """The block of these lines; the first `bullet` characters begin an item of a list, and go."""
        first, *rest = self.lines[span[0] : span[1]]
        begun = MarkdownBlock(first.offset + bullet, first.text[bullet:])
        lines = list(dropwhile(is_blank_line, [begun, *(outdent_line(one, bullet) for one in rest)])) or [
            begun
        ]
        margin = MARGIN_PATTERN.match(lines[0].text)
        text = join_block_lines(outdent_line(one, margin.end() if margin else 0) for one in lines)
        return MarkdownBlock(first_word_offset(lines[0]), text, items)

    def build_item(self, span: Sequence[int]) -> MarkdownBlock:
        """The block of an item of a list."""
        # The blank is left out where nothing follows.
        found = BULLET_PATTERN.match(f"{self.lines[span[0]].text} ")
        return self.build_block(span, bullet=found.end() if found else 0)


def strip_line_comments(line: str, masked: str, start: int) -> MarkdownBlock:
    """A line without its comments; what stands behind one moves to where it began."""
    if line == masked:
        return MarkdownBlock(start, line.rstrip("\r\n"))
    before = line[: indent_width(line)]
    return MarkdownBlock(
        start + indent_width(masked) - len(before), f"{before}{masked.lstrip(BLANK_CHARACTERS)}".rstrip()
    )


def outdent_line(line: MarkdownBlock, width: int) -> MarkdownBlock:
    """A line without up to so many of the blanks that it begins with."""
    gone = min(width, indent_width(line.text))
    return MarkdownBlock(line.offset + gone, line.text[gone:])


def indent_width(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(BLANK_CHARACTERS))


def first_word_offset(line: MarkdownBlock) -> int:
    """The offset of the first character of a line that is no blank."""
    return line.offset + indent_width(line.text)


def is_blank_line(line: MarkdownBlock) -> bool:
    """Whether nothing is on a line."""
    return not line.text.strip()


def parse_outline(text: str, start: int) -> OutlineNode:
    """The tree of what stands in `text` from the offset `start` on.

    Comments are left out, but not in code. Raises Problem 400 for a comment that is not closed.
    """
    masked = CONTENT_PATTERN.sub(" ", text[:start]) + mask_comments(text, start)
    lines = SourceLines(text, masked)
    root = OutlineNode(0, "", start)
    path = [root]
    for token, content, spans in iter_top_blocks(MARKDOWN_PARSER.parse(lines.source)):
        span = token.map or (0, 0)
        if token.type == "heading_open":
            node = OutlineNode(int(token.tag[1:]), content, lines.lines[span[0]].offset)
            path = [one for one in path if one.level < node.level]
            path[-1].children.append(node)
            path.append(node)
        else:
            here = path[-1]
            here.lines += lines.lines[here.end_line or span[0] : span[1]]
            here.end_line = span[1]
            here.blocks.append(lines.build_block(span, [lines.build_item(one) for one in spans]))
    return root


def iter_top_blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, str, list[Sequence[int]]]]:
    """The blocks at the top, each with the content of a heading and the lines of the items of a list."""
    for place, token in enumerate(tokens):
        if token.level == 0 and token.nesting >= 0:
            content = tokens[place + 1].content if token.type == "heading_open" else ""
            yield token, content, list(iter_list_items(tokens, place))


def iter_list_items(tokens: Sequence[Token], place: int) -> Iterator[Sequence[int]]:
    """The lines of each item of the list that opens at this place; none where no list does."""
    if tokens[place].type not in ("bullet_list_open", "ordered_list_open"):
        return
    for token in tokens[place + 1 :]:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1 and token.map:
            yield token.map


def mask_comments(text: str, start: int) -> str:
    """The text from `start` on with blanks for its comments. Raises Problem 400 as `find_comment_end`."""
    pieces, here = [], start
    for first, last in iter_comment_spans(text, start):
        pieces += [text[here:first], CONTENT_PATTERN.sub(" ", text[first:last])]
        here = last
    return "".join([*pieces, text[here:]])


def iter_comment_spans(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where the comments begin and end, from `start` on. Raises Problem 400 as `find_comment_end`."""
    here = start
    for first, last in iter_prose_spans(text, start):
        here = max(here, first)
        ends: dict[int, list[int]] = defaultdict(list)
        for one in BACKTICKS_PATTERN.finditer(text, here, last):
            ends[len(one[0])].append(one.end())
        while mark := CODE_OR_COMMENT_PATTERN.search(text, here, last):
            here = mark.end()
            if mark[0] == "<!--":
                here = find_comment_end(text, mark.start())
                yield mark.start(), here
            elif mark[0][0] == "`":
                same = ends[len(mark[0])]
                closing = bisect_right(same, here)
                here = same[closing] if closing < len(same) else here


def find_comment_end(text: str, start: int) -> int:
    """The offset behind the comment that begins at `start`.

    Raises Problem 400 for one without end, and for one that holds another comment or a heading that every
    paper has: its end is missing, and it would take away what was written to be read.
    """
    end = text.find("-->", start + 4)
    if end < 0:
        raise paper_syntax_problem(text, start, "This comment has no end.", "Close it with -->.")
    if text.find("<!--", start + 4, end) > 0:
        raise paper_syntax_problem(
            text, start, "Another comment begins before this one ends.", "Close this one with -->."
        )
    for marks, title in FIXED_HEADING_PATTERN.findall(text, start, end):
        if recognize_heading(title.rstrip("# \t"), FIXED_HEADINGS[len(marks)]):
            cause = f"The heading {marks} {title} stands before the end of this comment."
            raise paper_syntax_problem(text, start, cause, "Close the comment with --> above it.")
    return end + 3


def iter_prose_spans(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where paragraphs, headings and HTML begin and end, from `start` on: all but blocks of code."""
    starts = list(accumulate(map(len, LINE_PATTERN.findall(text, start)), initial=start))
    for token in MARKDOWN_PARSER.parse(text[start:]):
        if token.type in ("inline", "html_block") and token.map:
            yield starts[token.map[0]], starts[token.map[1]]

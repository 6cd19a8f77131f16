"""The outline of a Markdown text: a tree of headings and blocks with their source positions.

The text is parsed by markdown-it as CommonMark, without link reference definitions. HTML comments are treated
as blanks, and an unclosed comment is an error. Errors are Problem 400 with the position and a fix.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, dropwhile
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from ...problems import Problem
from ...text import TextLines
from .template import FIXED_HEADINGS, recognize_heading


def paper_syntax_problem(
    text: str, offset: int, cause: str, fix: str, correction: tuple[str, str] | None = None
) -> Problem:
    """The Problem 400 for an error at an offset of the text, with its cause and a fix.

    It has the members `line`, `column`, `suggestion`, and, unless the line is blank, `excerpt`. The member
    `correction` has the text at the offset as `old`, and as `new` what was probably meant.
    """
    lines = TextLines(text)
    position = lines.locate(offset)
    members: dict[str, Any] = {**position._asdict(), "suggestion": fix}
    if lines.line(position.line).strip():
        members["excerpt"] = lines.excerpt(position)
    if correction and text.startswith(correction[0], offset):
        members["correction"] = dict(zip(("old", "new"), correction, strict=True))
    return Problem(400, f"{cause} {fix}", slug="syntax", **members)


BLANK_CHARACTERS = " \t"
LINE_PATTERN = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
COMMENT_START, COMMENT_END = "<!--", "-->"
BULLET_PATTERN = re.compile(r" {0,3}(?:[-*+]|\d+[.)])(?: {1,4}(?! )|[ \t])")  # five spaces begin a code block
MARGIN_PATTERN = re.compile(r" {0,3}(?![ \t])|")  # four blanks begin a code block, whose blanks are kept
CONTENT_PATTERN = re.compile(r"[^\r\n]")  # all but line ends
# The start of code or of a comment, or an escaped character, which starts neither.
CODE_OR_COMMENT_PATTERN = re.compile(r"\\.|`+|<!--", re.DOTALL)
# A line with a heading of level 2 or 3, which may have a fixed text.
FIXED_HEADING_PATTERN = re.compile(r"(?<![^\r\n]) {0,3}(###?)[ \t]+([^\r\n]+)")
BACKTICKS_PATTERN = re.compile(r"`+")
# Only blocks are parsed, as texts are stored as Markdown source. A link reference definition is not a block,
# so its text would be lost; with the rule disabled, it is a paragraph.
MARKDOWN_PARSER = MarkdownIt("commonmark").disable("reference")
LIST_BLOCK_TYPES = ("bullet_list", "ordered_list")
MARKDOWN_PARSER.core.ruler.enableOnly(["normalize", "block"])


class MarkdownBlock(NamedTuple):
    """A paragraph, list or other block: offset of its first character, source, and for a list its items."""

    offset: int
    text: str
    items: "Sequence[MarkdownBlock]" = ()


@dataclass
class OutlineNode:
    """A heading with the blocks and sub-headings below it. The root has level 0 and no heading.

    `offset` is that of the heading. `lines` are all lines from the first block to the last.
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
        """The offset of the first block, or of the heading if there are no blocks."""
        return self.blocks[0].offset if self.blocks else self.offset


def join_block_lines(lines: Iterable[MarkdownBlock]) -> str:
    """The text of the lines, without blank lines at the start and blanks at the end.

    Leading spaces of the first line are kept, because they may mark code. Two spaces that break a line are
    kept too.
    """
    return "\n".join(line.text for line in dropwhile(is_blank_line, lines)).rstrip()


class SourceLines:
    """The lines of a text by number from 0, each as a MarkdownBlock. A span is a range of line numbers."""

    def __init__(self, text: str, masked: str) -> None:
        """Split the text at CR, LF and CRLF, as CommonMark does. In `masked`, comments are blanks."""
        masked_lines = LINE_PATTERN.findall(masked)
        starts = accumulate(map(len, masked_lines), initial=0)
        self.lines = [
            strip_line_comments(text[start : start + len(line)], line, start)
            for line, start in zip(masked_lines, starts, strict=False)
        ]

    @property
    def source(self) -> str:
        """All lines as one text."""
        return "\n".join(line.text for line in self.lines)

    def build_block(
        self, span: Sequence[int], items: Sequence[MarkdownBlock] = (), marker_width: int = 0
    ) -> MarkdownBlock:
        """The block in a range of lines, without a list marker of `marker_width` characters."""
        marked_line, *next_lines = self.lines[span[0] : span[1]]
        first_line = MarkdownBlock(marked_line.offset + marker_width, marked_line.text[marker_width:])
        lines = list(
            dropwhile(is_blank_line, [first_line, *(outdent_line(line, marker_width) for line in next_lines)])
        ) or [first_line]
        margin = MARGIN_PATTERN.match(lines[0].text)
        text = join_block_lines(outdent_line(line, margin.end() if margin else 0) for line in lines)
        return MarkdownBlock(first_word_offset(lines[0]), text, items)

    def build_item(self, span: Sequence[int]) -> MarkdownBlock:
        """The block of a list item."""
        # An empty item has no space after its marker, so one is added.
        marker = BULLET_PATTERN.match(f"{self.lines[span[0]].text} ")
        return self.build_block(span, marker_width=marker.end() if marker else 0)


def strip_line_comments(line: str, masked: str, start: int) -> MarkdownBlock:
    """The line without its comments. Text after a comment at the start moves to the start of the comment."""
    if line == masked:
        return MarkdownBlock(start, line.rstrip("\r\n"))
    indent = line[: indent_width(line)]
    return MarkdownBlock(
        start + indent_width(masked) - len(indent), f"{indent}{masked.lstrip(BLANK_CHARACTERS)}".rstrip()
    )


def outdent_line(line: MarkdownBlock, width: int) -> MarkdownBlock:
    """The line without its leading blanks, of which at most `width` are removed."""
    removed_width = min(width, indent_width(line.text))
    return MarkdownBlock(line.offset + removed_width, line.text[removed_width:])


def indent_width(line: str) -> int:
    """The number of blanks at the start of a line."""
    return len(line) - len(line.lstrip(BLANK_CHARACTERS))


def first_word_offset(line: MarkdownBlock) -> int:
    """The offset of the first character in the line that is not a blank."""
    return line.offset + indent_width(line.text)


def is_blank_line(line: MarkdownBlock) -> bool:
    """Whether the line is empty or has only white space."""
    return not line.text.strip()


def parse_outline(text: str, start: int) -> OutlineNode:
    """The outline of the text from the offset `start`.

    Comments are removed, except in code. Raises Problem 400 for a comment that is not closed.
    """
    masked = CONTENT_PATTERN.sub(" ", text[:start]) + mask_comments(text, start)
    lines = SourceLines(text, masked)
    root = OutlineNode(0, "", start)
    open_nodes = [root]
    for block in parse_blocks(lines.source):
        span = block.map or (0, 0)
        if block.type == "heading":
            node = OutlineNode(int(block.tag[1:]), get_heading_title(block), lines.lines[span[0]].offset)
            open_nodes = [ancestor for ancestor in open_nodes if ancestor.level < node.level]
            open_nodes[-1].children.append(node)
            open_nodes.append(node)
        else:
            current = open_nodes[-1]
            current.lines += lines.lines[current.end_line or span[0] : span[1]]
            current.end_line = span[1]
            items = block.children if block.type in LIST_BLOCK_TYPES else ()
            current.blocks.append(
                lines.build_block(span, [lines.build_item(item.map) for item in items if item.map])
            )
    return root


def parse_blocks(source: str) -> Sequence[SyntaxTreeNode]:
    """The top-level blocks of a text: headings, paragraphs, lists and others."""
    return SyntaxTreeNode(MARKDOWN_PARSER.parse(source)).children


def get_heading_title(block: SyntaxTreeNode) -> str:
    """The text of a heading, whose only child it is; empty for other blocks."""
    return block.children[0].content if block.type == "heading" else ""


def mask_comments(text: str, start: int) -> str:
    """The text from `start`, with blanks for comments. Raises Problem 400 for an unclosed comment."""
    chunks, position = [], start
    for comment_start, comment_end in iter_comment_spans(text, start):
        chunks += [text[position:comment_start], CONTENT_PATTERN.sub(" ", text[comment_start:comment_end])]
        position = comment_end
    return "".join([*chunks, text[position:]])


def iter_comment_spans(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The start and end of each comment from `start`. Raises Problem 400 for an unclosed comment.

    A code span has no comments. It ends with as many backticks as it begins with.
    """
    position = start
    for prose_start, prose_end in iter_prose_spans(text, start):
        position = max(position, prose_start)
        ends_by_length: dict[int, list[int]] = defaultdict(list)
        for backticks in BACKTICKS_PATTERN.finditer(text, position, prose_end):
            ends_by_length[len(backticks[0])].append(backticks.end())
        while match := CODE_OR_COMMENT_PATTERN.search(text, position, prose_end):
            position = match.end()
            if match[0] == COMMENT_START:
                position = find_comment_end(text, match.start())
                yield match.start(), position
            elif match[0][0] == "`":
                same_length_ends = ends_by_length[len(match[0])]
                closing_index = bisect_right(same_length_ends, position)
                if closing_index < len(same_length_ends):
                    position = same_length_ends[closing_index]


def find_comment_end(text: str, start: int) -> int:
    """The end of the comment that begins at `start`.

    Raises Problem 400 if it is not closed. It is also treated as not closed if it contains the start of
    another comment or a heading of the template, because it would hide text of the paper.
    """
    content_start = start + len(COMMENT_START)
    end = text.find(COMMENT_END, content_start)
    if end < 0:
        raise paper_syntax_problem(text, start, "This comment has no end.", "Close it with -->.")
    if text.find(COMMENT_START, content_start, end) > 0:
        raise paper_syntax_problem(
            text, start, "Another comment starts before this one ends.", "Close this comment with -->."
        )
    for marks, title in FIXED_HEADING_PATTERN.findall(text, start, end):
        if recognize_heading(title.rstrip("# \t"), FIXED_HEADINGS[len(marks)]):
            cause = f"The heading {marks} {title} is inside this comment."
            raise paper_syntax_problem(text, start, cause, "Close the comment with --> above the heading.")
    return end + len(COMMENT_END)


def iter_prose_spans(text: str, start: int) -> Iterator[tuple[int, int]]:
    """The start and end of each block from `start` that is not code: paragraph, heading or HTML block."""
    starts = list(accumulate(map(len, LINE_PATTERN.findall(text, start)), initial=start))
    for token in MARKDOWN_PARSER.parse(text[start:]):
        if token.type in ("inline", "html_block") and token.map:
            yield starts[token.map[0]], starts[token.map[1]]

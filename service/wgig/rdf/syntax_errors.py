"""Syntax errors of RDF, for Turtle and its relatives in plain words, with the line that has to be changed.

The parser reports where it cannot go on, which is often a line below the mistake: it expects a dot where a
semicolon is missing one line above. The tokens up to there show the cause. No library explains these errors;
the messages of pyoxigraph are matched by their texts, and a message that is not known is kept.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from ..text import TextLines, TextPosition, find_near_name, shorten_untrusted_text
from .formats import N_QUADS, N_TRIPLES, TRIG, TURTLE
from .namespaces import DEFAULT_NAMESPACES
from .positions_turtle import STRING_GROUP, compile_token_pattern, find_first_token
from .sparql_lexer import CLOSING_BRACKETS, OPENING_BRACKETS

# The position at the start of a message of the parser, which is also in members of the error.
PARSER_POSITION_PATTERN = re.compile(r"Parser error [\w ]+: ")
EXPLAINED_TYPES = frozenset(format_.media_type for format_ in (TURTLE, TRIG, N_TRIPLES, N_QUADS))
MAX_EXPLAINED_CHARACTERS = 2_000_000  # of a text; a longer one is data, which nobody wrote by hand
MAX_TOKEN_CHARACTERS = 60  # of a token in a message
DECLARATION_PATTERN = re.compile(r"@?(?:prefix|base)\b", re.IGNORECASE)
UNDECLARED_PREFIX_PATTERN = re.compile(r"The prefix (\S*): has not been declared")
# What a text without its closing quote contains: the mark before the next text, or a line of Turtle.
SWALLOWED_MARK_PATTERN = re.compile(r"(?:(?:@[A-Za-z-]+|\^\^\S+)\s*|\s)[,;]\s*[\"']$")
SWALLOWED_LINE_PATTERN = re.compile(
    r"[\"'](?:@[A-Za-z-]+|\^\^\S+)?[ \t]*[,;.][ \t]*$|^[ \t]*[a-z]+:\w+[ \t][^\r\n]*[,;.][ \t]*$",
    re.MULTILINE,
)
UNEXPECTED_TERM_PATTERN = re.compile(r"is not a valid (RDF object|predicate|subject or graph name)")


class ExplainedError(NamedTuple):
    """A syntax error: sentences that say what is wrong, and where; the position is None if it is unknown.

    `insertion` is the text that is probably missing at the position; empty if that is unknown.
    """

    message: str
    position: TextPosition | None
    insertion: str = ""


class Token(NamedTuple):
    """A token of the text: its offsets, and whether it is a string."""

    start: int
    end: int
    is_string: bool


class TurtleErrorText:
    """The tokens of a text up to an error, with the brackets that are open there."""

    def __init__(self, text: str, position: TextPosition) -> None:
        """Read the tokens before the position."""
        self.text, self.lines = text, TextLines(text)
        line = min(position.line, len(self.lines.line_starts))
        self.offset = min(self.lines.line_starts[line - 1] + position.column - 1, len(text))
        self.tokens: list[Token] = []
        self.open_brackets: list[Token] = []
        self.statement_start = 0  # index of the first token of the statement with the error
        self.unclosed_quote: int | None = None
        self.read_tokens()

    def read_tokens(self) -> None:
        """Read the tokens before the error, or up to a quote that is not closed."""
        pattern, start = compile_token_pattern(), find_first_token(self.text)
        while start < self.offset and (match := pattern.match(self.text, start)):
            token = self.build_token(match)
            mark = self.token_text(token)
            if match.lastindex is None and mark in "\"'":
                self.unclosed_quote = start
                return
            if mark in OPENING_BRACKETS:
                self.open_brackets.append(token)
            elif mark in CLOSING_BRACKETS and self.open_brackets:
                self.open_brackets.pop()
            self.tokens.append(token)
            if mark == "." and not self.open_brackets:
                self.statement_start = len(self.tokens)
            start = match.end()

    def build_token(self, match: re.Match[str]) -> Token:
        """The token of a match, without the space after it."""
        group = match.lastindex
        end = match.end(group) if group else match.start() + 1
        return Token(match.start(), end, group == STRING_GROUP)

    def token_text(self, token: Token) -> str:
        """The text of a token."""
        return self.text[token.start : token.end]

    def quote_token(self, token: Token) -> str:
        """The text of a token for a message: on one line, and cut if long."""
        return f"`{shorten_untrusted_text(' '.join(self.token_text(token).split()), MAX_TOKEN_CHARACTERS)}`"

    @property
    def error_token(self) -> Token | None:
        """The token at the error, or None at the end of the text."""
        match = compile_token_pattern().match(self.text, self.offset)
        return self.build_token(match) if match else None

    @property
    def last_token(self) -> Token | None:
        """The last token before the error."""
        return self.tokens[-1] if self.tokens else None

    def has_unbalanced_quotes(self) -> bool:
        """Whether a text ends directly before the error, or a quote after it on its line is not closed."""
        last, pattern, start = self.last_token, compile_token_pattern(), self.offset
        if last and last.is_string and last.end == start and self.text[start : start + 1].isalnum():
            return True
        line_end = start + len(self.text[start:].partition("\n")[0])
        while start < line_end and (match := pattern.match(self.text, start)):
            if match.lastindex is None and self.text[start] in "\"'":
                return True
            start = match.end()
        return False

    def line_of(self, offset: int) -> int:
        """The number of the line of an offset."""
        return self.lines.locate(offset).line

    def explain(self, message: str, offset: int, insertion: str = "") -> ExplainedError:
        """The explanation with the position of an offset."""
        return ExplainedError(message, self.lines.locate(offset), insertion)


def explain_syntax_error(text: str, media_type: str, error: SyntaxError) -> ExplainedError:
    """The explanation of an error in a text of an RDF format.

    If the cause is not known, or the format is none of those of this module, it is the message of the parser
    without its position.
    """
    message = PARSER_POSITION_PATTERN.sub("", error.msg or "", count=1)
    plain_message = f"{message[:1].upper()}{message[1:]}."
    if not error.lineno:
        return ExplainedError(plain_message, None)
    position = TextPosition(error.lineno, error.offset or 1)
    if media_type in EXPLAINED_TYPES and len(text) <= MAX_EXPLAINED_CHARACTERS:
        error_text = TurtleErrorText(text, position)
        explainers = (explain for part, explain in ERROR_EXPLAINERS.items() if part in message)
        for explain in (explain_missing_quote, explain_trailing_comma, *explainers):
            if explained := explain(error_text, message):
                return explained
    return ExplainedError(plain_message, position)


def explain_missing_quote(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A quote that is missing before the error: the parser takes the next quote for the missing one."""
    last = error_text.last_token
    if last is None or error_text.unclosed_quote is not None:
        return None
    if last.is_string and error_text.offset <= last.end:
        text = error_text.text[last.start : error_text.offset]
        is_long = text.startswith(('"""', "'''"))
        if (SWALLOWED_LINE_PATTERN if is_long else SWALLOWED_MARK_PATTERN).search(text):
            return explain_open_quote(error_text, last.start)
    # A value without an opening quote, and an error in or at a text, are explained by themselves.
    is_at_text = error_text.offset < last.end or error_text.text.startswith(('"', "'"), error_text.offset)
    if not is_at_text and "RDF object" not in message and error_text.has_unbalanced_quotes():
        line = error_text.line_of(error_text.offset)
        return error_text.explain(
            f'The quotation marks on line {line} do not match. Each text needs a `"` at both ends. '
            'Write `\\"` for a quotation mark within a text.',
            error_text.offset,
        )
    return None


def explain_trailing_comma(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A comma at the end of a line, with a property and its value on the next line."""
    del message
    found, tokens = error_text.error_token, error_text.tokens
    if found is None or len(tokens) < 2:
        return None
    # The parser takes the property for a value, except for `a`.
    comma, verb = (tokens[-1], found) if error_text.token_text(found) == "a" else tokens[-2:]
    if error_text.token_text(comma) != "," or verb.is_string:
        return None
    end_line, verb_line = error_text.line_of(comma.start), error_text.line_of(verb.start)
    if end_line == verb_line or verb_line != error_text.line_of(found.start):
        return None
    return error_text.explain(
        f"Line {end_line} ends with `,`, but no other value follows. End it with `;` instead.", comma.start
    )


def explain_missing_end(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A statement without `;` or `.` before the next one, or a bracket that is not closed."""
    del message
    last, found = error_text.last_token, error_text.error_token
    if last is None:
        return None
    bracket = error_text.open_brackets[-1] if error_text.open_brackets else None
    first_token = error_text.tokens[min(error_text.statement_start, len(error_text.tokens) - 1)]
    if bracket and (found is None or error_text.token_text(found) in (".", "}", ")")):
        return explain_open_bracket(error_text, bracket)
    is_declaration = DECLARATION_PATTERN.fullmatch(error_text.token_text(first_token)) and not bracket
    if is_declaration:
        marks = "`.`"
    elif bracket:
        marks = f"`;` or `{OPENING_BRACKETS[error_text.token_text(bracket)]}`"
    else:
        marks = "`;` or `.`" if found else "`.`"
    last_line = error_text.line_of(last.start)
    # A subject is usually written at the start of a line, the properties below it are indented.
    is_new_statement = found is None or (not bracket and error_text.lines.locate(found.start).column == 1)
    mark = "." if is_declaration or is_new_statement else ";"
    if bracket and error_text.token_text(bracket) != "[":
        mark = ""  # it may be another one
    if found is None or error_text.line_of(found.start) != error_text.line_of(last.end):
        end_line = error_text.line_of(last.end)
        return error_text.explain(
            f"Line {end_line} has no {marks} at its end.", last.end, mark and f" {mark}"
        )
    return error_text.explain(
        f"Line {last_line} has no {marks} between {error_text.quote_token(last)} and "
        f"{error_text.quote_token(found)}.",
        found.start,
        mark and f"{mark} ",
    )


def explain_open_bracket(error_text: TurtleErrorText, bracket: Token) -> ExplainedError:
    """A bracket that is not closed."""
    opening = error_text.token_text(bracket)
    line = error_text.line_of(bracket.start)
    return error_text.explain(
        f"The `{opening}` on line {line} is not closed: a `{OPENING_BRACKETS[opening]}` is missing.",
        bracket.start,
    )


def explain_undeclared_prefix(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A prefix without declaration, with the declaration if the prefix is well known."""
    match = UNDECLARED_PREFIX_PATTERN.search(message)
    if not match:
        return None
    prefix = match[1]
    # `"text"` without a dot, and `@prefix` on the next line: the parser reads a language tag.
    last = error_text.last_token
    if last and error_text.token_text(last).lower() in ("@prefix", "@base") and len(error_text.tokens) > 1:
        before = error_text.tokens[-2]
        if before.is_string:
            return error_text.explain(
                f"Line {error_text.line_of(before.end)} has no `.` at its end.", before.end
            )
    declared = {
        error_text.token_text(token).rstrip(":")
        for keyword, token in zip(error_text.tokens, error_text.tokens[1:], strict=False)
        if DECLARATION_PATTERN.fullmatch(error_text.token_text(keyword))
    }
    namespace = DEFAULT_NAMESPACES.get(prefix)
    if namespace:
        hint = f"Add this line at the top: `@prefix {prefix}: <{namespace}> .`"
    elif nearest := find_near_name(prefix, declared) or find_near_name(prefix, DEFAULT_NAMESPACES):
        hint = f"Did you mean `{nearest}:`?"
    else:
        hint = f"Add a line at the top such as `@prefix {prefix}: <https://example.org/> .`"
    return error_text.explain(f"The prefix `{prefix}:` is not declared. {hint}", error_text.offset)


def explain_unclosed_string(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A text whose quote is not closed."""
    del message
    return explain_open_quote(error_text, error_text.unclosed_quote)


def explain_open_quote(error_text: TurtleErrorText, start: int | None) -> ExplainedError | None:
    """A text whose quote at an offset is not closed."""
    if start is None:
        return None
    quote = error_text.text[start]
    long_quote = quote * 3
    line = error_text.line_of(start)
    if error_text.text.startswith(long_quote, start):
        return error_text.explain(
            f"The text that begins with `{long_quote}` on line {line} is not closed: it needs another "
            f"`{long_quote}`.",
            start,
        )
    return error_text.explain(
        f"The text on line {line} has no closing `{quote}`. Close it, or begin and end a text of several "
        f"lines with `{long_quote}`.",
        start,
    )


def explain_early_end(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A text that ends within a string, an IRI or a statement."""
    del message
    if error_text.text.startswith(('"', "'"), error_text.offset):
        return explain_open_quote(error_text, error_text.offset)
    if error_text.text.startswith("<", error_text.offset):
        line = error_text.line_of(error_text.offset)
        return error_text.explain(
            f"The address that begins with `<` on line {line} is not closed: a `>` is missing.",
            error_text.offset,
        )
    last = error_text.last_token
    if error_text.open_brackets:
        return explain_open_bracket(error_text, error_text.open_brackets[-1])
    if last is None:
        return None
    line = error_text.line_of(last.end)
    if error_text.token_text(last) in (";", ","):
        return error_text.explain(
            f"The file ends after {error_text.quote_token(last)} on line {line}. End the last statement with "
            "`.` instead.",
            last.start,
        )
    return error_text.explain(f"Line {line} has no `.` at its end.", last.end)


def explain_unexpected_term(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A token where another one is expected."""
    match = UNEXPECTED_TERM_PATTERN.search(message)
    found = error_text.error_token
    if not match or found is None:
        return None
    explain = UNEXPECTED_TERM_EXPLAINERS[match[1]]
    return explain(error_text, found)


def explain_unexpected_object(error_text: TurtleErrorText, found: Token) -> ExplainedError | None:
    """A value that is missing, or is no value."""
    found_text, last = error_text.token_text(found), error_text.last_token
    if found_text in (".", ";", ",", "]", ")", "}"):
        if error_text.open_brackets and error_text.token_text(error_text.open_brackets[-1]) == "(":
            return explain_open_bracket(error_text, error_text.open_brackets[-1])
        where = f" between {error_text.quote_token(last)} and `{found_text}`" if last else ""
        return error_text.explain(f"There is no value{where}.", found.start)
    quoted = error_text.quote_token(found)
    if found_text.lower() in ("true", "false"):
        return error_text.explain(f"Write `{found_text.lower()}` in lowercase, not {quoted}.", found.start)
    return error_text.explain(
        f"{quoted} is not a value. Put text in quotes; a name needs a prefix, such as `wgig:`.", found.start
    )


def explain_unexpected_predicate(error_text: TurtleErrorText, found: Token) -> ExplainedError | None:
    """A property that is missing, or is no property."""
    found_text, last = error_text.token_text(found), error_text.last_token
    if found_text in (".", ";", ",", "]", ")", "}") and last:
        return error_text.explain(f"There is no property after {error_text.quote_token(last)}.", found.start)
    return error_text.explain(
        f"{error_text.quote_token(found)} is not a property. A property is a name with a prefix, such as "
        "`dcterms:title`.",
        found.start,
    )


def explain_unexpected_subject(error_text: TurtleErrorText, found: Token) -> ExplainedError | None:
    """A value without `,` before it, a bracket that closes nothing, or something else than a statement."""
    found_text = error_text.token_text(found)
    quoted = error_text.quote_token(found)
    statement = error_text.tokens[error_text.statement_start :]
    if found_text in CLOSING_BRACKETS and not error_text.open_brackets:
        return error_text.explain(
            f"The `{found_text}` has no matching `{CLOSING_BRACKETS[found_text]}` before it.",
            found.start,
        )
    if not statement:
        return error_text.explain(
            f"A statement cannot start with {quoted}. Start it with a name with a prefix, such as "
            "`paper:spam`, or with an address in `<` and `>`.",
            found.start,
        )
    # `:a :b "x" ;` and on the next line `:c :d "y"`, which is a new statement.
    third = statement[-3] if len(statement) > 2 else None
    if third and error_text.token_text(third) == ";":
        end_line, next_line = error_text.line_of(third.start), error_text.line_of(statement[-2].start)
        if end_line != next_line:
            return error_text.explain(
                f"Line {next_line} begins a new statement, but line {end_line} ends with `;`. End it with "
                "`.` instead.",
                third.start,
            )
    last = statement[-1]
    return error_text.explain(
        f"There is no `,`, `;` or `.` between {error_text.quote_token(last)} and {quoted}.", found.start
    )


def explain_slash_in_name(error_text: TurtleErrorText, message: str) -> ExplainedError | None:
    """A slash in a name with a prefix."""
    del message
    return error_text.explain(
        "A `/` in a name with a prefix needs a `\\` before it, as in `paper:spam\\/forum\\/1`.",
        error_text.offset,
    )


# By a part of the message of the parser.
ERROR_EXPLAINERS: dict[str, Callable[[TurtleErrorText, str], ExplainedError | None]] = {
    "A dot is expected at the end of statements": explain_missing_end,
    "Triples should be followed by a dot": explain_missing_end,
    "blank node property lists should end with": explain_missing_end,
    "has not been declared": explain_undeclared_prefix,
    "Line jumps are not allowed in string literals": explain_unclosed_string,
    "Unexpected escape character": explain_unclosed_string,
    "Unexpected end": explain_early_end,
    "'/' is not allowed at the beginning of a prefix name": explain_slash_in_name,
    "is not a valid": explain_unexpected_term,
}
UNEXPECTED_TERM_EXPLAINERS = {
    "RDF object": explain_unexpected_object,
    "predicate": explain_unexpected_predicate,
    "subject or graph name": explain_unexpected_subject,
}

"""Syntax errors in plain words: each mistake is explained, at the line that has to be changed."""

import re

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wgig.rdf.formats import RDF_XML, TURTLE
from wgig.rdf.syntax_errors import MAX_EXPLAINED_CHARACTERS, ExplainedError, explain_syntax_error
from wgig.settings import SHIPPED_FOLDER

PREFIXES = "@prefix : <http://example.org/> .\n@prefix dct: <http://purl.org/dc/terms/> .\n"
EXAMPLE_TURTLE = (SHIPPED_FOLDER / "data/examples/spam-filters.ttl").read_text("utf-8")


def explain_text(text: str) -> ExplainedError | None:
    """The explanation of the error in a text, or None if it parses."""
    try:
        list(ox.parse(text, ox.RdfFormat.TURTLE))
    except SyntaxError as error:
        return explain_syntax_error(text, TURTLE.media_type, error)
    return None


# Line 3 is the first one below the prefixes.
@pytest.mark.parametrize(
    ("body", "message", "line", "column"),
    [
        (':a dct:title "x"@en\n   dct:b "y" ;\n   dct:c 3 .', "Line 3 has no `;` or `.` at its end.", 3, 20),
        (":a :n 3 # a comment\n\n   dct:b 4 .", "Line 3 has no `;` or `.` at its end.", 3, 8),
        (':a dct:title "x"\n\n:b dct:title "y" .', "Line 3 has no `;` or `.` at its end.", 3, 17),
        (':a :b """x\ny"""\n  :c 3 .', "Line 4 has no `;` or `.` at its end.", 4, 5),
        (':a dct:title "x"\n@prefix z: <http://z/> .', "Line 3 has no `.` at its end.", 3, 17),
        ("@prefix q: <http://q/>\n:a :b :c .", "Line 3 has no `.` at its end.", 3, 23),
        (":a :b 3", "Line 3 has no `.` at its end.", 3, 8),
        (":a :b 3 ;\n", "The file ends after `;` on line 3. End the last statement with `.`", 3, 9),
        (":a :b 3 ;\n:c :d 4 .", "Line 4 begins a new statement, but line 3 ends with `;`.", 3, 9),
        (':a :b "x" "y" .', 'There is no `,`, `;` or `.` between `"x"` and `"y"`.', 3, 11),
        (":a :b :c :d 3 .", "Line 3 has no `;` or `.` between `:c` and `:d`.", 3, 10),
        (":a foo:bar 3 .", "The prefix `foo:` is not declared. Add a line at the top such as", 3, 4),
        (":a skos:note 3 .", "`@prefix skos: <http://www.w3.org/2004/02/skos/core#> .`", 3, 4),
        (":a dtc:title 3 .", "The prefix `dtc:` is not declared. Did you mean `dct:`?", 3, 4),
        (':a :b "x ;\n  :c 3 .', 'The text on line 3 has no closing `"`.', 3, 7),
        (':a :b """x ;\n :c "y" .', 'The text that begins with `"""` on line 3 is not closed', 3, 7),
        (':a :b 1 ;\n  :c "x@en , "Y z"@en ;\n  :d 4 .', 'The text on line 4 has no closing `"`.', 4, 6),
        (':a :b "x^^:d , "y" .', 'The text on line 3 has no closing `"`.', 3, 7),
        (':a :b 1 ;\n  :c "x,"Y z" .', "The quotation marks on line 4 do not match.", 4, 10),
        (':a :b 1 ;\n  :c "x "y" z" .', "The quotation marks on line 4 do not match.", 4, 10),
        (':a :b 1 ;\n  :c 2005-02-08"^^:d .', "The quotation marks on line 4 do not match.", 4, 10),
        (':a :b ""x""" .', "The quotation marks on line 3 do not match.", 3, 9),
        (':a :b """x""@en ;\n  :c """y""" .', '`"""` on line 3 is not closed', 3, 7),
        (':a :b """x@en ;\n  :c :d\\/e .', '`"""` on line 3 is not closed', 3, 7),
        (':a :b 1 ,\n  :c "x" .', "Line 3 ends with `,`, but no other value follows.", 3, 9),
        (":a :b 1 ,\n  :c :d .", "Line 3 ends with `,`, but no other value follows.", 3, 9),
        (":a :b 1 ,\n  a :d .", "Line 3 ends with `,`, but no other value follows.", 3, 9),
        (":a :b 1 ,\n  :c\n  :d 3 .", "Line 4 has no `;` or `.` at its end.", 4, 5),
        (":a :b [ :c 3 ;\n  :d 4 .\n:e :f :g .", "The `[` on line 3 is not closed: a `]` is missing.", 3, 7),
        (":a :b [ :c 3\n  :d 4 ] .", "Line 3 has no `;` or `]` at its end.", 3, 13),
        (":a :b ( 1 2 .", "The `(` on line 3 is not closed: a `)` is missing.", 3, 7),
        (":a :b 3 ] .", "The `]` has no matching `[` before it.", 3, 9),
        (":a :b <http://x .\n:c :d 3 .", "The address that begins with `<` on line 3 is not closed", 3, 7),
        (":a :b hello .", "`hello` is not a value. Put text in quotes", 3, 7),
        (":a :b True .", "Write `true` in lowercase, not `True`.", 3, 7),
        (":a :b .", "There is no value between `:b` and `.`.", 3, 7),
        (":a .", "There is no property after `:a`.", 3, 4),
        (':a "x" :b .', '`"x"` is not a property.', 3, 4),
        ("hello world", "A statement cannot start with `hello`.", 3, 1),
        (":a :b :c/d .", "A `/` in a name with a prefix needs a `\\` before it", 3, 9),
        (':a :b "x\\q" .', "Unexpected escape character '\\q'.", 3, 9),  # not explained further
    ],
)
def test_mistake_is_explained_at_its_place(body: str, message: str, line: int, column: int) -> None:
    explained = explain_text(PREFIXES + body)
    assert explained
    assert message in explained.message
    assert "Parser error" not in explained.message
    assert explained.position == (line, column)


@pytest.mark.parametrize(
    ("body", "corrected"),
    [
        (':a dct:title "x"@en\n   dct:b "y" .', ':a dct:title "x"@en ;\n   dct:b "y" .'),
        (":a :b :c :d 3 .", ":a :b :c ; :d 3 ."),
        (':a dct:title "x"\n\n:b dct:title "y" .', ':a dct:title "x" .\n\n:b dct:title "y" .'),
        (":a :b [ :c 3\n  :d 4 ] .", ":a :b [ :c 3 ;\n  :d 4 ] ."),
        ("@prefix q: <http://q/>\n:a :b :c .", "@prefix q: <http://q/> .\n:a :b :c ."),
    ],
)
def test_forgotten_mark_is_inserted_at_its_place(body: str, corrected: str) -> None:
    explained = explain_text(PREFIXES + body)
    assert explained
    assert explained.position
    lines = body.split("\n")
    index, start = explained.position.line - 3, explained.position.column - 1
    lines[index] = lines[index][:start] + explained.insertion + lines[index][start:]
    assert "\n".join(lines) == corrected
    assert explain_text(PREFIXES + corrected) is None


LINES = EXAMPLE_TURTLE.splitlines()
MARKED_LINES = [
    number
    for number, line in enumerate(LINES, 1)
    if re.search(r"[^;.\s] ?[;.]$", line)
    and not line.startswith("#")
    and "".join(LINES[:number]).count('"""') % 2 == 0  # not within a text of several lines
]


@pytest.mark.parametrize("number", MARKED_LINES)
def test_forgotten_mark_at_any_line_of_a_paper_is_found(number: int) -> None:
    lines = [*LINES]
    lines[number - 1] = lines[number - 1][:-1].rstrip()
    explained = explain_text("\n".join(lines))
    assert explained
    assert explained.position
    assert explained.position.line == number
    pattern = rf"Line {number} has no (`;` or )?`[.\]]` at its end\."
    assert re.fullmatch(pattern, explained.message)


@given(st.text("ab:\"<>[](){};.,@#\\ \n'^_/3", max_size=60))
@settings(max_examples=200, derandomize=True, deadline=None, database=None)
def test_any_text_is_explained_without_an_error(body: str) -> None:
    text = PREFIXES + body
    explained = explain_text(text)
    if explained and explained.position:
        assert 1 <= explained.position.line <= text.count("\n") + 2


def test_long_text_and_other_formats_keep_the_message_of_the_parser() -> None:
    error = SyntaxError("Parser error at line 1 column 2: A dot is expected at the end of statements")
    error.lineno, error.offset = 1, 2
    long_text = "x" * (MAX_EXPLAINED_CHARACTERS + 1)
    for text, format_ in ((long_text, TURTLE), ("<", RDF_XML)):
        explained = explain_syntax_error(text, format_.media_type, error)
        assert explained == ("A dot is expected at the end of statements.", (1, 2), "")

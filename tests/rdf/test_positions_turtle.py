"""Positions in Turtle and related syntaxes: every way to write a triple, and the order of pyoxigraph."""

import random
import re
from collections.abc import Callable
from itertools import count

import pyoxigraph as ox
import pytest
from wgig.rdf.positions import find_triple_positions
from wgig.rdf.positions_turtle import TriplePosition

PROLOGUE = "@prefix : <http://x/> .\n@prefix ex: <http://ex/> .\n"


def parse_with_positions(
    text: str, format_: ox.RdfFormat = ox.RdfFormat.TURTLE
) -> tuple[list[ox.Triple], list[TriplePosition]]:
    triples = [quad.triple for quad in ox.parse(text.encode(), format_, base_iri="http://base.example/")]
    return triples, find_triple_positions(text, format_.media_type, triples)


def texts_of_objects(statements: str, format_: ox.RdfFormat = ox.RdfFormat.TURTLE) -> list[str]:
    """The text from the offset of each object up to the next space."""
    text = PROLOGUE + statements
    return [
        re.split(r"\s", text[position.object :])[0] for position in parse_with_positions(text, format_)[1]
    ]


def test_positions_with_shared_subjects_and_predicates() -> None:
    text = f"{PROLOGUE}:s a :K ; ex:p 1 , 'two' ; .\n:t :q :o ."
    subjects, predicates = [":s", ":s", ":s", ":t"], ["a", "ex:p", "ex:p", ":q"]
    objects = [":K", "1", "'two'", ":o"]
    _, positions = parse_with_positions(text)
    for offsets, terms in zip(zip(*positions, strict=True), (subjects, predicates, objects), strict=True):
        assert all(text.startswith(term, offset) for offset, term in zip(offsets, terms, strict=True))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (":s :p 1 , 1.5 , -2e7 , 1.E3 , .5 , +3 , true , false .", "1 1.5 -2e7 1.E3 .5 +3 true false"),
        (":s :p 1.:s :p 2.", "1.:s 2."),
        (r":s :p ex:a\/b.c%20d\. , :e.f , :g:h , ex: , _:i.j .", r"ex:a\/b.c%20d\. :e.f :g:h ex: _:i.j"),
        (":s :p <http://x/#a;b,c.> , <r> , <> .", "<http://x/#a;b,c.> <r> <>"),
        (r""":s :p "\"].;" , 'it"s' , "", '' .""", r""" "\"].;" 'it"s' "", '' """),
        (''':s :p """a"b""c\n\\"""]""" , :o .''', '"""a"b""c :o'),
        (":s :p '''it's''it\n''' , :o .", "'''it's''it :o"),
        (
            ":s :p 'a'@en-GB , 'b' @en , 'c'^^:d , 'd' # \"\n^^ # '\n<http://d> , :o .",
            "'a'@en-GB 'b' 'c'^^:d 'd' :o",
        ),
        (":s :p :o . # \"it's [ ( <\n:s :p :q .", ":o :q"),
        ("@base <http://y/> . PREFIX z: <z#>\nbase <http://y/> :s :p <b> , z:z .", "<b> z:z"),
        ("prefix # >\n z: # <\n<z#> z:s z:p z:o .", "z:o"),
        (":s :p :o .\r\n:s :p '''a\r\nb''' .\r\n", ":o '''a"),
        (":s :p '😀' , :é , '\\U0001F600' , :o .", "'😀' :é '\\U0001F600' :o"),
        ("<s><p>:o.", ":o."),
        ("@prefix prefix: <b> . @prefix prefixes: <p> . :s prefix:p <o> ; prefixes:p <q> .", "<o> <q>"),
    ],
)
def test_each_syntax_of_a_term_has_a_position(statements: str, expected: str) -> None:
    assert texts_of_objects(statements) == expected.split()


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (":s :p [ :q :r ] , [] .", ":r [ []"),
        (":s :p [ :q 's' ] .", "[ 's'"),
        ("[ :q :r ] :p :o . [ :q :t ] .", ":r :o :t"),
        (":s :p () . () :p :o .", "() :o"),
        (":s :p ( :a :b ) .", ":a ( :b :b )"),
        (":s :p ( 'a' 'b'@en ) .", "( 'b'@en 'a' 'b'@en )"),
        ("( :a ) :p :o .", ":a ) :o"),
        (":s :p ( [ :q ( 1 ) ] ) .", "( 1 ( ) [ )"),
    ],
)
def test_brackets_follow_the_order_of_pyoxigraph(statements: str, expected: str) -> None:
    assert texts_of_objects(statements) == expected.split()


def test_implied_terms_have_the_position_of_their_bracket() -> None:
    text = f"{PROLOGUE}[ :q :r ] :p ( :a ) ."
    node_offset, list_offset = text.index("["), text.index("(")
    _, positions = parse_with_positions(text)
    # The triples with :q, rdf:first, :p and rdf:rest.
    assert [position.subject for position in positions] == [node_offset, list_offset] * 2
    assert [position.predicate for position in positions[1::2]] == [list_offset] * 2


def test_graph_names_are_no_subjects() -> None:
    statements = (
        ":a :p 1 . { :b :p 2 } GRAPH :g { :c :p 3 . :d :p 4 . } graph [] {} _:g { [ :p 5 ] } <g> { :e :p 6. }"
    )
    assert texts_of_objects(statements, ox.RdfFormat.TRIG) == ["1", "2", "3", "4", "5", "6."]


@pytest.mark.parametrize("format_", [ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS], ids=str)
def test_each_line_of_n_triples_has_a_position(format_: ox.RdfFormat) -> None:
    line = '<http://x/s> <http://x/p> "a \\" . b"@en .# . \'\n'
    text = f"# <\n{line}\r\n_:a <http://x/p> _:b .\n" + (
        "<http://x/s> <http://x/p> <http://x/o> <http://x/g> .\n" if format_.supports_datasets else ""
    )
    triples, positions = parse_with_positions(text, format_)
    assert len(positions) == len(triples)
    assert positions[1] == TriplePosition(
        text.index("_:a"), text.index("<http://x/p> _:b"), text.index("_:b")
    )


@pytest.mark.parametrize(
    "statements",
    [":s :p <<( :a :b :c )>> .", "<< :a :b :c >> :p :o .", ":s :p :o {| :q :r |} .", ":s :p :o ~ :r ."],
)
def test_rdf_1_2_syntax_has_no_positions(statements: str) -> None:
    triples, positions = parse_with_positions(PROLOGUE + statements)
    assert triples
    assert positions == []


def test_a_byte_order_mark_shifts_positions() -> None:
    text = f"{PROLOGUE}:s :p :o ."
    triples, positions = parse_with_positions(text)
    assert find_triple_positions(f"\ufeff{text}", "text/turtle", triples) == [
        TriplePosition(*(offset + 1 for offset in position)) for position in positions
    ]


@pytest.mark.parametrize(
    "unit", ['"""', '"', "'''a", "<", "[", "(", "\\", "a.", "....", "#", ":a\\", '""" \\"""']
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    # In quadratic time, it would take minutes.
    assert (
        find_triple_positions(
            unit * 100_000, "text/turtle", [ox.Triple(ox.BlankNode(), ox.NamedNode("a:"), ox.BlankNode())]
        )
        == []
    )


def test_deep_nesting_has_positions() -> None:
    triples, positions = parse_with_positions(f"{PROLOGUE}:s :p {'[ :p ( ' * 500}1{' ) ]' * 500} .")
    assert len(positions) == len(triples) == 3 * 500 + 1  # :p, rdf:first and rdf:rest at each of 500 levels


class RandomTurtleWriter:
    """Writes random statements, with a distinct number in each name and literal."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = count()

    def choose(self, *templates: Callable[[int], str] | str) -> str:
        template = self.random.choice(templates)
        return template if isinstance(template, str) else template(next(self.number))

    def space(self) -> str:
        return self.choose(" ", "\r\n", " # ' \" [ ( . ;\n")

    def name(self) -> str:
        return self.choose(":t{}_".format, "ex:a\\/t{}_.b".format, "<http://x/t{}_>".format)

    def literal(self) -> str:
        text = self.choose('"t{}_"'.format, "'t{}_ ] ) .'".format, '"""t{}_ " \\"" (\n"""'.format)
        return text + self.choose("", "", "@en", "^^:d", " ^^ <http://d>", " # '\n@en")

    def value(self, depth: int = 0) -> str:
        if depth < 4 and self.random.random() < 0.2:
            return f"[{self.space()}{self.properties(depth + 1)}{self.space()}]"
        if depth < 4 and self.random.random() < 0.3:
            return f"({self.space().join(self.value(depth + 1) for _ in range(self.random.randint(1, 4)))})"
        return self.choose(self.name(), self.literal(), "()", "[]", "_:t{}_".format)

    def properties(self, depth: int = 0) -> str:
        property_lists = [
            f"{self.choose('a ', f'{self.name()} ')}{f'{self.space()},'.join(values)}{self.space()}"
            for values in ([self.value(depth) for _ in range(self.random.randint(1, 3))] for _ in range(2))
        ]
        return ";".join(property_lists) + self.choose("", ";")

    def document(self) -> str:
        subjects = [self.value(3) for _ in range(3)] + [f"[ {self.properties(2)} ]"]
        subjects = [self.name() if subject[0] in "\"'" else subject for subject in subjects]
        return PROLOGUE + "".join(f"{subject} {self.properties()}.{self.space()}" for subject in subjects)


@pytest.mark.parametrize("seed", range(100))
def test_random_documents_have_positions(seed: int) -> None:
    text = RandomTurtleWriter(seed).document()
    triples, positions = parse_with_positions(text)
    assert len(positions) == len(triples)
    for triple, position in zip(triples, positions, strict=True):
        for term, offset in zip(triple, position, strict=True):
            if number := re.search(r"t\d+_", getattr(term, "value", "")):
                # The number is in the token at the offset, after less than 12 other characters.
                assert text.find(number[0], offset) - offset < 12 or isinstance(term, ox.BlankNode)
            elif isinstance(term, ox.BlankNode) and not triple.predicate.value.endswith("#rest"):
                assert text[offset] in "[(_"

"""How Turtle and its relatives are walked: every way to write a triple, and the order of the engine."""

import random
import re
from collections.abc import Callable
from itertools import count

import pyoxigraph as ox
import pytest
from wgig.rdf.positions import find_triple_positions
from wgig.rdf.positions_turtle import TriplePosition

HEAD = "@prefix : <http://x/> .\n@prefix ex: <http://ex/> .\n"


def read(
    text: str, format_: ox.RdfFormat = ox.RdfFormat.TURTLE
) -> tuple[list[ox.Triple], list[TriplePosition]]:
    triples = [one.triple for one in ox.parse(text.encode(), format_, base_iri="http://base.example/")]
    return triples, find_triple_positions(text, format_.media_type, triples)


def objects(written: str, format_: ox.RdfFormat = ox.RdfFormat.TURTLE) -> list[str]:
    """The text from each object on, up to the next space."""
    text = HEAD + written
    return [re.split(r"\s", text[one.object :])[0] for one in read(text, format_)[1]]


def test_predicates_and_objects_are_shared() -> None:
    text = f"{HEAD}:s a :K ; ex:p 1 , 'two' ; .\n:t :q :o ."
    starts = [":s", ":s", ":s", ":t"], ["a", "ex:p", "ex:p", ":q"], [":K", "1", "'two'", ":o"]
    _, found = read(text)
    for offsets, terms in zip(zip(*found, strict=True), starts, strict=True):
        assert all(text.startswith(term, at) for at, term in zip(offsets, terms, strict=True))


@pytest.mark.parametrize(
    ("written", "expected"),
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
def test_terms_are_found_however_they_are_written(written: str, expected: str) -> None:
    assert objects(written) == expected.split()


@pytest.mark.parametrize(
    ("written", "expected"),
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
def test_brackets_follow_the_order_of_the_engine(written: str, expected: str) -> None:
    assert objects(written) == expected.split()


def test_what_is_implied_stands_at_its_bracket() -> None:
    text = f"{HEAD}[ :q :r ] :p ( :a ) ."
    blank, items = text.index("["), text.index("(")
    _, found = read(text)
    assert [one.subject for one in found] == [blank, items, blank, items]
    assert [one.predicate for one in found[1::2]] == [items, items]


def test_graphs_are_no_subjects() -> None:
    written = (
        ":a :p 1 . { :b :p 2 } GRAPH :g { :c :p 3 . :d :p 4 . } graph [] {} _:g { [ :p 5 ] } <g> { :e :p 6. }"
    )
    assert objects(written, ox.RdfFormat.TRIG) == ["1", "2", "3", "4", "5", "6."]


@pytest.mark.parametrize("format_", [ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS], ids=str)
def test_lines_have_a_triple_each(format_: ox.RdfFormat) -> None:
    line = '<http://x/s> <http://x/p> "a \\" . b"@en .# . \'\n'
    text = f"# <\n{line}\r\n_:a <http://x/p> _:b .\n" + (
        "<http://x/s> <http://x/p> <http://x/o> <http://x/g> .\n" if format_.supports_datasets else ""
    )
    triples, found = read(text, format_)
    assert len(found) == len(triples)
    assert found[1] == TriplePosition(text.index("_:a"), text.index("<http://x/p> _:b"), text.index("_:b"))


@pytest.mark.parametrize(
    "written",
    [":s :p <<( :a :b :c )>> .", "<< :a :b :c >> :p :o .", ":s :p :o {| :q :r |} .", ":s :p :o ~ :r ."],
)
def test_triples_about_triples_are_left_alone(written: str) -> None:
    triples, found = read(HEAD + written)
    assert triples
    assert found == []


def test_a_byte_order_mark_is_no_term() -> None:
    text = f"{HEAD}:s :p :o ."
    triples, found = read(text)
    assert find_triple_positions(f"\ufeff{text}", "text/turtle", triples) == [
        TriplePosition(*(at + 1 for at in one)) for one in found
    ]


@pytest.mark.parametrize(
    "unit", ['"""', '"', "'''a", "<", "[", "(", "\\", "a.", "....", "#", ":a\\", '""" \\"""']
)
def test_hostile_text_takes_no_longer_than_its_size(unit: str) -> None:
    assert (
        find_triple_positions(
            unit * 100_000, "text/turtle", [ox.Triple(ox.BlankNode(), ox.NamedNode("a:"), ox.BlankNode())]
        )
        == []
    )


def test_deep_nesting_is_followed() -> None:
    triples, found = read(f"{HEAD}:s :p {'[ :p ( ' * 500}1{' ) ]' * 500} .")
    assert len(found) == len(triples) == 1501


class Writer:
    """Writes statements at random; each name and literal carries a number of its own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = count()

    def one_of(self, *ways: Callable[[int], str] | str) -> str:
        way = self.random.choice(ways)
        return way if isinstance(way, str) else way(next(self.number))

    def space(self) -> str:
        return self.one_of(" ", "\r\n", " # ' \" [ ( . ;\n")

    def name(self) -> str:
        return self.one_of(":t{}_".format, "ex:a\\/t{}_.b".format, "<http://x/t{}_>".format)

    def literal(self) -> str:
        text = self.one_of('"t{}_"'.format, "'t{}_ ] ) .'".format, '"""t{}_ " \\"" (\n"""'.format)
        return text + self.one_of("", "", "@en", "^^:d", " ^^ <http://d>", " # '\n@en")

    def value(self, depth: int = 0) -> str:
        if depth < 4 and self.random.random() < 0.2:
            return f"[{self.space()}{self.properties(depth + 1)}{self.space()}]"
        if depth < 4 and self.random.random() < 0.3:
            return f"({self.space().join(self.value(depth + 1) for _ in range(self.random.randint(1, 4)))})"
        return self.one_of(self.name(), self.literal(), "()", "[]", "_:t{}_".format)

    def properties(self, depth: int = 0) -> str:
        several = [
            f"{self.one_of('a ', f'{self.name()} ')}{f'{self.space()},'.join(values)}{self.space()}"
            for values in ([self.value(depth) for _ in range(self.random.randint(1, 3))] for _ in range(2))
        ]
        return ";".join(several) + self.one_of("", ";")

    def document(self) -> str:
        subjects = [self.value(3) for _ in range(3)] + [f"[ {self.properties(2)} ]"]
        subjects = [self.name() if one[0] in "\"'" else one for one in subjects]
        return HEAD + "".join(f"{one} {self.properties()}.{self.space()}" for one in subjects)


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_written_is_found(seed: int) -> None:
    text = Writer(seed).document()
    triples, found = read(text)
    assert len(found) == len(triples)
    for triple, spot in zip(triples, found, strict=True):
        for term, at in zip(triple, spot, strict=True):
            if number := re.search(r"t\d+_", getattr(term, "value", "")):
                assert text.find(number[0], at) - at < 12 or isinstance(term, ox.BlankNode)
            elif isinstance(term, ox.BlankNode) and not triple.predicate.value.endswith("#rest"):
                assert text[at] in "[(_"

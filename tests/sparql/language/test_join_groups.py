"""Which groups of a query are join groups, and the patterns that they have."""

import pytest
from wgig.sparql.language.join_groups import find_join_groups, find_join_hints

BASE = "http://example.org/"
PROLOGUE = "PREFIX : <x:> PREFIX other: <y:> "


def list_patterns(text: str) -> list[list[str]]:
    groups = find_join_groups(PROLOGUE + text, BASE)
    assert not groups or find_join_hints(PROLOGUE + text).anywhere
    return [[str(pattern) for pattern in group.patterns] for group in groups]


def prescribe_order(text: str) -> str:
    """The text with the patterns of each group in reverse order."""
    text = PROLOGUE + text
    edits = [
        edit for group in find_join_groups(text, BASE) for edit in group.list_edits(group.patterns[::-1])
    ]
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text.removeprefix(PROLOGUE)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        (
            "ASK { ?a :p ?b . ?b :q 1 }",
            ["?a <x:p> ?b", '?b <x:q> "1"^^<http://www.w3.org/2001/XMLSchema#integer>'],
        ),
        (
            'SELECT * { ?a a other:C ; $p <r>, "a"@en }',
            [
                "?a <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <y:C>",
                "?a ?p <http://example.org/r>",
                '?a ?p "a"@en',
            ],
        ),
        ("SELECT ?a { ?a :p/^:q ?b . }", None),  # the text has no separator of triples
        (
            "SELECT ?a { ?a :p/^:q/:r ?b . ?a :s ?c }",
            ["?a <x:p> ?node0_0", "?node0_1 <x:q> ?node0_0", "?node0_1 <x:r> ?b", "?a <x:s> ?c"],
        ),
        (
            "SELECT ?node0_ { ?a :p [ :q ?node0_ ] . [] :r ?a }",
            ["?node1_0 <x:q> ?node0_", "?a <x:p> ?node1_0", "?node1_1 <x:r> ?a"],
        ),
        ("CONSTRUCT { ?a :r _:b } WHERE { ?a :p ?b . ?b :q ?c }", ["?a <x:p> ?b", "?b <x:q> ?c"]),
        ("DESCRIBE ?a { ?a :p ?b . ?b :q ?c }", ["?a <x:p> ?b", "?b <x:q> ?c"]),
        (
            "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?a) AS ?m) { ?a ^:p ?b ; :q ?c } GROUP BY ?c",
            ["?b <x:p> ?a", "?a <x:q> ?c"],
        ),
    ],
)
def test_patterns_of_a_where_group(text: str, patterns: list[str] | None) -> None:
    if patterns is None:
        assert not find_join_hints(PROLOGUE + text).anywhere
    else:
        assert list_patterns(text) == [patterns]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ?a { ?a :p ?b }",
        "SELECT ?a { ?a :p ?b . { ?b :q ?c } }",
        "SELECT ?a { ?a :p ?b . { ?b :q ?c } UNION { ?b :r ?c } ?b :r 1 }",
        "SELECT ?a { VALUES ?b { 1 } ?a :p ?b . ?b :q ?c }",
        "SELECT ?a { ?a :p ?b . ?b :q ?c GRAPH ?g { ?a :p ?b } }",
        "SELECT ?a { GRAPH ?g { ?a :p ?b . ?b :q ?c } }",
        "SELECT ?a { SERVICE <http://example.org/> { SELECT ?a { ?a :p ?b . ?b :q ?c } } }",
        "SELECT ?a { { SELECT ?a { ?a :p ?b } } ?a :p ?b . ?b :q ?c }",
        "SELECT ?a { OPTIONAL { ?a :p ?b . ?b :q ?c } }",
        "SELECT ?a { ?a :p ?b OPTIONAL { ?b :r ?c } ?b :q ?c }",
        "SELECT ?a { ?a :p ?b BIND(1 AS ?c) ?b :q ?c }",
        "SELECT ?a { ?a :p ?b MINUS { ?a :q ?c } ?b :q ?c }",
        "SELECT ?a { ?a :p ?b LATERAL { ?b :q ?c } }",
        "SELECT ?a { ?a :p _:b . _:b :q ?c }",
        "SELECT * { ?a :p [ :q ?c ] ; :r 1 }",
        "SELECT (COUNT(DISTINCT *) AS ?n) { ?a :p [] . ?a :q ?b }",
        "DESCRIBE * { ?a :p/:q ?b . ?a :q ?b }",
        "SELECT ?a { ?a :p* ?b . ?b :q ?c }",
        "SELECT ?a { ?a :p|:q ?b . ?b :q ?c }",
        "SELECT ?a { ?a !:p ?b . ?b :q ?c }",
        "SELECT ?a { ?a (:p) ?b . ?b :q ?c }",
        "SELECT ?a { ?a :p ?b . << ?a :p ?b >> :q ?c }",
        "SELECT ?a { ?a :p ?b {| :q ?c |} }",
        "SELECT ?a { ?a :p <<( ?b :q ?c )>> . ?b :q ?c }",
        "SELECT ?a { " + " . ".join(f"?a :p{number} ?b" for number in range(13)) + " }",
        "SELECT ?a { ?a :p ?b . ?b unknown:q ?c }",
        "SELECT ?a { ?a :p ?b . ?b :q 'c }",
        "SELECT ?a { ?a :p ?b . ?b :q }",
        "INSERT { ?a :p ?b } WHERE { ?a :p ?b . ?b :q ?c }",
        "CONSTRUCT WHERE { ?a :p ?b . ?b :q ?c }",
        "SELECT ?a { ?a :p ?b . ?b :q ?c } " + "#" * 5000,
    ],
)
def test_other_groups_are_left_alone(text: str) -> None:
    text = PROLOGUE + text
    assert not find_join_hints(text).anywhere or not find_join_groups(text, BASE)


def test_groups_of_exists_know_the_variables_of_the_groups_around_them() -> None:
    groups = find_join_groups(
        f"""{PROLOGUE} SELECT * {{
             ?a :p ?b . FILTER NOT EXISTS {{ ?a :q/:r ?c FILTER EXISTS {{ ?c :s [ :t ?d ] }} }}
             OPTIONAL {{ ?b :p ?e FILTER EXISTS {{ ?x :p ?a . ?x :q ?e }} }}
             MINUS {{ ?f :p ?g FILTER EXISTS {{ ?f :p ?y . ?y :q ?g }} }} }}""",
        BASE,
    )
    assert sorted((len(group.patterns), "".join(sorted(group.outer))) for group in groups) == [
        (2, "ab"),
        (2, "abc"),
        (2, "abe"),
        (2, "fg"),
    ]
    assert all(group.is_exists for group in groups)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SELECT * { ?a :p ?b . FILTER(?b > 1) . # last . \n ?b :q ?c . OPTIONAL { ?c :r ?d } }",
            "SELECT * { ?b <x:q> ?c LATERAL { ?a <x:p> ?b }   FILTER(?b > 1)   # last . \n     OPTIONAL "
            "{ ?c :r ?d } }",
        ),
        (
            "SELECT * { ?a :p 1 ; :q ?b FILTER EXISTS { ?a :r ?x . ?x :s ?b } }",
            'SELECT * { ?a <x:q> ?b LATERAL { ?a <x:p> "1"^^<http://www.w3.org/2001/XMLSchema#integer> } '
            "FILTER EXISTS { ?x <x:s> ?b LATERAL { ?a <x:r> ?x }     } }",
        ),
    ],
)
def test_order_is_prescribed_by_lateral(text: str, expected: str) -> None:
    assert prescribe_order(text) == expected

"""The text of a query, read by the grammar before a service reads it in its own way."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..readers.wire import SYNTAX, VALUE, Fault
from ..sparql import Token, first_word, matches
from ..syntax.patterns import meanings
from ..syntax.reading import Misfit, Node, read
from ..syntax.scope import broken
from .dialects import Dialect


class Plain(NamedTuple):
    """A text for a service that reads texts in its own way, and the graphs that it names."""

    text: str
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    graphs: frozenset[str] = frozenset()


def misspelling(text: str) -> str:
    """What is wrong in the text of a query; empty where nothing is. It is not evaluated, whatever it asks."""
    try:
        tree = read(text)
        problem = broken(text, tree) if isinstance(tree, Node) else None
    except Problem as found:
        return str(found)
    return "It leaves the grammar" if isinstance(tree, Misfit) else str(problem or "")


def spelt_out(text: str, base: str, dialect: Dialect) -> Plain:
    """The text for a service to which some texts are commands. Raises Fault for such.

    It has no comments, no relative IRIs, which an engine may put together with what follows before it
    resolves them, and one base; what it runs over is beside it.
    """
    try:
        tree = read(text)
        if isinstance(tree, Misfit):
            raise Fault(SYNTAX, "It leaves the grammar")
        terms, prologue = meanings(tree, base), resolved(tree, base)
    except (Problem, SyntaxError) as error:
        raise Fault(SYNTAX, str(error)) from error
    for one in terms.values():
        if isinstance(one, ox.NamedNode) and dialect.commands(one.value):
            raise Fault(VALUE, f"The IRI {one} means nothing here")
    begin, clauses = first_word(text), [one for one in tree.walk() if one.rule == "Dataset"]
    assert begin
    away = {token.start for clause in clauses for token in clause.all_tokens()}
    pieces = (one for one in matches(text) if one.start() >= begin.start and one.start() not in away)
    body = "".join(written_as(one, terms) for one in pieces)
    graphs: dict[bool, list[str]] = {True: [], False: []}  # by whether they are named ones
    for clause in clauses:
        first, *_, iri = tuple(clause.all_tokens())[1:] * 2
        graphs[first.word == "NAMED"].append(terms[iri.text].value)
    asked = {terms[iri.text].value for iri in asked_for(tree)}
    return Plain(f"{prologue} {body}", tuple(graphs[False]), tuple(graphs[True]), frozenset(asked))


def asked_for(tree: Node) -> Iterator[Token]:
    """The graphs that a text asks for by name."""
    for one, then in pairwise(tree.all_tokens()):
        if one.word == "GRAPH" and then.kind in ("iri", "name"):
            yield then


def resolved(tree: Node, base: str) -> str:
    """The prologue of a text with one base, which all else in it is absolute without."""
    lines, names = [], []
    for node in tree.nodes("Base", "Prefix"):
        lines.append(" ".join(token.text for token in node.all_tokens()))
        if node.rule == "Prefix":
            _, name, iri = node.all_tokens()
            names.append(name.text)
            lines.append(f"<x:s> <x:p> {iri.text} .")
    lines.append("<x:s> <x:p> <> .")
    triples = ox.parse("\n".join(lines), ox.RdfFormat.TURTLE, base_iri=base)
    *iris, last = (str(one.object) for one in triples)
    prefixes = (f"PREFIX {name} {iri}" for name, iri in dict(zip(names, iris, strict=True)).items())
    return " ".join((f"BASE {last}", *prefixes))


def written_as(token: re.Match[str], terms: Mapping[str, ox.NamedNode | ox.Literal]) -> str:
    """A piece of a text as the service gets it."""
    if token.lastgroup == "iri":
        return str(terms[token[0]])
    return " " if token.lastgroup == "comment" else token[0]

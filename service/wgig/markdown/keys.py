"""The keys of a head as statements about the paper as a whole."""

from collections.abc import Callable
from urllib.parse import quote

import pyoxigraph as ox
import yaml

from .faults import fault
from .form import PERSON
from .head import Entry, Head, Value, tag
from .statements import Statements
from .values import Term, address, concept, count, day, iri, known_agent, local, passage, truth


def titles(head: Head) -> list[tuple[Value, str]]:
    """The titles, each with its language."""
    if "title" not in head.entries:
        return []
    node = head.entries["title"].node
    if not isinstance(node, yaml.MappingNode):
        return [(one, "") for one in head.values(node)]
    return [
        (one, tag(head, Value(inner.key, inner.at)))
        for inner in head.mapping(node, "The title").values()
        for one in head.values(inner.node)
    ]


def state(head: Head, about: Statements) -> None:
    """State what the keys of the head say. Raises Problem 400 for a value of another form."""
    for entry in head.entries.values():
        if entry.key in PROPERTIES:
            about.slot(about.paper, PROPERTIES[entry.key], entry.at)
        if entry.key in SINGLE:
            name, term = SINGLE[entry.key]
            for one in head.values(entry.node):
                about.say(about.paper, name, term(one.words), one.at, entry.at)
        elif entry.key in STRUCTURED:
            STRUCTURED[entry.key](head, about, entry)


def drafters(head: Head, about: Statements, entry: Entry) -> None:
    """Those who drafted the paper: known ones by name, others described."""
    listed = entry.node.value if isinstance(entry.node, yaml.SequenceNode) else [entry.node]
    for node in listed:
        if isinstance(node, yaml.MappingNode):
            about.say(about.paper, "wgig:drafter", person(head, about, node), head.at(node), entry.at)
            continue
        for one in head.values(node):
            if "," in one.words:
                raise fault(head.text, one.at, "This names several drafters.", "Give each a line: - afonso")
            drafter = known_agent(one.words) or concept("agent", one.words)
            about.say(about.paper, "wgig:drafter", drafter, one.at, entry.at)


def person(head: Head, about: Statements, node: yaml.MappingNode) -> ox.NamedNode:
    """A person who is not in the graph, with a seat in the group where they are a member."""
    entries = head.mapping(node, "A drafter", PERSON)
    own, member = head.single(entries.get("id")), head.single(entries.get("member"))
    name = head.single(entries.get("name")) or own
    if not name:
        raise fault(head.text, head.at(node), "This drafter has no name.", "Add a line name: with the name.")
    agent = concept("agent", own.words) if own else about.agent(name.words, "drafter")
    about.names.setdefault(agent, name.words)
    about.thing(agent, "foaf:Person", head.at(node))
    about.say(agent, "foaf:name", ox.Literal(name.words), name.at)
    seated = membership(about, agent, name, head.at(node)) if member and head.truth(member) else agent
    for one in head.values(entries["group"].node) if "group" in entries else ():
        about.say(seated, "wgig:stakeholderGroup", concept("group", one.words), one.at)
    return agent


def membership(about: Statements, agent: ox.NamedNode, name: Value, at: int) -> ox.NamedNode:
    """The seat of a person in the group."""
    seat = iri(f"membership:{agent.value.rpartition('/')[2]}")
    about.thing(seat, "org:Membership", at)
    about.say(seat, "rdfs:label", ox.Literal(f"{name.words}, member", language="en"), at)
    about.say(seat, "org:member", agent, at)
    about.say(seat, "org:organization", iri("agent:wgig"), at)
    about.say(seat, "org:role", iri("role:member"), at)
    return seat


def waivers(head: Head, about: Statements, entry: Entry) -> None:
    """The rules that should not hold for the paper, each with its reason."""
    for number, one in enumerate(head.mapping(entry.node, "The list of waivers").values(), 1):
        code = local("shape", one.key)
        waiver = about.part(f"waiver/{number}", "wgig:Waiver", about.label(f"waiver of {code}"), one.at)
        about.say(about.paper, "wgig:waiver", waiver, one.at, entry.at)
        about.say(waiver, "wgig:waives", iri(f"shape:{quote(code)}"), one.at)
        for reason in head.values(one.node):
            about.say(waiver, "wgig:reason", about.text(reason.words), reason.at, one.at)


def text(words: str) -> ox.Literal:
    """Plain text."""
    return ox.Literal(words)


# Keys with one kind of value, each by its property and how the value is read.
SINGLE: dict[str, tuple[str, Callable[[str], Term]]] = {
    "language": ("schema:inLanguage", text),
    "issue": ("wgig:issue", lambda words: concept("issue", words)),
    "posted": ("wgig:posted", day),
    "pages": ("bibo:numPages", count),
    "version": ("schema:version", text),
    "status": ("schema:creativeWorkStatus", text),
    "illustrative": ("wgig:illustrative", truth),
    "source": ("dcterms:source", address),
    "cites": ("cito:cites", passage),
}
STRUCTURED: dict[str, Callable[[Head, Statements, Entry], None]] = {
    "drafters": drafters,
    "waivers": waivers,
}
# The property of the paper that a key gives.
PROPERTIES = {key: name for key, (name, _) in SINGLE.items()} | {
    "title": "dcterms:title",
    "drafters": "wgig:drafter",
}

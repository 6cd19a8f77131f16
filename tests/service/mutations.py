"""Papers as nobody should write them: parts lost, doubled, renamed, and values of every wrong kind."""

from collections.abc import Callable
from random import Random
from typing import Any

import pyoxigraph as ox
from wgig import known, rules
from wgig.namespaces import OUTSIDE

BASE = rules.BASE
ID, WGIG, XSD = f"{BASE}id/", rules.WGIG, OUTSIDE["xsd"]
ORG = OUTSIDE["org"]
ASKED = rules.predicates() | {known.TYPE.value, f"{WGIG}waiver", f"{WGIG}mechanism"}

Triples = list[ox.Triple]
Term = Any  # of RDF 1.1


def named(*ends: str) -> list[Term]:
    return [ox.NamedNode(f"{BASE}{end}") for end in ends]


def typed(kind: str, *texts: str) -> list[Term]:
    return [ox.Literal(text, datatype=ox.NamedNode(f"{XSD}{kind}")) for text in texts]


WHITE_SPACE = [
    "",
    " ",
    "\n\t",
    "\r\n",
    "\u00a0",
    "\u200b",
    "\u3000",
    "\ufeff",
    "\u0085",
    "\x0b",
    "\x1c",
    "\x1f",
]
LANGUAGES = ["en", "EN", "en-US", "x-private", "fr", "zh-Hant-TW"]
DATES = [
    "2005-01-20",
    "2005-01-25",
    "2005-01-26",
    "2005-01-25Z",
    "2005-01-25-14:00",
    "2005-01-26+14:00",
    "2005-02-30",
    "2005-1-5",
    " 2005-01-20 ",
    "2004-02-29",
    "2005-02-29",
    "2005-13-01",
    "2005-01-20T00:00:00",
    "",
]
NUMBERS = ["2", "3", "5", "6", "04", "+4", "-4", "4.0", "4.", "", " 4 ", "four", "4e0", "9" * 40, "\u0664"]
FEW_AND_MANY = ["1", "2", "6", "7"] * 3  # pages, which none of the other values is likely to be
BOOLEANS = ["true", "false", "1", "0", "TRUE", "yes", " true "]
KINDS = ["issue", "category", "principle", "verdict", "stakeholder-group", "agent", "paper"]
CATEGORIES = ["equitable-distribution", "access-for-all", "stable-and-secure", "other-issues", "cluster-2"]

TEXTS: list[Term] = [
    *(ox.Literal(text) for text in (*WHITE_SPACE, "Text.")),
    *(ox.Literal(text, language=language) for text in ("", " ", "Text.") for language in LANGUAGES),
]
NUMERIC: list[Term] = [
    *typed("integer", *NUMBERS),
    *typed("decimal", "4.0", "4", "4.50"),
    *typed("double", "4.0E0", "NaN", "INF"),
    *typed("int", "4", "99999999999"),
    *typed("nonNegativeInteger", "4", "-4"),
]
TEMPORAL: list[Term] = [
    *typed("date", *DATES),
    *typed("dateTime", "2005-01-20T00:00:00", "2005-01-20"),
    *typed("gYear", "2005"),
    *typed("string", "2005-01-20"),
]
LOGICAL: list[Term] = [*typed("boolean", *BOOLEANS), *typed("string", "true")]
NODES: list[Term] = [
    *named(*(f"id/{kind}/no-such-thing" for kind in KINDS)),
    *named(*(f"id/category/{name}" for name in CATEGORIES)),
    *named(
        "id/issue/spam", "id/issue/domain-names", "id/verdict/adequate", "id/agent/wgig", "id/agent/afonso"
    ),
    *named("id/principle/transparency", "id/principle/involvement-civil-society", "id/scheme/verdicts"),
    *named("id/stakeholder-group/governments", "id/profile/draft"),
    *named("id/document/declaration", "id/document/declaration/48", "id/document/declaration/480"),
    *named("id/document/report", "shapes#section-1", "ontology#Forum"),
    *named("shapes#WGIG-0-LATE", "shapes#WGIG-0-WAIVER-REASON"),
    ox.NamedNode("http://example.org/%20?a=b#\u00e9"),
    ox.BlankNode("nothing"),
]
OTHERS: list[Term] = [
    *typed("anyURI", f"{ID}issue/spam"),
    ox.Literal("4", datatype=ox.NamedNode("http://example.org/own")),
    ox.Literal("4", datatype=known.TYPE),
]
VALUES = [TEXTS, NUMERIC, TEMPORAL, LOGICAL, NODES, OTHERS]
# By the datatype of what is there.
LIKE = {
    "integer": [*NUMERIC, *typed("integer", *FEW_AND_MANY)],
    "date": TEMPORAL,
    "boolean": LOGICAL,
}

# What a file may claim of things that are not its own, after which other rules are or are not broken.
CLAIMS: Triples = [
    ox.Triple(ox.NamedNode(f"{ID}{subject}"), ox.NamedNode(predicate), ox.NamedNode(value))
    for subject, predicate, value in [
        ("agent/no-such-thing", f"{WGIG}stakeholderGroup", f"{ID}stakeholder-group/governments"),
        ("agent/afonso", f"{WGIG}stakeholderGroup", f"{ID}stakeholder-group/private-sector"),
        ("agent/wgig", f"{ORG}organization", f"{ID}agent/wgig"),
        ("membership/made-up", f"{ORG}member", f"{ID}agent/no-such-thing"),
        ("membership/made-up", f"{ORG}organization", f"{ID}agent/wgig"),
        ("issue/spam", f"{WGIG}category", f"{ID}category/equitable-distribution"),
        ("issue/no-such-thing", known.TYPE.value, f"{WGIG}Issue"),
        ("verdict/no-such-thing", f"{OUTSIDE['skos']}inScheme", f"{ID}scheme/verdicts"),
        ("document/declaration/480", known.TYPE.value, f"{WGIG}Paragraph"),
        ("document/declaration/480", f"{WGIG}partOf", f"{ID}document/declaration/48"),
        ("document/declaration/48", f"{WGIG}partOf", f"{ID}document/declaration/480"),
        ("stakeholder-group/consumers", known.TYPE.value, f"{WGIG}StakeholderGroup"),
        ("own-kind", known.SUBCLASS, f"{WGIG}Forum"),
        ("verdict/adequate", known.TYPE.value, f"{WGIG}IssuePaper"),
    ]
]  # fmt: skip


def like(value: Term) -> list[Term]:
    """Values that might stand in place of one."""
    if not isinstance(value, ox.Literal):
        return [one for one in NODES if kind(one) == kind(value)] or NODES
    return LIKE.get(value.datatype.value.removeprefix(XSD), TEXTS)


def kind(node: Term) -> str:
    """The folder that the name of a node is in."""
    return str(node.value).rpartition("/")[0]


def one_of(triples: Triples, chance: Random) -> ox.Triple:
    """A triple, mostly one of a property that some rule looks at, each as likely as the others."""
    asked = sorted({one.predicate.value for one in triples} & ASKED)
    if not asked or chance.random() < 0.2:
        return chance.choice(triples)
    predicate = chance.choice(asked)
    return chance.choice([one for one in triples if one.predicate.value == predicate])


def lost(triples: Triples, chance: Random) -> Triples:
    """Without one triple."""
    gone = one_of(triples, chance)
    return [one for one in triples if one != gone]


def undescribed(triples: Triples, chance: Random) -> Triples:
    """Without all that is said of one node."""
    gone = one_of(triples, chance).subject
    return [one for one in triples if one.subject != gone]


def unnamed(triples: Triples, chance: Random) -> Triples:
    """With a blank node in place of an IRI."""
    gone = one_of(triples, chance).subject
    return renamed(triples, gone, ox.BlankNode())


def one_with_another(triples: Triples, chance: Random) -> Triples:
    """With one node in place of two."""
    gone, other = one_of(triples, chance).subject, chance.choice(triples).subject
    return renamed(triples, gone, other)


def twice(triples: Triples, chance: Random) -> Triples:
    """With a second node of which the same is said, and which is named wherever the first is."""
    first = one_of(triples, chance).subject
    second = ox.NamedNode(f"{first.value}-2") if isinstance(first, ox.NamedNode) else ox.BlankNode()
    with_it = [one for one in triples if first in (one.subject, one.object)]
    return [*triples, *renamed(with_it, first, second)]


def renamed(triples: Triples, old: Term, new: Term) -> Triples:
    """With another node in place of one."""

    def name(term: Term) -> Term:
        return new if term == old else term

    return [ox.Triple(name(one.subject), one.predicate, name(one.object)) for one in triples]


def changed(triples: Triples, chance: Random) -> Triples:
    """With another value in place of one."""
    return doubled(triples, chance, keep=False)


def doubled(triples: Triples, chance: Random, *, keep: bool = True) -> Triples:
    """With another value beside one."""
    at = one_of(triples, chance)
    others: list[Term] = [one.object for one in triples if one.predicate == at.predicate]
    subjects: list[Term] = [one.subject for one in triples]
    value = chance.choice(chance.choice([like(at.object), like(at.object), others, subjects, *VALUES]))
    new = ox.Triple(at.subject, at.predicate, value)
    return [*(one for one in triples if keep or one != at), new]


def misnamed(triples: Triples, chance: Random) -> Triples:
    """With the property of one triple in another."""
    at, predicate = one_of(triples, chance), one_of(triples, chance).predicate
    return [ox.Triple(at.subject, predicate, at.object) if one == at else one for one in triples]


def misplaced(triples: Triples, chance: Random) -> Triples:
    """With the subject of one triple in another."""
    at, subject = one_of(triples, chance), chance.choice(triples).subject
    return [ox.Triple(subject, at.predicate, at.object) if one == at else one for one in triples]


def retyped(triples: Triples, chance: Random) -> Triples:
    """With a class of the ontology or of one's own beside one."""
    at = one_of(triples, chance)
    classes = [*sorted(known.terms()), f"{ID}own-kind"]
    return [*triples, ox.Triple(at.subject, known.TYPE, ox.NamedNode(chance.choice(classes)))]


def claimed(triples: Triples, chance: Random) -> Triples:
    """With a statement about something that is known, or should be."""
    return [*triples, *chance.sample(CLAIMS, 2)]


def waived(triples: Triples, chance: Random) -> Triples:
    """With a waiver, whole or not."""
    at = one_of(triples, chance)
    paper, waiver = at.subject, ox.NamedNode(f"{ID}paper/made-up/waiver/{chance.randrange(10**6)}")
    said = [
        ox.Triple(paper, ox.NamedNode(f"{WGIG}waiver"), waiver),
        ox.Triple(waiver, ox.NamedNode(f"{WGIG}waives"), chance.choice(NODES + TEXTS)),
        ox.Triple(waiver, ox.NamedNode(f"{WGIG}reason"), chance.choice(TEXTS)),
    ]
    return [*triples, *chance.sample(said, 2), said[0]]


MUTATIONS: list[Callable[[Triples, Random], Triples]] = [
    lost, undescribed, unnamed, twice, twice, one_with_another, changed, changed, doubled, doubled,
    misnamed, misplaced, retyped, claimed, waived,
]  # fmt: skip


def mutated(triples: Triples, chance: Random) -> Triples:
    """A paper after two to eight of these mutations."""
    for _ in range(chance.randint(2, 8)):
        triples = chance.choice(MUTATIONS)(triples, chance) or triples
    return list(dict.fromkeys(triples))

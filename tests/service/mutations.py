"""Papers as nobody should write them: parts lost, doubled, renamed, and values of every wrong kind."""

from collections.abc import Callable
from random import Random

import pyoxigraph as ox
from wgig import known, rules
from wgig.namespaces import OUTSIDE

BASE = rules.BASE
ID, WGIG, XSD = f"{BASE}id/", rules.WGIG, OUTSIDE["xsd"]
ORG, SUBCLASS = OUTSIDE["org"], ox.NamedNode(known.SUBCLASS)

Triples = list[ox.Triple]
Node = ox.NamedNode | ox.BlankNode
Term = Node | ox.Literal


def named(*ends: str) -> list[Term]:
    return [ox.NamedNode(f"{BASE}{end}") for end in ends]


def typed(kind: str, *texts: str) -> list[Term]:
    return [ox.Literal(text, datatype=ox.NamedNode(f"{XSD}{kind}")) for text in texts]


WHITE_SPACE = ["", " ", "\n\t", "\r\n", "\u00a0", "\u200b", "\u3000", "\ufeff", "\u0085", "\x0b", "\x1c", "\x1f"]
LANGUAGES = ["en", "EN", "en-US", "x-private", "fr", "zh-Hant-TW"]
DATES = ["2005-02-30", "2005-1-5", "2005-01-25", "2005-01-25Z", "2005-01-25-14:00", "2005-01-26+14:00", " 2005-01-20 "]
ODD_DATES = ["2004-02-29", "2005-02-29", "-0001-01-01", "0000-01-01", "12005-01-01", "2005-01-20T00:00:00", "2005-13-01"]
NUMBERS = ["4", "04", "+4", "-4", "4.0", "4.", "", " 4 ", "four", "4e0", "9" * 40, "\u0664"]
BOOLEANS = ["true", "false", "1", "0", "TRUE", "yes", " true "]

VALUES: list[Term] = [
    *(ox.Literal(text) for text in WHITE_SPACE),
    *(ox.Literal(text, language=language) for text in ("", " ", "Text.") for language in LANGUAGES),
    *typed("date", *DATES, *ODD_DATES),
    *typed("dateTime", "2005-01-20T00:00:00", "2005-01-20"),
    *typed("gYear", "2005"),
    *typed("integer", *NUMBERS),
    *typed("decimal", "4.0", "4", "4.50"),
    *typed("double", "4.0E0", "NaN", "INF"),
    *typed("int", "4", "99999999999"),
    *typed("nonNegativeInteger", "4", "-4"),
    *typed("boolean", *BOOLEANS),
    *typed("anyURI", f"{ID}issue/spam"),
    *(ox.Literal("4", datatype=one) for one in (ox.NamedNode("http://example.org/own"), known.TYPE)),
    *named(*(f"id/{kind}/no-such-thing" for kind in ("issue", "category", "principle", "verdict", "agent"))),
    *named("id/issue/spam", "id/category/stable-and-secure", "id/category/cluster-2", "id/verdict/adequate"),
    *named("id/principle/transparency", "id/principle/involvement-civil-society", "id/agent/wgig"),
    *named("id/stakeholder-group/governments", "id/stakeholder-group/consumers", "id/scheme/verdicts"),
    *named("id/document/declaration", "id/document/declaration/48", "id/document/declaration/480"),
    *named("id/document/report", "id/profile/draft", "shapes#section-1", "shapes#WGIG-0-LATE", "ontology#Forum"),
    ox.NamedNode("http://example.org/%20?a=b#\u00e9"),
    ox.BlankNode("nothing"),
]  # fmt: skip

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


def lost(triples: Triples, chance: Random) -> Triples:
    """Without one triple."""
    gone = chance.choice(triples)
    return [one for one in triples if one != gone]


def undescribed(triples: Triples, chance: Random) -> Triples:
    """Without all that is said of one node."""
    gone = chance.choice(triples).subject
    return [one for one in triples if one.subject != gone]


def unnamed(triples: Triples, chance: Random) -> Triples:
    """With a blank node in place of an IRI."""
    gone = chance.choice(triples).subject
    return renamed(triples, gone, ox.BlankNode())


def one_with_another(triples: Triples, chance: Random) -> Triples:
    """With one node in place of two."""
    gone, other = chance.choice(triples).subject, chance.choice(triples).subject
    return renamed(triples, gone, other)


def renamed(triples: Triples, old: Node, new: Node) -> Triples:
    """With another node in place of one."""
    return [
        ox.Triple(*(new if term == old else term for term in (one.subject, one.predicate, one.object)))  # type: ignore[arg-type]
        for one in triples
    ]


def changed(triples: Triples, chance: Random) -> Triples:
    """With another value in place of one."""
    return doubled(triples, chance, keep=False)


def doubled(triples: Triples, chance: Random, *, keep: bool = True) -> Triples:
    """With another value beside one."""
    at = chance.choice(triples)
    others = [one.object for one in triples if one.predicate == at.predicate]
    value = chance.choice(chance.choice([VALUES, others, [one.subject for one in triples]]))
    new = ox.Triple(at.subject, at.predicate, value)
    return [*(one for one in triples if keep or one != at), new]


def misnamed(triples: Triples, chance: Random) -> Triples:
    """With the property of one triple in another."""
    at, predicate = chance.choice(triples), chance.choice(triples).predicate
    return [ox.Triple(at.subject, predicate, at.object) if one == at else one for one in triples]


def misplaced(triples: Triples, chance: Random) -> Triples:
    """With the subject of one triple in another."""
    at, subject = chance.choice(triples), chance.choice(triples).subject
    return [ox.Triple(subject, at.predicate, at.object) if one == at else one for one in triples]


def retyped(triples: Triples, chance: Random) -> Triples:
    """With a class of the ontology or of one's own beside one."""
    at = chance.choice(triples)
    classes = [*sorted(known.classes_above()), f"{ID}own-kind"]
    return [*triples, ox.Triple(at.subject, known.TYPE, ox.NamedNode(chance.choice(classes)))]


def claimed(triples: Triples, chance: Random) -> Triples:
    """With a statement about something that is known, or should be."""
    return [*triples, *chance.sample(CLAIMS, 2)]


def waived(triples: Triples, chance: Random) -> Triples:
    """With a waiver, whole or not."""
    at = chance.choice(triples)
    paper, waiver = at.subject, ox.NamedNode(f"{ID}paper/made-up/waiver/{chance.randrange(10**6)}")
    said = [
        ox.Triple(paper, ox.NamedNode(f"{WGIG}waiver"), waiver),
        ox.Triple(waiver, ox.NamedNode(f"{WGIG}waives"), chance.choice(VALUES)),
        ox.Triple(waiver, ox.NamedNode(f"{WGIG}reason"), chance.choice(VALUES)),
    ]
    return [*triples, *chance.sample(said, 2), said[0]]


MUTATIONS: list[Callable[[Triples, Random], Triples]] = [
    lost, undescribed, unnamed, one_with_another, changed, changed, doubled, doubled,
    misnamed, misplaced, retyped, claimed, waived,
]  # fmt: skip


def mutated(triples: Triples, chance: Random) -> Triples:
    """A paper after one to six of these mutations."""
    for _ in range(chance.randint(1, 6)):
        triples = chance.choice(MUTATIONS)(triples, chance) or triples
    return list(dict.fromkeys(triples))

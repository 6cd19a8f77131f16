"""What the Background Report of June 2005 says of an issue: hints for whoever writes a paper on it.

The hints are the forums and mechanisms that govern the issue, judgments by criterion, and recommendations, as
in the bundled facts. The skeleton has them in comments, the form beside its fields. They are never content of
a paper.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from functools import cache, lru_cache
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.labels import best_text
from ..rdf.namespaces import DEFAULT_NAMESPACES, expand_curie
from ..rdf.shipped import shipped_facts
from ..rdf.vocabulary import ObjectsBySubject, group_objects_by_subject
from .markdown.template import CRITERION_HEADINGS
from .markdown.values import local_name, resource_path

FORUM_KIND = expand_curie("mechanism-kind:forum")
ADEQUACY_IN_GENERAL = expand_curie("criterion:adequacy")
CRITERION_NAMES = frozenset(heading.key for heading in CRITERION_HEADINGS)
BROADER_IRI, GOVERNS_IRI, ISSUE_IRI = (
    expand_curie(curie).value for curie in ("skos:broader", "wgig:governs", "wgig:issue")
)
OTHER_CRITERION = ""  # the key of the heading `Other`


class BackgroundHint(NamedTuple):
    """A mechanism, judgment or recommendation of the Background Report.

    - `text`: the name of the mechanism, or a summary
    - `kind`: the kind of the mechanism or recommendation, or the verdict of the judgment
    - `holder`: whose view it is; None for a mechanism
    - `criterion`: that of a judgment
    - `subject`: what is judged, as named, or the role of the mechanism
    - `mechanisms`: the bodies and instruments that are judged
    - `passages`: the paths of the paragraphs, such as `background-report/118`
    - `dispute`: the question on which the judgment is a side, or empty
    - `cluster`: the cluster of issues that the judgment is on as a whole, or empty
    """

    node: ox.NamedNode
    text: str
    kind: ox.NamedNode
    holder: ox.NamedNode | None
    criterion: ox.NamedNode | None
    subject: str
    mechanisms: tuple[ox.NamedNode, ...]
    quotation: str
    passages: tuple[str, ...]
    dispute: str
    cluster: str


# The hints on an issue by the key of the heading for which they are: a section, or a criterion of section 7.
# Judgments on adequacy in general are at the section itself.
BackgroundHints = dict[str, list[BackgroundHint]]


@cache
def facts_by_subject() -> ObjectsBySubject:
    """The objects of the bundled facts, by subject and property."""
    return group_objects_by_subject(shipped_facts())


@cache
def subjects_by_object(curie: str) -> Mapping[Any, Sequence[Any]]:
    """The nodes in the bundled facts with each value of a property, in the order of the facts."""
    property_ = expand_curie(curie)
    subjects: dict[Any, list[Any]] = {}
    for triple in shipped_facts():
        if triple.predicate == property_:
            subjects.setdefault(triple.object, []).append(triple.subject)
    return subjects


def shipped_objects(node: Any, curie: str) -> list[Any]:
    """The values of a property of a node in the bundled facts."""
    return facts_by_subject().get(node, {}).get(expand_curie(curie).value, [])


def first_object(node: Any, curie: str) -> Any:
    """The first value of a property of a node in the bundled facts, or None."""
    return next(iter(shipped_objects(node, curie)), None)


def english_text(node: Any, *curies: str) -> str:
    """The text of the first of the properties that a node has, if possible in English; empty without any."""
    values = next(filter(None, (shipped_objects(node, curie) for curie in curies)), [])
    return best_text(values, ("en",), "").value


@lru_cache(maxsize=100)  # limited, as users may write any name of an issue
def list_background_hints(issue: ox.NamedNode) -> BackgroundHints:
    """What the Background Report says of an issue and its parts, in the order of the facts, by heading key.

    Parts are narrower issues: the report treats names and addresses apart.
    """
    facts = facts_by_subject()
    issues = {issue} | {node for node, values in facts.items() if issue in values.get(BROADER_IRI, ())}
    hints: BackgroundHints = {}
    for node, values in facts.items():
        if not issues.isdisjoint(values.get(GOVERNS_IRI, ())):
            hint = build_mechanism_hint(node, issues)
            hints.setdefault("forums" if hint.kind == FORUM_KIND else "mechanisms", []).append(hint)
        elif not issues.isdisjoint(values.get(ISSUE_IRI, ())):
            types = shipped_objects(node, "rdf:type")
            if expand_curie("wgig:Judgment") in types:
                hint = build_statement_hint(node, "wgig:verdict")
                hints.setdefault(criterion_heading_key(hint.criterion), []).append(hint)
            elif expand_curie("wgig:Recommendation") in types:
                hints.setdefault("comments", []).append(build_statement_hint(node, "dcterms:type"))
    return hints


def build_mechanism_hint(node: ox.NamedNode, issues: Set[ox.NamedNode]) -> BackgroundHint:
    """A body or instrument, with the passages on one of the issues that name it, or else all that do."""
    passages = shipped_objects(node, "dcterms:isReferencedBy")
    on_issue = [
        passage for passage in passages if not issues.isdisjoint(shipped_objects(passage, "wgig:bearsOn"))
    ]
    return BackgroundHint(
        node=node,
        text=english_text(node, "foaf:name", "rdfs:label"),
        kind=first_object(node, "dcterms:type"),
        holder=None,
        criterion=None,
        subject=english_text(node, "wgig:mechanismRole"),
        mechanisms=(),
        quotation="",
        passages=tuple(resource_path(passage, "document/") for passage in on_issue or passages),
        dispute="",
        cluster="",
    )


def build_statement_hint(node: ox.NamedNode, kind_property: str) -> BackgroundHint:
    """A judgment, whose kind is its verdict, or a recommendation."""
    return BackgroundHint(
        node=node,
        text=english_text(node, "dcterms:description"),
        kind=first_object(node, kind_property),
        holder=first_object(node, "wgig:viewHolder"),
        criterion=first_object(node, "wgig:criterion"),
        subject=english_text(node, "wgig:judgedAsNamed"),
        mechanisms=tuple(shipped_objects(node, "wgig:judges")),
        quotation=english_text(node, "wgig:quotation"),
        passages=tuple(
            resource_path(source, "document/")
            for source in shipped_objects(node, "dcterms:source")
            if source.value.startswith(DEFAULT_NAMESPACES["bg"])
        ),
        dispute=english_text(first_object(node, "wgig:dispute"), "rdfs:label"),
        cluster=english_text(first_object(node, "wgig:cluster"), "skos:prefLabel"),
    )


def criterion_heading_key(criterion: ox.NamedNode | None) -> str:
    """The key of the heading of section 7 for a criterion; that of the section for adequacy in general."""
    if criterion == ADEQUACY_IN_GENERAL:
        return "adequacy"
    names = (local_name(node, "principle") for node in iter_broader_criteria(criterion))
    return next((name for name in names if name in CRITERION_NAMES), OTHER_CRITERION)


def iter_broader_criteria(criterion: ox.NamedNode | None) -> Iterator[ox.NamedNode]:
    """A criterion and the broader ones, such as involvement for the involvement of governments."""
    while criterion is not None:
        yield criterion
        criterion = first_object(criterion, "skos:broader")

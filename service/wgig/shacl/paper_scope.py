"""The scope of a paper: what the statements in the graph of a paper may be about.

A token for papers must not change what other graphs state. So the graph of a paper may describe only

- the graph, the paper, its parts (IRIs below that of the paper) and blank nodes, without the classes and
  properties from which rules infer statements about other resources;
- agents that it names and their memberships, by properties that identify them, if no other graph describes
  them. Statements of another graph may be repeated.

`check_paper_scope` needs only the paper, `check_actor_statements` also the store.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple, NoReturn

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.literals import term_text
from ..rdf.namespaces import ID_NAMESPACE, OWL_NAMESPACE, RDF_TYPE, WGIG_NAMESPACE, expand_curie
from ..rdf.shipped import shipped_ontology
from ..store.view import StoreView
from .documents import Document
from .results import Term

ACTOR_IRI_PREFIXES = (f"{ID_NAMESPACE}agent/", f"{ID_NAMESPACE}membership/")


def expand_names(prefix: str, names: str) -> frozenset[str]:
    """The IRIs of local names, separated by spaces, in the namespace of a prefix."""
    return frozenset(expand_curie(f"{prefix}:{name}").value for name in names.split())


PAPER_CLASSES = expand_names(
    "wgig",
    "Assessment AssessmentPaper Document Forum IssuePaper Mechanism Paper Paragraph Section Swot Waiver",
)
AGENT_CLASSES = (
    expand_names("foaf", "Agent Group Organization Person")
    | expand_names("org", "FormalOrganization Membership Organization OrganizationalUnit")
    | expand_names("prov", "Agent Organization Person")
    | expand_names("schema", "Organization Person")
)
# Other classes of these namespaces are those of issues, concepts, citations, meetings, datasets and schemas.
RESERVED_CLASS_NAMESPACES = tuple(
    expand_curie(f"{prefix}:").value
    for prefix in ("wgig", "cito", "dcat", "foaf", "org", "owl", "rdfs", "sh", "skos", "void")
)
SCHEMA_PROPERTIES = expand_names("rdfs", "domain range subClassOf subPropertyOf")
# They put a resource into a scheme, or let a rule infer statements about others: bearsOn relates categories.
RESERVED_PROPERTIES = (
    expand_names(
        "skos", "broader broaderTransitive hasTopConcept inScheme member memberList narrower topConceptOf"
    )
    | expand_names("cito", "hasCitedEntity hasCitingEntity")
    | expand_names("wgig", "bearsOn")
)
# Statements with these properties are about their object, if it is an agent or membership.
MEMBER_PROPERTIES = expand_names("org", "hasMember hasMembership headOf holds member") | expand_names(
    "foaf", "member"
)
IDENTIFYING_PROPERTIES = (
    expand_names("dcterms", "identifier source")
    | expand_names("foaf", "familyName givenName homepage name nick page title")
    | expand_names("org", "hasMembership identifier member memberOf organization role")
    | expand_names("rdfs", "label seeAlso")
    | expand_names("schema", "alternateName endDate name startDate url")
    | expand_names("skos", "altLabel prefLabel")
    | expand_names(
        "wgig", "appointed country countryBasis illustrative postTitle stakeholderGroup stakeholderGroupBasis"
    )
    | {RDF_TYPE.value}
)


class ActorStatement(NamedTuple):
    """A statement of a paper about an agent or membership; the line in the request, None if it is unknown."""

    subject: Term
    predicate: ox.NamedNode
    object: Term
    line: int | None


def check_paper_scope(document: Document, paper: ox.NamedNode, graph: str) -> tuple[ActorStatement, ...]:
    """Check each statement of a paper without the store. Raises Problem 422, with the line.

    Returns the statements about agents and memberships, for `check_actor_statements`.
    """
    scope = PaperScope(document, paper, graph)
    return tuple(scope.iter_actor_statements())


class PaperScope:
    """The check of the statements of one paper."""

    def __init__(self, document: Document, paper: ox.NamedNode, graph: str) -> None:
        """Find the agents and memberships that the paper names."""
        self.document, self.paper, self.graph = document, paper, graph
        self.named_actors = self.find_named_actors()

    def is_own(self, node: Term) -> bool:
        """Whether a node is the graph, the paper, a part of it, or a blank node."""
        if not isinstance(node, ox.NamedNode):
            return True
        return node == self.paper or node.value.startswith(f"{self.paper.value}/") or node.value == self.graph

    def find_named_actors(self) -> set[Term]:
        """The agents that the paper or a part names, their memberships, and the agents that these name."""
        named = {
            triple.object
            for subject, numbers in self.document.numbers_by_subject.items()
            if self.is_own(subject)
            for triple in (self.document.triples[number] for number in numbers)
            if is_actor(triple.object)
        }
        pending = list(named)
        while pending:
            actor = pending.pop()
            members = (
                self.document.triples[number].subject
                for number in self.document.numbers_by_object.get(actor, ())
                if self.document.triples[number].predicate.value in MEMBER_PROPERTIES
            )
            for node in (*self.document.find_object_nodes(actor), *members):
                if is_actor(node) and node not in named:
                    named.add(node)
                    pending.append(node)
        return named

    def iter_actor_statements(self) -> Iterator[ActorStatement]:
        """The statements about agents and memberships. Raises Problem 422 for a statement out of scope."""
        for number, triple in enumerate(self.document.triples):
            subject, predicate, object_ = triple.subject, triple.predicate, triple.object
            if is_actor(subject):
                if reason := self.find_actor_fault(subject, predicate, object_):
                    self.refuse(number, reason)
                yield ActorStatement(subject, predicate, object_, self.line(number))
                continue
            if not self.is_own(subject):
                self.refuse(
                    number,
                    f"would describe {subject}, which is no part of the paper, agent or membership",
                )
            if reason := self.find_own_fault(predicate, object_):
                self.refuse(number, reason)
            if predicate.value in MEMBER_PROPERTIES and is_actor(object_):
                yield ActorStatement(subject, predicate, object_, self.line(number))

    def find_own_fault(self, predicate: ox.NamedNode, object_: Term) -> str:
        """Why the paper or a part must not be described by this property and value; empty if it may."""
        if predicate == RDF_TYPE:
            is_reserved = isinstance(object_, ox.NamedNode) and object_.value.startswith(
                RESERVED_CLASS_NAMESPACES
            )
            is_allowed = isinstance(object_, ox.NamedNode) and object_.value in PAPER_CLASSES | AGENT_CLASSES
            return f"would have a part of the class {object_}" if is_reserved and not is_allowed else ""
        iri = predicate.value
        if iri.startswith(OWL_NAMESPACE) or iri in SCHEMA_PROPERTIES | RESERVED_PROPERTIES:
            return f"would state {predicate}, which changes the meaning of other statements"
        if iri in foreign_properties():
            return f"would state {predicate}, which does not describe papers and their parts"
        if iri in inverse_properties() and not self.is_own(object_):
            return f"would state {predicate}, which describes {object_}"
        return ""

    def find_actor_fault(self, subject: Term, predicate: ox.NamedNode, object_: Term) -> str:
        """Why an agent or membership must not be described so; empty if it may."""
        if subject not in self.named_actors:
            return f"would describe {subject}, which the paper does not name"
        is_class = isinstance(object_, ox.NamedNode) and object_.value in AGENT_CLASSES
        if predicate.value not in IDENTIFYING_PROPERTIES or (predicate == RDF_TYPE and not is_class):
            return f"would state {predicate} {object_} of {subject}, beyond what identifies it"
        return ""

    def line(self, number: int) -> int | None:
        """The line of the subject of a triple in the request, if it is known."""
        positions = self.document.triple_positions
        if not positions or positions[number].subject < 0:
            return None
        return self.document.text_lines.locate(positions[number].subject).line

    def refuse(self, number: int, reason: str) -> NoReturn:
        """Raise Problem 422 for a triple."""
        raise paper_scope_problem(self.paper.value, reason, self.line(number))


def is_actor(node: Term) -> bool:
    """Whether a node has the IRI of an agent or membership."""
    return isinstance(node, ox.NamedNode) and node.value.startswith(ACTOR_IRI_PREFIXES)


def paper_scope_problem(paper: str, reason: str, line: int | None) -> Problem:
    """The 422 for a statement out of scope."""
    return Problem(
        422,
        f"{f'Line {line}: ' if line else ''}The graph is for the paper <{paper}>, but {reason}. "
        "Remove this statement.",
        line=line,
    )


@cache
def foreign_properties() -> frozenset[str]:
    """The properties of the ontology whose domain is neither papers nor their parts."""
    domains: dict[str, set[str]] = {}
    for triple in shipped_ontology():
        if triple.predicate == expand_curie("rdfs:domain") and isinstance(triple.object, ox.NamedNode):
            domains.setdefault(term_text(triple.subject), set()).add(triple.object.value)
    return frozenset(
        property_
        for property_, classes in domains.items()
        if property_.startswith(WGIG_NAMESPACE) and classes.isdisjoint(PAPER_CLASSES)
    )


@cache
def inverse_properties() -> frozenset[str]:
    """The properties of the ontology that are the inverse of a primary one, and so describe their object."""
    return frozenset(
        triple.object.value
        for triple in shipped_ontology()
        if triple.predicate == expand_curie("owl:inverseOf") and isinstance(triple.object, ox.NamedNode)
    )


def check_actor_statements(
    store: StoreView, statements: Sequence[ActorStatement], paper: str, graphs: frozenset[str]
) -> None:
    """Raise Problem 422 if a statement is about an agent or membership that another graph describes.

    A statement that another graph contains may be repeated. `graphs` are those that do not count: that of the
    paper, and those that the service computes.
    """
    for subject, predicate, object_, line in statements:
        described = (subject, object_) if predicate.value in MEMBER_PROPERTIES else (subject,)
        for node in filter(is_actor, described):
            if is_described_elsewhere(store, node, graphs) and not is_stated_elsewhere(
                store, ox.Triple(subject, predicate, object_), graphs
            ):
                raise paper_scope_problem(
                    paper, f"would add to the description of {node}, which is in another graph", line
                )


def is_described_elsewhere(store: StoreView, node: Term, graphs: frozenset[str]) -> bool:
    """Whether a graph other than these has a statement about the node."""
    assert isinstance(node, ox.NamedNode)
    return any(graph_iri(quad) not in graphs for quad in store.match(node))


def is_stated_elsewhere(store: StoreView, triple: ox.Triple, graphs: frozenset[str]) -> bool:
    """Whether a graph other than these has this statement."""
    if not isinstance(triple.subject, ox.NamedNode):
        return False
    return any(
        quad.triple == triple and graph_iri(quad) not in graphs
        for quad in store.match(triple.subject, triple.predicate)
    )


def graph_iri(quad: ox.Quad) -> str:
    """The IRI of the graph of a quad; empty for the unnamed graph."""
    return quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""

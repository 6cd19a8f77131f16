"""Check a file or a graph against shapes that the sender chose: from validation results to a report.

Every result makes the data not conform, whatever its severity (SHACL, section 3.6.1.1). A shape without
sh:message gets a message in the language of the report. At most MAX_SHOWN_FINDINGS findings are shown, the
first of each constraint before the second of any.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..rdf.namespaces import RDF_NIL, RDF_TYPE, RDFS_NAMESPACE, SH_NAMESPACE
from ..settings import Settings
from ..shacl.check import MAX_SHOWN_FINDINGS
from ..shacl.documents import Document
from ..shacl.findings import Finding, PaperReport, Report
from ..shacl.locations import find_result_offset, find_text_position, shown_line_text
from ..shacl.reports.phrases import format_short_term, translate_shape_message
from ..shacl.results import ValidationResult
from ..shacl.rules import SHAPES_PROFILE, ShapeRule
from ..text import shorten_untrusted_text
from . import vocabulary
from .engines import ShapeResult, get_shapes_engine
from .shapes_graph import ShapesGraph, ShapesNote, ShapesSource, build_size_problem, read_shapes_graph
from .vocabulary import RDF_FIRST_IRI, RDF_REST_IRI

MAX_SHOWN_LIST_MEMBERS = 5  # of a constraint in a message
MAX_MESSAGE_CHARACTERS = 300
PATH_IRI_PATTERN = re.compile("<([^>]*)>")  # in a path
COMPONENT_ENDING = "ConstraintComponent"
SEVERITY_NAMES = ("Violation", "Warning", "Info")
# The components whose messages are from a query, if it has one, and not from the engine.
SPARQL_COMPONENT = f"{SH_NAMESPACE}SPARQLConstraintComponent"


def check_data(document: Document, sources: tuple[ShapesSource, ...], settings: Settings) -> Report:
    """The report on a file by the shapes in other files.

    Raises Problem for shapes that are refused, see `read_shapes_graph`, and 413 for too many triples.
    """
    shapes = read_shapes_graph(sources, settings)
    if len(document.triples) + len(shapes.triples) > settings.paper_triples:
        raise build_size_problem(settings.paper_triples)
    results = get_shapes_engine(settings.shacl)(document.triples, shapes)
    collector = FindingCollector(shapes)
    collector.add_results(results)
    return collector.build_report(document, len(find_focus_nodes(document, shapes)))


def find_focus_nodes(document: Document, shapes: ShapesGraph) -> set[Any]:
    """The nodes of a document that are targets of the shapes (SHACL, section 2.1.3)."""
    targets = shapes.targets
    classes = close_under_subclasses(targets.classes, document)
    nodes = set(targets.nodes)
    for triple in document.triples:
        predicate = triple.predicate.value
        if predicate in targets.subjects_of or (
            triple.predicate == RDF_TYPE and getattr(triple.object, "value", "") in classes
        ):
            nodes.add(triple.subject)
        if predicate in targets.objects_of:
            nodes.add(triple.object)
    return nodes


def close_under_subclasses(classes: Iterable[str], document: Document) -> set[str]:
    """The IRIs of classes and of their subclasses in a document."""
    subclasses: dict[str, list[str]] = {}
    for triple in document.iter_property_triples([ox.NamedNode(f"{RDFS_NAMESPACE}subClassOf")]):
        if isinstance(triple.object, ox.NamedNode) and isinstance(triple.subject, ox.NamedNode):
            subclasses.setdefault(triple.object.value, []).append(triple.subject.value)
    closed, pending = set(classes), list(classes)
    while pending:
        new = set(subclasses.get(pending.pop(), ())) - closed
        closed |= new
        pending += new
    return closed


class RuleKey(NamedTuple):
    """What the results of a rule have in common."""

    shape: Any
    path: Any
    component: str
    severity: str
    messages: tuple[ox.Literal, ...]


class FindingCollector:
    """Collects the results of one or several calls of an engine, and keeps only what a report shows."""

    def __init__(self, shapes: ShapesGraph) -> None:
        """Start without results."""
        self.shapes = shapes
        self.rules: dict[RuleKey, ShapeRule] = {}
        self.results_by_rule: dict[ShapeRule, list[ShapeResult]] = {}
        self.severity_counts = Counter[str]()

    def add_results(self, results: Sequence[ShapeResult]) -> None:
        """Take results. Of each rule, as many are kept as a report can show."""
        self.severity_counts.update(get_severity_name(result.severity) for result in results)
        for result in sorted(results, key=result_sort_key):
            rule = self.find_rule(result)
            if rule is not None:
                kept_results = self.results_by_rule[rule]
                if len(kept_results) < MAX_SHOWN_FINDINGS:
                    kept_results.append(result)

    def find_rule(self, result: ShapeResult) -> ShapeRule | None:
        """The rule of a result; None for one more than a report can show."""
        messages = result.messages if self.has_own_messages(result) else ()
        key = RuleKey(result.shape, result.path, result.component, result.severity, messages)
        if key not in self.rules and len(self.rules) < MAX_SHOWN_FINDINGS:
            self.rules[key] = self.build_rule(key)
            self.results_by_rule[self.rules[key]] = []
        return self.rules.get(key)

    def has_own_messages(self, result: ShapeResult) -> bool:
        """Whether the messages of a result are from the shapes: those of the engines differ."""
        message = f"{SH_NAMESPACE}message"
        if self.shapes.objects(result.shape, message):
            return True
        if result.component == SPARQL_COMPONENT:
            constraints = self.shapes.objects(result.shape, f"{SH_NAMESPACE}sparql")
            return any(self.shapes.objects(constraint, message) for constraint in constraints)
        return not result.component.startswith(SH_NAMESPACE)  # of a component that the shapes declare

    def build_rule(self, key: RuleKey) -> ShapeRule:
        """The rule for a shape and one of its constraints."""
        shape, path = key.shape, self.shapes.paths.get(key.path)
        owner = self.shapes.find_named_shape(shape)
        component = key.component.removeprefix(SH_NAMESPACE).removesuffix(COMPONENT_ENDING)
        is_predicate = isinstance(key.path, ox.NamedNode)
        path_text = path.text if path else f"<{key.path.value}>" if is_predicate else ""
        constraint = describe_constraint(self.shapes, shape, component)
        parts = (
            local_name(owner.value) if owner else "",
            PATH_IRI_PATTERN.sub(lambda match: local_name(match[1]), path_text),
            find_parameter_name(component),
        )
        code = shorten_untrusted_text("/".join(filter(None, parts)), 200)
        predicates = sorted(path.properties) if path else [key.path.value] if key.path else []
        names = group_texts(self.shapes.objects(shape, f"{SH_NAMESPACE}name"))
        path_node, path_triples = self.copy_path(key.path, f"path-{len(self.rules) + 1}")
        return ShapeRule(
            code=code,
            profile=SHAPES_PROFILE,
            severity=get_severity_name(key.severity),
            section=0,
            order=len(self.rules),
            component=component,
            path=path_text,
            predicates=tuple(predicates),
            steps=(),
            counted_criterion="",
            name=names or {"": code},
            message=group_texts(key.messages) or translate_shape_message("constraint", constraint=constraint),
            reason="",
            in_turtle="",
            in_markdown="",
            shape=shape,
            shape_iri=owner.value if owner else "",
            component_iri=key.component,
            severity_iri=key.severity,
            path_node=path_node,
            path_triples=path_triples,
        )

    def copy_path(self, node: Any, label: str) -> tuple[Any, tuple[ox.Triple, ...]]:
        """The node of a path with a label, and the triples that describe it; None for no path."""
        if not isinstance(node, ox.BlankNode):
            return node, ()
        copies: dict[Any, Any] = {node: ox.BlankNode(f"{label}-1")}
        triples = list[ox.Triple]()
        pending: list[Any] = [node]
        while pending:
            original = pending.pop()
            objects = self.shapes.statements.get(original, {})
            properties = LIST_NODE_PROPERTIES if RDF_FIRST_IRI in objects else PATH_PROPERTIES
            for property_ in objects.keys() & properties:
                for value in objects[property_]:
                    if isinstance(value, ox.BlankNode) and value not in copies:
                        copies[value] = ox.BlankNode(f"{label}-{len(copies) + 1}")
                        pending.append(value)
                    copy: Any = copies.get(value, value)
                    triples.append(ox.Triple(copies[original], ox.NamedNode(property_), copy))
        return copies[node], tuple(triples)

    def build_report(self, document: Document, focus_count: int, notes: Iterable[ShapesNote] = ()) -> Report:
        """The report on a document, of whose nodes `focus_count` are targets."""
        results = self.choose_results()
        all_notes = [*self.shapes.notes, *notes]
        if not focus_count:
            all_notes.append(ShapesNote("no targets", (), ox.NamedNode(f"{SH_NAMESPACE}Shape")))
        findings = [build_finding(document, rule, result) for rule, result in results]
        findings.sort(key=lambda finding: (finding.position or (0, 0), finding.rule.order))
        part = PaperReport(
            iri="",
            title=document.name,
            findings=[*findings, *map(build_note, all_notes)],
            sections=(),
            met=0,
            waived=0,
            parts=0,
            conforms=not self.severity_counts,
            left_out=self.severity_counts.total() - len(findings),
            left_out_counts=self.severity_counts - Counter(finding.rule.severity for finding in findings),
            focus_nodes=focus_count,
        )
        return Report(document.name, document.format.media_type, SHAPES_PROFILE, [part])

    def choose_results(self) -> list[tuple[ShapeRule, ShapeResult]]:
        """At most MAX_SHOWN_FINDINGS results: the first of each rule before the second of any."""
        ranked = [
            (rank, rule.order, rule, result)
            for rule, results in self.results_by_rule.items()
            for rank, result in enumerate(results)
        ]
        ranked.sort(key=lambda entry: entry[:2])
        return [(rule, result) for _, _, rule, result in ranked[:MAX_SHOWN_FINDINGS]]


PATH_PROPERTIES = frozenset(
    {
        *vocabulary.PREFIX_PATH_PROPERTIES,
        *vocabulary.SUFFIX_PATH_PROPERTIES,
        vocabulary.ALTERNATIVE_PATH_PROPERTY,
    }
)
LIST_NODE_PROPERTIES = frozenset({RDF_FIRST_IRI, RDF_REST_IRI})


def get_severity_name(iri: str) -> str:
    """The name of a severity of SHACL; Violation for others."""
    name = iri.removeprefix(SH_NAMESPACE)
    return name if name in SEVERITY_NAMES else "Violation"


def result_sort_key(result: ShapeResult) -> tuple[str, ...]:
    """The sort key of a result, each part cut if long: engines return results in any order."""
    parts = (result.shape, result.path, result.component, result.focus, result.value)
    return tuple(shorten_untrusted_text(str(part)) for part in parts)


def build_finding(document: Document, rule: ShapeRule, result: ShapeResult) -> Finding:
    """The finding for a result, with its position in the document."""
    located = ValidationResult(rule.code, result.focus, result.value)
    position = find_text_position(document, find_result_offset(document, rule, located))
    return Finding(
        rule=rule,
        focus=result.focus,
        value=result.value,
        position=position,
        line=shown_line_text(document, position),
    )


def build_note(note: ShapesNote) -> Finding:
    """A note about what was not used."""
    rule = ShapeRule(
        code=note.message.replace(" ", "-"),
        profile=SHAPES_PROFILE,
        severity="Info",
        section=0,
        order=0,
        component="",
        path="",
        predicates=(),
        steps=(),
        counted_criterion="",
        name={"": note.message},
        message=translate_shape_message(note.message, **dict(note.values)),
        reason="",
        in_turtle="",
        in_markdown="",
        shape=note.node,
        shape_iri="",
        component_iri="",
        severity_iri=f"{SH_NAMESPACE}Info",
        path_node=None,
        path_triples=(),
    )
    return Finding(rule=rule, focus=note.node)


def group_texts(literals: Iterable[ox.Literal]) -> dict[str, str]:
    """Texts by language, "" for none; several in one language are joined."""
    texts: dict[str, str] = {}
    for literal in literals:
        text = shorten_untrusted_text(literal.value)
        language = literal.language or ""
        texts[language] = f"{texts[language]} {text}" if language in texts else text
    return texts


def describe_constraint(shapes: ShapesGraph, shape: Any, component: str) -> str:
    """The constraint of a shape in Turtle syntax, such as `sh:minCount 1`; shortened if it is long."""
    name = find_parameter_name(component)
    values = [format_constraint_value(shapes, value) for value in shapes.objects(shape, SH_NAMESPACE + name)]
    text = f"sh:{name} {', '.join(filter(None, values))}".strip()
    return shorten_untrusted_text(text, MAX_MESSAGE_CHARACTERS)


def format_constraint_value(shapes: ShapesGraph, value: Any) -> str:
    """The value of a constraint: a term, the first members of a list, or an empty text for a shape."""
    if not isinstance(value, ox.BlankNode):
        return "()" if value == RDF_NIL else format_term(value)
    members: list[str] = []
    while RDF_FIRST_IRI in shapes.statements.get(value, {}) and len(members) <= MAX_SHOWN_LIST_MEMBERS:
        member = shapes.objects(value, RDF_FIRST_IRI)[0]
        members.append("…" if len(members) == MAX_SHOWN_LIST_MEMBERS else format_term(member))
        value = next(iter(shapes.objects(value, RDF_REST_IRI)), RDF_NIL)
    return f"({' '.join(members)})" if members else ""


def format_term(term: Any) -> str:
    """A term in Turtle syntax on one line; integers and booleans are not quoted."""
    is_unquoted = vocabulary.is_integer(term) or vocabulary.is_boolean(term)
    return str(term.value) if is_unquoted else format_short_term(term)


def find_parameter_name(component: str) -> str:
    """The local name of the parameter of a component, such as `minCount`; of others, the end of its IRI."""
    if component == "SPARQL":
        return "sparql"
    name = local_name(component).removesuffix(COMPONENT_ENDING)
    return name[:1].lower() + name[1:]


def local_name(iri: str) -> str:
    """The part of an IRI after the last # or /, or all of it if that is empty."""
    return iri.rstrip("/#").replace("#", "/").rpartition("/")[2] or iri

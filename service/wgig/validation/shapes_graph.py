"""ShapesGraph: the shapes that a sender chose, read within limits and admitted before an engine sees them.

Nothing is fetched: owl:imports is not followed. SPARQL passes the admission of the endpoint, without SERVICE
and FROM. A check leaves out SHACL rules (sh:rule). What would change the result if it were left out is
refused: JavaScript, the SHACL Advanced Features, entailment, ill-formed shapes, which the engines ignore, and
recursive shapes, which SHACL leaves undefined (section 3.4.3).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import dropwhile, takewhile
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import FILE_FORMATS, MARKDOWN, WORD_DOCUMENT, Format
from ..rdf.namespaces import RDF_NIL, RDF_TYPE, RDF_TYPE_IRI, RDFS_NAMESPACE, SH_NAMESPACE, shorten_iri
from ..rdf.sparql_lexer import SparqlToken, find_declared_prefixes, get_query_form
from ..rdf.vocabulary import ObjectsBySubject, group_objects_by_subject
from ..settings import Settings
from ..shacl.documents import Document, read_rdf
from ..shacl.locations import OBJECT_INDEX, SUBJECT_INDEX
from ..sparql.admission import admit_sparql_text
from ..sparql.language.diagnosis import diagnose_earlier_error
from ..sparql.language.parser import ParsedSparqlText
from ..text import TextPosition, find_near_name, shorten_untrusted_text
from . import vocabulary
from .vocabulary import RDF_FIRST_IRI, RDF_REST_IRI, SH_PATH_IRI

SHAPES_FORMATS = tuple(format_ for format_ in FILE_FORMATS if format_ not in (MARKDOWN, WORD_DOCUMENT))
MAX_SHAPE_NESTING = 50  # shapes inside shapes; pySHACL needs 7 calls for each of Python's 1,000
MAX_PATH_NESTING = 50  # the engines recurse
MAX_PATH_STEPS = 1000  # of one path; with shared blank nodes, a few triples can describe billions of steps
MAX_PREFIXES = 1000
FETCHING_KEYWORDS = ("SERVICE", "LOAD", "FROM")
PREFIX_NAME_PATTERN = re.compile(r"(?:[A-Za-z](?:[\w.-]*[\w-])?)?")
NAMESPACE_PATTERN = re.compile(r'[^<>"{}|^`\\\x00-\x20]*')


class ShapesSource(NamedTuple):
    """A file with shapes; `format` is None if it is unknown."""

    name: str
    data: bytes
    format: Format | None


class ShapesNote(NamedTuple):
    """What was not used: a key of `SHAPE_MESSAGES`, the values of its placeholders, and the node with it."""

    message: str
    values: tuple[tuple[str, object], ...]
    node: Any


class PropertyPath(NamedTuple):
    """A property path: the IRI of a property, or a form with its parts.

    The forms are those of SPARQL: `^`, `*`, `+` and `?` with one part, `/` and `|` with any number.
    """

    form: str
    iri: str = ""
    parts: tuple["PropertyPath", ...] = ()

    @property
    def text(self) -> str:
        """The path in SPARQL syntax."""
        if not self.form:
            return f"<{self.iri}>"
        texts = [part.text if not part.form else f"({part.text})" for part in self.parts]
        if self.form in "/|":  # a sequence needs no parentheses around an inverse property
            texts = [part.text if part.form in ("", "^") else f"({part.text})" for part in self.parts]
            return self.form.join(texts)
        return f"^{texts[0]}" if self.form == "^" else f"{texts[0]}{self.form}"

    @property
    def properties(self) -> frozenset[str]:
        """The IRIs of all properties in the path."""
        return frozenset({self.iri} if self.iri else ()).union(*(part.properties for part in self.parts))


class ShapeTargets(NamedTuple):
    """The targets of shapes (SHACL, section 2.1.3): nodes, and the IRIs of classes and properties."""

    nodes: frozenset[Any]
    classes: frozenset[str]
    subjects_of: frozenset[str]
    objects_of: frozenset[str]


@dataclass(frozen=True, eq=False)
class ShapesGraph:
    """Admitted shapes: the triples for an engine, and notes about what was left out.

    The labels of blank nodes differ from those of the files. `shapes` are the nodes of all shapes.
    """

    triples: Sequence[ox.Triple]
    statements: ObjectsBySubject
    shapes: frozenset[Any]
    notes: Sequence[ShapesNote]
    paths: dict[Any, PropertyPath] = field(default_factory=dict)

    def objects(self, node: Any, property_: str) -> list[Any]:
        """The objects of a node by a property."""
        return self.statements.get(node, {}).get(property_, [])

    @cached_property
    def targets(self) -> ShapeTargets:
        """The targets of all active shapes."""
        return self.find_targets(self.shapes)

    def find_targets(self, shapes: Iterable[Any]) -> ShapeTargets:
        """The targets of these shapes, without those that are deactivated."""
        active_shapes = [shape for shape in shapes if not self.is_deactivated(shape)]
        values = {
            property_: frozenset(value for shape in active_shapes for value in self.objects(shape, property_))
            for property_ in vocabulary.TARGET_PROPERTIES
        }
        implicit_classes = {
            shape.value
            for shape in active_shapes
            if isinstance(shape, ox.NamedNode)
            and not self.class_iris.isdisjoint(value.value for value in self.objects(shape, RDF_TYPE_IRI))
        }
        classes, subjects_of, objects_of = (
            frozenset(value.value for value in values[property_])
            for property_ in (vocabulary.SH_TARGET_CLASS, vocabulary.SH_SUBJECTS_OF, vocabulary.SH_OBJECTS_OF)
        )
        return ShapeTargets(
            values[vocabulary.SH_TARGET_NODE], classes | implicit_classes, subjects_of, objects_of
        )

    @cached_property
    def class_iris(self) -> frozenset[str]:
        """The IRIs of classes whose instances are classes: rdfs:Class and its subclasses in the shapes."""
        classes, size = {f"{RDFS_NAMESPACE}Class"}, 0
        while len(classes) > size:
            size = len(classes)
            classes |= {
                node.value
                for node, objects in self.statements.items()
                for parent in objects.get(f"{RDFS_NAMESPACE}subClassOf", ())
                if isinstance(node, ox.NamedNode) and parent.value in classes
            }
        return frozenset(classes)

    def list_target_shapes(self) -> list[Any]:
        """The shapes that have targets and are active, sorted."""
        return sorted((shape for shape in self.shapes if any(self.find_targets([shape]))), key=str)

    def states_target(self, triple: ox.Triple) -> bool:
        """Whether a triple makes nodes the targets of a shape."""
        is_implicit = (
            triple.predicate == RDF_TYPE
            and isinstance(triple.object, ox.NamedNode)
            and triple.object.value in self.class_iris
            and triple.subject in self.shapes
        )
        return is_implicit or triple.predicate.value in vocabulary.TARGET_PROPERTIES

    def is_deactivated(self, shape: Any) -> bool:
        """Whether a shape is deactivated (SHACL, section 2.1.7)."""
        return any(value.value == "true" for value in self.objects(shape, f"{SH_NAMESPACE}deactivated"))

    @cached_property
    def owners(self) -> dict[Any, Any]:
        """By shape, another one that refers to it."""
        return {
            referenced: shape
            for shape in self.shapes
            for referenced in list_referenced_shapes(self.statements, shape)
        }

    def find_named_shape(self, shape: Any) -> ox.NamedNode | None:
        """The shape if it has an IRI, else the nearest one around it that has; None if there is none."""
        seen = set()
        while not isinstance(shape, ox.NamedNode):
            if shape in seen or shape not in self.owners:
                return None
            seen.add(shape)
            shape = self.owners[shape]
        return shape

    def find_query_shape(self) -> Any:
        """A shape whose constraint is a query, which can reach all of the data; None if there is none."""
        queries = (f"{SH_NAMESPACE}sparql", *vocabulary.QUERY_FORM_BY_PROPERTY)
        return next(
            (node for node, objects in self.statements.items() if not objects.keys().isdisjoint(queries)),
            None,
        )


@lru_cache(maxsize=1)  # for many files with the same shapes
def read_shapes_graph(sources: tuple[ShapesSource, ...], settings: Settings) -> ShapesGraph:
    """The shapes in the files.

    Raises Problem 400 for shapes that are invalid or refused, 403 if they would fetch something, 413 above a
    limit, 415 for a format that is not RDF, 422 if there is no shape with a target.
    """
    return ShapesReader(settings).read(sources)


class ShapesReader:
    """Reads shapes; every problem names the file, and the line if its format has lines."""

    def __init__(self, settings: Settings, *, with_rules: bool = False) -> None:
        """Take the settings with the limits; `with_rules` keeps SHACL rules, which a check leaves out."""
        self.settings, self.with_rules = settings, with_rules
        self.query_forms = vocabulary.QUERY_FORM_BY_PROPERTY | (
            {vocabulary.SH_CONSTRUCT: "CONSTRUCT"} if with_rules else {}
        )
        self.documents: list[Document] = []
        self.triples: list[ox.Triple] = []
        self.statements: ObjectsBySubject = {}
        self.prefixes: dict[str, str] = {}
        self.paths: dict[Any, PropertyPath] = {}
        self.blank_nodes: dict[tuple[int, Any], ox.BlankNode] = {}  # new ones, by file and old one

    def read(self, sources: Sequence[ShapesSource]) -> ShapesGraph:
        """The shapes in the files. Raises Problem, see `read_shapes_graph`."""
        for source in sources:
            self.documents.append(self.read_document(source))
            if sum(len(document.triples) for document in self.documents) > self.settings.paper_triples:
                raise build_size_problem(self.settings.paper_triples)
        for number, document in enumerate(self.documents):
            for triple in document.triples:
                self.check_triple(triple, document)
            self.triples += (self.rename_blank_nodes(triple, number) for triple in document.triples)
        self.statements = group_objects_by_subject(self.triples)
        if self.with_rules and not any(vocabulary.SH_RULE in objects for objects in self.statements.values()):
            names = ", ".join(source.name for source in sources)
            raise Problem(422, f"{names}: There is no rule (sh:rule), so nothing follows.")
        shapes = frozenset(self.find_shapes())
        self.check_shapes(shapes)
        self.prefixes = self.collect_prefixes()
        graph = ShapesGraph(
            [self.admit_query_triple(triple) for triple in self.triples if self.is_used(triple)],
            self.statements,
            shapes,
            [*self.list_notes()],
            self.paths,
        )
        outcome = "nothing follows" if self.with_rules else "nothing was checked"
        if not any(graph.targets) and not any(map(graph.is_deactivated, shapes)):
            raise Problem(
                422,
                f"The shapes have no target, so {outcome}. Give a shape sh:targetClass, "
                "sh:targetNode, sh:targetSubjectsOf or sh:targetObjectsOf.",
            )
        return graph

    def read_document(self, source: ShapesSource) -> Document:
        """The document in a file. Raises Problem."""
        if source.format not in SHAPES_FORMATS:
            formats = ", ".join(format_.title for format_ in SHAPES_FORMATS)
            raise Problem(415, f"{source.name}: the format of the shapes must be one of {formats}.")
        if len(source.data) > self.settings.paper_bytes:
            raise Problem(
                413, f"{source.name}: the shapes have more than {self.settings.paper_bytes} bytes, the limit."
            )
        try:
            return read_rdf(source.name, source.data, source.format, self.settings.paper_triples)
        except Problem as problem:
            if problem.status == 413 and "triples" in problem.detail:  # whose message is about papers
                raise build_size_problem(self.settings.paper_triples) from problem
            line, column = (problem.members.get(name) for name in ("line", "column"))
            position = TextPosition(line, column) if line and column else None
            members = {"excerpt": problem.members["excerpt"]} if "excerpt" in problem.members else {}
            raise build_shapes_problem(
                problem.detail, source.name, position, problem.status, problem.slug, **members
            ) from problem

    def build_problem(self, detail: str, node: Any, status: int = 400) -> Problem:
        """The problem of a node of the shapes, with the place of a triple about it, or that refers to it."""
        return next(
            (
                build_shapes_problem(detail, document.name, find_position(document, number, index), status)
                for index in (SUBJECT_INDEX, OBJECT_INDEX)
                for file_number, document in enumerate(self.documents)
                for number, triple in enumerate(document.triples)
                if self.rename_term(triple.subject if index == SUBJECT_INDEX else triple.object, file_number)
                == node
            ),
            Problem(status, detail),
        )

    def rename_blank_nodes(self, triple: ox.Triple, file_number: int) -> ox.Triple:
        """The triple with other labels of blank nodes, see `rename_term`."""
        subject, object_ = (self.rename_term(term, file_number) for term in (triple.subject, triple.object))
        if subject is triple.subject and object_ is triple.object:
            return triple
        return ox.Triple(subject, triple.predicate, object_)

    def rename_term(self, term: Any, file_number: int) -> Any:
        """The term; a blank node gets a label that no other file and no data has.

        The label is the same each time that these files are read, also in another process.
        """
        if not isinstance(term, ox.BlankNode):
            return term
        label = f"shape-{len(self.blank_nodes) + 1}"
        return self.blank_nodes.setdefault((file_number, term), ox.BlankNode(label))

    def check_triple(self, triple: ox.Triple, document: Document) -> None:
        """Raise Problem 400 for a term that is refused, or a value that the property must not have."""

        def build_triple_problem(detail: str) -> Problem:
            number = next(n for n, other in enumerate(document.triples) if other is triple)
            position = find_position(document, number, OBJECT_INDEX)
            return build_shapes_problem(detail, document.name, position, 400)

        terms: list[Any] = [triple.predicate, *([triple.object] if triple.predicate == RDF_TYPE else [])]
        for term in filter(vocabulary.is_iri, terms):
            if reason := vocabulary.REFUSED_TERMS.get(term):
                raise build_triple_problem(f"The shapes use {shorten_iri(term.value)}. {reason}")
        predicate = triple.predicate.value
        if not predicate.startswith(SH_NAMESPACE):
            return
        is_allowed, allowed = vocabulary.VALUE_TESTS.get(predicate.removeprefix(SH_NAMESPACE), (None, ""))
        if is_allowed and not is_allowed(triple.object):
            value = shorten_untrusted_text(str(triple.object), 100)
            raise build_triple_problem(
                f"The value of {shorten_iri(predicate)} must be {allowed}, but is {value}."
            )

    def find_shapes(self) -> Iterator[Any]:
        """The nodes of all shapes (SHACL, section 2.1)."""
        shape_marks = vocabulary.CONSTRAINT_PROPERTIES.union(vocabulary.TARGET_PROPERTIES)
        for node, objects in self.statements.items():
            types = (value.value for value in objects.get(RDF_TYPE_IRI, ()))
            if not shape_marks.isdisjoint(objects) or any(t in vocabulary.SHAPE_CLASSES for t in types):
                yield node
                yield from list_referenced_shapes(self.statements, node)

    def check_shapes(self, shapes: frozenset[Any]) -> None:
        """Raise Problem for too many shapes, and for ill-formed lists and paths, or recursion."""
        if len(shapes) > self.settings.shapes:
            raise Problem(
                413,
                f"More than {self.settings.shapes} shapes were sent, the limit of one check. Send fewer, or "
                "increase WGIG_SHAPES.",
            )
        property_shapes = {
            node for objects in self.statements.values() for node in objects.get(vocabulary.SH_PROPERTY, ())
        }
        for shape in shapes:
            self.check_form(shape, is_property_shape=shape in property_shapes)
            for property_ in vocabulary.LIST_PROPERTIES:
                for value in self.statements.get(shape, {}).get(property_, ()):
                    self.list_members(value, property_)
            for path in self.statements.get(shape, {}).get(SH_PATH_IRI, ()):
                if path not in self.paths:
                    self.paths[path] = self.parse_path(path, [0], 0)
        self.check_recursion(shapes)

    def check_form(self, shape: Any, *, is_property_shape: bool) -> None:
        """Raise Problem 400 for a shape that breaks a syntax rule of SHACL (Appendix A)."""
        objects = self.statements.get(shape, {})
        names = {iri.removeprefix(SH_NAMESPACE) for iri in objects if iri.startswith(SH_NAMESPACE)}
        for name in sorted(names - vocabulary.KNOWN_PROPERTIES):
            near_name = find_near_name(name, vocabulary.KNOWN_PROPERTIES)
            hint = f" Did you mean sh:{near_name}?" if near_name else ""
            name_text = shorten_untrusted_text(name, 100)
            detail = f"SHACL has no property sh:{name_text}: it is not checked.{hint}"
            raise self.build_problem(detail, shape)
        types = {value.value for value in objects.get(RDF_TYPE_IRI, ())}
        paths = objects.get(SH_PATH_IRI, [])
        if len(paths) > 1:
            raise self.build_problem("A shape has several values of sh:path. Use one path.", shape)
        if not paths and (is_property_shape or vocabulary.PROPERTY_SHAPE_CLASS in types):
            raise self.build_problem("A property shape has no sh:path. Give it one.", shape)
        for property_ in vocabulary.SINGLE_PROPERTIES:
            if len(objects.get(property_, ())) > 1:
                detail = f"A shape has several values of {shorten_iri(property_)}. Use one."
                raise self.build_problem(detail, shape)
        for property_ in () if paths else vocabulary.PROPERTY_SHAPE_PROPERTIES:
            if property_ in objects:
                detail = f"A shape with {shorten_iri(property_)} has no sh:path. Give it one."
                raise self.build_problem(detail, shape)
        for pattern in objects.get(vocabulary.SH_PATTERN, ()):
            for flags in objects.get(vocabulary.SH_FLAGS, (ox.Literal(""),)):
                if not is_valid_pattern(pattern, flags):
                    text = shorten_untrusted_text(pattern.value, 100)
                    detail = f"The value of sh:pattern is not a valid regular expression: {text}."
                    raise self.build_problem(detail, shape)

    def list_members(self, node: Any, property_: str) -> list[Any]:
        """The members of a list. Raises Problem 400 if it is not well-formed."""
        members, seen = [], set()
        while node != RDF_NIL:
            first, rest = (
                self.statements.get(node, {}).get(name, []) for name in (RDF_FIRST_IRI, RDF_REST_IRI)
            )
            if len(first) != 1 or len(rest) != 1 or node in seen:
                raise self.build_problem(
                    f"A list of the shapes, the value of {shorten_iri(property_)}, is not well-formed: each "
                    "of its nodes needs one rdf:first and one rdf:rest, and the last one rdf:nil.",
                    node,
                )
            seen.add(node)
            members.append(first[0])
            node = rest[0]
        return members

    def parse_path(self, node: Any, steps: list[int], depth: int) -> PropertyPath:
        """A property path. Raises Problem 400 if it is not well-formed, 413 if it is too long or too deep.

        `steps` counts the steps so far.
        """
        steps[0] += 1
        if steps[0] > MAX_PATH_STEPS or depth > MAX_PATH_NESTING:
            raise self.build_problem(
                f"A property path of the shapes has more than {MAX_PATH_STEPS} steps, is nested more than "
                f"{MAX_PATH_NESTING} times, or contains itself. Use a shorter path.",
                node,
                413,
            )
        if isinstance(node, ox.NamedNode) and node != RDF_NIL:
            return PropertyPath("", node.value)
        objects = self.statements.get(node, {})
        marks = vocabulary.PREFIX_PATH_PROPERTIES | vocabulary.SUFFIX_PATH_PROPERTIES
        # The engines ignore other forms beside a list, as the test suite of the W3C expects.
        forms = [RDF_FIRST_IRI, *marks, vocabulary.ALTERNATIVE_PATH_PROPERTY]
        form = next((name for name in forms if name in objects), None)
        if form is None or len(objects[form]) != 1:
            raise self.build_problem("A property path of the shapes is not well-formed.", node)
        if form in marks:
            return PropertyPath(marks[form], "", (self.parse_path(objects[form][0], steps, depth + 1),))
        is_sequence = form == RDF_FIRST_IRI
        members = self.list_members(node if is_sequence else objects[form][0], SH_PATH_IRI)
        parts = tuple(self.parse_path(member, steps, depth + 1) for member in members)
        return PropertyPath("/" if is_sequence else "|", "", parts)

    def check_recursion(self, shapes: Iterable[Any]) -> None:
        """Raise Problem 400 if a shape refers to itself, 413 if shapes are nested too deeply."""
        depths: dict[Any, int] = {}
        for start in shapes:
            stack = [(start, iter([*list_referenced_shapes(self.statements, start)]))]
            path = {start}
            while stack and start not in depths:
                shape, references = stack[-1]
                reference = next(references, None)
                if reference is None:
                    stack.pop()
                    path.discard(shape)
                    depths[shape] = 1 + max(
                        (depths[other] for other in list_referenced_shapes(self.statements, shape)), default=0
                    )
                    if depths[shape] > MAX_SHAPE_NESTING:
                        raise self.build_problem(
                            f"Shapes are nested more than {MAX_SHAPE_NESTING} times. Use fewer levels.",
                            shape,
                            413,
                        )
                elif reference in path:
                    raise self.build_problem(
                        "A shape refers to itself, directly or by other shapes. SHACL does not define what "
                        "recursive shapes mean, so they are not checked. Give a target to each of the "
                        "shapes instead.",
                        reference,
                    )
                elif reference not in depths:
                    path.add(reference)
                    stack.append((reference, iter([*list_referenced_shapes(self.statements, reference)])))

    def collect_prefixes(self) -> dict[str, str]:
        """The namespaces of all prefixes that the shapes declare (sh:declare)."""
        prefixes: dict[str, str] = {}
        for objects in self.statements.values():
            for prefix in objects.get(vocabulary.SH_PREFIX, ()):
                for namespace in objects.get(vocabulary.SH_NAMESPACE_PROPERTY, ()):
                    if not (
                        PREFIX_NAME_PATTERN.fullmatch(prefix.value)
                        and NAMESPACE_PATTERN.fullmatch(namespace.value)
                    ):
                        name = shorten_untrusted_text(prefix.value, 100)
                        raise self.build_problem(
                            f"The shapes declare the prefix {name!r} with an invalid name or namespace.",
                            prefix,
                        )
                    prefixes.setdefault(prefix.value, namespace.value)
        if len(prefixes) > MAX_PREFIXES:
            raise Problem(413, f"The shapes declare more than {MAX_PREFIXES} prefixes.")
        return prefixes

    def admit_query_triple(self, triple: ox.Triple) -> ox.Triple:
        """The triple; if its object is a query, it has the text that the engine may run.

        Raises Problem 400 for an invalid query, 403 for one that would fetch something.
        """
        form = self.query_forms.get(triple.predicate.value)
        if form is None:
            return triple
        query = str(triple.object.value)  # type: ignore[union-attr]
        try:
            text = admit_shape_query(query, form, self.prefixes, self.settings)
        except Problem as problem:
            shape = triple.subject
            raise self.build_problem(
                f"The query of a shape is refused. {problem.detail}", shape, problem.status
            ) from problem
        if text == query:
            return triple
        return ox.Triple(triple.subject, triple.predicate, ox.Literal(text))

    def is_used(self, triple: ox.Triple) -> bool:
        """Whether a triple is for the engines: no rules in a check, and no imports of what is not there.

        By the other imports, they find the prefixes of another ontology in the files.
        """
        predicate = triple.predicate.value
        return (predicate != vocabulary.SH_RULE or self.with_rules) and (
            predicate != vocabulary.OWL_IMPORTS or triple.object in self.statements
        )

    def list_notes(self) -> Iterator[ShapesNote]:
        """Notes about what is not used: imports of what the files do not have, and rules."""
        imports = [
            (node, iri)
            for node, objects in self.statements.items()
            for iri in objects.get(vocabulary.OWL_IMPORTS, ())
            if iri not in self.statements
        ]
        if imports:
            iris = ", ".join(shorten_untrusted_text(iri.value, 200) for _, iri in imports[:10])
            yield ShapesNote("imports", (("iris", iris),), imports[0][0])
        rules = [node for node, objects in self.statements.items() if vocabulary.SH_RULE in objects]
        if rules:
            count = sum(len(self.statements[node][vocabulary.SH_RULE]) for node in rules)
            yield ShapesNote("rules", (("count", count),), rules[0])


def is_valid_pattern(pattern: ox.Literal, flags: ox.Literal) -> bool:
    """Whether the engine of SPARQL can use a regular expression with these flags."""
    results = ox.Store().query(f"SELECT (REGEX('', {pattern}, {flags}) AS ?match) {{}}")
    assert isinstance(results, ox.QuerySolutions)
    return next(results)["match"] is not None


def list_referenced_shapes(statements: ObjectsBySubject, shape: Any) -> Iterator[Any]:
    """The shapes to which a shape refers; a list that is not well-formed ends at its first fault."""
    objects = statements.get(shape, {})
    for property_ in vocabulary.SHAPE_PROPERTIES:
        yield from objects.get(property_, ())
    for property_ in vocabulary.SHAPE_LIST_PROPERTIES:
        for first_node in objects.get(property_, ()):
            node, seen = first_node, set()
            while node not in seen and RDF_FIRST_IRI in statements.get(node, {}):
                seen.add(node)
                yield statements[node][RDF_FIRST_IRI][0]
                node = next(iter(statements[node].get(RDF_REST_IRI, ())), RDF_NIL)


def admit_shape_query(text: str, form: str, prefixes: dict[str, str], settings: Settings) -> str:
    """The text of a query in shapes that an engine may run, without the prefixes that it does not declare.

    Raises Problem 400 if it is not a query of this form, 403 for a keyword that fetches something.
    """
    source = ParsedSparqlText(text)
    declared = find_declared_prefixes(source.tokens)
    prologue = "".join(
        f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in prefixes.items() if prefix not in declared
    )
    source = ParsedSparqlText(prologue + text)
    for token in source.tokens:
        if keyword := find_fetching_keyword(token):
            raise Problem(403, f"It has {keyword}, but queries of shapes and rules must not fetch anything.")
    if get_query_form(source) != form:
        raise Problem(400, f"It must be a {form} query.")
    if form == "SELECT" and not selects_this(source.tokens):
        raise Problem(400, "It must select the variable $this, which is the node that is checked.")
    if problem := diagnose_earlier_error(source, len(source.text) + 1):
        raise problem
    admitted = admit_sparql_text(source, replace(settings, allow=""))
    return admitted.text[len(prologue) :]


def selects_this(tokens: Iterable[SparqlToken]) -> bool:
    """Whether the SELECT clause of a query has $this, or * for all variables; not within an expression."""
    clause = dropwhile(lambda token: token.word != "SELECT", tokens)
    depth, previous_word = 0, ""
    for token in takewhile(lambda token: token.word != "WHERE" and token.text != "{", clause):
        depth += (token.text == "(") - (token.text == ")")
        is_selected = depth == 0 or previous_word == "AS"
        if is_selected and token.text in ("*", "$this", "?this"):
            return True
        previous_word = token.word
    return False


def find_fetching_keyword(token: SparqlToken) -> str:
    """The keyword in a token by which a query fetches something, even if no space is around it; or empty.

    The engine reads `trueSERVICE` as two words, and `SERVICEx:y` as a keyword and a name.
    """
    text = token.word or (token.text.partition(":")[0].upper() if token.kind == "name" else "")
    return next((keyword for keyword in FETCHING_KEYWORDS if keyword in text), "")


def find_position(document: Document, triple_number: int, term_index: int) -> TextPosition | None:
    """The position of a term of a triple; None if the format has no positions."""
    if not document.triple_positions:
        return None
    offset = document.triple_positions[triple_number][term_index]
    return document.text_lines.locate(offset) if offset is not None and offset >= 0 else None


def build_size_problem(max_triples: int) -> Problem:
    """The Problem 413 for more triples in data and shapes than one check accepts."""
    return Problem(
        413,
        f"The data and the shapes have more than {max_triples} triples, the limit for one check. Send less "
        "at once, or increase WGIG_PAPER_TRIPLES.",
    )


def build_shapes_problem(
    detail: str,
    name: str,
    position: TextPosition | None,
    status: int,
    slug: str | None = None,
    **members: Any,
) -> Problem:
    """The problem of a file with shapes. Its position is in the member `shapes`; `line` is for the data."""
    place = {"name": name, **(position._asdict() if position else {})}
    location = f"{name}:{position.line}:{position.column}" if position else name
    shown = shorten_untrusted_text(location, 200)
    return Problem(status, f"{shown}: {detail}", slug=slug, shapes=place, **members)

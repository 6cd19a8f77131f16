"""schema.org markup for search engines: valid by the vocabulary, and in a JSON-LD block of each page.

The fixture `get` sends requests to a service with the small graph of tests/fixtures/graph.ttl.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyoxigraph as ox
import pyshacl
import pytest
from wgig.pages.dependencies import RequestContext
from wgig.rdf.serialization import parse_graph_document
from wgig.resources.description import describe_resource
from wgig.resources.mappings import map_to_profile
from wgig.resources.profiles import profiles_by_token
from wgig.resources.routes import profile_source_triples
from wgig.resources.schema_org import map_to_schema_org
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import GetFunction, make_service_client, make_store_client

BASE = Settings.base
HOST = "http://localhost/"
SCHEMA_NAMESPACE = "https://schema.org/"
SHACL_NAMESPACE = "http://www.w3.org/ns/shacl#"
XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema#"
RDFS_NAMESPACE = "http://www.w3.org/2000/01/rdf-schema#"
DATE_DATATYPES = (f"{XSD_NAMESPACE}date", f"{XSD_NAMESPACE}dateTime")
RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
JSON_LD_BLOCK_PATTERN = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
PAGE_PATHS = [
    "/",
    "/doc/issue",
    "/doc/issue/spam",
    "/doc/paper/wp-spam",
    "/doc/agent/kim",
    "/graph/test",
    "/ontology",
    "/issues",
    "/coverage",
    "/queries",
    "/search?q=spam",
]

VALUE_CONSTRAINTS_QUERY = f"""PREFIX sh: <{SHACL_NAMESPACE}>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
SELECT ?class ?property ?constraint ?value {{
  ?class sh:property ?shape . ?shape sh:path ?property .
  OPTIONAL {{
    {{ ?shape ?constraint ?value }}
    UNION {{ ?shape sh:or/rdf:rest*/rdf:first ?item . ?item ?constraint ?value }}
    FILTER(?constraint IN (sh:class, sh:datatype, sh:nodeKind))
  }}
}}"""


class Vocabulary:
    """The classes of schema.org, and the constraints on the values of their properties.

    `constraints` has, by class and property, pairs such as ("class", "Person"), one of which must be met.
    """

    def __init__(self) -> None:
        path = Path(pyshacl.__file__).parent / "assets" / "schema.ttl"
        store = ox.Store()
        store.load(path=path, format=ox.RdfFormat.TURTLE)
        self.superclasses = defaultdict(set)
        for quad in store.quads_for_pattern(None, ox.NamedNode(f"{RDFS_NAMESPACE}subClassOf"), None):
            self.superclasses[local_name(quad.subject)].add(local_name(quad.object))
        class_quads = store.quads_for_pattern(None, RDF_TYPE, ox.NamedNode(f"{RDFS_NAMESPACE}Class"))
        self.classes = {local_name(quad.subject) for quad in class_quads}
        self.constraints: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        rows = store.query(VALUE_CONSTRAINTS_QUERY)
        assert isinstance(rows, ox.QuerySolutions)
        for row in rows:
            constraints = self.constraints[local_name(row["class"]), local_name(row["property"])]
            if row["constraint"]:
                constraint = local_name(row["constraint"]).removeprefix(SHACL_NAMESPACE)
                constraints.add((constraint, local_name(row["value"])))

    def add_superclasses(self, classes: Iterable[str]) -> set[str]:
        """The classes and all their superclasses."""
        closure, queue = set[str](), [*classes]
        while queue:
            if (class_ := queue.pop()) not in closure:
                closure.add(class_)
                queue += self.superclasses[class_]
        return closure

    def find_errors(self, triples: Iterable[ox.Triple]) -> list[str]:
        """A message for each unknown class, and for each triple that is not valid."""
        triples = list(triples)
        types: dict[Any, set[str]] = defaultdict(set)
        for triple in triples:
            if triple.predicate == RDF_TYPE:
                types[triple.subject].add(local_name(triple.object))
        used_classes = [class_ for classes in types.values() for class_ in classes]
        errors = [f"no class {class_}" for class_ in used_classes if class_ not in self.classes]
        for triple in triples:
            if triple.predicate != RDF_TYPE:
                subject_classes, object_classes = (
                    self.add_superclasses(types[term]) for term in (triple.subject, triple.object)
                )
                errors += self.find_triple_errors(triple, subject_classes, object_classes)
        return errors

    def find_triple_errors(
        self, triple: ox.Triple, subject_classes: set[str], object_classes: set[str]
    ) -> list[str]:
        """A message if a triple is not valid; its subject and object have these classes."""
        property_ = local_name(triple.predicate)
        constraints_by_class = [
            self.constraints[class_, property_]
            for class_ in subject_classes
            if (class_, property_) in self.constraints
        ]
        if not constraints_by_class:
            return [f"{property_} is no property of {sorted(subject_classes)}"]
        constraints = set.union(*constraints_by_class)
        if not constraints or any(
            fulfills_constraint(triple.object, object_classes, *constraint) for constraint in constraints
        ):
            return []
        return [f"{property_} of {triple.object} expects {sorted(constraints)}"]


def local_name(term: object) -> str:
    """The local name of a term of schema.org, or the IRI of any other term."""
    iri: str = getattr(term, "value", "")
    return re.sub(r"^https?://schema\.org/", "", iri)


def fulfills_constraint(term: object, classes: set[str], constraint: str, value: str) -> bool:
    """Whether a term, which has these classes, fulfills a constraint.

    A string may have a language, and a date may be only a year, or a year and a month.
    """
    if isinstance(term, ox.Literal):
        datatype = f"{XSD_NAMESPACE}string" if term.language else term.datatype.value
        is_date = value in DATE_DATATYPES and bool(re.fullmatch(r"\d{4}(-\d\d){0,2}", term.value))
        return constraint == "datatype" and (value == datatype or is_date)
    return constraint == "nodeKind" or (constraint == "class" and value in classes)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


def test_vocabulary_finds_errors(vocabulary: Vocabulary) -> None:
    turtle = f"PREFIX : <{SCHEMA_NAMESPACE}> <urn:a> a :Event, :Meeting ; :name <urn:b> ; :author <urn:b> ."
    errors = vocabulary.find_errors(quad.triple for quad in ox.parse(turtle, ox.RdfFormat.TURTLE))
    assert len(errors) == 3  # the class Meeting, the name that is no text, the property author


def test_resources_of_each_kind_and_class_are_valid(shipped_store: ox.Store, vocabulary: Vocabulary) -> None:
    client = make_service_client(Settings(), Store(shipped_store))
    names_by_kind_and_class: dict[tuple[str, str], str] = {}
    for quad in shipped_store.quads_for_pattern(None, RDF_TYPE, None):
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(f"{BASE}id/"):
            name = quad.subject.value.removeprefix(f"{BASE}id/")
            names_by_kind_and_class.setdefault((name.partition("/")[0], local_name(quad.object)), name)
    assert len(names_by_kind_and_class) > 50
    paths = {f"/doc/{name}" for name in names_by_kind_and_class.values()}
    for path in sorted(paths | {"/graph/issues", "/graph/paper/wp-spam", "/ontology"}):
        response = client.get(path, params={"_profile": "schema.org"})
        triples = [quad.triple for quad in ox.parse(response.content, ox.RdfFormat.TURTLE)]
        assert not vocabulary.find_errors(triples), path
        predicates = {triple.predicate for triple in triples}
        assert predicates >= {RDF_TYPE, ox.NamedNode(f"{SCHEMA_NAMESPACE}url")}


def test_paper_has_authors_and_citations(vocabulary: Vocabulary) -> None:
    store = Store.in_memory()
    paper = parse_graph_document(
        (SHIPPED_FOLDER / "data/examples/spam-filters.ttl").read_bytes(), "text/turtle"
    )
    store.apply(store.compute_addition(None, paper))
    response = make_store_client(store).get("/doc/paper/example-spam-filters?_profile=schema.org")
    triples = [quad.triple for quad in ox.parse(response.content, ox.RdfFormat.TURTLE)]
    assert not vocabulary.find_errors(triples)
    counts = Counter(local_name(triple.predicate) for triple in triples)
    assert (counts["author"], counts["citation"], counts["about"], counts["datePublished"]) == (3, 2, 1, 1)


@pytest.mark.parametrize("path", PAGE_PATHS)
def test_page_has_one_valid_block(get: GetFunction, path: str, vocabulary: Vocabulary) -> None:
    blocks = JSON_LD_BLOCK_PATTERN.findall(get(path, accept="text/html").text)
    assert len(blocks) == 1
    triples = [quad.triple for quad in ox.parse(blocks[0], ox.RdfFormat.JSON_LD)]
    assert triples
    assert not vocabulary.find_errors(triples)
    assert json.loads(blocks[0])["@context"] == {"@vocab": SCHEMA_NAMESPACE}


def parse_json_ld(body: str) -> dict[str, Any]:
    """The JSON-LD in a response: the block in a page, or the whole body."""
    document: dict[str, Any] = json.loads(
        JSON_LD_BLOCK_PATTERN.findall(body)[0] if "<script" in body else body
    )
    return document


@pytest.mark.parametrize("path", [*PAGE_PATHS, "/doc/issue/spam?_profile=schema.org&_mediatype=jsonld"])
def test_urls_are_on_request_host_and_iris_are_not(get: GetFunction, path: str) -> None:
    document = parse_json_ld(get(path, accept="text/html").text)
    urls = re.findall(r'"(?:url|contentUrl)": {"@id": "([^"]+)"}', json.dumps(document))
    assert urls
    assert all(url.startswith(HOST) for url in urls)
    assert document.get("@id", BASE).startswith((BASE, f"{HOST}search"))


@pytest.mark.parametrize("path", ["/issues", "/doc/issue", "/search?q=spam", "/search.jsonld?q=spam"])
def test_resources_in_list_have_type_and_page(get: GetFunction, path: str) -> None:
    document = parse_json_ld(get(path, accept="text/html").text)
    items = [element["item"] for element in document.get("mainEntity", document)["itemListElement"]]
    (spam,) = (item for item in items if item["@id"] == f"{BASE}id/issue/spam")
    assert spam["@type"] == "DefinedTerm"
    assert spam["url"] == {"@id": f"{HOST}doc/issue/spam"}
    assert "Spam" in str(spam["name"])


def test_content_security_policy_allows_no_inline_script(get: GetFunction) -> None:
    response = get("/doc/issue/spam", accept="text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    inline_scripts = re.findall(r'<script(?! type="module" src="/static/)[^>]*>', response.text)
    assert inline_scripts == ['<script type="application/ld+json">']


def test_hostile_text_in_block_is_escaped(get: GetFunction) -> None:
    page = get("/doc/issue/hostile", accept="text/html").text
    scripts = re.findall(r"<script( [^>]*)?>", page)
    assert len(scripts) == page.count("<script") == page.count("</script")
    assert [script for script in scripts if "src=" not in script] == [' type="application/ld+json"']
    assert parse_json_ld(page)["name"] == "<script>alert(1)</script>"


def test_block_is_in_language_of_page(get: GetFunction) -> None:
    page = get("/doc/issue/spam", accept="text/html", accept_language="ar").text
    assert parse_json_ld(page)["name"] == "البريد المزعج"
    page = get("/doc/issue/spam", accept="text/html").text
    assert parse_json_ld(page)["name"] == "Spam"


def test_list_has_number_of_items(get: GetFunction) -> None:
    document = parse_json_ld(get("/doc/issue", accept="text/html").text)
    assert document["@type"] == "ItemList"
    assert document["numberOfItems"] == len(document["itemListElement"]) == 5  # issues in the store


def test_dumps_in_block_of_home_page_exist(get: GetFunction) -> None:
    document = parse_json_ld(get("/", accept="text/html").text)
    for distribution in document["dataset"]["distribution"]:
        response = get(f"/{distribution['contentUrl']['@id'].removeprefix(HOST)}")
        assert response.headers["content-type"] == distribution["encodingFormat"]


def test_reference_to_itself_is_not_nested() -> None:
    store = Store.in_memory()
    facts = f"<{BASE}id/x/y> a <{BASE}ontology#Paragraph> ; <{BASE}ontology#partOf> <{BASE}id/x/y> ."
    store.apply(store.compute_addition(None, [quad.triple for quad in ox.parse(facts, ox.RdfFormat.TURTLE)]))
    response = make_store_client(store).get("/doc/x/y?_profile=schema.org&_mediatype=application/ld%2Bjson")
    assert response.json()["isPartOf"] == {"@id": f"{BASE}id/x/y"}


def test_the_markup_of_pages_has_the_triples_of_the_profile(filled_store: Store) -> None:
    context = cast(RequestContext, SimpleNamespace(store=filled_store))
    subjects = {quad.subject.value for quad in filled_store.match() if isinstance(quad.subject, ox.NamedNode)}
    profile = profiles_by_token(BASE)["schema.org"]
    for iri in sorted(subjects)[::23]:
        description = describe_resource(filled_store, iri)
        assert description
        triples = [*profile_source_triples(context, description)]
        pages = {iri: f"{HOST}page"}
        mapped = map_to_schema_org(pages, triples, BASE)
        assert len(mapped) == len(set(mapped))
        assert set(mapped) == set(map_to_profile(profile, pages, triples)), iri

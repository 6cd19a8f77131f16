"""What pages tell search engines: schema.org that its own vocabulary allows, in a block that nothing runs."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pyshacl
import pytest
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.store.store import Store

from tests.fixtures.service import Get, client_over, service_of

BASE = Settings.base
HOST = "http://localhost/"
SCHEMA = "https://schema.org/"
SHACL = "http://www.w3.org/ns/shacl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
DATES = (f"{XSD}date", f"{XSD}dateTime")
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
PAGES = [
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

EXPECTED = f"""PREFIX sh: <{SHACL}> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
SELECT ?class ?path ?kind ?value {{
  ?class sh:property ?shape . ?shape sh:path ?path .
  OPTIONAL {{
    {{ ?shape ?kind ?value }} UNION {{ ?shape sh:or/rdf:rest*/rdf:first ?one . ?one ?kind ?value }}
    FILTER(?kind IN (sh:class, sh:datatype, sh:nodeKind))
  }}
}}"""


class Vocabulary:
    """Which classes of schema.org there are, and what each of their properties expects."""

    def __init__(self) -> None:
        path = Path(pyshacl.__file__).parent / "assets" / "schema.ttl"
        store = ox.Store()
        store.load(path=path, format=ox.RdfFormat.TURTLE)
        above = defaultdict(set)
        for quad in store.quads_for_pattern(None, ox.NamedNode(f"{RDFS}subClassOf"), None):
            above[name(quad.subject)].add(name(quad.object))
        self.above = above
        self.classes = {
            name(q.subject) for q in store.quads_for_pattern(None, TYPE, ox.NamedNode(f"{RDFS}Class"))
        }
        self.expected: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
        found = store.query(EXPECTED, prefixes={"rdf": TYPE.value.removesuffix("type")})
        assert isinstance(found, ox.QuerySolutions)
        for row in found:
            ends = self.expected[name(row["class"]), name(row["path"])]
            if row["kind"]:
                ends.add((name(row["kind"]).removeprefix(SHACL), name(row["value"])))

    def kinds(self, classes: Iterable[str]) -> set[str]:
        """The classes and all above them."""
        found, waiting = set[str](), [*classes]
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting += self.above[one]
        return found

    def faults(self, triples: Iterable[ox.Triple]) -> list[str]:
        """What is not as the vocabulary has it."""
        said = list(triples)
        types: dict[Any, set[str]] = defaultdict(set)
        for one in said:
            if one.predicate == TYPE:
                types[one.subject].add(name(one.object))
        found = [f"no class {one}" for ones in types.values() for one in ones if one not in self.classes]
        for one in said:
            if one.predicate != TYPE:
                found += self.fault(one, self.kinds(types[one.subject]), self.kinds(types[one.object]))
        return found

    def fault(self, one: ox.Triple, kinds: set[str], ends: set[str]) -> list[str]:
        """What is wrong with a statement about a thing of these kinds, with an end of these."""
        property_ = name(one.predicate)
        shapes = [self.expected[kind, property_] for kind in kinds if (kind, property_) in self.expected]
        if not shapes:
            return [f"{property_} is no property of {sorted(kinds)}"]
        expected = set.union(*shapes)
        if not expected or any(fits(one.object, ends, *what) for what in expected):
            return []
        return [f"{property_} of {one.object} expects {sorted(expected)}"]


def name(term: object) -> str:
    """A term of schema.org by its local name, another by its IRI."""
    text: str = getattr(term, "value", "")
    return re.sub(r"^https?://schema\.org/", "", text)


def fits(end: object, ends: set[str], kind: str, value: str) -> bool:
    """Whether an end is what is expected; a text may be in a language, a date of ISO 8601 be short."""
    if isinstance(end, ox.Literal):
        text = f"{XSD}string" if end.language else end.datatype.value
        dates = value in DATES and re.fullmatch(r"\d{4}(-\d\d){0,2}", end.value)
        return kind == "datatype" and (value == text or bool(dates))
    return kind == "nodeKind" or (kind == "class" and value in ends)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


def test_the_vocabulary_finds_faults(vocabulary: Vocabulary) -> None:
    wrong = f"""PREFIX : <{SCHEMA}> <urn:a> a :Event, :Meeting ; :name <urn:b> ; :author <urn:b> ."""
    faults = vocabulary.faults(quad.triple for quad in ox.parse(wrong, ox.RdfFormat.TURTLE))
    assert len(faults) == 3


def test_things_of_every_kind_are_said_as_schema_org_expects(
    shipped: ox.Store, vocabulary: Vocabulary
) -> None:
    service = service_of(Settings(), Store(shipped))
    some: dict[tuple[str, str], str] = {}
    for quad in shipped.quads_for_pattern(None, TYPE, None):
        if isinstance(quad.subject, ox.NamedNode) and quad.subject.value.startswith(f"{BASE}id/"):
            path = quad.subject.value.removeprefix(f"{BASE}id/")
            some.setdefault((path.partition("/")[0], name(quad.object)), path)
    assert len(some) > 50
    for path in sorted(
        {f"/doc/{one}" for one in some.values()} | {"/graph/issues", "/graph/paper/wp-spam", "/ontology"}
    ):
        answer = service.get(path, params={"_profile": "schema.org"})
        found = [quad.triple for quad in ox.parse(answer.content, ox.RdfFormat.TURTLE)]
        assert not vocabulary.faults(found), path
        assert {one.predicate for one in found} >= {TYPE, ox.NamedNode(f"{SCHEMA}url")}


def test_a_paper_has_its_authors_and_what_it_cites(vocabulary: Vocabulary) -> None:
    store = Store.in_memory()
    paper = parse_graph_document(
        (SHIPPED_FOLDER / "data/examples/spam-filters.ttl").read_bytes(), "text/turtle"
    )
    store.apply(store.compute_addition(None, paper))
    answer = client_over(store).get("/doc/paper/example-spam-filters?_profile=schema.org")
    found = [quad.triple for quad in ox.parse(answer.content, ox.RdfFormat.TURTLE)]
    assert not vocabulary.faults(found)
    uses = Counter(name(one.predicate) for one in found)
    assert (uses["author"], uses["citation"], uses["about"], uses["datePublished"]) == (3, 2, 1, 1)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_block_that_means_schema_org(get: Get, path: str, vocabulary: Vocabulary) -> None:
    blocks = BLOCK.findall(get(path, accept="text/html").text)
    assert len(blocks) == 1
    found = [quad.triple for quad in ox.parse(blocks[0], ox.RdfFormat.JSON_LD)]
    assert found
    assert not vocabulary.faults(found)
    assert json.loads(blocks[0])["@context"] == {"@vocab": SCHEMA}


@pytest.mark.parametrize("path", [*PAGES, "/doc/issue/spam?_profile=schema.org&_mediatype=jsonld"])
def test_addresses_are_on_the_host_that_was_asked_and_things_keep_their_names(get: Get, path: str) -> None:
    text = get(path, accept="text/html").text
    said = json.loads(BLOCK.findall(text)[0] if "<script" in text else text)
    places = re.findall(r'"(?:url|contentUrl)": {"@id": "([^"]+)"}', json.dumps(said))
    assert places
    assert all(one.startswith(HOST) for one in places)
    assert said.get("@id", BASE).startswith((BASE, f"{HOST}search"))


@pytest.mark.parametrize("path", ["/issues", "/doc/issue", "/search?q=spam", "/search.jsonld?q=spam"])
def test_things_of_a_list_have_their_kind_and_their_page(get: Get, path: str) -> None:
    text = get(path, accept="text/html").text
    said = json.loads(BLOCK.findall(text)[0] if "<script" in text else text)
    items = [one["item"] for one in said.get("mainEntity", said)["itemListElement"]]
    (spam,) = (one for one in items if one["@id"] == f"{BASE}id/issue/spam")
    assert spam["@type"] == "DefinedTerm"
    assert spam["url"] == {"@id": f"{HOST}doc/issue/spam"}
    assert "Spam" in str(spam["name"])


def test_the_policy_lets_no_text_of_a_page_run_and_the_block_is_none(get: Get) -> None:
    answer = get("/doc/issue/spam", accept="text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script type="application/ld+json">']


def test_a_text_cannot_leave_the_block(get: Get) -> None:
    page = get("/doc/issue/hostile", accept="text/html").text
    assert page.count("<script") == page.count("</script") == 1
    assert json.loads(BLOCK.findall(page)[0])["name"] == "<script>alert(1)</script>"


def test_a_block_is_in_the_language_of_its_page(get: Get) -> None:
    page = get("/doc/issue/spam", accept="text/html", accept_language="ar").text
    assert json.loads(BLOCK.findall(page)[0])["name"] == "البريد المزعج"
    page = get("/doc/issue/spam", accept="text/html").text
    assert json.loads(BLOCK.findall(page)[0])["name"] == "Spam"


def test_a_list_says_how_many_things_it_has(get: Get) -> None:
    found = json.loads(BLOCK.findall(get("/doc/issue", accept="text/html").text)[0])
    assert found["@type"] == "ItemList"
    assert found["numberOfItems"] == len(found["itemListElement"]) == 5


def test_the_dumps_that_home_names_are_there(get: Get) -> None:
    found = json.loads(BLOCK.findall(get("/", accept="text/html").text)[0])
    for one in found["dataset"]["distribution"]:
        answer = get(f"/{one['contentUrl']['@id'].removeprefix(HOST)}")
        assert answer.headers["content-type"] == one["encodingFormat"]


def test_what_leads_to_itself_is_told_of_once() -> None:
    store = Store.in_memory()
    facts = f"<{BASE}id/x/y> a <{BASE}ontology#Paragraph> ; <{BASE}ontology#partOf> <{BASE}id/x/y> ."
    store.apply(store.compute_addition(None, [q.triple for q in ox.parse(facts, ox.RdfFormat.TURTLE)]))
    answer = client_over(store).get("/doc/x/y?_profile=schema.org&_mediatype=application/ld%2Bjson")
    assert answer.json()["isPartOf"] == {"@id": f"{BASE}id/x/y"}

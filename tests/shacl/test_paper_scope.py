"""The graph of a paper describes the paper and what it introduces, and changes nothing else."""

from collections.abc import Iterator
from itertools import product

import httpx2
import pyoxigraph as ox
import pytest
from wgig.problems import Problem
from wgig.rdf.formats import N_TRIPLES, TURTLE
from wgig.rdf.namespaces import expand_curie
from wgig.rdf.shipped import shipped_ontology
from wgig.seed import open_filled_store
from wgig.settings import Settings
from wgig.shacl.documents import read_rdf
from wgig.shacl.paper_scope import AGENT_CLASSES, check_paper_scope
from wgig.store.store import Store

from tests.fixtures.service import make_writer_client

BASE = Settings.base
PAPER = ox.NamedNode(f"{BASE}id/paper/example-scope")
PATH = "/graph/paper/example-scope"
PREFIXES = f"""
@prefix agent: <{BASE}id/agent/> .
@prefix membership: <{BASE}id/membership/> .
@prefix paper: <{BASE}id/paper/> .
@prefix wgig: <{BASE}ontology#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix org: <http://www.w3.org/ns/org#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix cito: <http://purl.org/spar/cito/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix earl: <http://www.w3.org/ns/earl#> .
@prefix void: <http://rdfs.org/ns/void#> .
@prefix part: <{PAPER.value}/> .
@prefix id: <{BASE}id/> .
"""
STATED = "paper:example-scope a wgig:AssessmentPaper .\n"
STRANGERS = [
    ox.NamedNode(f"{BASE}{path}")
    for path in (
        "id/issue/spam",
        "id/category/equitable-distribution",
        "id/document/declaration",
        "id/document/form/issue-paper/7",
        "id/paper/wp-spam",
        "id/assertion/wp-spam",
        "id/agent/desai",
        "id/membership/desai",
        "ontology#Issue",
    )
]
# Properties by which a statement of a paper shows in the description of what it is about.
SHOWN_BY_INVERSE = {
    expand_curie(curie)
    for curie in ("wgig:issueOf", "wgig:concernOf", "wgig:hasPart", "dcterms:hasPart", "dcterms:relation")
} | {expand_curie(curie) for curie in ("wgig:answeredBy", "wgig:respondsTo")}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    settings = Settings(store=tmp_path_factory.mktemp("scope") / "store")
    return open_filled_store(settings, lambda _: None)


@pytest.fixture(scope="module")
def client(store: Store) -> httpx2.Client:
    return make_writer_client(store)


def put_statements(client: httpx2.Client, turtle: str) -> httpx2.Response:
    headers = {"Content-Type": "text/turtle", "Accept": "application/problem+json"}
    return client.put(PATH, content=PREFIXES + STATED + turtle, headers=headers)


@pytest.mark.parametrize(
    "statement",
    [
        'agent:desai rdfs:label "evil" .',
        'agent:desai foaf:name "evil" . paper:example-scope wgig:drafter agent:desai .',
        'agent:desai rdfs:comment "evil" .',
        "agent:desai a wgig:Issue .",
        "agent:desai owl:sameAs agent:banks .",
        "agent:desai <https://schema.org/image> <http://example.org/evil.png> .",
        "membership:afonso wgig:stakeholderGroup <https://w3id.org/wgig/id/stakeholder-group/governments> .",
        "paper:example-scope wgig:drafter agent:new . agent:new a foaf:Person, wgig:Issue .",
        'paper:example-scope wgig:drafter agent:new . agent:new rdfs:comment "not what identifies it" .',
        'agent:not-named a foaf:Person ; foaf:name "Nobody" .',
        "membership:new a org:Membership ; org:member agent:desai ; org:organization agent:wgig . "
        "paper:example-scope wgig:drafter agent:desai .",
        "_:seat a org:Membership ; org:member agent:desai ; org:organization agent:wgig .",
        "paper:example-scope org:hasMember agent:desai .",
        "[] a cito:Citation ; cito:hasCitingEntity agent:desai ; cito:hasCitedEntity agent:banks .",
        "<https://w3id.org/wgig/id/paper/example-scope/p> owl:inverseOf wgig:category .",
        "<https://w3id.org/wgig/id/paper/example-scope/p> rdfs:subPropertyOf rdfs:label .",
        "<https://w3id.org/wgig/id/paper/example-scope/c> rdfs:subClassOf wgig:Issue .",
        "paper:example-scope owl:sameAs agent:desai .",
        "paper:example-scope wgig:issueOf agent:desai .",
        "paper:example-scope skos:inScheme <https://w3id.org/wgig/id/scheme/categories-2004> .",
        "<https://w3id.org/wgig/id/paper/example-scope/i> a wgig:Issue .",
        '[] a wgig:Identifier ; wgig:relation "exact" ; wgig:identifies agent:desai ; wgig:target <urn:x> .',
        # A rule infers that the issue is measured against the criterion.
        "paper:example-scope wgig:issue agent:desai .",
        'part:a wgig:criterion "evil" .',
        "part:a wgig:criterion agent:itu .",
        "part:a wgig:criterion part:c .",
        # What is known about a milestone or a member is not for papers to state.
        "part:m wgig:about id:milestone\\/ms-papers .",
        "part:a wgig:judges id:issue\\/spam .",
        "part:a a wgig:Judgment .",
        "part:m wgig:governs id:issue\\/spam .",
        "id:mechanism\\/gac rdfs:label 'evil' .",
        # Lists show the parts of documents and forms, whatever graph states them.
        "part:p wgig:partOf id:document\\/declaration .",
        "part:p dcterms:isPartOf id:assertion\\/wp-spam .",
        '[] wgig:partOf id:paper\\/wp-spam ; wgig:number "2" .',
        "part:p wgig:respondsTo id:document\\/report\\/p84 .",
        # Lists show the results of checks, seats and statistics.
        "part:e a earl:Assertion .",
        "part:e earl:subject id:paper\\/wp-spam .",
        "part:e wgig:partsMet 999 .",
        "part:e wgig:breaks part:rule .",
        "part:v void:entities 99999 .",
        "[] org:member id:paper\\/example-other\\/person .",
        "part:m org:role id:role\\/chair .",
        "paper:example-scope wgig:drafter agent:new . "
        "membership:new org:member agent:new ; org:role id:role\\/chair .",
        # They are no IRIs of agents or parts, or would be others after resolution of the dots.
        f'paper:example-scope wgig:drafter <{BASE}id/agent/> . <{BASE}id/agent/> rdfs:label "All agents" .',
        f'<{BASE}id/agent/../issue/spam> rdfs:label "evil" .',
        f'<{PAPER.value}/../wp-spam> rdfs:label "evil" .',
        f'<{PAPER.value}//p> rdfs:label "evil" .',
    ],
)
def test_a_statement_about_something_else_is_refused_with_its_line(
    client: httpx2.Client, store: Store, statement: str
) -> None:
    answer = put_statements(client, statement)
    assert answer.status_code == 422, answer.text
    assert answer.json()["line"] == PREFIXES.count("\n") + 2, answer.text
    assert "Line " in answer.json()["detail"]
    assert not store.has_graph(f"{BASE}graph/paper/example-scope")


def test_a_paper_is_not_named_like_a_format_of_another_one(client: httpx2.Client) -> None:
    turtle = PREFIXES + "paper:example-scope.ttl a wgig:AssessmentPaper ."
    answer = client.put(f"{PATH}.ttl", content=turtle, headers={"Content-Type": "text/turtle"})
    assert (answer.status_code, "ends like a format" in answer.text) == (422, True)


def test_the_line_is_that_of_the_property(client: httpx2.Client) -> None:
    answer = put_statements(client, "part:a\n  rdfs:label 'part' ;\n  owl:sameAs agent:desai .\n")
    assert (answer.status_code, answer.json()["line"]) == (422, PREFIXES.count("\n") + 4)


def test_a_paper_may_repeat_each_statement_about_those_whom_it_names(
    client: httpx2.Client, store: Store
) -> None:
    subjects = [ox.NamedNode(f"{BASE}id/{path}") for path in ("agent/desai", "membership/desai")]
    inferred_graph = ox.NamedNode(f"{BASE}graph/inferred")
    stated = [
        quad.triple
        for subject in subjects
        for quad in store.match(subject)
        if quad.graph_name != inferred_graph
    ]
    assert any(triple.predicate == expand_curie("wgig:stakeholderGroup") for triple in stated)
    lines = "".join(f"{triple} .\n" for triple in stated if not isinstance(triple.object, ox.BlankNode))
    naming = "paper:example-scope wgig:drafter agent:desai ; owl:versionInfo '1.1' .\n"
    answer = put_statements(client, naming + lines)
    assert answer.status_code == 201, answer.text
    assert client.delete(PATH).status_code == 204


def test_a_paper_may_be_a_source_about_those_whom_it_names(client: httpx2.Client) -> None:
    naming = "paper:example-scope wgig:drafter agent:desai . agent:desai dcterms:source "
    assert put_statements(client, f"{naming} agent:banks .").status_code == 422
    assert put_statements(client, f"{naming} paper:example-scope .").status_code == 201
    assert client.delete(PATH).status_code == 204


def test_a_paper_may_describe_its_graph_below_the_base_of_the_shipped_data() -> None:
    lines = f"{PAPER} a wgig:Paper . <{BASE}graph/paper/example-scope> rdfs:label 'The graph' ."
    document = read_rdf("paper.ttl", (PREFIXES + lines).encode(), TURTLE, 1000)
    assert check_paper_scope(document, PAPER, "https://example.org/graph/paper/example-scope") == ()


def test_a_paper_may_refer_to_bodies_of_the_graph_and_judge_them(client: httpx2.Client, store: Store) -> None:
    statements = """
        paper:example-scope wgig:mechanism part:m ; wgig:assessment part:a .
        part:m a wgig:Mechanism ; wgig:about agent:icann , id:mechanism\\/gac .
        part:a a wgig:Assessment ; wgig:criterion id:principle\\/transparency ;
            wgig:judges agent:icann , part:m ; wgig:verdict id:verdict\\/adequate ;
            cito:cites id:document\\/background-report\\/118 .
    """
    answer = put_statements(client, statements)
    assert answer.status_code == 201, answer.text
    icann = ox.NamedNode(f"{BASE}id/agent/icann")
    assert any(quad.predicate == expand_curie("wgig:judges") for quad in store.match(None, None, icann))
    assert client.delete(PATH).status_code == 204


def test_a_property_of_a_broader_class_describes_parts_of_papers() -> None:
    part = ox.NamedNode(f"{PAPER.value}/part")
    verdict = ox.NamedNode(f"{BASE}id/verdict/adequate")
    assert is_in_scope(ox.Triple(part, expand_curie("wgig:verdict"), verdict))  # of wgig:Appraisal
    count = ox.Literal("1", datatype=expand_curie("xsd:integer"))
    assert not is_in_scope(ox.Triple(part, expand_curie("wgig:triplesAdded"), count))  # of prov:Entity


def test_a_paper_may_introduce_its_people_and_repeat_what_is_known(
    client: httpx2.Client, store: Store
) -> None:
    known = next(store.match(ox.NamedNode(f"{BASE}id/agent/desai"), expand_curie("foaf:name"))).object
    statements = f"""
        paper:example-scope wgig:drafter agent:desai , agent:new .
        agent:desai foaf:name {known} .
        agent:new a foaf:Person ; foaf:name "A new person" .
        membership:new a org:Membership ; org:member agent:new ; org:organization agent:wgig .
    """
    assert put_statements(client, statements).status_code == 201
    assert put_statements(client, statements).status_code == 204
    assert client.delete(PATH).status_code == 204


def test_a_paper_does_not_redefine_what_another_paper_introduced(client: httpx2.Client) -> None:
    turtle = (
        PREFIXES
        + "paper:example-first a wgig:AssessmentPaper ; wgig:drafter agent:first ."
        + ('agent:first a foaf:Person ; foaf:name "First" .')
    )
    headers = {"Content-Type": "text/turtle"}
    assert client.put("/graph/paper/example-first", content=turtle, headers=headers).status_code == 201
    answer = put_statements(
        client, 'paper:example-scope wgig:drafter agent:first . agent:first foaf:name "2" .'
    )
    assert answer.status_code == 422
    assert "another graph" in answer.json()["detail"]
    assert client.delete("/graph/paper/example-first").status_code == 204


def declared_terms(*classes: str) -> list[ox.NamedNode]:
    """The terms of the ontology that are instances of these classes."""
    types = {expand_curie(curie) for curie in classes}
    return sorted(
        {
            triple.subject
            for triple in shipped_ontology()
            if triple.predicate == expand_curie("rdf:type")
            and triple.object in types
            and isinstance(triple.subject, ox.NamedNode)
        },
        key=str,
    )


CLASSES = [*declared_terms("owl:Class"), *map(ox.NamedNode, sorted(AGENT_CLASSES))]
PROPERTIES = declared_terms("owl:ObjectProperty", "owl:DatatypeProperty")


def is_in_scope(*triples: ox.Triple) -> bool:
    """Whether the statements may be in the graph of PAPER, as far as that does not depend on the store."""
    lines = "".join(f"{triple} .\n" for triple in triples)
    document = read_rdf("paper.nt", lines.encode(), N_TRIPLES, 1000)
    try:
        statements = check_paper_scope(document, PAPER, f"{BASE}graph/paper/example-scope")
    except Problem:
        return False
    return not any(statement.fault for statement in statements)


def test_no_class_or_property_describes_what_is_not_of_the_paper() -> None:
    naming = ox.Triple(PAPER, expand_curie("wgig:drafter"), ox.NamedNode(f"{BASE}id/agent/desai"))
    for stranger, class_ in product(STRANGERS, CLASSES):
        in_scope = is_in_scope(naming, ox.Triple(stranger, expand_curie("rdf:type"), class_))
        assert not in_scope or (stranger == naming.object and class_.value in AGENT_CLASSES), (
            stranger,
            class_,
        )
    values: tuple[ox.Literal | ox.NamedNode, ...] = (
        ox.Literal("evil"),
        ox.NamedNode(f"{BASE}id/issue/spam"),
    )
    described = {
        property_
        for stranger, property_, value in product(STRANGERS, PROPERTIES, values)
        if is_in_scope(naming, ox.Triple(stranger, property_, value))
    }
    # They identify a new agent; of a known one, the store refuses them.
    assert described == {
        expand_curie(f"wgig:{name}")
        for name in (
            *("appointed", "country", "countryBasis", "illustrative", "postTitle"),
            *("stakeholderGroup", "stakeholderGroupBasis"),
        )
    }


def statements_in_scope() -> Iterator[ox.Triple]:
    """Each statement of the paper or a part, with a class or property of the ontology, that is in scope."""
    part = ox.NamedNode(f"{PAPER.value}/part")
    for subject, class_ in product((PAPER, part), CLASSES):
        if class_ == expand_curie("wgig:IssuePaper"):  # has rules of its own
            continue
        yield ox.Triple(subject, expand_curie("rdf:type"), class_)
    values: list[ox.Literal | ox.NamedNode] = [*STRANGERS, part, ox.Literal("evil")]
    for subject, property_, value in product((PAPER, part), PROPERTIES, values):
        yield ox.Triple(subject, property_, value)


def test_all_that_a_paper_may_state_leaves_everything_else_as_it_was(
    client: httpx2.Client, store: Store
) -> None:
    def rest_of_graph() -> set[ox.Triple]:
        computed = {f"{BASE}graph/{name}" for name in ("history", "conformance", "dcat", "void", "catalog")}
        return {
            quad.triple
            for quad in store.match()
            if isinstance(quad.graph_name, ox.NamedNode)
            and quad.graph_name.value not in computed
            and not str(quad.subject).startswith(f"<{PAPER.value}")
            and not quad.graph_name.value.endswith("/example-scope")
        }

    before = rest_of_graph()
    accepted = [triple for triple in statements_in_scope() if is_in_scope(triple)]
    assert len(accepted) > 100
    answer = put_statements(client, "".join(f"{triple} .\n" for triple in accepted))
    assert answer.status_code == 201, answer.text
    added = rest_of_graph() - before
    assert {
        triple
        for triple in added
        if not (triple.predicate in SHOWN_BY_INVERSE and str(triple.object).startswith(f"<{PAPER.value}"))
    } == set()
    assert client.delete(PATH).status_code == 204
    assert rest_of_graph() == before

"""Whatever a parser of ours gets, it reads it, or refuses it in the way that it says: it never fails."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyoxigraph as ox
import pytest
from wgig import settings
from wgig.feeds import news
from wgig.graphs import dumps_routes, versions
from wgig.http import auth, bodies, language, middleware, negotiation, responses
from wgig.http.bodies import parse_form, parse_multipart
from wgig.http.outbound import OutboundResponse, PeerError, resolve_redirect
from wgig.lists import query
from wgig.lists.definitions import LIST_DEFINITIONS
from wgig.papers import readers, word
from wgig.papers.form import request as form_request
from wgig.papers.markdown import reader
from wgig.papers.markdown import values as markdown_values
from wgig.problems import Problem
from wgig.rdf import formats, json_tokens, jsonld_context, parsing, sparql_lexer, values
from wgig.rdf.jsonld_context import KNOWN_CONTEXTS
from wgig.rdf.positions import find_triple_positions
from wgig.rdf.serialization import rdf_format
from wgig.resources import profile_negotiation
from wgig.search import tokenizer
from wgig.search.reconcile import extend, request
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl import documents
from wgig.shacl.check import check_document
from wgig.sparql import admission
from wgig.sparql import request as sparql_request
from wgig.sparql.examples import list_example_queries
from wgig.sparql.federation import convert_answer_to_values, convert_document_to_insert
from wgig.sparql.language import diagnosis, hints, parser, scope
from wgig.store.store import Store

from tests.fuzz.budget import hold
from tests.fuzz.pieces import mixed, spliced

pytestmark = pytest.mark.long

BASE = Settings.base
EXAMPLES = 60  # texts for each parser
EXAMPLE = SHIPPED_FOLDER / "data/examples"
RULES = sorted((SHIPPED_FOLDER / "shapes/examples/issue-paper").glob("*.ttl"))[:6]
STORE = Store.in_memory()


class Parser(NamedTuple):
    """A parser, what it is like to get, and how it refuses: always as a Problem that is the sender's."""

    parse: Callable[[Any], object]
    seeds: Sequence[Any]
    refuses: tuple[type[Exception], ...] = ()


def documented(suffix: str) -> Callable[[bytes], object]:
    """The whole way of a file: read, checked, with the places of what is found."""

    def parse(data: bytes) -> object:
        document = readers.read_paper_document("a", data, formats.FORMATS_BY_SUFFIX[suffix])
        return document.spots, check_document(document, "final")

    return parse


def placed(media_type: str) -> Callable[[bytes], object]:
    """The places of statements in a text that the engine reads."""

    def parse(data: bytes) -> object:
        text = documents.decode_document_text(data)
        triples = [one.triple for one in ox.parse(text, rdf_format(media_type), base_iri="x:")]
        found = find_triple_positions(text, media_type, triples, KNOWN_CONTEXTS)
        assert not found or len(found) == len(triples)
        return found

    return parse


def in_file(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of texts that come from files, and so without half a character."""
    return lambda data: parse(documents.decode_document_text(data))


def understood(text: str) -> object:
    """A query: its grammar, its rules, its variables, and what is said of a fault."""
    tree = parser.ParsedSparqlText(text).tree
    if not isinstance(tree, parser.SyntaxNode):
        return diagnosis.diagnose_grammar_mismatch(text, tree).document(BASE, "/")
    return scope.find_scope_problem(text, tree), list(hints.iter_unbound_variables(tree))


def docx(xml: bytes) -> bytes:
    """A Word file with this body."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("[Content_Types].xml", TYPES)
        zipped.writestr("_rels/.rels", RELATIONS)
        zipped.writestr("word/document.xml", xml)
    return file.getvalue()


def in_word(xml: bytes) -> object:
    """The paper in a Word file with this body."""
    return word.read_word_paper(docx(xml))


def listing(text: str) -> object:
    """What a list is asked for by a query string."""
    return [
        query.parse_list_request(one, parse_form(text.encode("utf-8", "replace")), BASE)
        for one in LIST_DEFINITIONS.values()
    ]


def batch(text: str) -> object:
    """A batch of names to match."""
    return request.parse_query_batch(text, ["issue", "person"], STORE, BASE)


TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORDS = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    b'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>1. Issue</w:t></w:r></w:p>'
    b"<w:p><w:r><w:t>paper: a</w:t></w:r></w:p>"
    b"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>issue</w:t></w:r></w:p></w:tc>"
    b"</w:tr></w:tbl></w:body></w:document>"
)
TEXTS = [one.read_text() for one in (EXAMPLE / "community-networks.ttl", *RULES)]
MARKDOWN = (EXAMPLE / "community-networks.md").read_text()
JSON_LD = [
    '{"@context": {"@vocab": "x:", "b": {"@container": "@list"}}, "@id": "x:a", "b": [1, {"@value": "c"}]}',
    f'{{"@context": "{jsonld_context.CONTEXT_IRI}", "@graph": [{{"@id": "x:a", "@type": "IssuePaper"}}]}}',
    '[{"@id": "x:a", "x:b": [{"@id": "x:c"}, true, 1.5e3, "\\u0041"]}]',
]
RDF_XML = (
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="x:"><r:Description r:about="x:b">'
    '<a:c r:parseType="Literal"><b/></a:c></r:Description></r:RDF>'
)
TRIG = '@prefix a: <x:> . a:g { a:b a:c "d"@en, """e"""^^a:f, [ a:h ( 1 2.0 true ) ] }'
SPARQL = [
    *(one.text for one in list_example_queries()),
    "SELECT ?a (COUNT(?b) AS ?n) { ?a (^<x:b>/!(<x:c>|^a))* [ ?p 'x'@en ] OPTIONAL { BIND(1 AS ?c) } } "
    "GROUP BY ?a",
    "PREFIX : <x:> INSERT { GRAPH ?g { :a :b ?c } } USING <x:g> WHERE { VALUES (?c) { (UNDEF) } }; CLEAR ALL",
    "SELECT * { SERVICE SILENT <x:a> { ?s ?p ?o } FILTER NOT EXISTS { ?s ?p '''\\u0041''' } } # c",
    "LOAD SILENT <x:a> INTO GRAPH <x:b>",
]
RESULTS = (
    b'{"head": {"vars": ["a"]}, "results": {"bindings": ['
    b'{"a": {"type": "literal", "value": "b", "xml:lang": "en"}}, {"a": {"type": "bnode", "value": "c"}}, '
    b'{"a": {"type": "uri", "value": "x:d"}}]}}'
)
MULTIPART = (
    b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''b%20.ttl\r\n"
    b"Content-Type: text/turtle\r\n\r\nc\r\n--x--\r\n"
)
HEADERS = [
    "text/html;q=0.5, */*;q=0.1",
    'a/b;c="d,e";q=1',
    "en-US,fr;q=0.001",
    "gzip;q=0, *",
    '"a", W/"b,c", *',
]

PARSERS = {
    "Markdown": Parser(documented("md"), [MARKDOWN.encode(), b"---\npaper: a\n---\n# 1. Issue\n- a: b\n"]),
    "Markdown, its outline": Parser(reader.parse_paper_statements, [MARKDOWN]),
    "Word": Parser(documented("docx"), [docx(WORDS), docx(b"")]),
    "Word, its body": Parser(in_word, [WORDS]),
    "Turtle": Parser(documented("ttl"), [one.encode() for one in TEXTS]),
    "Turtle, its places": Parser(placed("text/turtle"), [one.encode() for one in TEXTS], (SyntaxError,)),
    "TriG": Parser(documented("trig"), [TRIG.encode()]),
    "TriG, its places": Parser(placed("application/trig"), [TRIG.encode()], (SyntaxError,)),
    "N-Triples": Parser(documented("nt"), [b'<x:a> <x:b> "c"@en .\n_:d <x:e> "\\u0041"^^<x:f> .\n']),
    "N-Quads": Parser(documented("nq"), [b"<x:a> <x:b> _:c <x:g> .\n"]),
    "RDF/XML": Parser(documented("rdf"), [RDF_XML.encode()]),
    "XML": Parser(
        parsing.check_xml, [RDF_XML.encode(), b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'], (SyntaxError,)
    ),
    "JSON-LD": Parser(documented("jsonld"), [one.encode() for one in JSON_LD]),
    "JSON-LD, its places": Parser(
        placed("application/ld+json"), [one.encode() for one in JSON_LD], (SyntaxError,)
    ),
    "JSON-LD, its contexts": Parser(parsing.check_jsonld_contexts, JSON_LD, (SyntaxError,)),
    "JSON": Parser(
        lambda text: (json.loads(text), json_tokens.parse_positioned_json(text)),
        JSON_LD,
        (ValueError, RecursionError),
    ),
    "SPARQL": Parser(understood, SPARQL),
    "SPARQL, its words": Parser(
        lambda text: (
            list(sparql_lexer.walk_tokens(sparql_lexer.tokenize_sparql(text))),
            sparql_lexer.find_declared_prefixes(sparql_lexer.tokenize_sparql(text)),
            sparql_lexer.get_query_form(sparql_lexer.SparqlText(text)),
        ),
        SPARQL,
    ),
    "SPARQL, what it may": Parser(
        lambda text: admission.admit_sparql_text(parser.ParsedSparqlText(text), Settings()), SPARQL
    ),
    "SPARQL, what it calls": Parser(
        lambda text: admission.find_call_targets(sparql_lexer.SparqlText(text)), SPARQL
    ),
    "SPARQL, its datasets": Parser(
        lambda text: sparql_request.add_using_clauses(parser.ParsedSparqlText(text), ["x:a"], ["x:b"]),
        SPARQL,
    ),
    "SPARQL, a slip": Parser(
        lambda text: diagnosis.diagnose_syntax_error(parser.ParsedSparqlText(text), SyntaxError("x")), SPARQL
    ),
    "nesting": Parser(parsing.check_brackets, [*TEXTS[:1], TRIG, "(" * 90], (SyntaxError,)),
    "weights": Parser(
        lambda text: (
            negotiation.parse_accept_weights([text]),
            negotiation.accepted_media_ranges([text]),
            negotiation.choose_coding([text]),
        ),
        HEADERS,
    ),
    "Accept": Parser(lambda text: negotiation.negotiate_format([text], formats.GRAPH_FORMATS), HEADERS),
    "Accept-Language": Parser(lambda text: language.parse_accept_language((text,)), HEADERS),
    "Accept-Profile": Parser(
        lambda text: list(profile_negotiation.parse_accept_profile(text)), ["<x:a>;q=0.5, skos", "skos;q=1"]
    ),
    "Accept-Datetime": Parser(
        lambda text: versions.parse_accept_datetime([text]),
        ["Thu, 26 Nov 2026 10:00:00 GMT", "26 Nov 26 1:2 +9999"],
    ),
    "If-Match": Parser(lambda text: responses.matches_entity_tag([text], '"a"', weak=True), HEADERS),
    "Range": Parser(
        dumps_routes.parse_byte_range,
        ["bytes=0-1", "bytes=-5", "bytes=5-", f"bytes={'1' * 5000}-{'2' * 5000}"],
    ),
    "Content-Type": Parser(
        bodies.parse_content_type, ['a/b; charset="utf-8"', "multipart/form-data; boundary=x"]
    ),
    "Content-Disposition": Parser(
        bodies.parse_disposition, ['form-data; name="a"', "form-data; name*=UTF-8''%41"]
    ),
    "Host": Parser(
        lambda text: middleware.is_host_field(text.encode("utf-8", "replace")),
        ["a:80", "[::1]:9", "127.0.0.1"],
    ),
    "lang": Parser(language.parse_lang_parameter, ["fr,en", "zh-Hant"]),
    "_profile": Parser(lambda text: list(profile_negotiation.parse_profile_parameter(text)), ["skos,<x:a>"]),
    "form": Parser(lambda text: parse_form(text.encode("utf-8", "replace")), ["a=%41&b=c+d", "%ff=1&&="]),
    "form of a paper": Parser(
        lambda text: form_request.parse_form_request(parse_form(text.encode("utf-8", "replace"))),
        ["paper=a&issue=spam&title.en=b"],
    ),
    "multipart": Parser(lambda data: parse_multipart(data, "x"), [MULTIPART]),
    "gzip": Parser(
        lambda data: bodies.gunzip_body(data, 10_000),
        [negotiation.compress_body(b"a" * 99, "gzip"), b"\x1f\x8b"],
    ),
    "token in an address": Parser(
        lambda text: auth.has_token_in_query(text.encode("utf-8", "replace")), ["access_token=a"]
    ),
    "span of a token": Parser(auth.parse_token_lifetime, ["30d", "12h", "2w", f"{'9' * 20}w"], (ValueError,)),
    "list": Parser(listing, ["page=2&size=10", "order=-label&fields=label", "category=a&category=b"]),
    "page of a feed": Parser(lambda text: news.parse_page_number(text, "page"), ["1", "22"]),
    "search": Parser(tokenizer.parse_search_terms, ['spam "a b" -c', "a*"]),
    "reconciliation": Parser(
        batch, ['{"q": {"query": "a", "type": "issue", "limit": 3, "properties": [{"pid": "b", "v": 1}]}}']
    ),
    "extension": Parser(
        lambda text: extend.build_extension_answer(text, STORE, BASE),
        ['{"ids": ["issue/a"], "properties": [{"id": "rdfs:label"}]}'],
    ),
    "documents of others": Parser(
        lambda data: convert_document_to_insert(
            OutboundResponse("text/turtle", data, "http://a.example/"), "<x:g>"
        ),
        [one.encode() for one in TEXTS],
        (PeerError,),
    ),
    "results of others": Parser(
        lambda data: convert_answer_to_values(
            OutboundResponse("application/sparql-results+json", data, "http://a.example/"), {"a"}
        ),
        [RESULTS],
        (PeerError,),
    ),
    "where others lead": Parser(
        lambda text: resolve_redirect("http://a.example/b", text, "http://a.example/"),
        ["/c", "//[::1]/", "http://[x", "https://a.example:99999/"],
        (PeerError,),
    ),
    "addresses": Parser(
        settings.canonicalize_url, ["http://[::1]:80/a?b#c", "https://é.example/%zz", "http://a@b/"]
    ),
    "settings of addresses": Parser(
        settings.parse_allowed_addresses, ["https://a.example/ http://b.example/c"], (ValueError,)
    ),
    "day": Parser(values.parse_day_literal, ["2005-01-20", "2005-02-30"], (ValueError,)),
    "moment": Parser(values.parse_partial_date_literal, ["2005-01", "2005"], (ValueError,)),
    "integer": Parser(values.parse_integer_literal, ["-4", "+12"], (ValueError,)),
    **{
        f"value of a paper, {one.__name__}": Parser(
            in_file(one), [b"2005-01-20", b"declaration/48", b"https://a.example/b", b"4", b"yes"]
        )
        for one in (
            markdown_values.parse_date,
            markdown_values.parse_whole_number,
            markdown_values.parse_boolean,
            markdown_values.parse_source_reference,
            markdown_values.passage_iri,
            markdown_values.slugify_words,
            markdown_values.category_iri,
        )
    },
}
SHARE = 0.4 / len(PARSERS)  # of the time that there is


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_it_or_refuses_it(name: str) -> None:
    parser = PARSERS[name]

    def holds(given: Any) -> None:
        try:
            parser.parse(given)
        except Problem as problem:
            if problem.status >= 500:
                raise
        except parser.refuses:
            pass

    seeds = spliced(parser.seeds) if isinstance(parser.seeds[0], bytes) else mixed(parser.seeds)
    hold(holds, seeds, EXAMPLES, SHARE)

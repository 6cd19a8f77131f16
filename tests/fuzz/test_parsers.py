"""Every parser accepts fuzzed input or refuses it with a documented error."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import pyoxigraph as ox
import pytest
from wgig import settings
from wgig.feeds import news
from wgig.graphs import dumps_routes, versions
from wgig.http import auth, bodies, language, middleware, negotiation, responses
from wgig.http.bodies import parse_form, parse_multipart
from wgig.http.outbound import OutboundResponse, PeerError, find_allowed_url, resolve_redirect
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
from wgig.search import terms
from wgig.search.reconcile import extend, request
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl import documents
from wgig.shacl.check import check_document
from wgig.sparql import admission
from wgig.sparql import request as sparql_request
from wgig.sparql.examples import list_example_queries
from wgig.sparql.federation import convert_document_to_insert, convert_results_to_values
from wgig.sparql.language import diagnosis, hints, parser, scope
from wgig.store.store import Store
from wgig.text import slugify_words

from tests.fuzz.budget import run_fuzz_test
from tests.fuzz.strategies import fuzz_bytes, fuzz_texts

pytestmark = pytest.mark.long

BASE = Settings.base
EXAMPLE_COUNT = 60  # inputs for each parser
EXAMPLES_FOLDER = SHIPPED_FOLDER / "data/examples"
SHAPE_EXAMPLES = sorted((SHIPPED_FOLDER / "shapes/examples/issue-paper").glob("*.ttl"))[:6]
EMPTY_STORE = Store.in_memory()


class Parser(NamedTuple):
    """A parser, valid inputs as seeds, and the errors that it may raise in addition to Problem below 500."""

    parse: Callable[[Any], object]
    seeds: Sequence[Any]
    errors: tuple[type[Exception], ...] = ()


def make_paper_checker(suffix: str) -> Callable[[bytes], object]:
    """A function that reads a paper from a file with this suffix and checks it."""

    def parse(data: bytes) -> object:
        document = readers.read_paper_document("a", data, formats.FORMATS_BY_SUFFIX[suffix])
        return document.triple_positions, check_document(document, "final")

    return parse


def make_position_finder(media_type: str) -> Callable[[bytes], object]:
    """A function that finds the positions of the triples in a valid document."""

    def parse(data: bytes) -> object:
        text = documents.decode_document_text(data)
        triples = [quad.triple for quad in ox.parse(text, rdf_format(media_type), base_iri="x:")]
        positions = find_triple_positions(text, media_type, triples, KNOWN_CONTEXTS)
        assert not positions or len(positions) == len(triples)
        return positions

    return parse


def make_bytes_parser(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    """A parser of bytes from a parser of texts. Texts from files are decoded, so they are valid Unicode."""
    return lambda data: parse(documents.decode_document_text(data))


def analyze_query(text: str) -> object:
    """The diagnosis of a query with a syntax error, else its scope problem and unbound variables."""
    tree = parser.ParsedSparqlText(text).tree
    if not isinstance(tree, parser.SyntaxNode):
        return diagnosis.diagnose_grammar_mismatch(text, tree).document(BASE, "/")
    return scope.find_scope_problem(text, tree), list(hints.iter_unbound_variables(tree))


def build_word_file(document_xml: bytes) -> bytes:
    """A Word file with this XML as its document."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES_XML)
        archive.writestr("_rels/.rels", RELATIONSHIPS_XML)
        archive.writestr("word/document.xml", document_xml)
    return file.getvalue()


def read_word_document(document_xml: bytes) -> object:
    """The paper in a Word file with this XML as its document."""
    return word.read_word_paper(build_word_file(document_xml))


def parse_list_requests(text: str) -> object:
    """The requests for each list that a query string makes."""
    return [
        query.parse_list_request(definition, parse_form(text.encode("utf-8", "replace")), BASE)
        for definition in LIST_DEFINITIONS.values()
    ]


def parse_reconciliation_batch(text: str) -> object:
    return request.parse_query_batch(text, ["issue", "person"], EMPTY_STORE, BASE)


CONTENT_TYPES_XML = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    'PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONSHIPS_XML = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD_DOCUMENT_XML = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    b'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>1. Issue</w:t></w:r></w:p>'
    b"<w:p><w:r><w:t>paper: a</w:t></w:r></w:p>"
    b"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>issue</w:t></w:r></w:p></w:tc>"
    b"</w:tr></w:tbl></w:body></w:document>"
)
TURTLE_TEXTS = [path.read_text() for path in (EXAMPLES_FOLDER / "community-networks.ttl", *SHAPE_EXAMPLES)]
MARKDOWN = (EXAMPLES_FOLDER / "community-networks.md").read_text()
JSON_LD_TEXTS = [
    '{"@context": {"@vocab": "x:", "b": {"@container": "@list"}}, "@id": "x:a", "b": [1, {"@value": "c"}]}',
    f'{{"@context": "{jsonld_context.CONTEXT_IRI}", "@graph": [{{"@id": "x:a", "@type": "IssuePaper"}}]}}',
    '[{"@id": "x:a", "x:b": [{"@id": "x:c"}, true, 1.5e3, "\\u0041"]}]',
]
RDF_XML = (
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="x:"><r:Description r:about="x:b">'
    '<a:c r:parseType="Literal"><b/></a:c></r:Description></r:RDF>'
)
TRIG = '@prefix a: <x:> . a:g { a:b a:c "d"@en, """e"""^^a:f, [ a:h ( 1 2.0 true ) ] }'
SPARQL_TEXTS = [
    *(example.text for example in list_example_queries()),
    "SELECT ?a (COUNT(?b) AS ?n) { ?a (^<x:b>/!(<x:c>|^a))* [ ?p 'x'@en ] OPTIONAL { BIND(1 AS ?c) } } "
    "GROUP BY ?a",
    "PREFIX : <x:> INSERT { GRAPH ?g { :a :b ?c } } USING <x:g> WHERE { VALUES (?c) { (UNDEF) } }; CLEAR ALL",
    "SELECT * { SERVICE SILENT <x:a> { ?s ?p ?o } FILTER NOT EXISTS { ?s ?p '''\\u0041''' } } # c",
    "LOAD SILENT <x:a> INTO GRAPH <x:b>",
]
RESULTS_JSON = (
    b'{"head": {"vars": ["a"]}, "results": {"bindings": ['
    b'{"a": {"type": "literal", "value": "b", "xml:lang": "en"}}, {"a": {"type": "bnode", "value": "c"}}, '
    b'{"a": {"type": "uri", "value": "x:d"}}]}}'
)
MULTIPART = (
    b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''b%20.ttl\r\n"
    b"Content-Type: text/turtle\r\n\r\nc\r\n--x--\r\n"
)
HEADER_VALUES = [
    "text/html;q=0.5, */*;q=0.1",
    'a/b;c="d,e";q=1',
    "en-US,fr;q=0.001",
    "gzip;q=0, *",
    '"a", W/"b,c", *',
]

PARSERS = {
    "Markdown": Parser(
        make_paper_checker("md"), [MARKDOWN.encode(), b"---\npaper: a\n---\n# 1. Issue\n- a: b\n"]
    ),
    "Markdown statements": Parser(reader.parse_paper_statements, [MARKDOWN]),
    "Word": Parser(make_paper_checker("docx"), [build_word_file(WORD_DOCUMENT_XML), build_word_file(b"")]),
    "Word document XML": Parser(read_word_document, [WORD_DOCUMENT_XML]),
    "Turtle": Parser(make_paper_checker("ttl"), [text.encode() for text in TURTLE_TEXTS]),
    "Turtle positions": Parser(
        make_position_finder("text/turtle"), [text.encode() for text in TURTLE_TEXTS], (SyntaxError,)
    ),
    "TriG": Parser(make_paper_checker("trig"), [TRIG.encode()]),
    "TriG positions": Parser(make_position_finder("application/trig"), [TRIG.encode()], (SyntaxError,)),
    "N-Triples": Parser(make_paper_checker("nt"), [b'<x:a> <x:b> "c"@en .\n_:d <x:e> "\\u0041"^^<x:f> .\n']),
    "N-Quads": Parser(make_paper_checker("nq"), [b"<x:a> <x:b> _:c <x:g> .\n"]),
    "RDF/XML": Parser(make_paper_checker("rdf"), [RDF_XML.encode()]),
    "XML": Parser(
        parsing.check_xml, [RDF_XML.encode(), b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'], (SyntaxError,)
    ),
    "JSON-LD": Parser(make_paper_checker("jsonld"), [text.encode() for text in JSON_LD_TEXTS]),
    "JSON-LD positions": Parser(
        make_position_finder("application/ld+json"), [text.encode() for text in JSON_LD_TEXTS], (SyntaxError,)
    ),
    "JSON-LD contexts": Parser(parsing.check_jsonld_contexts, JSON_LD_TEXTS, (SyntaxError,)),
    "JSON": Parser(
        lambda text: (json.loads(text), json_tokens.parse_positioned_json(text)),
        JSON_LD_TEXTS,
        (ValueError, RecursionError),
    ),
    "SPARQL": Parser(analyze_query, SPARQL_TEXTS),
    "SPARQL tokens": Parser(
        lambda text: (
            list(sparql_lexer.walk_tokens(sparql_lexer.tokenize_sparql(text))),
            sparql_lexer.find_declared_prefixes(sparql_lexer.tokenize_sparql(text)),
            sparql_lexer.get_query_form(sparql_lexer.SparqlText(text)),
        ),
        SPARQL_TEXTS,
    ),
    "SPARQL admission": Parser(
        lambda text: admission.admit_sparql_text(parser.ParsedSparqlText(text), Settings()), SPARQL_TEXTS
    ),
    "SPARQL calls": Parser(
        lambda text: admission.find_call_targets(sparql_lexer.SparqlText(text), Settings.base),
        SPARQL_TEXTS,
    ),
    "SPARQL datasets": Parser(
        lambda text: sparql_request.add_using_clauses(parser.ParsedSparqlText(text), ["x:a"], ["x:b"]),
        SPARQL_TEXTS,
    ),
    "SPARQL syntax errors": Parser(
        lambda text: diagnosis.diagnose_syntax_error(parser.ParsedSparqlText(text), SyntaxError("x")),
        SPARQL_TEXTS,
    ),
    "nesting": Parser(parsing.check_brackets, [*TURTLE_TEXTS[:1], TRIG, "(" * 90], (SyntaxError,)),
    "header weights": Parser(
        lambda text: (
            negotiation.parse_accept_weights([text]),
            negotiation.accepted_media_ranges([text]),
            negotiation.choose_coding([text]),
        ),
        HEADER_VALUES,
    ),
    "Accept": Parser(lambda text: negotiation.negotiate_format([text], formats.GRAPH_FORMATS), HEADER_VALUES),
    "Accept-Language": Parser(lambda text: language.parse_accept_language((text,)), HEADER_VALUES),
    "Accept-Profile": Parser(
        lambda text: list(profile_negotiation.parse_accept_profile(text)), ["<x:a>;q=0.5, skos", "skos;q=1"]
    ),
    "Accept-Datetime": Parser(
        lambda text: versions.parse_accept_datetime([text]),
        ["Thu, 26 Nov 2026 10:00:00 GMT", "26 Nov 26 1:2 +9999"],
    ),
    "If-Match": Parser(lambda text: responses.matches_entity_tag([text], '"a"', weak=True), HEADER_VALUES),
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
    "paper form": Parser(
        lambda text: form_request.parse_form_request(parse_form(text.encode("utf-8", "replace"))),
        ["paper=a&issue=spam&title.en=b"],
    ),
    "multipart": Parser(lambda data: parse_multipart(data, "x"), [MULTIPART]),
    "gzip": Parser(
        lambda data: bodies.gunzip_body(data, 10_000),
        [negotiation.compress_body(b"a" * 99, "gzip", negotiation.CompressionEffort.ANSWER), b"\x1f\x8b"],
    ),
    "token in a URL": Parser(
        lambda text: auth.has_token_in_query(text.encode("utf-8", "replace")), ["access_token=a"]
    ),
    "token lifetime": Parser(auth.parse_token_lifetime, ["30d", "12h", "2w", f"{'9' * 20}w"], (ValueError,)),
    "list": Parser(
        parse_list_requests, ["page=2&size=10", "order=-label&fields=label", "category=a&category=b"]
    ),
    "feed page number": Parser(lambda text: news.parse_page_number(text, "page"), ["1", "22"]),
    "search": Parser(terms.parse_search_terms, ['spam "a b" -c', "a*"]),
    "reconciliation": Parser(
        parse_reconciliation_batch,
        ['{"q": {"query": "a", "type": "issue", "limit": 3, "properties": [{"pid": "b", "v": 1}]}}'],
    ),
    "extension": Parser(
        lambda text: extend.build_extension_result(text, EMPTY_STORE, BASE),
        ['{"ids": ["issue/a"], "properties": [{"id": "rdfs:label"}]}'],
    ),
    "documents for LOAD": Parser(
        lambda data: convert_document_to_insert(
            OutboundResponse("text/turtle", data, "http://a.example/"), "<x:g>"
        ),
        [text.encode() for text in TURTLE_TEXTS],
        (PeerError,),
    ),
    "results of SERVICE": Parser(
        lambda data: convert_results_to_values(
            OutboundResponse("application/sparql-results+json", data, "http://a.example/"), {"a"}
        ),
        [RESULTS_JSON],
        (PeerError,),
    ),
    "redirects": Parser(
        lambda text: resolve_redirect(
            "http://a.example/b", text, partial(find_allowed_url, allow_setting="http://a.example/")
        ),
        ["/c", "//[::1]/", "http://[x", "https://a.example:99999/"],
        (PeerError,),
    ),
    "URLs": Parser(
        settings.canonicalize_url, ["http://[::1]:80/a?b#c", "https://é.example/%zz", "http://a@b/"]
    ),
    "allowed URLs": Parser(
        settings.parse_allowed_urls, ["https://a.example/ http://b.example/c"], (ValueError,)
    ),
    "day": Parser(values.parse_day_literal, ["2005-01-20", "2005-02-30"], (ValueError,)),
    "partial date": Parser(values.parse_partial_date_literal, ["2005-01", "2005"], (ValueError,)),
    "integer": Parser(values.parse_integer_literal, ["-4", "+12"], (ValueError,)),
    **{
        f"paper value, {parse.__name__}": Parser(
            make_bytes_parser(parse), [b"2005-01-20", b"declaration/48", b"https://a.example/b", b"4", b"yes"]
        )
        for parse in (
            markdown_values.parse_date,
            markdown_values.parse_whole_number,
            markdown_values.parse_boolean,
            markdown_values.parse_source_reference,
            markdown_values.passage_iri,
            slugify_words,
            markdown_values.category_iri,
            markdown_values.mechanism_iri,
        )
    },
}
TIME_SHARE = 0.4 / len(PARSERS)  # of FUZZ_SECONDS for each parser; test_routes.py has the other 60 %


@pytest.mark.parametrize("name", PARSERS)
def test_parser_accepts_or_refuses_any_input(name: str) -> None:
    parse, seeds, errors = PARSERS[name]

    def parse_or_refuse(data: Any) -> None:
        try:
            parse(data)
        except Problem as problem:
            if problem.status >= 500:
                raise
        except errors:
            pass

    inputs = fuzz_bytes(seeds) if isinstance(seeds[0], bytes) else fuzz_texts(seeds)
    run_fuzz_test(parse_or_refuse, inputs, EXAMPLE_COUNT, TIME_SHARE)

"""What can be cited, as bytes that are the same where the data is the same: things, graphs, answers."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ...problems import Problem
from ...rdf.formats import FORMATS_BY_FORM, GRAPH_FORMATS, JSON_RESULTS, N_TRIPLES, Format
from ...rdf.labels import label_or_words
from ...rdf.serialization import check_output_readable, serialize_triples
from ...rdf.sparql_lexer import SparqlToken
from ...resources.description import describe_resource, statements_about
from ...resources.labels import find_labels
from ...resources.routes import description_triples
from ...settings import MIB, Settings
from ...sparql.examples import list_example_queries
from ...sparql.federation import has_federated_calls
from ...sparql.request import QueryRequest
from ...sparql.service import (
    QueryService,
    build_query_job,
    open_query_result,
    query_failure_problem,
    read_query_request,
)
from ...sparql.workers.protocol import SIZE_FAULT, QueryFault, QueryJob
from ...store.store import Store
from ...store.view import result_format

MAX_CITED_ANSWER_BYTES = 4 * MIB  # bytes of an answer that is cited
MAX_CITED_GRAPH_TRIPLES = 50_000  # of a graph that is cited
TABLE_QUERY_FORMS = ("SELECT", "ASK")
# What is digested stands first, so that who asks without a wish gets the very bytes of a citation.
CITED_TRIPLE_FORMATS = (N_TRIPLES, *(one for one in GRAPH_FORMATS if one is not N_TRIPLES))
BLANK_NODE_LINE_PATTERN = re.compile(rb"^_:|^<[^>]*> <[^>]*> _:", re.MULTILINE)
ONTOLOGY_TERM_PATTERN = re.compile(r"(?:ontology|shapes)(?:#|$)")
# Functions that give something else each time.
VOLATILE_FUNCTIONS = {"BNODE", "NOW", "RAND", "STRUUID", "UUID"}


@dataclass(frozen=True)
class CitedContent:
    """What is cited: its bytes in the first of the `formats`, and how to write it in any.

    `name` becomes its key, `iri` is its lasting name, empty for an answer. It is as it was in version
    `as_of`, or where that is empty as it is now.
    """

    name: str
    title: str
    iri: str
    body: bytes
    formats: Sequence[Format]
    write: Callable[[Format], bytes]
    as_of: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class CitedResource(NamedTuple):
    """What is known of a thing: its title, and its description as N-Triples."""

    title: str
    n_triples: bytes


def is_ontology_term(iri: str, base: str) -> bool:
    """Whether the IRI is that of the ontology, of the shapes, or of one of their terms and rules."""
    return bool(ONTOLOGY_TERM_PATTERN.match(iri.removeprefix(base))) and iri.startswith(base)


def read_cited_resource(store: Store, iri: str, base: str) -> CitedResource | None:
    """A thing as a store knows it, described like at `/doc/….nt`; None where nothing is known.

    A term or rule is what is said of it, whatever uses it.
    """
    if is_ontology_term(iri, base):
        said = [one.triple for one in statements_about(store, [iri])]
        return (
            CitedResource(citation_title(store, iri), serialize_triples(said, N_TRIPLES, base))
            if said
            else None
        )
    description = describe_resource(store, iri)
    if description is None:
        return None
    title = label_or_words(description.labels, iri).value
    return CitedResource(title, serialize_triples(description_triples(description, base), N_TRIPLES, base))


def cited_resource_content(thing: CitedResource, iri: str, base: str) -> CitedContent:
    """The description of a thing. Raises Problem 422 for a term or rule of which blank nodes are said."""
    content = cited_triples_content(
        thing.n_triples, thing.title, iri, iri.removeprefix(base).removeprefix("id/"), base
    )
    if is_ontology_term(iri, base):
        refuse_blank_nodes(content, f"What is said of <{iri}>")
    return content


def cited_graph_content(store: Store, iri: str, base: str) -> CitedContent:
    """The triples of a graph. Raises Problem 404, 413 for a large one."""
    if not store.has_graph(iri):
        raise Problem(404, f"There is no graph <{iri}>. The list of graphs is at /graphs.")
    triples = [*islice(store.triples(iri), MAX_CITED_GRAPH_TRIPLES + 1)]
    if len(triples) > MAX_CITED_GRAPH_TRIPLES:
        raise Problem(
            413,
            f"The graph has more than {MAX_CITED_GRAPH_TRIPLES} triples. Cite what you use of it by a query.",
        )
    return cited_triples_content(
        serialize_triples(triples, N_TRIPLES, base),
        citation_title(store, iri),
        iri,
        iri.removeprefix(base),
        base,
    )


def citation_title(store: Store, iri: str) -> str:
    """What a graph is called."""
    return label_or_words(find_labels(store, [iri]), iri).value


def cited_triples_content(lines: bytes, title: str, iri: str, name: str, base: str) -> CitedContent:
    """Triples, given as N-Triples in whatever order."""
    triples = [one.triple for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]
    write = partial(serialize_cited_triples, triples, base)
    return CitedContent(name, title, iri, write(N_TRIPLES), CITED_TRIPLE_FORMATS, write)


def serialize_cited_triples(triples: Sequence[ox.Triple], base: str, format_: Format) -> bytes:
    """Triples in a format. Raises UnserializableError where it has no way to write one of them."""
    return serialize_triples(triples, format_, base)


async def parse_citable_query(request: Request, queries: QueryService, text: str) -> QueryRequest:
    """A query whose answer can be cited. Raises Problem as /sparql does, 422 for one that cannot."""
    asked = await read_query_request(request, queries, [("query", text)])
    await run_in_threadpool(refuse_volatile_query, asked)
    return asked


def build_citation_job(asked: QueryRequest, settings: Settings) -> QueryJob:
    """A query as it is evaluated."""
    format_ = cited_answer_format(asked)
    return build_query_job(asked, asked.admitted, format_, settings, MAX_CITED_ANSWER_BYTES)


def cited_answer_format(asked: QueryRequest) -> Format:
    """The format in which the answer to a query is digested."""
    return JSON_RESULTS if asked.form in TABLE_QUERY_FORMS else N_TRIPLES


def cited_answer_content(body: bytes, asked: QueryRequest, base: str) -> CitedContent:
    """The answer to a query: rows in the order of ORDER BY, or else of their texts; triples in order.

    Raises Problem 422 where it would be another one the next time.
    """
    text, formats = asked.source.text.strip(), FORMATS_BY_FORM[asked.form]
    examples = list_example_queries()
    title = next((one.title for one in examples if one.text.strip() == text), "Answer to a query")
    if asked.form in TABLE_QUERY_FORMS:
        found = sort_result_rows(body, asked)
        return CitedContent("query", title, "", found, formats, partial(serialize_cited_results, found))
    content = cited_triples_content(body, title, "", "query", base)
    refuse_blank_nodes(content, "The answer")
    return content


def refuse_blank_nodes(content: CitedContent, what: str) -> None:
    """Raises Problem 422 where the content would have other names the next time."""
    if BLANK_NODE_LINE_PATTERN.search(content.body):
        raise Problem(
            422, f"{what} has blank nodes, whose names are others each time. Cite a query without them."
        )


async def evaluate_cited_query(request: Request, queries: QueryService, asked: QueryRequest) -> bytes:
    """The whole answer to a query. Raises Problem."""
    format_, most = cited_answer_format(asked), MAX_CITED_ANSWER_BYTES
    async with open_query_result(request, queries, asked, format_, max_bytes=most) as result:
        try:
            return await result.read_all()
        except QueryFault as fault:
            raise await citation_fault_problem(queries, fault, asked) from fault


async def citation_fault_problem(queries: QueryService, fault: QueryFault, asked: QueryRequest) -> Problem:
    """The Problem of a query whose answer is not whole."""
    if fault.kind == SIZE_FAULT:
        return Problem(
            413, f"The answer has more than {MAX_CITED_ANSWER_BYTES} bytes. Cite a query that asks for less."
        )
    return await query_failure_problem(queries, fault, asked, FORMATS_BY_FORM[asked.form][0])


def refuse_volatile_query(asked: QueryRequest) -> None:
    """Raises Problem 422 where the answer would be another one each time, whatever the data."""
    used = sorted({one.word for one in asked.source.tokens} & VOLATILE_FUNCTIONS)
    if used:
        raise Problem(422, f"{used[0]} gives something else each time. Cite a query without it.")
    if has_federated_calls(asked.admitted):
        raise Problem(
            422, "What a search or another service answers has no version here. Cite a query without SERVICE."
        )


def sort_result_rows(body: bytes, asked: QueryRequest) -> bytes:
    """The results in JSON, their rows by their texts unless the query orders them."""
    found: dict[str, Any] = json.loads(body)
    if "results" in found and not has_top_level_order(asked.source.tokens):
        found["results"]["bindings"].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def has_top_level_order(tokens: Iterable[SparqlToken]) -> bool:
    """Whether a query orders its rows: a subquery that does is in brackets."""
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.word == "ORDER" and not depth:
            return True
    return False


def serialize_cited_results(body: bytes, format_: Format) -> bytes:
    """Results in JSON in another format. Raises UnserializableError where that cannot hold them."""
    if format_ is JSON_RESULTS:
        return body
    found = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    assert isinstance(found, (ox.QuerySolutions, ox.QueryBoolean))
    written = found.serialize(format=result_format(format_.media_type)) or b""
    check_output_readable(written, format_.media_type)
    return written

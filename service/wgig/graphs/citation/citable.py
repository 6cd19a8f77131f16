"""What can be cited (resources, graphs, query results), as bytes that depend on nothing but the data."""

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

MAX_CITED_ANSWER_BYTES = 4 * MIB  # of a query result
MAX_CITED_GRAPH_TRIPLES = 50_000  # of a graph
TABLE_QUERY_FORMS = ("SELECT", "ASK")
# N-Triples is digested. It comes first, so that a client without preferences gets the digested bytes.
CITED_TRIPLE_FORMATS = (N_TRIPLES, *(format_ for format_ in GRAPH_FORMATS if format_ is not N_TRIPLES))
BLANK_NODE_LINE_PATTERN = re.compile(rb"^_:|^<[^>]*> <[^>]*> _:", re.MULTILINE)
ONTOLOGY_TERM_PATTERN = re.compile(r"(?:ontology|shapes)(?:#|$)")
# Functions that give a different value each time.
VOLATILE_FUNCTIONS = {"BNODE", "NOW", "RAND", "STRUUID", "UUID"}


@dataclass(frozen=True)
class CitedContent:
    """The cited content: its bytes in the first of the `formats`, and a function that writes it in each.

    `name` is the base of the BibTeX key, `iri` is empty for a query result. The content is that of version
    `as_of`, or where that is empty the current one.
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
        """The SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class CitedResource(NamedTuple):
    """A resource as it is cited: its title, and its description as N-Triples."""

    title: str
    n_triples: bytes


def is_ontology_term(iri: str, base: str) -> bool:
    """Whether the IRI is that of the ontology, of the shapes, or of a term or shape in them."""
    return bool(ONTOLOGY_TERM_PATTERN.match(iri.removeprefix(base))) and iri.startswith(base)


def read_cited_resource(store: Store, iri: str, base: str) -> CitedResource | None:
    """A resource with the description of `/doc/….nt`; None for an unknown one.

    Terms and shapes are cited without incoming statements.
    """
    if is_ontology_term(iri, base):
        triples = [statement.triple for statement in statements_about(store, [iri])]
        return (
            CitedResource(citation_title(store, iri), serialize_triples(triples, N_TRIPLES, base))
            if triples
            else None
        )
    description = describe_resource(store, iri)
    if description is None:
        return None
    title = label_or_words(description.labels, iri).value
    return CitedResource(title, serialize_triples(description_triples(description, base), N_TRIPLES, base))


def cited_resource_content(resource: CitedResource, iri: str, base: str) -> CitedContent:
    """The description of a resource. Raises Problem 422 for a term or shape that refers to blank nodes."""
    content = cited_triples_content(
        resource.n_triples, resource.title, iri, iri.removeprefix(base).removeprefix("id/"), base
    )
    if is_ontology_term(iri, base):
        refuse_blank_nodes(content, f"The description of <{iri}>")
    return content


def cited_graph_content(store: Store, iri: str, base: str) -> CitedContent:
    """The triples of a graph. Raises Problem 404, and 413 for more than MAX_CITED_GRAPH_TRIPLES."""
    if not store.has_graph(iri):
        raise Problem(404, f"There is no graph <{iri}>. The list of graphs is at /graphs.")
    triples = [*islice(store.triples(iri), MAX_CITED_GRAPH_TRIPLES + 1)]
    if len(triples) > MAX_CITED_GRAPH_TRIPLES:
        raise Problem(
            413,
            f"The graph has more than {MAX_CITED_GRAPH_TRIPLES} triples. Cite the part you use by a query.",
        )
    return cited_triples_content(
        serialize_triples(triples, N_TRIPLES, base),
        citation_title(store, iri),
        iri,
        iri.removeprefix(base),
        base,
    )


def citation_title(store: Store, iri: str) -> str:
    """The label of a graph or term, or words of its IRI."""
    return label_or_words(find_labels(store, [iri]), iri).value


def cited_triples_content(lines: bytes, title: str, iri: str, name: str, base: str) -> CitedContent:
    """Triples given as N-Triples lines in any order."""
    triples = [quad.triple for quad in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]
    write = partial(serialize_cited_triples, triples, base)
    return CitedContent(name, title, iri, write(N_TRIPLES), CITED_TRIPLE_FORMATS, write)


def serialize_cited_triples(triples: Sequence[ox.Triple], base: str, format_: Format) -> bytes:
    """Triples in a format. Raises UnserializableError where the format cannot express one of them."""
    return serialize_triples(triples, format_, base)


async def parse_citable_query(request: Request, queries: QueryService, text: str) -> QueryRequest:
    """A query whose result can be cited. Raises Problem as /sparql does, and 422 for one that cannot."""
    query = await read_query_request(request, queries, [("query", text)])
    await run_in_threadpool(refuse_volatile_query, query)
    return query


def build_citation_job(query: QueryRequest, settings: Settings) -> QueryJob:
    """The job for the process that evaluates a query."""
    format_ = cited_answer_format(query)
    return build_query_job(query, query.admitted, format_, settings, MAX_CITED_ANSWER_BYTES)


def cited_answer_format(query: QueryRequest) -> Format:
    """The format in which the result of a query is digested."""
    return JSON_RESULTS if query.form in TABLE_QUERY_FORMS else N_TRIPLES


def cited_answer_content(body: bytes, query: QueryRequest, base: str) -> CitedContent:
    """The result of a query: rows in the order of ORDER BY, or else sorted as text; triples sorted.

    Raises Problem 422 for a graph with blank nodes, whose labels change from one evaluation to the next.
    """
    text, formats = query.source.text.strip(), FORMATS_BY_FORM[query.form]
    examples = list_example_queries()
    title = next((example.title for example in examples if example.text.strip() == text), "Answer to a query")
    if query.form in TABLE_QUERY_FORMS:
        rows = sort_result_rows(body, query)
        return CitedContent("query", title, "", rows, formats, partial(serialize_cited_results, rows))
    content = cited_triples_content(body, title, "", "query", base)
    refuse_blank_nodes(content, "The answer")
    return content


def refuse_blank_nodes(content: CitedContent, subject: str) -> None:
    """Raises Problem 422 where the content has blank nodes, whose labels are not stable."""
    if BLANK_NODE_LINE_PATTERN.search(content.body):
        raise Problem(
            422, f"{subject} has blank nodes, whose labels differ each time. Cite a query without them."
        )


async def evaluate_cited_query(request: Request, queries: QueryService, query: QueryRequest) -> bytes:
    """The whole result of a query. Raises Problem."""
    format_, max_bytes = cited_answer_format(query), MAX_CITED_ANSWER_BYTES
    async with open_query_result(request, queries, query, format_, max_bytes=max_bytes) as result:
        try:
            return await result.read_all()
        except QueryFault as fault:
            raise await citation_fault_problem(queries, fault, query) from fault


async def citation_fault_problem(queries: QueryService, fault: QueryFault, query: QueryRequest) -> Problem:
    """The Problem for a query whose evaluation failed."""
    if fault.kind == SIZE_FAULT:
        return Problem(
            413, f"The answer has more than {MAX_CITED_ANSWER_BYTES} bytes. Cite a query that asks for less."
        )
    return await query_failure_problem(queries, fault, query, FORMATS_BY_FORM[query.form][0])


def refuse_volatile_query(query: QueryRequest) -> None:
    """Raises Problem 422 for a query whose result does not depend on the data alone."""
    used = sorted({token.word for token in query.source.tokens} & VOLATILE_FUNCTIONS)
    if used:
        raise Problem(422, f"{used[0]} gives a different value each time. Cite a query without it.")
    if has_federated_calls(query.admitted):
        raise Problem(422, "The results of SERVICE have no version here. Cite a query without SERVICE.")


def sort_result_rows(body: bytes, query: QueryRequest) -> bytes:
    """SPARQL results in JSON, with rows sorted as text unless the query orders them."""
    results: dict[str, Any] = json.loads(body)
    if "results" in results and not has_top_level_order(query.source.tokens):
        results["results"]["bindings"].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return json.dumps(results, ensure_ascii=False, separators=(",", ":")).encode()


def has_top_level_order(tokens: Iterable[SparqlToken]) -> bool:
    """Whether the query itself has ORDER BY, not only a subquery (in braces)."""
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.word == "ORDER" and not depth:
            return True
    return False


def serialize_cited_results(body: bytes, format_: Format) -> bytes:
    """SPARQL results in JSON converted to another format. Raises UnserializableError."""
    if format_ is JSON_RESULTS:
        return body
    results = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    assert isinstance(results, (ox.QuerySolutions, ox.QueryBoolean))
    output = results.serialize(format=result_format(format_.media_type)) or b""
    check_output_readable(output, format_.media_type)
    return output

"""Content that can be cited (resources, graphs, query results), as bytes that depend only on the data."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
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
from ...resources.routes import description_triples
from ...settings import MIB, Settings
from ...sparql.examples import recognize_example_query
from ...sparql.federation import has_federated_calls
from ...sparql.request import VOLATILE_FUNCTIONS, QueryRequest
from ...sparql.service import (
    QueryService,
    build_query_job,
    open_query_result,
    query_failure_problem,
    read_query_request,
)
from ...sparql.workers.protocol import SIZE_FAULT, QueryFault, QueryJob
from ...store.labels import find_labels
from ...store.store import Store
from ...store.view import result_format

MAX_CITED_RESULT_BYTES = 4 * MIB  # of a query result in its `cited_result_format`
MAX_CITED_GRAPH_TRIPLES = 50_000  # larger graphs are not cited as a whole
TABLE_QUERY_FORMS = ("SELECT", "ASK")
# The digest is that of N-Triples, which comes first, so that clients without preferences get these bytes.
CITED_TRIPLE_FORMATS = (N_TRIPLES, *(format_ for format_ in GRAPH_FORMATS if format_ is not N_TRIPLES))
# An N-Triples line with a blank node as subject or object.
BLANK_NODE_LINE_PATTERN = re.compile(rb"^_:|^<[^>]*> <[^>]*> _:", re.MULTILINE)
ONTOLOGY_TERM_PATTERN = re.compile(r"(?:ontology|shapes)(?:#|$)")  # an IRI without the base


@dataclass(frozen=True)
class CitedContent:
    """The cited content: its bytes in the first of the `formats`, and a function that serializes it in each.

    `name` is the base of the BibTeX key, `iri` is empty for a query result. `page_path` is the path of the
    page of an example query, without its first slash; empty for other content. `as_of` is the version of the
    store that the content is from; empty for the current version.
    """

    name: str
    title: str
    iri: str
    body: bytes
    formats: Sequence[Format]
    write: Callable[[Format], bytes]
    page_path: str = ""
    as_of: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of the bytes, as 64 hexadecimal digits."""
        return hashlib.sha256(self.body).hexdigest()


class CitedResource(NamedTuple):
    """A cited resource: its title, and its description as N-Triples."""

    title: str
    n_triples: bytes


def is_ontology_term(iri: str, base: str) -> bool:
    """Whether the IRI is that of the ontology, the shapes, a term or a shape."""
    return bool(ONTOLOGY_TERM_PATTERN.match(iri.removeprefix(base))) and iri.startswith(base)


def read_cited_resource(store: Store, iri: str, base: str) -> CitedResource | None:
    """A resource with the same description as `/doc/….nt`, or None if the resource is unknown.

    The description of a term or shape has only the statements about it.
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
    """The description of a resource, to be cited.

    Raises Problem 422 for a term or shape that refers to blank nodes.
    """
    content = cited_triples_content(
        resource.n_triples, resource.title, iri, iri.removeprefix(base).removeprefix("id/"), base
    )
    if is_ontology_term(iri, base):
        refuse_blank_nodes(content, f"The description of <{iri}>")
    return content


def cited_graph_content(store: Store, iri: str, base: str) -> CitedContent:
    """The triples of a graph, to be cited. Raises Problem 404, and 413 above MAX_CITED_GRAPH_TRIPLES."""
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
    """The label of a graph or term, or else words made from its IRI."""
    return label_or_words(find_labels(store, [iri]), iri).value


def cited_triples_content(n_triples: bytes, title: str, iri: str, name: str, base: str) -> CitedContent:
    """Triples, to be cited; `n_triples` has them in any order, `name` is the base of the BibTeX key."""
    triples = [quad.triple for quad in ox.parse(n_triples, ox.RdfFormat.N_TRIPLES)]
    write = partial(serialize_cited_triples, triples, base)
    return CitedContent(name, title, iri, write(N_TRIPLES), CITED_TRIPLE_FORMATS, write)


def serialize_cited_triples(triples: Sequence[ox.Triple], base: str, format_: Format) -> bytes:
    """Triples in a format. Raises UnserializableError if the format cannot express one of them."""
    return serialize_triples(triples, format_, base)


async def parse_citable_query(request: Request, queries: QueryService, text: str) -> QueryRequest:
    """A query whose result can be cited. Raises Problem like /sparql, and 422 if the result can differ."""
    query = await read_query_request(request, queries, [("query", text)])
    await run_in_threadpool(refuse_volatile_query, query)
    return query


def build_citation_job(query: QueryRequest, settings: Settings) -> QueryJob:
    """The job that evaluates a query in a worker process; its result has the `cited_result_format`."""
    format_ = cited_result_format(query)
    return build_query_job(query, query.admitted, format_, settings, MAX_CITED_RESULT_BYTES)


def cited_result_format(query: QueryRequest) -> Format:
    """The format of a query result from which its digest is computed."""
    return JSON_RESULTS if query.form in TABLE_QUERY_FORMS else N_TRIPLES


def cited_result_content(body: bytes, query: QueryRequest, base: str) -> CitedContent:
    """The result of a query, to be cited; `body` is the result in the format of `cited_result_format`.

    Rows are in the order of ORDER BY, or else sorted as text; triples are sorted. Raises Problem 422 for
    triples with blank nodes, whose labels differ in each evaluation.
    """
    text, formats = query.source.text.strip(), FORMATS_BY_FORM[query.form]
    example = recognize_example_query(text)
    title = example.title if example else "Result of a query"
    has_page = example and example.text.strip() == text  # the page of others would need their parameters
    page_path = f"queries/{example.name}" if example and has_page else ""
    if query.form in TABLE_QUERY_FORMS:
        rows = sort_result_rows(body, query)
        return CitedContent(
            "query", title, "", rows, formats, partial(serialize_cited_results, rows), page_path
        )
    content = replace(cited_triples_content(body, title, "", "query", base), page_path=page_path)
    refuse_blank_nodes(content, "The result")
    return content


def refuse_blank_nodes(content: CitedContent, subject: str) -> None:
    """Raise Problem 422 if the content has blank nodes; `subject` begins the message."""
    if BLANK_NODE_LINE_PATTERN.search(content.body):
        raise Problem(422, f"{subject} has blank nodes, whose labels can change. Cite a query without them.")


async def evaluate_cited_query(request: Request, queries: QueryService, query: QueryRequest) -> bytes:
    """The result of a query in the format of `cited_result_format`. Raises Problem if the query fails."""
    format_, max_bytes = cited_result_format(query), MAX_CITED_RESULT_BYTES
    async with open_query_result(request, queries, query, format_, max_bytes=max_bytes) as result:
        try:
            return await result.read_all()
        except QueryFault as fault:
            raise await citation_fault_problem(queries, fault, query) from fault


async def citation_fault_problem(queries: QueryService, fault: QueryFault, query: QueryRequest) -> Problem:
    """The Problem for a query whose evaluation failed."""
    if fault.kind == SIZE_FAULT:
        return Problem(
            413,
            f"The result has more than {MAX_CITED_RESULT_BYTES} bytes. Cite a query with a smaller result.",
        )
    return await query_failure_problem(queries, fault, query, FORMATS_BY_FORM[query.form][0])


def refuse_volatile_query(query: QueryRequest) -> None:
    """Raise Problem 422 for a query whose result does not depend on the data alone."""
    functions = sorted({token.word for token in query.source.tokens}.intersection(VOLATILE_FUNCTIONS))
    if functions:
        raise Problem(422, f"{functions[0]} has a different value each time. Cite a query without it.")
    if has_federated_calls(query.admitted):
        raise Problem(
            422, "The data of a SERVICE has no version in this service. Cite a query without SERVICE."
        )


def sort_result_rows(body: bytes, query: QueryRequest) -> bytes:
    """SPARQL results in JSON, with rows sorted as text unless the query has ORDER BY."""
    results: dict[str, Any] = json.loads(body)
    if "results" in results and not has_top_level_order(query.source.tokens):
        results["results"]["bindings"].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return json.dumps(results, ensure_ascii=False, separators=(",", ":")).encode()


def has_top_level_order(tokens: Iterable[SparqlToken]) -> bool:
    """Whether a query has ORDER BY outside braces; ORDER BY in a subquery is inside."""
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.word == "ORDER" and not depth:
            return True
    return False


def serialize_cited_results(body: bytes, format_: Format) -> bytes:
    """SPARQL results in JSON converted to a format. Raises UnserializableError if it cannot express them."""
    if format_ is JSON_RESULTS:
        return body
    results = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    assert isinstance(results, (ox.QuerySolutions, ox.QueryBoolean))
    output = results.serialize(format=result_format(format_.media_type)) or b""
    check_output_readable(output, format_.media_type)
    return output

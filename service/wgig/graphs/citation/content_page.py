"""The page of a cited version: its statements, or the answer of a query, as a table."""

import pyoxigraph as ox

from ...http.language import label_languages
from ...http.parameters import add_url_parameters
from ...pages.dependencies import RequestContext
from ...pages.names import foreign_class_label
from ...pages.rendering import path_in_format, render_template
from ...rdf.formats import JSON_RESULTS
from ...rdf.namespaces import RDF_TYPE, expand_curie
from ...rdf.sparql_lexer import SparqlText
from ...sparql.result_table import ResultTable, Solutions, TableOptions, build_result_table
from ...store.labels import find_label
from ...store.store import Store
from .citable import CitedContent
from .resolve import CitationRequest

MAX_CONTENT_PAGE_ROWS = 1000
STATEMENT_NAMES = ("subject", "property", "value")


def render_content_page(
    context: RequestContext, content: CitedContent, citation_request: CitationRequest
) -> bytes:
    """The page of cited content, with the addresses of the cited version and the names of today."""
    store = context.store
    pairs = citation_request._replace(iri=content.iri).parameters
    answer = read_answer(content)
    return render_template(
        "cited.html",
        base=context.base,
        content=content,
        citation_request=citation_request,
        kind=find_kind_label(store, content.iri, context.base) if content.iri else None,
        answer=answer if isinstance(answer, bool) else None,
        table=None
        if isinstance(answer, bool)
        else build_content_table(store, answer, citation_request.query),
        other_formats=[
            (format_.title, path_in_format(add_url_parameters("/cited", pairs), format_.media_type))
            for format_ in content.formats
        ],
    )


def read_answer(content: CitedContent) -> Solutions | bool:
    """The rows of the content, or the truth value of an ASK. The statements about a resource come first."""
    if content.formats[0] is JSON_RESULTS:
        results = ox.parse_query_results(content.body, format=ox.QueryResultsFormat.JSON)
        if not isinstance(results, ox.QuerySolutions):
            return bool(results)
        names = [variable.value for variable in results.variables]
        return Solutions(names, [[*solution] for solution in results])
    quads = ox.parse(content.body, ox.RdfFormat.N_TRIPLES)
    subject = ox.NamedNode(content.iri) if content.iri else None
    rows = sorted(
        ((quad.subject, quad.predicate, quad.object) for quad in quads), key=lambda row: row[0] != subject
    )
    return Solutions(STATEMENT_NAMES, rows)


def build_content_table(store: Store, solutions: Solutions, query: str) -> ResultTable:
    """The table of the first rows of cited content; `query` is empty for statements."""
    names = " ".join(f"?{name}" for name in solutions.names)
    text = SparqlText(query or f"SELECT {names} WHERE {{ {names} }}")
    return build_result_table(solutions, text, store, TableOptions(MAX_CONTENT_PAGE_ROWS))


def find_kind_label(store: Store, iri: str, base: str) -> ox.Literal | None:
    """The label of the class that says what a resource is, such as "issue"; None if no class has one."""
    inferred_graph, ontology = ox.NamedNode(f"{base}graph/inferred"), expand_curie("wgig:", base).value
    types = sorted(
        quad.object.value
        for quad in store.match(ox.NamedNode(iri), RDF_TYPE)
        if isinstance(quad.object, ox.NamedNode) and quad.graph_name != inferred_graph
    )
    own_types = [type_ for type_ in types if type_.startswith(ontology)]
    labels = [
        *(find_label(store, type_, label_languages()) for type_ in own_types),
        *map(foreign_class_label, types),
    ]
    return next(filter(None, labels), None)

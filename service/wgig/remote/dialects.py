"""Dialects of SPARQL services: their limits and deviations from the standard.

For example, Virtuoso stores numbers of equal value as one term. A conditional update is a DELETE or INSERT
with a WHERE clause; the data of a shared store is changed only by such updates.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox
from wgig_client.namespaces import XSD_NAMESPACE

from ..rdf.formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..rdf.namespaces import RDF_NAMESPACE
from ..store.overlay import QuadSource

NUMERIC_DATATYPE_IRIS = frozenset(
    f"{XSD_NAMESPACE}{name}" for name in ("integer", "decimal", "double", "float")
)


def has_equal_number(quads: QuadSource, quad: ox.Quad) -> bool:
    """Whether the statement exists with a different number of equal value, such as 1.0 for 1."""
    value = numeric_value(quad.object)
    if value is None:
        return False
    alternatives = quads.quads_for_pattern(quad.subject, quad.predicate, None, quad.graph_name)
    return any(other.object != quad.object and numeric_value(other.object) == value for other in alternatives)


def numeric_value(term: object) -> float | None:
    """The value of a numeric literal; None for any other term."""
    if not isinstance(term, ox.Literal) or term.datatype.value not in NUMERIC_DATATYPE_IRIS:
        return None
    try:
        return float(term.value)
    except ValueError:
        return None


XSD_INTEGER = f"{XSD_NAMESPACE}integer"
FLOATING_DATATYPES = (f"{XSD_NAMESPACE}double", f"{XSD_NAMESPACE}float")
NON_FINITE_NUMBERS = ("INF", "-INF", "NaN")
# GRAPH with an IRI or a prefixed name, unlike GRAPH with a variable.
NAMED_GRAPH_PATTERN = re.compile(r"\bGRAPH\s*(?:<|[\w.-]*:)", re.IGNORECASE)


@dataclass(frozen=True)
class ServiceDialect:
    """The limits and deviations of a service.

    Query results in `faithful_media_types` have no errors, and are forwarded unchanged.
    """

    name: str
    rows_media_type: str = JSON_RESULTS.media_type  # the result format in which all terms are correct
    faithful_media_types: frozenset[str] = frozenset(
        (JSON_RESULTS.media_type, XML_RESULTS.media_type, N_TRIPLES.media_type)
    )
    max_update_quads: int = 5_000  # in one conditional update
    # Rows per page when the store is copied, if the order of rows is stable across pages; 0: no pages.
    max_page_rows: int = 0
    shows_partial_updates: bool = False  # whether a query may see a part of a running update
    max_literal_chars: int = 1_000_000
    update_prologue: str = ""
    # A part of the response to a successful update; b"" for an empty response, None for any response.
    success_marker: bytes | None = None
    exclusion_pragma: str = ""  # the beginning of a query that must not read the graph %s
    # Request parameters that make the default graph the union of all graphs.
    union_parameters: Mapping[str, str] = field(default_factory=dict)
    # Whether the service uses all graphs if a dataset has no default graphs or no named graphs.
    defaults_to_all_graphs: bool = False
    builtin_graphs: tuple[str, ...] = ()  # the graphs in a new installation
    timeout_message: str = ""  # the error message for a query that exceeds the time limit
    retry_message: str = ""  # the error message for a request that succeeds if it is sent again
    # Response headers that report missing rows, due to a row limit or a time limit.
    truncation_headers: tuple[str, ...] = ()
    # Datatypes of literals that the service changes.
    changed_datatypes: frozenset[str] = frozenset()
    # Datatypes of literals that a conditional update does not change; None: all.
    exact_datatypes: frozenset[str] | None = None
    merges_equal_numbers: bool = False  # whether 1 and 1.0 are stored as one term
    max_integer_digits: int = 1_000_000
    supports_non_finite_numbers: bool = True  # INF, -INF and NaN; otherwise, they cannot be deleted
    supports_rdf12: bool = True  # whether triple terms and directional strings are supported
    # Prefixes, in lower case, of IRIs that the service executes as commands.
    command_schemes: tuple[str, ...] = ()

    def is_exact(self, quad: ox.Quad) -> bool:
        """Whether a conditional update stores the quad without changing it."""
        term = quad.object
        return (
            self.exact_datatypes is None
            or not isinstance(term, ox.Literal)
            or term.datatype.value in self.exact_datatypes
        )

    def is_retryable(self, message: str) -> bool:
        """Whether an error message means that the same request may succeed if it is sent again."""
        return bool(self.retry_message) and self.retry_message in message

    def confirms_update(self, body: bytes) -> bool:
        """Whether the body of a response confirms that the update was executed."""
        return self.success_marker is None or (
            self.success_marker in body if self.success_marker else not body
        )

    def can_store(self, quad: ox.Quad) -> bool:
        """Whether the service can store the quad without changing it."""
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        return not any(
            (isinstance(term, ox.NamedNode) and self.is_command(term.value))
            or (isinstance(term, ox.Literal) and self.would_change_literal(term))
            or (not self.supports_rdf12 and needs_rdf12(term))
            for term in terms
        )

    def would_change_literal(self, literal: ox.Literal) -> bool:
        """Whether the service would change the literal, or could not delete it."""
        datatype, value = literal.datatype.value, literal.value
        return (
            datatype in self.changed_datatypes
            or (
                not self.supports_non_finite_numbers
                and datatype in FLOATING_DATATYPES
                and value in NON_FINITE_NUMBERS
            )
            or (datatype == XSD_INTEGER and len(value.lstrip("+-0")) > self.max_integer_digits)
        )

    def is_command(self, iri: str) -> bool:
        """Whether the service executes an IRI as a command."""
        return bool(self.command_schemes) and iri.lower().startswith(self.command_schemes)

    def query_prologue(self, query: str, ledger_graph: str) -> str:
        """The pragmas that hide the graph of the ledger and the builtin graphs of the service from a query.

        Empty if the query names a graph: the pragmas could hide that graph, too.
        """
        if not self.exclusion_pragma or NAMED_GRAPH_PATTERN.search(query):
            return ""
        return "".join(
            self.exclusion_pragma.replace("%s", graph) for graph in (*self.builtin_graphs, ledger_graph)
        )


def needs_rdf12(term: object) -> bool:
    """Whether a term exists only since RDF 1.2: a triple term, or a string with a base direction."""
    return isinstance(term, ox.Triple) or (isinstance(term, ox.Literal) and term.direction is not None)


STANDARD_DIALECT = ServiceDialect("standard")
# Measured with Oxigraph 0.5.13 on a busy machine: one query in a hundred fails with `retry_message`; a retry
# succeeds.
OXIGRAPH_DIALECT = ServiceDialect(
    "oxigraph",
    success_marker=b"",
    union_parameters={"union-default-graph": ""},
    timeout_message="The SPARQL operation has been cancelled",
    retry_message="Resource temporarily unavailable (os error 11)",
)
# Measured with Virtuoso 7.2: without the pragma `update_prologue`, a crash may lose an update. A literal over
# the limit fails with "out of memory". A conditional update turns the decimal 1 into an integer, and rejects
# some values of xsd:time. JSON results have "1" for true; CSV and TSV do not distinguish IRIs from strings;
# ASK returns a number. With functions in bif:, any client can write files or stop the server; functions in
# sql: call procedures. A result has at most 1,048,576 rows, regardless of the configuration; without ORDER BY
# the rows are in index order.
VIRTUOSO_DIALECT = ServiceDialect(
    "virtuoso",
    rows_media_type=XML_RESULTS.media_type,
    faithful_media_types=frozenset((N_TRIPLES.media_type,)),
    max_update_quads=300,
    max_page_rows=200_000,
    defaults_to_all_graphs=True,
    shows_partial_updates=True,
    max_literal_chars=60_000,
    update_prologue="DEFINE sql:log-enable 1 ",
    success_marker=b"callret-0",
    retry_message="Transaction deadlocked",
    exclusion_pragma="DEFINE input:default-graph-exclude <%s> DEFINE input:named-graph-exclude <%s> ",
    builtin_graphs=(
        "http://www.openlinksw.com/schemas/virtrdf#",
        "http://www.w3.org/ns/ldp#",
        "http://www.w3.org/2002/07/owl#",
        "urn:core:services:sparql",
        "urn:activitystreams-owl:map",
    ),
    truncation_headers=("X-SPARQL-MaxRows", "X-SQL-State"),
    changed_datatypes=frozenset(
        (
            f"{XSD_NAMESPACE}duration",
            f"{XSD_NAMESPACE}dayTimeDuration",
            f"{XSD_NAMESPACE}yearMonthDuration",
            f"{RDF_NAMESPACE}XMLLiteral",
            "http://www.openlinksw.com/schemas/virtrdf#Geometry",
        )
    ),
    exact_datatypes=frozenset(
        (
            f"{RDF_NAMESPACE}langString",
            *(
                f"{XSD_NAMESPACE}{name}"
                for name in ("string", "integer", "boolean", "date", "dateTime", "gYear")
            ),
        )
    ),
    supports_rdf12=False,
    merges_equal_numbers=True,
    max_integer_digits=18,
    supports_non_finite_numbers=False,
    command_schemes=("bif:", "sql:", "nodeid:"),
)
SERVICE_DIALECTS = {
    dialect.name: dialect for dialect in (STANDARD_DIALECT, OXIGRAPH_DIALECT, VIRTUOSO_DIALECT)
}

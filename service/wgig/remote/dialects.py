"""Dialects of SPARQL services: their limits and deviations from the standard, such as merged numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from ..rdf.formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..rdf.namespaces import RDF_NAMESPACE, XSD_NAMESPACE

NUMERIC_DATATYPE_IRIS = frozenset(
    f"{XSD_NAMESPACE}{name}" for name in ("integer", "decimal", "double", "float")
)


def has_equal_number(quads: ox.Store, quad: ox.Quad) -> bool:
    """Whether the same statement exists with another number of equal value, such as 1.0 for 1."""
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
FLOATING_DATATYPES, NON_FINITE_NUMBERS = (
    (f"{XSD_NAMESPACE}double", f"{XSD_NAMESPACE}float"),
    ("INF", "-INF", "NaN"),
)
NAMED_GRAPH_PATTERN = re.compile(r"\bGRAPH\s*(?:<|[\w.-]*:)", re.IGNORECASE)


@dataclass(frozen=True)
class ServiceDialect:
    """How to talk to a service. Results in `faithful_media_types` are correct and forwarded unchanged."""

    name: str
    rows_media_type: str = JSON_RESULTS.media_type  # result format in which it writes all terms correctly
    faithful_media_types: frozenset[str] = frozenset(
        (JSON_RESULTS.media_type, XML_RESULTS.media_type, N_TRIPLES.media_type)
    )
    max_update_quads: int = 5_000  # quads in one conditional update
    # Rows per page when the store is copied, where the order of rows is stable across pages; 0: no pages.
    max_page_rows: int = 0
    shows_partial_updates: bool = False  # whether a query may see a part of an update under way
    max_literal_chars: int = 1_000_000  # characters of one literal
    update_prologue: str = ""
    # What the response to a successful update contains; b"" for an empty body, None for any body.
    done_marker: bytes | None = None
    exclusion_pragma: str = ""  # put before a query for each graph to exclude
    # Request parameters that make the default graph the union of all graphs.
    union_parameters: Mapping[str, str] = field(default_factory=dict)
    defaults_to_all_graphs: bool = (
        False  # whether it uses all graphs where a dataset names no default or no named graphs
    )
    own_graphs: tuple[str, ...] = ()  # graphs that it contains after installation
    timeout_message: str = ""  # its error message for a query above its time limit
    retry_message: str = ""  # its error message for a request that succeeds when it is sent again
    # Response headers that tell that rows are missing, because of a row limit or a time limit.
    cut_headers: tuple[str, ...] = ()
    # Datatypes of literals that it changes.
    spoiled_datatypes: frozenset[str] = frozenset()
    # Datatypes of literals that a conditional update keeps unchanged; None: all.
    exact_datatypes: frozenset[str] | None = None
    merges_equal_numbers: bool = (
        False  # whether it stores numbers of equal value, such as 1 and 1.0, as one term
    )
    max_integer_digits: int = 1_000_000  # digits of an integer
    takes_infinite_numbers: bool = True  # whether it can delete INF, -INF and NaN
    supports_rdf12: bool = True  # whether it supports triple terms and directional strings
    # Prefixes of IRIs that it executes as commands, in lower case.
    command_schemes: tuple[str, ...] = ()

    def is_exact(self, quad: ox.Quad) -> bool:
        """Whether a conditional update keeps the quad unchanged."""
        term = quad.object
        return (
            self.exact_datatypes is None
            or not isinstance(term, ox.Literal)
            or term.datatype.value in self.exact_datatypes
        )

    def is_retryable(self, message: str) -> bool:
        """Whether an error message means that the same request may succeed now."""
        return bool(self.retry_message) and self.retry_message in message

    def is_done(self, body: bytes) -> bool:
        """Whether the body of a response means that the update was done."""
        return self.done_marker is None or (self.done_marker in body if self.done_marker else not body)

    def can_hold(self, quad: ox.Quad) -> bool:
        """Whether the service can store the quad unchanged."""
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        return not any(
            (isinstance(term, ox.NamedNode) and self.is_command(term.value))
            or (isinstance(term, ox.Literal) and self.cannot_hold_literal(term))
            or (not self.supports_rdf12 and needs_rdf12(term))
            for term in terms
        )

    def cannot_hold_literal(self, literal: ox.Literal) -> bool:
        """Whether the service would change a literal, or could not delete it."""
        datatype, value = literal.datatype.value, literal.value
        return (
            datatype in self.spoiled_datatypes
            or (
                not self.takes_infinite_numbers
                and datatype in FLOATING_DATATYPES
                and value in NON_FINITE_NUMBERS
            )
            or (datatype == XSD_INTEGER and len(value.lstrip("+-0")) > self.max_integer_digits)
        )

    def is_command(self, iri: str) -> bool:
        """Whether the service executes an IRI as a command."""
        return bool(self.command_schemes) and iri.lower().startswith(self.command_schemes)

    def query_prologue(self, query: str, ledger_graph: str) -> str:
        """The pragmas that hide the ledger and the graphs of the service from a query.

        Empty where the query names a graph: the pragmas would hide that one too.
        """
        if not self.exclusion_pragma or NAMED_GRAPH_PATTERN.search(query):
            return ""
        return "".join(
            self.exclusion_pragma.replace("%s", graph) for graph in (*self.own_graphs, ledger_graph)
        )


def needs_rdf12(term: object) -> bool:
    """Whether a term exists only since RDF 1.2: a triple term, or a string with a base direction."""
    return isinstance(term, ox.Triple) or (isinstance(term, ox.Literal) and term.direction is not None)


STANDARD_DIALECT = ServiceDialect("standard")
# Measured with 0.5.13: on a busy machine about one query in a hundred fails with `retry_message`, and a retry
# succeeds.
OXIGRAPH_DIALECT = ServiceDialect(
    "oxigraph",
    done_marker=b"",
    union_parameters={"union-default-graph": ""},
    timeout_message="The SPARQL operation has been cancelled",
    retry_message="Resource temporarily unavailable (os error 11)",
)
# Measured with 7.2: without the pragma `update_prologue` a crash may lose an update; a literal over the limit
# fails with "out of memory"; a conditional update turns the decimal 1 into an integer, and rejects some
# times. JSON results write a boolean as "1"; CSV and TSV do not distinguish IRIs from strings; ASK returns a
# number. Functions in bif: can write files or stop the server, for any client; those in sql: call procedures.
# A result has at most 1,048,576 rows, whatever is configured; without ORDER BY they come in index order.
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
    done_marker=b"callret-0",
    retry_message="Transaction deadlocked",
    exclusion_pragma="DEFINE input:default-graph-exclude <%s> DEFINE input:named-graph-exclude <%s> ",
    own_graphs=(
        "http://www.openlinksw.com/schemas/virtrdf#",
        "http://www.w3.org/ns/ldp#",
        "http://www.w3.org/2002/07/owl#",
        "urn:core:services:sparql",
        "urn:activitystreams-owl:map",
    ),
    cut_headers=("X-SPARQL-MaxRows", "X-SQL-State"),
    spoiled_datatypes=frozenset(
        (
            *(
                f"{XSD_NAMESPACE}duration",
                f"{XSD_NAMESPACE}dayTimeDuration",
                f"{XSD_NAMESPACE}yearMonthDuration",
                f"{RDF_NAMESPACE}XMLLiteral",
            ),
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
    takes_infinite_numbers=False,
    command_schemes=("bif:", "sql:", "nodeid:"),
)
SERVICE_DIALECTS = {
    dialect.name: dialect for dialect in (STANDARD_DIALECT, OXIGRAPH_DIALECT, VIRTUOSO_DIALECT)
}

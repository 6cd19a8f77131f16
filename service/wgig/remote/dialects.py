"""How SPARQL services differ from each other and from the standard, and numbers that some take for equal."""

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
    """Whether another number of equal value stands beside the one of a quad."""
    value = numeric_value(quad.object)
    if value is None:
        return False
    beside = quads.quads_for_pattern(quad.subject, quad.predicate, None, quad.graph_name)
    return any(one.object != quad.object and numeric_value(one.object) == value for one in beside)


def numeric_value(term: object) -> float | None:
    """The value of a number; None for all else."""
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
    """How to speak to a service. What it gives in `faithful_media_types` is right, and handed on as is."""

    name: str
    rows_media_type: str = JSON_RESULTS.media_type  # in which it writes terms as they are
    faithful_media_types: frozenset[str] = frozenset(
        (JSON_RESULTS.media_type, XML_RESULTS.media_type, N_TRIPLES.media_type)
    )
    max_update_quads: int = 5_000  # quads that one conditional update may name
    # Rows of one answer in a copy, which the next ones go on with in the same order; 0: all.
    max_page_rows: int = 0
    shows_partial_updates: bool = False  # whether a query sees an update half done that is under way
    max_literal_chars: int = 1_000_000  # characters of one literal
    update_prologue: str = ""
    # What its answer to an update has: nothing, if that is empty; None: whatever.
    done_marker: bytes | None = None
    exclusion_pragma: str = ""  # what goes before a query for each graph that is not to be seen
    # Parameters that ask for the union of all graphs.
    union_parameters: Mapping[str, str] = field(default_factory=dict)
    defaults_to_all_graphs: bool = False  # whether it takes all graphs where a dataset names none of a kind
    own_graphs: tuple[str, ...] = ()  # graphs that come with it
    timeout_message: str = ""  # what it says of a query that took longer than it allows
    retry_message: str = ""  # what it says of what it has not done, and does when it is asked again
    # Fields in which it says that it cut the rows, or gave those of so much time.
    cut_headers: tuple[str, ...] = ()
    # Datatypes of literals that it does not give back as they were.
    spoiled_datatypes: frozenset[str] = frozenset()
    # Datatypes of literals that a conditional update keeps; None: of all.
    exact_datatypes: frozenset[str] | None = None
    merges_equal_numbers: bool = False  # whether numbers of equal value, such as 1 and 1.0, are one to it
    max_integer_digits: int = 1_000_000  # of an integer
    takes_infinite_numbers: bool = True  # whether it takes numbers out again that are infinite or none
    supports_rdf12: bool = True  # whether it has terms of RDF 1.2
    # What IRIs begin with that are none to it but commands, in small letters.
    command_schemes: tuple[str, ...] = ()

    def is_exact(self, quad: ox.Quad) -> bool:
        """Whether a conditional update keeps the quad as it is."""
        term = quad.object
        return (
            self.exact_datatypes is None
            or not isinstance(term, ox.Literal)
            or term.datatype.value in self.exact_datatypes
        )

    def is_retryable(self, said: str) -> bool:
        """Whether it refuses something only for now."""
        return bool(self.retry_message) and self.retry_message in said

    def is_done(self, said: bytes) -> bool:
        """Whether it answers an update so."""
        return self.done_marker is None or (self.done_marker in said if self.done_marker else not said)

    def can_hold(self, quad: ox.Quad) -> bool:
        """Whether it gives a quad back as it was."""
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        return not any(
            (isinstance(one, ox.NamedNode) and self.is_command(one.value))
            or (isinstance(one, ox.Literal) and self.cannot_hold_literal(one))
            or (not self.supports_rdf12 and needs_rdf12(one))
            for one in terms
        )

    def cannot_hold_literal(self, literal: ox.Literal) -> bool:
        """Whether it does not give a literal back, or does not take it out again."""
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
        """Whether it takes an IRI for something else."""
        return bool(self.command_schemes) and iri.lower().startswith(self.command_schemes)

    def query_prologue(self, query: str, state: str) -> str:
        """What goes before a query so that it does not see what is no data, as the ledger in a graph is.

        Where it asks for a graph by name it sees that: what leaves out some would leave out this one, too.
        """
        if not self.exclusion_pragma or NAMED_GRAPH_PATTERN.search(query):
            return ""
        return "".join(self.exclusion_pragma.replace("%s", graph) for graph in (*self.own_graphs, state))


def needs_rdf12(term: object) -> bool:
    """Whether a term is there since RDF 1.2: one that is a triple, or a text with a direction."""
    return isinstance(term, ox.Triple) or (isinstance(term, ox.Literal) and term.direction is not None)


STANDARD_DIALECT = ServiceDialect("standard")
# Measured with 0.5.13: a busy machine refuses about one query in a hundred so, and takes it the next time.
OXIGRAPH_DIALECT = ServiceDialect(
    "oxigraph",
    done_marker=b"",
    union_parameters={"union-default-graph": ""},
    timeout_message="The SPARQL operation has been cancelled",
    retry_message="Resource temporarily unavailable (os error 11)",
)
# Measured with 7.2: without the pragma an update may be lost in a crash; a longer text is "out of memory"; a
# conditional update takes the decimal 1 for an integer, and refuses some times. In JSON a boolean is "1", in
# CSV and TSV a term is not told from a text; ASK answers a number. A function of bif: writes files of its
# machine or ends it, whoever asks; one of sql: calls a procedure. It gives 1,048,576 rows at most, whatever
# it is set to; without ORDER BY they come in the order of its index.
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
SERVICE_DIALECTS = {one.name: one for one in (STANDARD_DIALECT, OXIGRAPH_DIALECT, VIRTUOSO_DIALECT)}

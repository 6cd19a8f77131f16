"""How SPARQL services differ from each other and from the standard, and numbers that some take for equal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from ..rdf.formats import JSON_RESULTS, N_TRIPLES, XML_RESULTS
from ..rdf.namespaces import OUTSIDE

NUMERIC = frozenset(f"{OUTSIDE['xsd']}{name}" for name in ("integer", "decimal", "double", "float"))


def has_equal(quads: ox.Store, quad: ox.Quad) -> bool:
    """Whether another number of equal value stands beside the one of a quad."""
    value = number(quad.object)
    if value is None:
        return False
    beside = quads.quads_for_pattern(quad.subject, quad.predicate, None, quad.graph_name)
    return any(one.object != quad.object and number(one.object) == value for one in beside)


def number(term: object) -> float | None:
    """The value of a number; None for all else."""
    if not isinstance(term, ox.Literal) or term.datatype.value not in NUMERIC:
        return None
    try:
        return float(term.value)
    except ValueError:
        return None


XSD, RDF = OUTSIDE["xsd"], OUTSIDE["rdf"]
INTEGER = f"{XSD}integer"
FLOATING, INFINITE = (f"{XSD}double", f"{XSD}float"), ("INF", "-INF", "NaN")
BY_NAME = re.compile(r"\bGRAPH\s*(?:<|[\w.-]*:)", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How to speak to a service. What it gives `as_is` is whole and right, and handed on as it comes."""

    name: str
    rows: str = JSON_RESULTS.media_type  # in which it writes terms as they are
    as_is: frozenset[str] = frozenset((JSON_RESULTS.media_type, XML_RESULTS.media_type, N_TRIPLES.media_type))
    most: int = 5_000  # quads that one conditional update may name
    at_once: int = 0  # rows of one answer in a copy, which the next ones go on with in the same order; 0: all
    shows_halves: bool = False  # whether a query sees an update half done that is under way
    part: int = 1_000_000  # characters of one literal
    before_update: str = ""
    done: bytes | None = None  # what its answer to an update has: nothing, if that is empty; None: whatever
    leaving_out: str = ""  # what goes before a query for each graph that is not to be seen
    union: Mapping[str, str] = field(default_factory=dict)  # parameters that ask for the union of all graphs
    takes_all: bool = False  # whether it takes all graphs where a dataset names none of a kind
    own: tuple[str, ...] = ()  # graphs that come with it
    ended: str = ""  # what it says of a query that took longer than it allows
    again: str = ""  # what it says of what it has not done, and does when it is asked again
    cuts: tuple[str, ...] = ()  # fields in which it says that it cut the rows, or gave those of so much time
    spoils: frozenset[str] = frozenset()  # datatypes of literals that it does not give back as they were
    exact: frozenset[str] | None = None  # datatypes of literals that a conditional update keeps; None: of all
    merges: bool = False  # whether numbers of equal value, such as 1 and 1.0, are one to it
    digits: int = 1_000_000  # of an integer
    infinite: bool = True  # whether it takes numbers out again that are infinite or none
    newest: bool = True  # whether it has terms of RDF 1.2
    schemes: tuple[str, ...] = ()  # what IRIs begin with that are none to it but commands, in small letters

    def is_exact(self, quad: ox.Quad) -> bool:
        """Whether a conditional update keeps the quad as it is."""
        term = quad.object
        return self.exact is None or not isinstance(term, ox.Literal) or term.datatype.value in self.exact

    def is_given_up(self, said: str) -> bool:
        """Whether it refuses something only for now."""
        return bool(self.again) and self.again in said

    def is_done(self, said: bytes) -> bool:
        """Whether it answers an update so."""
        return self.done is None or (self.done in said if self.done else not said)

    def holds(self, quad: ox.Quad) -> bool:
        """Whether it gives a quad back as it was."""
        terms = (quad.subject, quad.predicate, quad.object, quad.graph_name)
        return not any(
            (isinstance(one, ox.NamedNode) and self.commands(one.value))
            or (isinstance(one, ox.Literal) and self.cannot_hold(one))
            or (not self.newest and is_new(one))
            for one in terms
        )

    def cannot_hold(self, literal: ox.Literal) -> bool:
        """Whether it does not give a literal back, or does not take it out again."""
        datatype, value = literal.datatype.value, literal.value
        return (
            datatype in self.spoils
            or (not self.infinite and datatype in FLOATING and value in INFINITE)
            or (datatype == INTEGER and len(value.lstrip("+-0")) > self.digits)
        )

    def commands(self, iri: str) -> bool:
        """Whether it takes an IRI for something else."""
        return bool(self.schemes) and iri.lower().startswith(self.schemes)

    def prologue(self, query: str, state: str) -> str:
        """What goes before a query so that it does not see what is no data, as the ledger in a graph is.

        Where it asks for a graph by name it sees that: what leaves out some would leave out this one, too.
        """
        if not self.leaving_out or BY_NAME.search(query):
            return ""
        return "".join(self.leaving_out.replace("%s", graph) for graph in (*self.own, state))


def is_new(term: object) -> bool:
    """Whether a term is there since RDF 1.2: one that is a triple, or a text with a direction."""
    return isinstance(term, ox.Triple) or (isinstance(term, ox.Literal) and term.direction is not None)


STANDARD = Dialect("standard")
# Measured with 0.5.13: a busy machine refuses about one query in a hundred so, and takes it the next time.
OXIGRAPH = Dialect(
    "oxigraph",
    done=b"",
    union={"union-default-graph": ""},
    ended="The SPARQL operation has been cancelled",
    again="Resource temporarily unavailable (os error 11)",
)
# Measured with 7.2: without the pragma an update may be lost in a crash; a longer text is "out of memory"; a
# conditional update takes the decimal 1 for an integer, and refuses some times. In JSON a boolean is "1", in
# CSV and TSV a term is not told from a text; ASK answers a number. A function of bif: writes files of its
# machine or ends it, whoever asks; one of sql: calls a procedure. It gives 1,048,576 rows at most, whatever
# it is set to; without ORDER BY they come in the order of its index.
VIRTUOSO = Dialect(
    "virtuoso",
    rows=XML_RESULTS.media_type,
    as_is=frozenset((N_TRIPLES.media_type,)),
    most=300,
    at_once=200_000,
    takes_all=True,
    shows_halves=True,
    part=60_000,
    before_update="DEFINE sql:log-enable 1 ",
    done=b"callret-0",
    again="Transaction deadlocked",
    leaving_out="DEFINE input:default-graph-exclude <%s> DEFINE input:named-graph-exclude <%s> ",
    own=(
        "http://www.openlinksw.com/schemas/virtrdf#",
        "http://www.w3.org/ns/ldp#",
        "http://www.w3.org/2002/07/owl#",
        "urn:core:services:sparql",
        "urn:activitystreams-owl:map",
    ),
    cuts=("X-SPARQL-MaxRows", "X-SQL-State"),
    spoils=frozenset(
        (
            *(f"{XSD}duration", f"{XSD}dayTimeDuration", f"{XSD}yearMonthDuration", f"{RDF}XMLLiteral"),
            "http://www.openlinksw.com/schemas/virtrdf#Geometry",
        )
    ),
    exact=frozenset(
        (
            f"{RDF}langString",
            *(f"{XSD}{name}" for name in ("string", "integer", "boolean", "date", "dateTime", "gYear")),
        )
    ),
    newest=False,
    merges=True,
    digits=18,
    infinite=False,
    schemes=("bif:", "sql:", "nodeid:"),
)
DIALECTS = {one.name: one for one in (STANDARD, OXIGRAPH, VIRTUOSO)}

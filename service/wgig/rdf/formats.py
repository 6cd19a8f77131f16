"""Media types of graphs, results, papers and pages: names, suffixes, aliases, and what is offered for what.

`get_named_format` finds a format by its media type or suffix, `format_of_file` by the name of a file, and
`not_acceptable_problem` is the 406 that lists what is offered. What a request says is weighed in
`http.negotiation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..problems import Problem


@dataclass(frozen=True)
class Format:
    """A way to write an answer.

    `suffix` ends the path of a page that names this format, `aliases` are media types that ask for it too,
    `iri` is its name in the list of unique URIs for file formats (https://www.w3.org/ns/formats/).
    """

    media_type: str
    suffix: str
    title: str
    iri: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The media type as a Content-Type: text says that it is UTF-8."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


W3C_FORMATS_NAMESPACE = "http://www.w3.org/ns/formats/"

JSON_RESULTS = Format(
    "application/sparql-results+json",
    "json",
    "JSON",
    f"{W3C_FORMATS_NAMESPACE}SPARQL_Results_JSON",
    ("application/json",),
)
XML_RESULTS = Format(
    "application/sparql-results+xml", "xml", "XML", f"{W3C_FORMATS_NAMESPACE}SPARQL_Results_XML"
)
CSV = Format("text/csv", "csv", "CSV", f"{W3C_FORMATS_NAMESPACE}SPARQL_Results_CSV")
TSV = Format("text/tab-separated-values", "tsv", "TSV", f"{W3C_FORMATS_NAMESPACE}SPARQL_Results_TSV")
TURTLE = Format("text/turtle", "ttl", "Turtle", f"{W3C_FORMATS_NAMESPACE}Turtle")
N_TRIPLES = Format("application/n-triples", "nt", "N-Triples", f"{W3C_FORMATS_NAMESPACE}N-Triples")
JSON_LD = Format(
    "application/ld+json", "jsonld", "JSON-LD", f"{W3C_FORMATS_NAMESPACE}JSON-LD", ("application/json",)
)
RDF_XML = Format("application/rdf+xml", "rdf", "RDF/XML", f"{W3C_FORMATS_NAMESPACE}RDF_XML")
TRIG = Format("application/trig", "trig", "TriG", f"{W3C_FORMATS_NAMESPACE}TriG")
N_QUADS = Format("application/n-quads", "nq", "N-Quads", f"{W3C_FORMATS_NAMESPACE}N-Quads")
HTML = Format("text/html", "html", "HTML", "", ("application/xhtml+xml",))
JSON = Format("application/json", "json", "JSON")
PLAIN_XML = Format("application/xml", "xml", "XML", "", ("text/xml",))
PLAIN_TEXT = Format("text/plain", "txt", "Text")
ATOM = Format("application/atom+xml", "atom", "Atom")
SVG = Format("image/svg+xml", "svg", "SVG")
ICALENDAR_FORMAT = Format("text/calendar", "ics", "iCalendar")
CSVW = Format("application/csvm+json", "csv-metadata.json", "CSVW", "", ("application/json",))
PARQUET = Format("application/vnd.apache.parquet", "parquet", "Parquet")
GZIP = Format("application/gzip", "gz", "gzip")
ZSTD = Format("application/zstd", "zst", "Zstandard")
PROBLEM_JSON = Format("application/problem+json", "json", "JSON", "", ("application/json",))

# The first of each is what a client gets that does not care.
SOLUTION_FORMATS = (JSON_RESULTS, XML_RESULTS, CSV, TSV)
BOOLEAN_FORMATS = (JSON_RESULTS, XML_RESULTS)
GRAPH_FORMATS = (TURTLE, N_TRIPLES, JSON_LD, RDF_XML)
DATASET_FORMATS = (TRIG, N_QUADS)
TABLE_FORMATS = (CSV, PARQUET, CSVW)
DUMP_FORMATS = (*DATASET_FORMATS, GZIP, ZSTD, PLAIN_TEXT)

# What each form of query may be answered in.
FORMATS_BY_FORM = {
    "SELECT": SOLUTION_FORMATS,
    "ASK": BOOLEAN_FORMATS,
    "CONSTRUCT": GRAPH_FORMATS,
    "DESCRIBE": GRAPH_FORMATS,
}

# How an answer ends that has nothing in it: no row, no triple, or no for an answer.
EMPTY_RESULT_ENDINGS = {
    JSON_RESULTS: (b'"bindings":[]}}', b'"boolean":false}'),
    XML_RESULTS: (b"<results></results></sparql>", b"<boolean>false</boolean></sparql>"),
    JSON_LD: (b"[]",),
}
EMPTY_RESULT_LINES = {CSV: 1, TSV: 1, TURTLE: 0, N_TRIPLES: 0, RDF_XML: 2}  # lines of such an answer

# What others call formats, by the suffixes that it may mean here.
COMMON_FORMAT_NAMES = {
    "json": ("json", "jsonld"),
    "xml": ("xml", "rdf"),
    "rdf+xml": ("rdf",),
    "turtle": ("ttl",),
    "n3": ("ttl",),
    "json-ld": ("jsonld",),
    "n-triples": ("nt",),
    "ntriples": ("nt",),
}


def is_empty_result(body: bytes, format_: Format) -> bool:
    """Whether a whole answer has nothing in it."""
    if format_ in EMPTY_RESULT_ENDINGS:
        return body.endswith(EMPTY_RESULT_ENDINGS[format_])
    return body.count(b"\n") == EMPTY_RESULT_LINES.get(format_)


def get_named_format(name: str, offered: Sequence[Format]) -> Format:
    """The offered format with this media type or suffix. Raises Problem 406."""
    found = find_named_format(name, offered)
    if found is None:
        raise not_acceptable_problem(offered)
    return found


def find_named_format(name: str, offered: Sequence[Format]) -> Format | None:
    """The offered format with this media type or suffix; None where there is none."""
    best = max(offered, key=lambda one: rate_format_match(name, one))
    return best if rate_format_match(name, best) else None


def rate_format_match(name: str, one: Format) -> int:
    """Whether a format has this media type or suffix: 2, as an alias or by a common name 1, not at all 0."""
    # An unescaped + of a query string arrives as a space, and no media type holds a space.
    name = name.strip().lower().replace(" ", "+")
    if name in (one.media_type, one.suffix):
        return 2
    return int(name in one.aliases or one.suffix in COMMON_FORMAT_NAMES.get(name, ()))


def not_acceptable_problem(offered: Sequence[Format], suffix: str = "") -> Problem:
    """The 406 that lists what there is: media types, or the endings where the path ends in a `suffix`."""
    types = [one.media_type for one in offered]
    endings = dict.fromkeys(f".{one.suffix}" for one in offered)
    detail = (
        f"There is no .{suffix} of this. End the address in one of: {', '.join(endings)}."
        if suffix
        else f"None of the formats you accept is offered here. Ask for one of: {', '.join(types)}."
    )
    return Problem(406, detail, offered=types)


MARKDOWN = Format("text/markdown", "md", "Markdown", "", ("text/x-markdown",))
WORD_DOCUMENT = Format(
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", "Word"
)
FILE_FORMATS = (*GRAPH_FORMATS, *DATASET_FORMATS, MARKDOWN, WORD_DOCUMENT)
FORMATS_BY_SUFFIX = {one.suffix: one for one in FILE_FORMATS} | {
    "markdown": MARKDOWN,
    "owl": RDF_XML,
    "json": GRAPH_FORMATS[2],
}


def format_of_file(name: str) -> Format | None:
    """The format of a file by the ending of its name."""
    return FORMATS_BY_SUFFIX.get(name.rpartition(".")[2].lower())

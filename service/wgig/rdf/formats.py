"""The formats of graphs, results, papers and pages: media types, suffixes and aliases.

`get_named_format` finds a format by its media type or suffix, `format_of_file` by the name of a file, and
`not_acceptable_problem` is the 406 that lists the offered formats. `http.negotiation` chooses a format by the
headers and the path of a request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..problems import Problem


@dataclass(frozen=True)
class Format:
    """A format of files and response bodies.

    `suffix` selects this format at the end of a path; `aliases` are other media types that select it;
    `iri` is its IRI in the W3C list of file formats (https://www.w3.org/ns/formats/), if it has one.
    """

    media_type: str
    suffix: str
    title: str
    iri: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header: text types with `charset=utf-8`."""
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
    "application/sparql-results+xml",
    "xml",
    "XML",
    f"{W3C_FORMATS_NAMESPACE}SPARQL_Results_XML",
    ("application/xml", "text/xml"),
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
OAI_XML = Format("text/xml", "xml", "XML", "", ("application/xml",))  # the type that OAI-PMH requires
XML_SCHEMA = Format("application/xml", "xsd", "XML Schema")
PLAIN_TEXT = Format("text/plain", "txt", "Text")
ATOM = Format("application/atom+xml", "atom", "Atom")
SVG = Format("image/svg+xml", "svg", "SVG")
PNG_FORMAT = Format("image/png", "png", "PNG")
NOTEBOOK_FORMAT = Format("application/x-ipynb+json", "ipynb", "Jupyter notebook")
CSS = Format("text/css", "css", "CSS")
JAVASCRIPT = Format("text/javascript", "js", "JavaScript")
ICALENDAR_FORMAT = Format("text/calendar", "ics", "iCalendar")
CSVW = Format("application/csvm+json", "csv-metadata.json", "CSVW", "", ("application/json",))
PARQUET = Format("application/vnd.apache.parquet", "parquet", "Parquet")
GZIP = Format("application/gzip", "gz", "gzip")
ZIP_FORMAT = Format("application/zip", "zip", "ZIP")
ZSTD = Format("application/zstd", "zst", "Zstandard")
PROBLEM_JSON = Format("application/problem+json", "json", "JSON", "", ("application/json",))

# The first format of each is the default.
SOLUTION_FORMATS = (JSON_RESULTS, XML_RESULTS, CSV, TSV)
BOOLEAN_FORMATS = (JSON_RESULTS, XML_RESULTS)
GRAPH_FORMATS = (TURTLE, N_TRIPLES, JSON_LD, RDF_XML)
DATASET_FORMATS = (TRIG, N_QUADS)
TABLE_FORMATS = (CSV, PARQUET, CSVW)
DUMP_FORMATS = (*DATASET_FORMATS, GZIP, ZSTD, PLAIN_TEXT)  # plain text: the checksum of a dump

# Results only: browsers accept application/xml, and get graphs without a page as Turtle.
RDF_XML_RESULTS = replace(RDF_XML, aliases=XML_RESULTS.aliases)
GRAPH_RESULT_FORMATS = (TURTLE, N_TRIPLES, JSON_LD, RDF_XML_RESULTS)

# By query form (SPARQL 1.1 Query, section 16).
FORMATS_BY_FORM = {
    "SELECT": SOLUTION_FORMATS,
    "ASK": BOOLEAN_FORMATS,
    "CONSTRUCT": GRAPH_RESULT_FORMATS,
    "DESCRIBE": GRAPH_RESULT_FORMATS,
}

# The last bytes of an empty result: one without rows or triples, or the boolean false.
EMPTY_RESULT_ENDINGS = {
    JSON_RESULTS: (b'"bindings":[]}}', b'"boolean":false}'),
    XML_RESULTS: (b"<results></results></sparql>", b"<boolean>false</boolean></sparql>"),
    JSON_LD: (b"[]",),
}
# Line breaks in an empty result.
EMPTY_RESULT_LINES = {CSV: 1, TSV: 1, TURTLE: 0, N_TRIPLES: 0, RDF_XML_RESULTS: 2}

# Names of formats in other software, with the suffixes of the same formats here.
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
    """Whether a complete response body is a result without rows or triples, or the boolean false."""
    if format_ in EMPTY_RESULT_ENDINGS:
        return body.endswith(EMPTY_RESULT_ENDINGS[format_])
    return body.count(b"\n") == EMPTY_RESULT_LINES.get(format_)


def get_named_format(name: str, offered: Sequence[Format]) -> Format:
    """The offered format with this media type or suffix. Raises Problem 406."""
    format_ = find_named_format(name, offered)
    if format_ is None:
        raise not_acceptable_problem(offered)
    return format_


def find_named_format(name: str, offered: Sequence[Format]) -> Format | None:
    """The offered format with this media type or suffix; None if there is none."""
    best = max(offered, key=lambda format_: rate_format_match(name, format_))
    return best if rate_format_match(name, best) else None


def rate_format_match(name: str, format_: Format) -> int:
    """2 if the name is the media type or suffix of the format, 1 if an alias or common name, 0 if neither."""
    # An unescaped + in a query string arrives as a space, and media types contain no spaces.
    name = name.strip().lower().replace(" ", "+")
    if name in (format_.media_type, format_.suffix):
        return 2
    return int(name in format_.aliases or format_.suffix in COMMON_FORMAT_NAMES.get(name, ()))


def not_acceptable_problem(offered: Sequence[Format], suffix: str = "") -> Problem:
    """The Problem 406 that lists the offered media types, or suffixes if the path ends in a `suffix`."""
    media_types = [format_.media_type for format_ in offered]
    suffixes = dict.fromkeys(f".{format_.suffix}" for format_ in offered)
    detail = (
        f"This is not available as .{suffix}. Use one of these suffixes in the address: "
        f"{', '.join(suffixes)}."
        if suffix
        else f"None of the formats that you accept is available. Request one of: {', '.join(media_types)}."
    )
    return Problem(406, detail, offered=media_types)


MARKDOWN = Format("text/markdown", "md", "Markdown", "", ("text/x-markdown",))
WORD_DOCUMENT = Format(
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx", "Word"
)
FILE_FORMATS = (*GRAPH_FORMATS, *DATASET_FORMATS, MARKDOWN, WORD_DOCUMENT)
FORMATS_BY_SUFFIX = {format_.suffix: format_ for format_ in FILE_FORMATS} | {
    "markdown": MARKDOWN,
    "owl": RDF_XML,
    "json": JSON_LD,
}


def format_of_file(name: str) -> Format | None:
    """The format of a file by the suffix of its name; None if the suffix is unknown."""
    return FORMATS_BY_SUFFIX.get(name.rpartition(".")[2].lower())

"""Parts of the output of bulk jobs: a JSON line per paper, the quads of files, VoID statistics, counts.

A line is a JSON object. `path` is the file, and `number` the number of the paper in it, from 1. `iri` is the
paper, and `graph` the named graph that states its class; each is null if there is none. `outcome` is
`conforms`, `fails`, `unread`, or `passed over` for Markdown that is not a paper. The line of an unread file
has the member `problem`; the line of a paper has the members of the JSON report.

A file without a paper has one line. Blank node names are stable, and unique to a file.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyoxigraph as ox

from ...graphs.description.statistics import Figures
from ...graphs.description.void import VoidDescription
from ...rdf.formats import DATASET_FORMATS, TURTLE, Format, format_of_file
from ...rdf.namespaces import PAPER_NAMESPACE, RDF_TYPE, WGIG_ISSUE_PAPER, expand_curie
from ...rdf.serialization import build_quad, rdf_format, serialize_triples
from ...shacl.documents import Document, decode_document_text
from ...shacl.findings import CheckOutcome, UncheckedFile
from ...shacl.reports.json import build_paper_object
from ...shacl.reports.phrases import file_problem_members
from ..check_workers import CheckTask
from ..files import (
    CandidateFile,
    bug_problem,
    candidate_size,
    displayable_path,
    read_candidate_document,
    read_regular_file,
)


def serialize_void_figures(figures: Figures, base: str) -> bytes:
    """The statistics of a dataset, `figures`, as VoID in Turtle."""
    description = VoidDescription(base)
    _, triples = description.diff_statements(ox.Store(), figures)  # compared with an empty store: all
    type_triple = ox.Triple(description.dataset, expand_curie("rdf:type"), expand_curie("void:Dataset"))
    return serialize_triples({*triples, type_triple}, TURTLE, base)


def iter_named_quads(file: CandidateFile) -> Iterator[ox.Quad]:
    """The quads of a valid file in a format with named graphs; none for other formats."""
    format_ = format_of_file(file.path)
    if format_ in DATASET_FORMATS:
        data = read_regular_file(file.path, candidate_size(file)) if file.data is None else file.data
        yield from parse_dataset_text(decode_document_text(data), format_)


def read_file_quads(file: CandidateFile, task: CheckTask) -> list[ox.Quad] | UncheckedFile:
    """The quads of a file with renamed blank nodes, none for a skipped file; UncheckedFile after an error."""
    try:
        document = read_candidate_document(file, task.max_bytes, task.max_triples)
        if isinstance(document, UncheckedFile):
            return document
        store = ox.Store()  # normalizes numbers, such as 007 to 7
        store.extend(rename_blank_nodes(iter_document_quads(document) if document else (), file.path))
        return list(store)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a Rust panic is not an Exception
        return UncheckedFile(displayable_path(file.path), bug_problem(error))


def iter_document_quads(document: Document) -> Iterable[ox.Quad]:
    """The quads of a document."""
    if document.format in DATASET_FORMATS:
        return parse_dataset_text(document.text, document.format)
    return (build_quad(triple, ox.DefaultGraph()) for triple in document.triples)


def parse_dataset_text(text: str, format_: Format) -> Iterable[ox.Quad]:
    """The quads of a text that an earlier check has parsed without errors."""
    return ox.parse(text, rdf_format(format_.media_type), base_iri=PAPER_NAMESPACE)


def rename_blank_nodes(quads: Iterable[ox.Quad], path: str) -> Iterator[ox.Quad]:
    """The quads with blank node names that are unique to the file, and the same each time it is read."""
    path_digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    names: dict[str, ox.BlankNode] = {}

    def rename_node(node: Any) -> Any:
        if not isinstance(node, ox.BlankNode):
            return node
        return names.setdefault(node.value, ox.BlankNode(f"b{path_digest}n{len(names)}"))

    return (
        ox.Quad(
            rename_node(quad.subject), quad.predicate, rename_node(quad.object), rename_node(quad.graph_name)
        )
        for quad in quads
    )


OUTCOME_CONFORMS, OUTCOME_FAILS, OUTCOME_UNREAD, OUTCOME_PASSED_OVER = (
    "conforms",
    "fails",
    "unread",
    "passed over",
)
# The exit codes of `wgig check`: 2 if a file cannot be read, 3 for a bug in wgig.
BULK_EXIT_CONFORMS, BULK_EXIT_FAILS, BULK_EXIT_UNREADABLE, BULK_EXIT_BUG = 0, 1, 2, 3


BulkLine = dict[str, Any]


def iter_report_lines(file: CandidateFile, outcome: CheckOutcome | None, language: str) -> Iterator[str]:
    """The JSON lines of a file with this outcome, which is None for a skipped file."""
    return map(serialize_bulk_line, iter_bulk_lines(file, outcome, language))


def serialize_bulk_line(line: BulkLine) -> str:
    """A line as JSON; lone surrogates in a path are escaped."""
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def iter_bulk_lines(file: CandidateFile, outcome: CheckOutcome | None, language: str) -> Iterator[BulkLine]:
    """The lines of a file."""
    for number, members in enumerate(iter_outcome_members(file, outcome, language), 1):
        yield {"path": file.path, "number": number, "graph": None, "iri": None} | members


def iter_outcome_members(
    file: CandidateFile, outcome: CheckOutcome | None, language: str
) -> Iterator[BulkLine]:
    """The members of the lines of a file, except for path and number."""
    if outcome is None:
        yield {"outcome": OUTCOME_PASSED_OVER}
    elif isinstance(outcome, UncheckedFile):
        yield {"outcome": OUTCOME_UNREAD, "problem": file_problem_members(outcome.problem)}
    else:
        graphs = find_paper_graphs(file)
        for paper in outcome.papers:
            members = {
                "graph": graphs.get(paper.iri),
                "outcome": OUTCOME_CONFORMS if paper.conforms else OUTCOME_FAILS,
            }
            yield members | build_paper_object(paper, outcome.media_type, language)


def find_paper_graphs(file: CandidateFile) -> dict[str, str]:
    """The named graphs that state the class of a paper, by IRI of the paper."""
    return {
        str(quad.subject).strip("<>"): quad.graph_name.value
        for quad in iter_named_quads(file)
        if quad.predicate == RDF_TYPE
        and quad.object == WGIG_ISSUE_PAPER
        and isinstance(quad.graph_name, ox.NamedNode)
    }


class BulkTally:
    """Counts of lines. Tallies can be added."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        """Count lines of JSON."""
        self.counts = Counter[tuple[str, str]]()  # by kind and name, such as ("rules", code)
        for line in lines:
            self.add(json.loads(line))

    def add(self, line: BulkLine) -> None:
        """Count a line."""
        self.counts["files", ""] += line["number"] == 1  # the first line of a file
        self.counts["outcomes", line["outcome"]] += 1
        if "problem" in line:
            self.counts["problems", str(line["problem"]["status"])] += 1
        for code in {finding["code"] for finding in line.get("findings", ()) if not finding["waived"]}:
            self.counts["rules", code] += 1

    def __add__(self, other: "BulkTally") -> "BulkTally":
        """The sum of both tallies."""
        total = BulkTally()
        total.counts = self.counts + other.counts
        return total

    def count_by_name(self, kind: str) -> dict[str, int]:
        """The counts of one kind: `outcomes` by name, `problems` by status, or `rules` by code."""
        return {
            name: count
            for (counted_kind, name), count in sorted(self.counts.items())
            if counted_kind == kind and count
        }

    @property
    def file_count(self) -> int:
        """The number of files."""
        return self.counts["files", ""]

    @property
    def code(self) -> int:
        """The exit code for the worst outcome; a problem 5xx is a bug in wgig."""
        if any(status >= "500" for status in self.count_by_name("problems")):
            return BULK_EXIT_BUG
        outcomes = self.count_by_name("outcomes")
        return (
            BULK_EXIT_UNREADABLE
            if OUTCOME_UNREAD in outcomes
            else BULK_EXIT_FAILS
            if OUTCOME_FAILS in outcomes
            else BULK_EXIT_CONFORMS
        )

    def summarize_check(self) -> "BulkResult":
        """The result of a check: papers by outcome and by violated rule, files by status of the problem."""
        outcomes = self.count_by_name("outcomes")
        papers = outcomes.get(OUTCOME_CONFORMS, 0) + outcomes.get(OUTCOME_FAILS, 0)
        counts = {
            "outcomes": outcomes,
            "problems": self.count_by_name("problems"),
            "rules": self.count_by_name("rules"),
        }
        return BulkResult({"files": self.file_count, "papers": papers} | counts, self.code)

    def summarize_description(self, file_count: int) -> "BulkResult":
        """The result of describing `file_count` files, if this tally has the lines of the unread ones."""
        return BulkResult(
            {"files": file_count, "unread": self.file_count, "problems": self.count_by_name("problems")},
            self.code,
        )


class BulkResult(NamedTuple):
    """The result of a bulk job: its summary, and the exit code."""

    summary: dict[str, Any]
    code: int

"""The output of bulk jobs: one JSON line per paper, the quads of a file, totals and VoID statistics.

A line is an object: `path`; `number` of the paper in its file, from 1; `graph`, the named graph that says it
is a paper, and `iri`, null for none; `outcome`: `conforms`, `fails`, `unread` or `passed over` (Markdown that
looks like no paper). An unread file has its `problem`, a paper what the report in JSON says of it.

A file without a paper has one line. Blank node names are stable and unique to a file.
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
    candidate_size,
    displayable_path,
    mistake_problem,
    read_candidate_document,
    read_regular_file,
)


def serialize_void_figures(figures: Figures, base: str) -> bytes:
    """The figures in Turtle."""
    described = VoidDescription(base)
    _, come = described.diff_statements(ox.Store(), figures)
    what = ox.Triple(described.dataset, expand_curie("rdf:type"), expand_curie("void:Dataset"))
    return serialize_triples({*come, what}, TURTLE, base)


def iter_named_quads(file: CandidateFile) -> Iterator[ox.Quad]:
    """The quads of a file that parses where its format has named graphs; else none."""
    format_ = format_of_file(file.path)
    if format_ in DATASET_FORMATS:
        data = read_regular_file(file.path, candidate_size(file)) if file.data is None else file.data
        yield from parse_dataset_text(decode_document_text(data), format_)


def read_file_quads(file: CandidateFile, task: CheckTask) -> list[ox.Quad] | UncheckedFile:
    """The quads of a file, its blank nodes being its own; none of one that is passed over. Or why not."""
    try:
        document = read_candidate_document(file, task.max_bytes, task.max_triples)
        if isinstance(document, UncheckedFile):
            return document
        store = ox.Store()  # which writes a number in one way only
        store.extend(rename_blank_nodes(iter_document_quads(document) if document else (), file.path))
        return list(store)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of an engine is no Exception
        return UncheckedFile(displayable_path(file.path), mistake_problem(error))


def iter_document_quads(document: Document) -> Iterable[ox.Quad]:
    """The quads of a document."""
    if document.format in DATASET_FORMATS:
        return parse_dataset_text(document.text, document.format)
    return (build_quad(one, ox.DefaultGraph()) for one in document.triples)


def parse_dataset_text(text: str, format_: Format) -> Iterable[ox.Quad]:
    """The quads of a text that is known to parse."""
    return ox.parse(text, rdf_format(format_.media_type), base_iri=PAPER_NAMESPACE)


def rename_blank_nodes(found: Iterable[ox.Quad], path: str) -> Iterator[ox.Quad]:
    """The quads, with names of blank nodes that no other file has, and that are the same at each reading."""
    file = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    names: dict[str, ox.BlankNode] = {}

    def own(node: Any) -> Any:
        if not isinstance(node, ox.BlankNode):
            return node
        return names.setdefault(node.value, ox.BlankNode(f"b{file}n{len(names)}"))

    return (ox.Quad(own(one.subject), one.predicate, own(one.object), own(one.graph_name)) for one in found)


OUTCOME_CONFORMS, OUTCOME_FAILS, OUTCOME_UNREAD, OUTCOME_PASSED_OVER = (
    "conforms",
    "fails",
    "unread",
    "passed over",
)
# Exit codes, as of `wgig check`.
BULK_EXIT_CONFORMS, BULK_EXIT_FAILS, BULK_EXIT_UNREADABLE, BULK_EXIT_MISTAKE = 0, 1, 2, 3


BulkLine = dict[str, Any]


def iter_report_lines(file: CandidateFile, outcome: CheckOutcome | None, language: str) -> Iterator[str]:
    """The lines about a file as they are written, from what was found in it; None where it is passed over."""
    return map(serialize_bulk_line, iter_bulk_lines(file, outcome, language))


def serialize_bulk_line(line: BulkLine) -> str:
    """A line as JSON, half a character of a path being escaped."""
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def iter_bulk_lines(file: CandidateFile, outcome: CheckOutcome | None, language: str) -> Iterator[BulkLine]:
    """The lines about a file."""
    for number, one in enumerate(iter_outcome_members(file, outcome, language), 1):
        yield {"path": file.path, "number": number, "graph": None, "iri": None} | one


def iter_outcome_members(
    file: CandidateFile, outcome: CheckOutcome | None, language: str
) -> Iterator[BulkLine]:
    """What the lines say beside where it is."""
    if outcome is None:
        yield {"outcome": OUTCOME_PASSED_OVER}
    elif isinstance(outcome, UncheckedFile):
        yield {"outcome": OUTCOME_UNREAD, "problem": file_problem_members(outcome.problem)}
    else:
        graphs = find_paper_graphs(file)
        for paper in outcome.papers:
            how = {
                "graph": graphs.get(paper.iri),
                "outcome": OUTCOME_CONFORMS if paper.conforms else OUTCOME_FAILS,
            }
            yield how | build_paper_object(paper, outcome.media_type, language)


def find_paper_graphs(file: CandidateFile) -> dict[str, str]:
    """The named graphs that say that something is a paper, by its IRI."""
    return {
        str(one.subject).strip("<>"): one.graph_name.value
        for one in iter_named_quads(file)
        if one.predicate == RDF_TYPE
        and one.object == WGIG_ISSUE_PAPER
        and isinstance(one.graph_name, ox.NamedNode)
    }


class BulkTally:
    """How many there are of what. Tallies of parts can be added."""

    def __init__(self, written: Iterable[str] = ()) -> None:
        """Count the lines."""
        self.counts = Counter[tuple[str, str]]()
        for one in written:
            self.add(json.loads(one))

    def add(self, line: BulkLine) -> None:
        """Count a line."""
        self.counts["files", ""] += line["number"] == 1
        self.counts["outcomes", line["outcome"]] += 1
        if "problem" in line:
            self.counts["problems", str(line["problem"]["status"])] += 1
        for code in {one["code"] for one in line.get("findings", ()) if not one["waived"]}:
            self.counts["rules", code] += 1

    def __add__(self, other: "BulkTally") -> "BulkTally":
        """Both as one."""
        whole = BulkTally()
        whole.counts = self.counts + other.counts
        return whole

    def count_by_name(self, kind: str) -> dict[str, int]:
        """How many there are of each of a kind."""
        return {name: count for (one, name), count in sorted(self.counts.items()) if one == kind and count}

    @property
    def files(self) -> int:
        """How many files there are."""
        return self.counts["files", ""]

    @property
    def code(self) -> int:
        """The exit code: that of the worst outcome."""
        if any(status >= "5" for status in self.count_by_name("problems")):
            return BULK_EXIT_MISTAKE
        outcomes = self.count_by_name("outcomes")
        return (
            BULK_EXIT_UNREADABLE
            if OUTCOME_UNREAD in outcomes
            else BULK_EXIT_FAILS
            if OUTCOME_FAILS in outcomes
            else BULK_EXIT_CONFORMS
        )

    def summarize_check(self) -> "BulkResult":
        """What a check came to: papers by outcome and broken rule, files by the status of a problem."""
        outcomes = self.count_by_name("outcomes")
        papers = outcomes.get(OUTCOME_CONFORMS, 0) + outcomes.get(OUTCOME_FAILS, 0)
        counts = {
            "outcomes": outcomes,
            "problems": self.count_by_name("problems"),
            "rules": self.count_by_name("rules"),
        }
        return BulkResult({"files": self.files, "papers": papers} | counts, self.code)

    def summarize_description(self, files: int) -> "BulkResult":
        """What a description came to, these being the lines about the files that are unread."""
        return BulkResult(
            {"files": files, "unread": self.files, "problems": self.count_by_name("problems")}, self.code
        )


class BulkResult(NamedTuple):
    """What a job came to: its summary, and the exit code."""

    summary: dict[str, Any]
    code: int

"""The check before each write to the graph of a paper: the write is refused if the paper does not conform.

The graph `graph/paper/<name>` is about the paper `id/paper/<name>`. The check runs in a process with limits
on time and memory, like those of `/validate`.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pyoxigraph as ox

from ..http.bodies import BodyPart
from ..problems import Problem
from ..rdf import formats, serialization
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, N_TRIPLES, PROBLEM_JSON, Format, get_named_format
from ..rdf.namespaces import LOCAL_NAME_PATTERN, RDF_TYPE, WGIG_ISSUE_PAPER, expand_curie
from ..rdf.positions_turtle import TriplePosition
from ..settings import Settings
from ..store.commit import CheckedQuads
from .check import build_check_report, find_document_results
from .conformance import PaperToCheck, build_conformance_triples
from .conformance_graph import ConformanceGraph, paper_node
from .documents import Document, DocumentReader, read_rdf
from .findings import Report
from .paper_scope import ActorStatement, check_paper_scope
from .reports import REPORT_WRITERS

PAPER_GRAPH_PATH = "graph/paper/"
PROFILE_OFF = "off"
PAPER_WRITE_FORMATS = (*GRAPH_FORMATS, formats.MARKDOWN)
# An assessment paper has another template, for which there are no rules.
WGIG_ASSESSMENT_PAPER = expand_curie("wgig:AssessmentPaper")

UNKNOWN_POSITION = TriplePosition(-1, -1, -1)  # of a triple that was not in the request

# Clients that prefer HTML get the error page: the HTML report has inline styles, which the service forbids.
REFUSAL_REPORT_FORMATS = tuple(format_ for format_ in REPORT_WRITERS if format_ is not HTML)
REFUSAL_FORMATS = (*REFUSAL_REPORT_FORMATS, PROBLEM_JSON, HTML)


class PaperSubmission(NamedTuple):
    """A write to the graph of a paper.

    `parts` are the documents of the request, which `read_document` reads. `existing_triples`, in N-Triples,
    are the triples of the graph that the write keeps. A SPARQL update has no parts: `existing_triples` are
    then all triples of the graph after it. `format` and `language` are those of the report.
    """

    graph: str
    parts: Sequence[BodyPart]
    existing_triples: bytes
    read_document: DocumentReader
    format: Format
    language: str
    settings: Settings

    @property
    def name(self) -> str:
        """The name of the paper in the IRI of the graph."""
        return self.graph.removeprefix(self.settings.base + PAPER_GRAPH_PATH)

    @property
    def paper(self) -> ox.NamedNode:
        """The IRI of the paper that the graph describes."""
        return paper_node(self.name)


class GateDecision(NamedTuple):
    """The sent triples, in N-Triples, if the write is allowed; else the serialized report.

    `conformance` has the quads of the conformance graph about the paper, as N-Quads; `digest` is that of the
    triples and rules that they were computed from. `actor_statements` are still to be compared with the store
    (`check_actor_statements`).
    """

    triples: bytes = b""
    report: bytes = b""
    digest: str = ""
    conformance: bytes = b""
    actor_statements: tuple[ActorStatement, ...] = ()

    @property
    def by_digest(self) -> CheckedQuads:
        """The quads of the conformance graph by digest, as the store accepts them; empty if no engine ran."""
        return {self.digest: self.conformance} if self.digest else {}


def is_paper_graph(graph: str | None, base: str) -> bool:
    """Whether this is the IRI of the graph of a paper."""
    return graph is not None and graph.startswith(base + PAPER_GRAPH_PATH)


def check_submission(submission: PaperSubmission) -> GateDecision:
    """Check the triples that the graph would have after the write.

    Raises Problem 400 with line and column for a syntax error, 413 for too many triples. Raises 422 if the
    graph would not describe the paper with the same name, if a statement is out of scope, or if the paper
    does not conform and its report is requested as a problem document.
    """
    documents = [read_submitted_part(part, submission) for part in submission.parts]
    sent_lines = b"".join(map(serialize_with_unique_blanks, documents))
    profile = submission.settings.write_profile
    if profile == PROFILE_OFF:
        return GateDecision(sent_lines)
    content = (
        documents[0]
        if len(documents) == 1 and not submission.existing_triples
        else build_merged_document(documents, sent_lines, submission)
    )
    describes_issue_paper = is_issue_paper(content, submission)
    actor_statements = check_paper_scope(content, submission.paper, submission.graph)
    if not describes_issue_paper:
        return GateDecision(sent_lines, actor_statements=actor_statements)
    results = find_document_results(content, submission.settings.shacl)
    report = build_check_report(content, profile, results, submission.settings.shacl)
    if not report.conforms:
        return GateDecision(report=serialize_refusal_report(report, submission))
    graph = get_conformance_graph(submission.settings.base, submission.settings.shacl)
    triples = [*serialization.normalize_triples(content.triples)]
    paper = PaperToCheck(submission.paper, triples, graph.compute_digest(triples), results)
    (conformance,) = build_conformance_triples([paper], graph.engine_name)
    lines = serialization.serialize_n_quads(
        serialization.build_quad(triple, graph.graph) for triple in conformance
    )
    return GateDecision(sent_lines, b"", paper.digest, lines, actor_statements)


@cache
def get_conformance_graph(base: str, engine_name: str) -> ConformanceGraph:
    """The conformance graph, which has the results of all papers and computes their digests."""
    return ConformanceGraph(base, engine_name)


def read_submitted_part(part: BodyPart, submission: PaperSubmission) -> Document:
    """The document in a part of the request. Raises Problem 400, 413."""
    format_ = get_named_format(part.content_type, PAPER_WRITE_FORMATS)
    name = part.file_name or f"paper.{format_.suffix}"
    return submission.read_document(
        name, part.body, format_, submission.settings.paper_triples, submission.graph
    )


def serialize_with_unique_blanks(document: Document) -> bytes:
    """The triples of a document as N-Triples, with blank node labels that no other document has."""
    return serialization.serialize_n_triples(
        serialization.parse_graph_document(
            serialization.serialize_n_triples(document.triples), N_TRIPLES.media_type
        )
    )


def build_merged_document(
    documents: Sequence[Document], sent_lines: bytes, submission: PaperSubmission
) -> Document:
    """The triples of the graph after the write, as one document: the existing ones, then `sent_lines`.

    If one part was sent, its triples have their positions in it. Existing triples have none, as they are not
    in the request. The triples of several parts have none, as a report has one file name. Raises Problem 413.
    """
    content = read_rdf(
        submission.name,
        submission.existing_triples + sent_lines,
        N_TRIPLES,
        submission.settings.paper_triples,
    )
    if len(documents) != 1:
        return replace(content, find_positions=tuple)
    (part,) = documents

    def list_positions() -> list[TriplePosition]:
        # N-Triples keeps the number and order of triples.
        existing_count = len(content.triples) - len(part.triples)
        return (
            [UNKNOWN_POSITION] * existing_count + list(part.triple_positions) if part.triple_positions else []
        )

    return replace(part, triples=content.triples, find_positions=list_positions)


def is_issue_paper(document: Document, submission: PaperSubmission) -> bool:
    """Whether the paper with the name of the graph is an issue paper; if not, it is an assessment paper.

    Raises Problem 422 if the document describes neither, or describes another issue paper.
    """
    if not LOCAL_NAME_PATTERN.fullmatch(submission.name):
        raise Problem(
            422,
            f"{submission.name!r} is not a valid name for a paper. Use only letters, digits, "
            "hyphens, underscores and dots.",
        )
    paper = submission.paper
    types = {(triple.subject, triple.object) for triple in document.iter_property_triples([RDF_TYPE])}
    other_papers = [subject for subject, type_ in types if type_ == WGIG_ISSUE_PAPER and subject != paper]
    if other_papers:
        raise Problem(
            422,
            f"The graph is for the paper {paper}, but would describe {other_papers[0]}. "
            "Change the graph or the paper.",
        )
    if not {(paper, WGIG_ISSUE_PAPER), (paper, WGIG_ASSESSMENT_PAPER)} & types:
        raise Problem(
            422,
            f"The graph would not describe its paper. State that {paper} is a wgig:IssuePaper.",
            slug="no-paper",
        )
    return (paper, WGIG_ISSUE_PAPER) in types


def serialize_refusal_report(report: Report, submission: PaperSubmission) -> bytes:
    """The report in the requested format. For a problem document, raises Problem 422 with the report."""
    if submission.format in REFUSAL_REPORT_FORMATS:
        return REPORT_WRITERS[submission.format]([report], submission.language)
    blocking = [finding for finding in report.findings if finding.is_blocking(report.profile)]
    raise Problem(
        422,
        f"The paper does not conform to the profile {report.profile}, and nothing was written. "
        f"{' '.join(finding.rule.message_in(submission.language) for finding in blocking[:1])}",
        report=json.loads(REPORT_WRITERS[JSON]([report], submission.language)),
    )

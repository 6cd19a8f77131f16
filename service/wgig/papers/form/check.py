"""Convert a submitted form to statements and check them. This is slow, so a worker process does it."""

from collections.abc import Sequence
from typing import NamedTuple

import pyoxigraph as ox

from ...http.language import use_language
from ...rdf.formats import N_TRIPLES
from ...rdf.namespaces import PAPER_NAMESPACE
from ...rdf.serialization import serialize_n_triples
from ...settings import Settings
from ...shacl.check import check_document
from ...shacl.documents import Document
from ...shacl.findings import SectionState
from ...text import shorten_untrusted_text
from ..markdown.front_matter import PAPER_NAME_PATTERN
from ..markdown.graph import PAPER_LABEL_PREFIX
from ..markdown.writer import IMPLIED_PROPERTIES
from ..readers import read_paper_document
from .messages import (
    FieldMessage,
    build_finding_messages,
    iter_form_messages,
    replace_name_findings,
)
from .original import OriginalPaper
from .state import FormState
from .statements import FormToGraph


class FormCheckJob(NamedTuple):
    """A form to check: its fields, and the paper as it was opened, in N-Triples.

    `language` is that of the messages.
    """

    form_state: FormState
    original_n_triples: bytes
    profile: str  # against which it is checked
    language: str
    settings: Settings


class FormCheckResult(NamedTuple):
    """The result of a check: the paper in N-Triples, messages at the fields, and states of the sections.

    Of the `requirements` of the template, `requirements_met` are met. `extra_statements` have no field.
    """

    triples: bytes
    messages: Sequence[FieldMessage]
    sections: Sequence[SectionState]
    requirements_met: int
    requirements: int
    extra_statements: Sequence[str]

    @property
    def conforms(self) -> bool:
        """Whether the paper conforms to the profile."""
        return not any(message.blocks for message in self.messages)


def check_form(job: FormCheckJob) -> FormCheckResult:
    """Convert and check a form. Raises Problem 400, 413 or 422 for an invalid original paper."""
    form_graph = convert_form_to_graph(job)
    triples = serialize_n_triples(form_graph.triples)
    document = read_form_document(triples, job.settings)
    report = check_document(document, job.profile, job.settings.shacl)
    paper = report.papers[0]
    with use_language(job.language):  # a worker process has no request with a language
        findings = [
            message
            for finding in paper.findings
            if not finding.waiver
            for message in build_finding_messages(finding, form_graph, job.profile, job.language)
        ]
        messages = [*replace_name_findings(form_graph, findings), *iter_form_messages(form_graph)]
    return FormCheckResult(
        triples, messages, paper.sections, paper.met, paper.parts, list_extra_statements(form_graph)
    )


def convert_form_to_graph(job: FormCheckJob) -> FormToGraph:
    """The form as a graph. Its IRIs have the name in the form if it is valid, else the original name."""
    original = OriginalPaper(read_form_document(job.original_n_triples, job.settings).triples)
    name = job.form_state.name
    if PAPER_NAME_PATTERN.fullmatch(name) and name != original.name:
        original = OriginalPaper(rename_paper_triples(original, name))
    return FormToGraph(original, job.form_state)


def list_extra_statements(form_graph: FormToGraph) -> list[str]:
    """The statements without a field, for display, except statements that every part of a paper has."""
    statements = (
        triple
        for triple in form_graph.triples
        if triple not in form_graph.field_names
        and (triple.subject, triple.predicate.value) not in form_graph.field_names
        and triple.predicate not in IMPLIED_PROPERTIES
    )
    return sorted(shorten_untrusted_text(f"{triple} .") for triple in statements)


def read_form_document(n_triples: bytes, settings: Settings) -> Document:
    """The document with this N-Triples text. Raises Problem 400 if it is invalid, 413 if it is too large."""
    return read_paper_document("paper.nt", n_triples, N_TRIPLES, settings.paper_triples)


def rename_paper_triples(original: OriginalPaper, name: str) -> list[ox.Triple]:
    """The statements of a paper, with another paper name in the IRIs and in the label."""
    old_iri, new_iri = original.paper.value, f"{PAPER_NAMESPACE}{name}"

    def rename_term(term: object) -> object:
        if isinstance(term, ox.NamedNode) and (term.value == old_iri or term.value.startswith(f"{old_iri}/")):
            return ox.NamedNode(new_iri + term.value.removeprefix(old_iri))
        if (
            isinstance(term, ox.Literal)
            and term.value == f"{PAPER_LABEL_PREFIX}{original.name}"
            and term.language
        ):
            return ox.Literal(f"{PAPER_LABEL_PREFIX}{name}", language=term.language)
        return term

    return [
        ox.Triple(rename_term(triple.subject), triple.predicate, rename_term(triple.object))  # type: ignore[arg-type]
        for triple in original.triples
    ]

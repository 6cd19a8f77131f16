"""Convert a submitted form to statements and check them; slow, so that another process may do it."""

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
from .messages import FieldMessage, build_finding_message, iter_form_messages
from .original import OriginalPaper
from .state import FormState
from .statements import FormToGraph


class FormCheckJob(NamedTuple):
    """A form to check: its fields, and the statements with which it was opened, as N-Triples.

    It is checked by the profile, with messages in the language.
    """

    form_state: FormState
    source: bytes
    profile: str
    language: str
    settings: Settings


class FormCheckResult(NamedTuple):
    """The result of a check: statements as N-Triples, messages at the fields, states of the sections.

    `requirements_met` of the `requirements` of the template are met; `extra_statements` are those that no
    field can hold.
    """

    triples: bytes
    messages: Sequence[FieldMessage]
    sections: Sequence[SectionState]
    requirements_met: int
    requirements: int
    extra_statements: Sequence[str]

    @property
    def conforms(self) -> bool:
        """Whether no message keeps the paper from conforming to the profile."""
        return not any(message.blocks for message in self.messages)


def check_form(job: FormCheckJob) -> FormCheckResult:
    """Convert and check a form. Raises Problem 400, 413 and 422 for a source that is not from a form."""
    form_graph = convert_form_to_graph(job)
    triples = serialize_n_triples(form_graph.triples)
    document = read_form_document(triples, job.settings)
    report = check_document(document, job.profile, job.settings.shacl)
    paper = report.papers[0]
    messages = [
        build_finding_message(finding, form_graph, job.profile, job.language)
        for finding in paper.findings
        if not finding.waiver
    ]
    with use_language(job.language):  # outside of a request
        messages = [*iter_form_messages(form_graph), *messages]
    return FormCheckResult(
        triples, messages, paper.sections, paper.met, paper.parts, list_extra_statements(form_graph)
    )


def convert_form_to_graph(job: FormCheckJob) -> FormToGraph:
    """The form as a graph, under the paper name in the form if that is valid."""
    original = OriginalPaper(read_form_document(job.source, job.settings).triples)
    name = job.form_state.name
    if PAPER_NAME_PATTERN.fullmatch(name) and name != original.name:
        original = OriginalPaper(rename_paper_triples(original, name))
    return FormToGraph(original, job.form_state)


def list_extra_statements(form_graph: FormToGraph) -> list[str]:
    """The statements without a field, for display; without those that every part of a paper has."""
    statements = (
        triple
        for triple in form_graph.triples
        if triple not in form_graph.field_names and triple.predicate not in IMPLIED_PROPERTIES
    )
    return sorted(shorten_untrusted_text(f"{triple} .") for triple in statements)


def read_form_document(lines: bytes, settings: Settings) -> Document:
    """The document in N-Triples statements. Raises Problem 400 and 413."""
    return read_paper_document("paper.nt", lines, N_TRIPLES, settings.paper_triples)


def rename_paper_triples(original: OriginalPaper, name: str) -> list[ox.Triple]:
    """The statements of a paper under another name."""
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

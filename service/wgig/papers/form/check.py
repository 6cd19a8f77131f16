"""A form that was sent, stated and checked: what takes time, so that another process may do it."""

from collections.abc import Sequence
from typing import NamedTuple

import pyoxigraph as ox

from ...http.language import use_language
from ...rdf.formats import N_TRIPLES
from ...rdf.namespaces import PAPER_NAMESPACE
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
    """A form to be stated: its fields, and the statements that it was opened with, as N-Triples.

    It is checked by the profile, in words of the language.
    """

    form_state: FormState
    source: bytes
    profile: str
    language: str
    settings: Settings


class FormCheckResult(NamedTuple):
    """What came of it: the statements as N-Triples, what is said at the fields, how each section stands.

    `met` of the `parts` that the template asks for are there; `extra_statements` is what no field shows.
    """

    triples: bytes
    messages: Sequence[FieldMessage]
    sections: Sequence[SectionState]
    met: int
    parts: int
    extra_statements: Sequence[str]

    @property
    def conforms(self) -> bool:
        """Whether nothing keeps the paper from its profile."""
        return not any(one.blocks for one in self.messages)


def check_form(todo: FormCheckJob) -> FormCheckResult:
    """State and check a form. Raises Problem 400, 413 and 422 for statements that no form is opened with."""
    stating = convert_form_to_graph(todo)
    triples = serialize_paper_triples(stating.triples)
    document = read_form_document(triples, todo.settings)
    report = check_document(document, todo.profile, todo.settings.shacl)
    paper = report.papers[0]
    messages = [
        build_finding_message(one, stating, todo.profile, todo.language)
        for one in paper.findings
        if not one.waiver
    ]
    with use_language(todo.language):  # where no request is
        messages = [*iter_form_messages(stating), *messages]
    return FormCheckResult(
        triples, messages, paper.sections, paper.met, paper.parts, list_extra_statements(stating)
    )


def convert_form_to_graph(todo: FormCheckJob) -> FormToGraph:
    """The form, stated; under the name that it gives the paper, if that is one."""
    source = OriginalPaper(read_form_document(todo.source, todo.settings).triples)
    name = todo.form_state.name
    if PAPER_NAME_PATTERN.fullmatch(name) and name != source.name:
        source = OriginalPaper(rename_paper_triples(source, name))
    return FormToGraph(source, todo.form_state)


def list_extra_statements(stating: FormToGraph) -> list[str]:
    """The statements that no field makes, but for what each part of a paper has, as they can be shown."""
    every = (
        one
        for one in stating.triples
        if one not in stating.field_names and one.predicate not in IMPLIED_PROPERTIES
    )
    return sorted(shorten_untrusted_text(f"{one} .") for one in every)


def read_form_document(lines: bytes, settings: Settings) -> Document:
    """Statements in N-Triples as a document. Raises Problem 400 and 413."""
    return read_paper_document("paper.nt", lines, N_TRIPLES, settings.paper_triples)


def serialize_paper_triples(triples: Sequence[ox.Triple]) -> bytes:
    """Statements as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def rename_paper_triples(source: OriginalPaper, name: str) -> list[ox.Triple]:
    """The statements of a paper under another name."""
    old, new = source.paper.value, f"{PAPER_NAMESPACE}{name}"

    def node(term: object) -> object:
        if isinstance(term, ox.NamedNode) and (term.value == old or term.value.startswith(f"{old}/")):
            return ox.NamedNode(new + term.value.removeprefix(old))
        if (
            isinstance(term, ox.Literal)
            and term.value == f"{PAPER_LABEL_PREFIX}{source.name}"
            and term.language
        ):
            return ox.Literal(f"{PAPER_LABEL_PREFIX}{name}", language=term.language)
        return term

    return [ox.Triple(node(one.subject), one.predicate, node(one.object)) for one in source.triples]  # type: ignore[arg-type]

"""A form that was sent, stated and checked: what takes time, so that another process may do it."""

from collections.abc import Sequence
from typing import NamedTuple

import pyoxigraph as ox

from ...http.language import speaking_in
from ...rdf.formats import N_TRIPLES
from ...settings import Settings
from ...shacl.check import check
from ...shacl.documents import Document
from ...shacl.findings import Section
from ...text import cut
from ..markdown.front_matter import SLUG
from ..markdown.writer import IMPLIED
from ..readers import read
from .messages import Message, message, unruled
from .original import PAPERS, Source
from .state import Filled
from .statements import Stating

LABEL = "Issue paper: "


class Todo(NamedTuple):
    """A form to be stated: its fields, and the statements that it was opened with, as N-Triples.

    It is checked by the profile, in words of the language.
    """

    filled: Filled
    source: bytes
    profile: str
    language: str
    settings: Settings


class Done(NamedTuple):
    """What came of it: the statements as N-Triples, what is said at the fields, how each section stands.

    `met` of the `parts` that the template asks for are there; `rest` is what no field shows.
    """

    triples: bytes
    messages: Sequence[Message]
    sections: Sequence[Section]
    met: int
    parts: int
    rest: Sequence[str]

    @property
    def conforms(self) -> bool:
        """Whether nothing keeps the paper from its profile."""
        return not any(one.blocks for one in self.messages)


def work(todo: Todo) -> Done:
    """State and check a form. Raises Problem 400, 413 and 422 for statements that no form is opened with."""
    stating = stated(todo)
    triples = written(stating.triples)
    document = open_document(triples, todo.settings)
    report = check(document, todo.profile, todo.settings.shacl)
    paper = report.papers[0]
    messages = [
        message(one, stating, todo.profile, todo.language) for one in paper.findings if not one.waiver
    ]
    with speaking_in(todo.language):  # where no request is
        messages = [*unruled(stating), *messages]
    return Done(triples, messages, paper.sections, paper.met, paper.parts, rest(stating))


def stated(todo: Todo) -> Stating:
    """The form, stated; under the name that it gives the paper, if that is one."""
    source = Source(open_document(todo.source, todo.settings).triples)
    name = todo.filled.name
    if SLUG.fullmatch(name) and name != source.name:
        source = Source(renamed(source, name))
    return Stating(source, todo.filled)


def rest(stating: Stating) -> list[str]:
    """The statements that no field makes, but for what each part of a paper has, as they can be shown."""
    every = (one for one in stating.triples if one not in stating.names and one.predicate not in IMPLIED)
    return sorted(cut(f"{one} .") for one in every)


def open_document(lines: bytes, settings: Settings) -> Document:
    """Statements in N-Triples as a document. Raises Problem 400 and 413."""
    return read("paper.nt", lines, N_TRIPLES, settings.paper_triples)


def written(triples: Sequence[ox.Triple]) -> bytes:
    """Statements as N-Triples."""
    return ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""


def renamed(source: Source, name: str) -> list[ox.Triple]:
    """The statements of a paper under another name."""
    old, new = source.paper.value, f"{PAPERS}{name}"

    def node(term: object) -> object:
        if isinstance(term, ox.NamedNode) and (term.value == old or term.value.startswith(f"{old}/")):
            return ox.NamedNode(new + term.value.removeprefix(old))
        if isinstance(term, ox.Literal) and term.value == f"{LABEL}{source.name}" and term.language:
            return ox.Literal(f"{LABEL}{name}", language=term.language)
        return term

    return [ox.Triple(node(one.subject), one.predicate, node(one.object)) for one in source.triples]  # type: ignore[arg-type]

"""Saving the form into the graph of its paper, and downloading it as Markdown or Turtle.

A save goes through the same checks as every write, and only if the graph has not been written since the form
was opened (412 otherwise); the version is the digest of its statements. A token is accepted only in a form
that comes from this origin, as far as the browser says (Fetch Metadata). A download that Markdown cannot hold
returns the form with messages at the fields.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ...graphs.graph_store import read_parts
from ...graphs.provenance import Write
from ...graphs.write_pipeline import commit, gated, writing
from ...http.auth import OF_PAPERS, Token, opened, takes_papers
from ...http.bodies import Part
from ...http.language import language
from ...http.responses import answer
from ...i18n import marked
from ...problems import Problem
from ...rdf.formats import MARKDOWN, N_TRIPLES, PROBLEM, TURTLE, Format
from ...rdf.serialization import serialize
from ...settings import Settings
from ...shacl.gate import HOME
from ...store.history import content, digest
from ...store.store import Store
from ..markdown.front_matter import SLUG
from ..markdown.writer import UnheldError
from ..markdown.writer import write as as_markdown
from .check import Done, Todo, open_document, stated
from .messages import NAME, unheld
from .original import Source
from .view import UNKEPT, Page, shown

DOWNLOADS = {"markdown": MARKDOWN, "turtle": TURTLE}
WRITTEN: dict[Format, Callable[[Sequence[ox.Triple], Settings], bytes]] = {
    MARKDOWN: lambda triples, _: as_markdown(triples).encode(),
    TURTLE: lambda triples, settings: serialize(triples, TURTLE, settings.base),
}
UNHELD = marked(
    "Markdown cannot hold the paper as it is. Mend what is said below, or download Turtle, which holds all "
    "of it."
)
FIELDLESS = marked(
    "Markdown cannot hold the paper, and the form has no field in which to mend it. Download Turtle, which "
    "holds all of it."
)


def downloaded(request: Request, page: Page, done: Done, format_: Format) -> Response:
    """The paper as a file, complete or not; or the form with the reason why it cannot be one."""
    if unnamed := [one for one in page.messages if one.field == "name" and one.blocks]:
        page.messages, page.refused, page.at_field = unnamed, Problem(422, NAME), True
        return shown(request, page)
    settings: Settings = request.app.state.settings
    triples = open_document(done.triples, settings).triples
    try:
        body = WRITTEN[format_](triples, settings)
    except UnheldError as error:
        todo = Todo(page.filled, page.source.encode(), page.profile, language(), settings)
        at_fields = unheld(stated(todo), error.statements)
        page.messages, page.refused = at_fields, Problem(422, UNHELD if at_fields else FIELDLESS)
        return shown(request, page)
    name = f"{Source(triples).name}.{format_.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **UNKEPT}
    return answer(request, body, format_, headers=headers)


ELSEWHERE = marked(
    "A page of another site sent this form. Never type a token there; have it revoked, and open /write here."
)
CLOSED = marked("This service takes no papers. Download yours, and send it to whoever keeps the graph.")
MISSING = marked("Saving needs a token. Type yours; without one, download the paper.")
TAKEN = marked(
    "There is a paper of this name in the graph already. Take another name, or open that paper to edit it."
)
CHANGED = marked("Somebody else saved this paper since you opened it, and nothing of yours was written.")
GONE = marked(
    "This paper is not in the graph any more: somebody deleted it since you opened it. Nothing was written."
)


class Saving(NamedTuple):
    """What is to be saved: the name of the paper, its statements as N-Triples, the version it was opened at.

    An empty version is that of a paper which is not in the graph yet.
    """

    name: str
    triples: bytes
    version: str


def graph_of(name: str, settings: Settings) -> str:
    """The IRI of the graph of a paper."""
    return f"{settings.base}{HOME}{name}"


def version_of(store: Store, graph: str) -> str:
    """The version of a graph: the digest of its statements, empty where there is no such graph."""
    return digest(content(store, graph)) if store.has(graph) else ""


def is_taken(store: Store, name: str, settings: Settings) -> bool:
    """Whether the graph has a paper of this name."""
    return bool(SLUG.fullmatch(name)) and store.has(graph_of(name, settings))


def allowed(request: Request, secret: str) -> Token:
    """The token of this secret, if it opens papers and comes from a page of this service.

    Raises Problem 401, 403; what it says is for the author, who is not the operator.
    """
    if not from_here(request):
        raise Problem(403, ELSEWHERE)

    if not takes_papers(request):
        raise Problem(403, CLOSED)

    def given() -> str:
        if not secret:
            raise Problem(401, MISSING)
        return secret

    return opened(request.app.state.tokens, given, *OF_PAPERS)


def from_here(request: Request) -> bool:
    """Whether no page of another origin sent the form, as far as the browser says (Fetch Metadata, Origin).

    There are no cookies to abuse: this keeps people from typing tokens into pages of others.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def save(request: Request, token: Token, saving: Saving) -> None:
    """Save a paper. Raises Problem 412 where the graph was written meanwhile, and as a write does."""
    graph = graph_of(saving.name, request.app.state.settings)
    part = Part("paper.nt", N_TRIPLES.media_type, saving.triples)
    async with writing(request):
        passed = await gated(request, graph, [part], b"", PROBLEM, "en")
        sent = Part("paper.nt", N_TRIPLES.media_type, passed.triples)
        await run_sync(swap, request, token, graph, sent, saving.version)


def swap(request: Request, token: Token, graph: str, part: Part, version: str) -> None:
    """Put the statements in place of those of the graph, if it is as it was. Raises Problem 412."""
    store: Store = request.app.state.store
    with store.turn():
        there = version_of(store, graph)
        if there != version:
            raise Problem(412, TAKEN if not version else CHANGED if there else GONE, version=there)
        change = store.change_to(graph, read_parts([part], graph))
        commit(request, change, Write(token, f"PUT /{HOME}{graph.partition(HOME)[2]}", [part]))

"""A form is saved into the graph of its paper, by the way of every write, if nobody wrote it meanwhile."""

from typing import NamedTuple
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from fastapi import Request

from ..bearer import opened, takes_papers
from ..bodies import Part
from ..catalogues import marked
from ..formats import N_TRIPLES, PROBLEM
from ..gate import HOME
from ..markdown.head import SLUG
from ..payload import read_parts
from ..problems import Problem
from ..record import Write
from ..records.history import content, digest
from ..settings import Settings
from ..store import Store
from ..tokens import OF_PAPERS, Token
from ..writing import commit, gated, writing

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

"""Saving the form into the graph of its paper, and downloading it as Markdown or Turtle.

A save goes through the same checks as every write, and only if the graph has not been written since the form
was opened (412 otherwise); the version is the digest of its statements. A token is accepted only in a form
that comes from this origin, as far as the browser says (Fetch Metadata). A download that Markdown cannot hold
returns the form with messages at the fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Request, Response

from ...graphs.graph_store import parse_graph_parts
from ...graphs.provenance import WriteRequest
from ...graphs.write_pipeline import WritePipeline, commit_with_record, exclusive_write, run_paper_gate
from ...http.auth import PAPER_WRITE_SCOPES, AccessToken, TokenStore, authorize_secret, is_paper_writing_open
from ...http.bodies import BodyPart
from ...http.language import current_language
from ...http.responses import respond_with_body
from ...i18n import gettext_noop
from ...pages.dependencies import RequestContext
from ...problems import Problem
from ...rdf.formats import MARKDOWN, N_TRIPLES, PROBLEM_JSON, TURTLE, Format
from ...rdf.serialization import serialize_triples
from ...settings import Settings
from ...shacl.gate import PAPER_GRAPH_PATH
from ...store.history import digest_n_triples, read_graph_lines
from ...store.store import Store
from ..markdown.front_matter import PAPER_NAME_PATTERN
from ..markdown.writer import UnsupportedStatementError
from ..markdown.writer import serialize_markdown_paper as as_markdown
from .check import FormCheckJob, FormCheckResult, convert_form_to_graph, read_form_document
from .messages import INVALID_NAME_MESSAGE, list_unsupported_messages
from .original import OriginalPaper
from .request import FormAction
from .view import FORM_HEADERS, FormPage, respond_with_form_page

DOWNLOAD_FORMATS = {FormAction.MARKDOWN: MARKDOWN, FormAction.TURTLE: TURTLE}
DOWNLOAD_SERIALIZERS: dict[Format, Callable[[Sequence[ox.Triple], Settings], bytes]] = {
    MARKDOWN: lambda triples, _: as_markdown(triples).encode(),
    TURTLE: lambda triples, settings: serialize_triples(triples, TURTLE, settings.base),
}
UNSUPPORTED_PAPER_MESSAGE = gettext_noop(
    "Markdown cannot hold the paper as it is. Mend what is said below, or download Turtle, which holds all "
    "of it."
)
UNSUPPORTED_STATEMENT_MESSAGE = gettext_noop(
    "Markdown cannot hold the paper, and the form has no field in which to mend it. Download Turtle, which "
    "holds all of it."
)


def download_paper(
    context: RequestContext, tokens: TokenStore, page: FormPage, done: FormCheckResult, format_: Format
) -> Response:
    """The paper as a file, complete or not; or the form with the reason why it cannot be one."""
    if unnamed := [one for one in page.messages if one.field == "name" and one.blocks]:
        refusal = Problem(422, INVALID_NAME_MESSAGE)
        unchanged = replace(page, messages=unnamed, refusal=refusal, is_field_refused=True)
        return respond_with_form_page(context, tokens, unchanged)
    settings = context.settings
    triples = read_form_document(done.triples, settings).triples
    try:
        body = DOWNLOAD_SERIALIZERS[format_](triples, settings)
    except UnsupportedStatementError as error:
        todo = FormCheckJob(page.form_state, page.source.encode(), page.profile, current_language(), settings)
        at_fields = list_unsupported_messages(convert_form_to_graph(todo), error.statements)
        refusal = Problem(422, UNSUPPORTED_PAPER_MESSAGE if at_fields else UNSUPPORTED_STATEMENT_MESSAGE)
        return respond_with_form_page(context, tokens, replace(page, messages=at_fields, refusal=refusal))
    name = f"{OriginalPaper(triples).name}.{format_.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **FORM_HEADERS}
    return respond_with_body(context.request, body, format_, headers=headers)


FOREIGN_FORM_MESSAGE = gettext_noop(
    "A page of another site sent this form. Never type a token there; have it revoked, and open /write here."
)
PAPERS_CLOSED_MESSAGE = gettext_noop(
    "This service takes no papers. Download yours, and send it to whoever keeps the graph."
)
MISSING_TOKEN_MESSAGE = gettext_noop("Saving needs a token. Type yours; without one, download the paper.")
NAME_TAKEN_MESSAGE = gettext_noop(
    "There is a paper of this name in the graph already. Take another name, or open that paper to edit it."
)
EDIT_CONFLICT_MESSAGE = gettext_noop(
    "Somebody else saved this paper since you opened it, and nothing of yours was written."
)
PAPER_DELETED_MESSAGE = gettext_noop(
    "This paper is not in the graph any more: somebody deleted it since you opened it. Nothing was written."
)


class SaveRequest(NamedTuple):
    """What is to be saved: the name of the paper, its statements as N-Triples, the version it was opened at.

    An empty version is that of a paper which is not in the graph yet.
    """

    name: str
    triples: bytes
    version: str


def paper_graph_iri(name: str, settings: Settings) -> str:
    """The IRI of the graph of a paper."""
    return f"{settings.base}{PAPER_GRAPH_PATH}{name}"


def paper_graph_version(store: Store, graph: str) -> str:
    """The version of a graph: the digest of its statements, empty where there is no such graph."""
    return digest_n_triples(read_graph_lines(store, graph)) if store.has_graph(graph) else ""


def is_paper_name_taken(store: Store, name: str, settings: Settings) -> bool:
    """Whether the graph has a paper of this name."""
    return bool(PAPER_NAME_PATTERN.fullmatch(name)) and store.has_graph(paper_graph_iri(name, settings))


def authorize_paper_save(request: Request, tokens: TokenStore, secret: str) -> AccessToken:
    """The token of this secret, if it opens papers and comes from a page of this service.

    Raises Problem 401, 403; what it says is for the author, who is not the operator.
    """
    if not is_same_origin(request):
        raise Problem(403, FOREIGN_FORM_MESSAGE)

    if not is_paper_writing_open(tokens):
        raise Problem(403, PAPERS_CLOSED_MESSAGE)

    def given() -> str:
        if not secret:
            raise Problem(401, MISSING_TOKEN_MESSAGE)
        return secret

    return authorize_secret(tokens, given, *PAPER_WRITE_SCOPES)


def is_same_origin(request: Request) -> bool:
    """Whether no page of another origin sent the form, as far as the browser says (Fetch Metadata, Origin).

    There are no cookies to abuse: this keeps people from typing tokens into pages of others.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def save_paper(
    request: Request, writes: WritePipeline, token: AccessToken, saving: SaveRequest
) -> None:
    """Save a paper. Raises Problem 412 where the graph was written meanwhile, and as a write does."""
    graph = paper_graph_iri(saving.name, writes.settings)
    part = BodyPart("paper.nt", N_TRIPLES.media_type, saving.triples)
    async with exclusive_write(request, writes):
        passed = await run_paper_gate(writes, graph, [part], b"", PROBLEM_JSON, "en")
        sent = BodyPart("paper.nt", N_TRIPLES.media_type, passed.triples)
        asked = WriteRequest(token, f"PUT /{PAPER_GRAPH_PATH}{saving.name}", [sent], passed.by_digest)
        await run_sync(replace_paper_graph, writes, graph, asked, saving.version)


def replace_paper_graph(writes: WritePipeline, graph: str, asked: WriteRequest, version: str) -> None:
    """Put the statements in place of those of the graph, if it is as it was. Raises Problem 412."""
    store = writes.store
    with store.exclusive_writer():
        there = paper_graph_version(store, graph)
        if there != version:
            raise Problem(
                412,
                NAME_TAKEN_MESSAGE
                if not version
                else EDIT_CONFLICT_MESSAGE
                if there
                else PAPER_DELETED_MESSAGE,
                version=there,
            )
        change = store.compute_replacement(graph, parse_graph_parts([*asked.files], graph))
        commit_with_record(writes, change, asked)

"""Save the paper in a form to its graph, or download it as Markdown or Turtle.

A save has the same checks as every write. If the graph of the paper has another version than when the form
was opened, the response is 412; the version of a graph is the digest of its statements. If the browser
reports another origin for the form (Fetch Metadata), the token is refused. If Markdown cannot hold the paper,
the response to a download is the form, with messages at the fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

import pyoxigraph as ox
from fastapi import Request, Response

from ...graphs.graph_store import parse_graph_parts
from ...graphs.provenance import WriteRequest
from ...graphs.write_pipeline import WritePipeline, commit_with_record, exclusive_write, run_paper_gate
from ...http.auth import PAPER_WRITE_SCOPES, AccessToken, TokenStore, authorize_secret, is_paper_writing_open
from ...http.bodies import BodyPart
from ...http.language import current_language
from ...http.responses import respond_with_body
from ...http.threads import run_in_write_thread
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
from ..markdown.writer import UnsupportedStatementError, serialize_markdown_paper
from .check import FormCheckJob, FormCheckResult, convert_form_to_graph, read_form_document
from .messages import INVALID_NAME_MESSAGE, list_unsupported_messages
from .original import OriginalPaper
from .request import FormAction
from .view import FORM_HEADERS, FormPage, respond_with_form_page

DOWNLOAD_FORMATS = {FormAction.MARKDOWN: MARKDOWN, FormAction.TURTLE: TURTLE}
DOWNLOAD_SERIALIZERS: dict[Format, Callable[[Sequence[ox.Triple], Settings], bytes]] = {
    MARKDOWN: lambda triples, _: serialize_markdown_paper(triples).encode(),
    TURTLE: lambda triples, settings: serialize_triples(triples, TURTLE, settings.base),
}
UNSUPPORTED_PAPER_MESSAGE = gettext_noop(
    "Markdown cannot contain the paper as it is. Fix the problems below, or download Turtle, "
    "which can contain the whole paper."
)
UNSUPPORTED_STATEMENT_MESSAGE = gettext_noop(
    "Markdown cannot contain the paper, and the form has no field to fix this. Download "
    "Turtle, which can contain the whole paper."
)


def download_paper(
    context: RequestContext,
    tokens: TokenStore,
    page: FormPage,
    check_result: FormCheckResult,
    format_: Format,
) -> Response:
    """The response with the paper as a file, complete or not, or with the form and why it was refused."""
    if name_errors := [message for message in page.messages if message.field == "name" and message.blocks]:
        refusal = Problem(422, INVALID_NAME_MESSAGE)
        refused_page = replace(page, messages=name_errors, refusal=refusal, is_field_refused=True)
        return respond_with_form_page(context, tokens, refused_page)
    settings = context.settings
    triples = read_form_document(check_result.triples, settings).triples
    try:
        body = DOWNLOAD_SERIALIZERS[format_](triples, settings)
    except UnsupportedStatementError as error:
        job = FormCheckJob(
            page.form_state, page.original_n_triples.encode(), page.profile, current_language(), settings
        )
        messages = list_unsupported_messages(convert_form_to_graph(job), error.statements)
        refusal = Problem(422, UNSUPPORTED_PAPER_MESSAGE if messages else UNSUPPORTED_STATEMENT_MESSAGE)
        return respond_with_form_page(context, tokens, replace(page, messages=messages, refusal=refusal))
    name = f"{OriginalPaper(triples).name}.{format_.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **FORM_HEADERS}
    return respond_with_body(context.request, body, format_, headers=headers)


FOREIGN_FORM_MESSAGE = gettext_noop(
    "This form was sent from a page of another website. Never enter a token there. If you "
    "did, have the token revoked. To write papers, open /write on this website."
)
PAPERS_CLOSED_MESSAGE = gettext_noop(
    "This service does not accept papers. Download the paper, and send it to the operator."
)
MISSING_TOKEN_MESSAGE = gettext_noop(
    "You need a token to save the paper. Enter your token, or download the paper instead."
)
NAME_TAKEN_MESSAGE = gettext_noop(
    "The graph already has a paper with this name. Choose another name, or open that paper to edit it."
)
EDIT_CONFLICT_MESSAGE = gettext_noop(
    "Somebody else saved this paper after you opened it. Your changes were not saved."
)
PAPER_DELETED_MESSAGE = gettext_noop(
    "This paper is no longer in the graph: somebody deleted it after you opened it. Your "
    "changes were not saved."
)


class SaveRequest(NamedTuple):
    """A paper to save: name, statements in N-Triples, and the version of its graph when it was opened.

    The version is empty for a new paper.
    """

    name: str
    triples: bytes
    version: str


def paper_graph_iri(name: str, settings: Settings) -> str:
    """The IRI of the named graph of a paper."""
    return f"{settings.base}{PAPER_GRAPH_PATH}{name}"


def paper_graph_version(store: Store, graph: str) -> str:
    """The version of a graph: the digest of its statements, or empty if the graph does not exist."""
    return digest_n_triples(read_graph_lines(store, graph)) if store.has_graph(graph) else ""


def is_paper_name_taken(store: Store, name: str, settings: Settings) -> bool:
    """Whether the store has a paper with this name."""
    return bool(PAPER_NAME_PATTERN.fullmatch(name)) and store.has_graph(paper_graph_iri(name, settings))


def authorize_paper_save(request: Request, tokens: TokenStore, secret: str) -> AccessToken:
    """The token with a secret, if it may write papers.

    Raises Problem 403 if the form is from another origin or no papers are accepted, 401 for an invalid token.
    The messages are for authors, who do not operate the service.
    """
    if not is_same_origin(request):
        raise Problem(403, FOREIGN_FORM_MESSAGE)

    if not is_paper_writing_open(tokens):
        raise Problem(403, PAPERS_CLOSED_MESSAGE)

    def get_secret() -> str:
        if not secret:
            raise Problem(401, MISSING_TOKEN_MESSAGE)
        return secret

    return authorize_secret(tokens, get_secret, *PAPER_WRITE_SCOPES)


def is_same_origin(request: Request) -> bool:
    """Whether the form was sent from this origin, by the headers Sec-Fetch-Site or else Origin.

    Without these headers it is True. There are no cookies to protect; the check keeps people from entering
    tokens in pages of other sites.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def save_paper(
    request: Request, writes: WritePipeline, token: AccessToken, save_request: SaveRequest
) -> None:
    """Save a paper. Raises the Problems of a write, and 412 if the graph was written since it was opened."""
    graph = paper_graph_iri(save_request.name, writes.settings)
    part = BodyPart("paper.nt", N_TRIPLES.media_type, save_request.triples)
    async with exclusive_write(request, writes):
        decision = await run_paper_gate(
            writes, graph, [part], existing=b"", format_=PROBLEM_JSON, language="en"
        )
        approved_part = BodyPart("paper.nt", N_TRIPLES.media_type, decision.triples)
        write_request = WriteRequest(
            token, f"PUT /{PAPER_GRAPH_PATH}{save_request.name}", [approved_part], decision.by_digest
        )
        await run_in_write_thread(replace_paper_graph, writes, graph, write_request, save_request.version)


def replace_paper_graph(writes: WritePipeline, graph: str, write_request: WriteRequest, version: str) -> None:
    """Replace the statements of the graph. Raises Problem 412 if it has another version."""
    store = writes.store
    with store.exclusive_writer():
        current_version = paper_graph_version(store, graph)
        if current_version != version:
            raise Problem(
                412,
                NAME_TAKEN_MESSAGE
                if not version
                else EDIT_CONFLICT_MESSAGE
                if current_version
                else PAPER_DELETED_MESSAGE,
                version=current_version,
            )
        change = store.compute_replacement(graph, parse_graph_parts([*write_request.files], graph))
        commit_with_record(writes, change, write_request)

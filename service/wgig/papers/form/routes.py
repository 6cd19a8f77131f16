"""/write: the form for papers, which works without JavaScript.

It can be opened for an issue, for a paper in the store, or with a file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from typing import Annotated
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ...graphs.dependencies import WritesDep
from ...graphs.write_pipeline import WritePipeline
from ...http import bodies
from ...http.auth import TokenStore, is_paper_writing_open, refuse_token_in_form
from ...http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, BodyPart, ContentType, Pairs
from ...http.dependencies import TokensDep
from ...http.language import current_language, is_language_chosen, translate_message, use_language
from ...http.negotiation import choose_response_format
from ...http.operations import Operation
from ...http.parameter_models import BareText, ParameterModel, Text, describe_media_type, describe_parameter
from ...http.responses import cancel_on_disconnect, respond_with_body
from ...http.work_queue import WorkQueue
from ...i18n import gettext_noop
from ...pages import rendering
from ...pages.dependencies import ContextDep, RequestContext
from ...problems import Problem
from ...rdf.formats import HTML, JSON, Format
from ...rdf.labels import best_text
from ...rdf.namespaces import (
    DCTERMS_TITLE,
    ID_NAMESPACE,
    LOCAL_NAME_PATTERN,
    PAPER_NAMESPACE,
    RDF_TYPE,
    WGIG_ISSUE_PAPER,
)
from ...rdf.serialization import serialize_n_triples
from ...settings import Settings
from ...shacl.conformance_graph import read_example_papers
from ...shacl.gate import PAPER_GRAPH_PATH
from ...shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES, validate_profile_name
from ...store.store import Store
from ..markdown import reader
from ..readers import read_paper_document
from ..schemas import FormCheck
from ..skeleton import build_paper_skeleton
from ..uploads import build_uploaded_file
from .check import (
    FormCheckJob,
    FormCheckResult,
    check_form,
    convert_form_to_graph,
    list_extra_statements,
    read_form_document,
)
from .choices import FieldChoice
from .fields import PAPER_PART, FormField, form_version
from .messages import FieldMessage, iter_conflict_messages
from .original import OriginalPaper
from .prefilled import ISSUE_ADDRESS_PREFIX
from .request import (
    MAX_ADDRESS_CHARACTERS,
    FormAction,
    FormRequest,
    add_form_item,
    build_initial_form,
    parse_form_request,
    remove_form_item,
    replace_form_row,
)
from .save import (
    DOWNLOAD_FORMATS,
    NAME_TAKEN_MESSAGE,
    SaveRequest,
    authorize_paper_save,
    download_paper,
    is_paper_name_taken,
    paper_graph_iri,
    paper_graph_version,
    save_paper,
)
from .state import FieldValue, FormRow, FormState
from .statements import FormToGraph
from .view import (
    FORM_HEADERS,
    FormPage,
    list_shared_choices,
    respond_with_form_json,
    respond_with_form_page,
)

MAX_KEPT_SKELETONS = 50  # there are 35 issues
MAX_LISTED_PAPERS = 200  # with more papers, the start page has a text input instead of a list


def build_new_paper_form(issue: str) -> FormPage:
    """The form for a new paper on an issue, with known data on it. Raises Problem 404 if it is unknown."""
    return build_paper_form(list_skeleton_triples(issue))


@lru_cache(MAX_KEPT_SKELETONS)
def list_skeleton_triples(issue: str) -> list[ox.Triple]:
    """The triples of the skeleton of a paper on an issue, which is made from bundled facts only."""
    return reader.parse_paper_triples(build_paper_skeleton(issue))[0]


def build_stored_paper_form(store: Store, name: str, settings: Settings) -> FormPage:
    """The form for a paper in the store, or else for an example paper of the package.

    Raises Problem 404 for an unknown paper, 413 if it is too large, 422 if it is not an issue paper.
    """
    graph = paper_graph_iri(name, settings)
    if not LOCAL_NAME_PATTERN.fullmatch(name) or not store.has_graph(graph):
        if example := read_example_papers().get(name):
            return build_paper_form(quad.triple for quad in ox.parse(example, ox.RdfFormat.N_TRIPLES))
        raise Problem(404, f"No paper in the graph has the name {name!r}. See the list of papers at /papers.")
    version = paper_graph_version(store, graph)
    page = build_paper_form(store.triples(graph))
    if page.form_state.name != name:
        raise Problem(422, f"The graph of {name} is about another paper, {page.form_state.name}.")
    return replace(page, version=version)


def build_uploaded_paper_form(part: BodyPart, settings: Settings) -> FormPage:
    """The form for the paper in an uploaded file.

    Raises Problem 400 with line and column for invalid syntax, 413 if it is too large, 415 for an unknown
    format, 422 unless it has exactly one issue paper.
    """
    # A worker process compares formats with `is`, so it must find the format itself: one that was sent to it
    # is a copy.
    file = build_uploaded_file(part)
    if file.format is None:
        raise Problem(
            415, f"The format of {file.name!r} is unknown. Give it an extension such as .md or .ttl."
        )
    return build_paper_form(
        read_paper_document(file.name, file.data, file.format, settings.paper_triples).triples
    )


def build_paper_form(triples: Iterable[ox.Triple]) -> FormPage:
    """The form for the paper that these statements describe. Raises the Problems of `OriginalPaper`."""
    original = OriginalPaper(sorted(set(triples), key=str))
    n_triples = serialize_n_triples(original.triples)
    extra_statements = list_extra_statements(FormToGraph(original, original.form_state))
    return FormPage(build_initial_form(original), n_triples.decode(), extra_statements=extra_statements)


def list_paper_choices(store: Store) -> Sequence[FieldChoice]:
    """The issue papers in the store as choices; empty if there are more than MAX_LISTED_PAPERS."""
    quads = [*islice(store.match(None, RDF_TYPE, WGIG_ISSUE_PAPER), MAX_LISTED_PAPERS + 1)]
    if len(quads) > MAX_LISTED_PAPERS:
        return []
    graphs_by_name = {
        quad.subject.value.removeprefix(PAPER_NAMESPACE): quad.graph_name.value
        for quad in quads
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.graph_name, ox.NamedNode)
        if PAPER_GRAPH_PATH in quad.graph_name.value
    }
    titles = {name: stored_paper_title(store, graph, name) for name, graph in graphs_by_name.items()}
    return sorted(
        (FieldChoice(name, f"{title} ({name})") for name, title in titles.items()),
        key=lambda choice: choice.label,
    )


def stored_paper_title(store: Store, graph: str, name: str) -> str:
    """The title of the paper in a graph, or its name without a title."""
    triples = store.triples(graph, ox.NamedNode(PAPER_NAMESPACE + name), DCTERMS_TITLE)
    return best_text((triple.object for triple in triples), default=name).value


FORM_RESPONSE_FORMATS = (HTML, JSON)
MAX_FORM_BYTES = 4 * 1024 * 1024  # of a request body
NOT_SAVED_MESSAGE = gettext_noop(
    "Nothing was saved. Fix the problems below; a paper that is not complete can be saved as a draft."
)
LEAKED_TOKEN_MESSAGE = gettext_noop(
    "This field contained a token, which was removed. Others may have seen it: have it "
    "revoked. Only enter a token in the field for it."
)


class FormLanguageParameters(ParameterModel):
    """Query parameters of GET /write/choices."""

    lang: Text = describe_parameter(
        "The language of the labels and messages: ar, en, es, fr, ru or zh.",
        json_schema_extra={"enum": [*MESSAGE_LANGUAGES], "examples": ["fr"]},
    )


class PaperFormParameters(FormLanguageParameters):
    """Query parameters of GET /write."""

    issue: Text = describe_parameter("The issue of a new paper, such as `spam`.", examples=["spam"])
    paper: Text = describe_parameter("The name or IRI of the paper to edit.", examples=["wp-spam"])
    saved: BareText = describe_parameter(
        "Sent without a value: the page reports that the paper was saved.", examples=[""]
    )


class FormActionParameters(ParameterModel):
    """Query parameters of POST /write."""

    media_type: Text = describe_media_type(FORM_RESPONSE_FORMATS)


async def choose_form_format(request: Request) -> Format:
    """The format of the response. Raises Problem 406 for other formats, before parameters are checked."""
    media_types = bodies.parameter_values(bodies.get_query_parameters(request), "_mediatype")
    return choose_response_format(request, FORM_RESPONSE_FORMATS, next(iter(media_types), None))


PAPER_FORM_OPERATION = Operation(formats=(HTML,))
FORM_CHOICES_OPERATION = Operation(formats=(HTML,))
FORM_ACTION_OPERATION = Operation(
    formats=FORM_RESPONSE_FORMATS,
    json=FormCheck,
    bodies=(FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE),
    early_dependencies=(choose_form_format,),
    parameters=FormActionParameters,
)


def get_paper_form(
    context: ContextDep, tokens: TokensDep, parameters: Annotated[PaperFormParameters, Query()]
) -> Response:
    """The form for a new paper or a paper in the store. Without parameters, the page to choose one."""
    choose_response_format(context.request, (HTML,))
    with use_language(get_form_language(parameters.lang or "")):
        return open_requested_form(context, tokens, parameters)


def open_requested_form(
    context: RequestContext, tokens: TokenStore, parameters: PaperFormParameters
) -> Response:
    """The response to GET /write: the form for a paper or issue, else the start page.

    Raises Problem 404 for an unknown paper or issue, 413 and 422 for a paper that the form cannot show.
    """
    if name := (parameters.paper or "").removeprefix(PAPER_NAMESPACE):
        page = build_stored_paper_form(context.store, name, context.settings)
        page = replace(page, saved=parameters.saved is not None, address=f"paper={name}")
        return respond_with_form_page(context, tokens, page)
    if issue := (parameters.issue or "").removeprefix(f"{ID_NAMESPACE}issue/"):
        page = replace(build_new_paper_form(issue), address=f"{ISSUE_ADDRESS_PREFIX}{issue}")
        return respond_with_form_page(context, tokens, page)
    return respond_with_start_page(context, tokens)


def get_form_choices(context: ContextDep, parameters: Annotated[FormLanguageParameters, Query()]) -> Response:
    """The page with the values that fields of the form suggest."""
    choose_response_format(context.request, (HTML,))
    with use_language(get_form_language(parameters.lang or "")):
        lists = list_shared_choices(current_language())
        page = rendering.render_template("choices.html", base=context.base, lists=lists)
        return respond_with_body(context.request, page, HTML)


async def post_paper_form(
    context: ContextDep,
    writes: WritesDep,
    tokens: TokensDep,
    format_: Annotated[Format, Depends(choose_form_format)],
) -> Response:
    """Check, download or save the paper in the form, change the form, or open a file in it."""
    request = context.request
    content_type = bodies.require_content_type(request, (FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE))
    pairs, files = parse_form_body(content_type, await bodies.read_request_body(request, MAX_FORM_BYTES))
    refuse_token_in_form(pairs)
    if files:
        return await open_form_file(context, writes.checks, tokens, files[0])
    form = parse_form_request(pairs)
    with use_language(
        current_language() if is_language_chosen() else get_form_language(form.other_fields.get("lang", ""))
    ):
        return await run_form_action(context, writes, tokens, form, format_)


async def run_form_action(
    context: RequestContext, writes: WritePipeline, tokens: TokenStore, form: FormRequest, format_: Format
) -> Response:
    """The response to a pressed button. Raises the Problems of the functions for the action."""
    page = build_submitted_page(form)
    match form.action:
        case FormAction.ADD | FormAction.REMOVE | FormAction.SHOW | FormAction.RESTORE:
            page = await edit_submitted_form(context.settings, writes.checks, page, form)
        case FormAction.MARKDOWN | FormAction.TURTLE:
            page, check_result = await check_submitted_form(context, writes.checks, page)
            file_format = DOWNLOAD_FORMATS[form.action]
            return await run_in_threadpool(download_paper, context, tokens, page, check_result, file_format)
        case FormAction.DRAFT | FormAction.COMPLETE | FormAction.SAVE:
            page, _ = await check_submitted_form(context, writes.checks, page)
            page = await save_submitted_form(context.request, writes, tokens, page, form)
            if page.saved:
                url = f"/write?{urlencode({'paper': page.form_state.name, 'saved': ''})}"
                return Response(status_code=303, headers={"Location": url, **FORM_HEADERS})
        case FormAction.CHECK:
            page, _ = await check_submitted_form(context, writes.checks, page)
    respond = (
        partial(respond_with_form_json, context)
        if format_ is JSON
        else partial(respond_with_form_page, context, tokens)
    )
    return await run_in_threadpool(respond, page)


def build_check_job(settings: Settings, page: FormPage) -> FormCheckJob:
    """The job that checks the form of a page, with messages in the language of the request."""
    return FormCheckJob(
        page.form_state, page.original_n_triples.encode(), page.profile, current_language(), settings
    )


async def edit_submitted_form(
    settings: Settings, checks: WorkQueue, page: FormPage, form: FormRequest
) -> FormPage:
    """The page after a row or value was added or removed, without a check.

    If the form would be too large, the page is unchanged and has the Problem 413 as its refusal. Raises
    the other Problems of `check_form` and `edit_form_items`.
    """
    job = build_check_job(settings, page)
    try:
        form_state, focus, extra_statements = await checks.run(edit_form_items, job, form.action, form.item)
    except Problem as problem:
        if problem.status != 413:
            raise
        return replace(page, refusal=problem)  # keeps the values that the user entered
    return replace(page, form_state=form_state, focus=focus, extra_statements=extra_statements)


async def check_submitted_form(
    context: RequestContext, checks: WorkQueue, page: FormPage
) -> tuple[FormPage, FormCheckResult]:
    """The page with the messages of a check, and its result. Raises the Problems of `check_form`."""
    async with cancel_on_disconnect(context.request.receive):
        check_result = await checks.run(check_form, build_check_job(context.settings, page))
    name_warnings = await run_in_threadpool(list_name_warnings, context, page)
    messages = [*page.messages, *name_warnings, *check_result.messages]
    return replace(
        page, check_result=check_result, messages=messages, extra_statements=check_result.extra_statements
    ), check_result


def list_name_warnings(context: RequestContext, page: FormPage) -> list[FieldMessage]:
    """A warning at the name of a new paper, if the store already has a paper with this name."""
    if page.version or not is_paper_name_taken(context.store, page.form_state.name, context.settings):
        return []
    return [FieldMessage("name", "Warning", *translate_message(NAME_TAKEN_MESSAGE), blocks=False)]


def parse_form_body(content_type: ContentType, body: bytes) -> tuple[Pairs, list[BodyPart]]:
    """The fields and the files of a form. Raises Problem 400 if the body is malformed."""
    if content_type.media_type == FORM_MEDIA_TYPE:
        return bodies.parse_form(body), []
    parts = bodies.parse_multipart(body, content_type.parameters.get("boundary", ""))
    file_parts = [part for part in parts if part.field_name == "file"]
    pairs = [
        (part.field_name, bodies.decode_utf8_text(part.body, f"field {part.field_name}"))
        for part in parts
        if part not in file_parts
    ]
    return pairs, file_parts


def get_form_language(tag: str) -> str:
    """The tag, or that of the page if it is empty. Raises Problem 400 if the form is not in this language."""
    if tag and tag not in MESSAGE_LANGUAGES:
        raise Problem(
            400, f"The form is not available in {tag!r}. Use one of: {', '.join(MESSAGE_LANGUAGES)}."
        )
    return tag or current_language()


def build_submitted_page(form: FormRequest) -> FormPage:
    """The page for a submitted form, with messages at fields that had a token.

    DRAFT and COMPLETE set the status of the paper. A paper is saved only if it conforms to the profile that
    has the name of its status, or to `draft`. Raises Problem 400 for an unknown profile.
    """
    form_state = form.form_state
    profile = validate_profile_name(form.other_fields.get("profile") or "complete")
    match form.action:
        case FormAction.DRAFT | FormAction.COMPLETE:
            profile = form.action.value
            status = {"creativeWorkStatus": [FieldValue(1, profile)]}
            form_state = replace_form_row(
                form_state, PAPER_PART.key, FormRow(1, form_state.paper.values | status)
            )
        case FormAction.SAVE:
            status_text = form_state.paper.first_text("creativeWorkStatus").strip()
            profile = status_text if status_text in CHECK_PROFILES else "draft"
    leak_messages = [
        FieldMessage(field, "Violation", *translate_message(LEAKED_TOKEN_MESSAGE))
        for field in form.leaked_fields
    ]
    return FormPage(
        form_state,
        form.original_n_triples,
        form.version,
        profile,
        messages=leak_messages,
        has_unsaved_input=True,
        is_restored=form.action is FormAction.RESTORE,
        kept_fields=form.kept_fields,
        address=form.address,
    )


def edit_form_items(job: FormCheckJob, action: FormAction, item: str) -> tuple[FormState, str, list[str]]:
    """The form after an action, the name of the item to focus, and the statements without a field.

    Raises Problem 400 if the item cannot be added or removed, 413 if there are too many.
    """
    form_graph = convert_form_to_graph(job)
    form_state, focus = job.form_state, ""
    match action:
        case FormAction.ADD:
            form_state, focus = add_form_item(form_state, item, form_graph.original)
        case FormAction.REMOVE:
            form_state, focus = remove_form_item(form_state, item)
        case FormAction.SHOW:
            focus = item
    return form_state, focus, list_extra_statements(form_graph)


async def open_form_file(
    context: RequestContext, checks: WorkQueue, tokens: TokenStore, file: BodyPart
) -> Response:
    """The response with the form for the paper in a file, or with the problem that the file has."""
    try:
        if not file.file_name or not file.body:
            raise Problem(400, "No file was chosen, or the file is empty. Choose a file.")
        page = await checks.run(build_uploaded_paper_form, file, context.settings)
        page = replace(page, address=f"file={file.file_name}"[:MAX_ADDRESS_CHARACTERS])
    except Problem as problem:
        return await run_in_threadpool(respond_with_start_page, context, tokens, problem)
    return await run_in_threadpool(respond_with_form_page, context, tokens, page)


def respond_with_start_page(
    context: RequestContext, tokens: TokenStore, problem: Problem | None = None
) -> Response:
    """The response with the page on which an issue, paper or file is chosen."""
    settings = context.settings
    body = rendering.render_template(
        "begin.html",
        base=settings.base,
        issues=FormField("", "wgig:issue").choices(current_language()),
        papers=list_paper_choices(context.store),
        problem=problem,
        takes_papers=is_paper_writing_open(tokens),
        form_version=form_version(),
    )
    post_headers = FORM_HEADERS if context.request.method == "POST" else {}
    return respond_with_body(
        context.request, body, HTML, status=problem.status if problem else 200, headers=post_headers
    )


async def save_submitted_form(
    request: Request, writes: WritePipeline, tokens: TokenStore, page: FormPage, form: FormRequest
) -> FormPage:
    """The page after saving a checked paper, or with the reason why it was not saved."""
    try:
        token = authorize_paper_save(request, tokens, form.other_fields.get("token", ""))
        check_result = page.check_result
        if form.leaked_fields or not check_result or not check_result.conforms:
            raise Problem(422, NOT_SAVED_MESSAGE)
        save_request = SaveRequest(page.form_state.name, check_result.triples, page.version)
        await save_paper(request, writes, token, save_request)
    except Problem as problem:
        return await run_in_threadpool(refuse_save, writes, tokens, page, problem)
    return replace(page, saved=True)


def refuse_save(writes: WritePipeline, tokens: TokenStore, page: FormPage, problem: Problem) -> FormPage:
    """The page with the reason why nothing was saved, if possible at a field."""
    page = replace(page, refusal=problem)
    match problem.status:
        case 401 | 403 if is_paper_writing_open(tokens):
            return add_field_problem(page, "token", problem)
        case 412 if not page.version:
            return add_field_problem(page, "name", problem)
        case 412:
            return add_conflict_messages(writes, replace(page, version=problem.members["version"]))
    return page


def add_field_problem(page: FormPage, field: str, problem: Problem) -> FormPage:
    """The page with the problem as the only message at a field."""
    other_messages = [message for message in page.messages if message.field != field]
    message = FieldMessage(field, "Violation", *translate_message(problem.detail))
    return replace(page, messages=[*other_messages, message], is_field_refused=True)


def add_conflict_messages(writes: WritePipeline, page: FormPage) -> FormPage:
    """The page with messages on the values that somebody else saved meanwhile.

    The version of the page is that of the saved paper, empty if it was deleted: then there are no messages.
    """
    if not page.version:
        return page
    opened = OriginalPaper(read_form_document(page.original_n_triples.encode(), writes.settings).triples)
    graph = paper_graph_iri(page.form_state.name, writes.settings)
    saved = OriginalPaper(writes.store.triples(graph))
    return replace(page, messages=[*page.messages, *iter_conflict_messages(opened, saved)])

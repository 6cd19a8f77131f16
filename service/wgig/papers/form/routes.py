"""/write: the form for papers, which works with and without JavaScript; a paper can be opened from a file."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
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
from ...http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, ContentType, Pairs
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
from ...shacl.gate import PAPER_GRAPH_PATH
from ...shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES, check_profile_name
from ...store.store import Store
from ..markdown import reader
from ..readers import read_paper_document
from ..schemas import FormCheck
from ..skeleton import build_paper_skeleton
from ..uploads import UploadedFile, build_uploaded_file
from .check import (
    FormCheckJob,
    FormCheckResult,
    check_form,
    convert_form_to_graph,
    list_extra_statements,
    read_form_document,
)
from .choices import FieldChoice
from .fields import FormField
from .messages import FieldMessage, iter_conflict_notes
from .original import OriginalPaper
from .request import (
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
from .view import FORM_HEADERS, FormPage, respond_with_form_json, respond_with_form_page

MAX_LISTED_PAPERS = 200  # papers in a list to choose from


def build_new_paper_form(issue: str) -> FormPage:
    """The form of a new paper on an issue, filled in from the graph. Raises Problem 404."""
    return build_paper_form(reader.parse_paper_triples(build_paper_skeleton(issue))[0])


def build_stored_paper_form(store: Store, name: str, settings: Settings) -> FormPage:
    """The form of a paper in the graph. Raises Problem 404, 422 for another kind, 413 for a huge one."""
    graph = paper_graph_iri(name, settings)
    if not LOCAL_NAME_PATTERN.fullmatch(name) or not store.has_graph(graph):
        raise Problem(404, f"No paper in the graph has the name {name!r}. The papers are at /papers.")
    version = paper_graph_version(store, graph)
    page = build_paper_form(store.triples(graph))
    if page.form_state.name != name:
        raise Problem(422, f"The graph of {name} is about another paper, {page.form_state.name}.")
    return replace(page, version=version)


def build_uploaded_paper_form(file: UploadedFile, settings: Settings) -> FormPage:
    """The form of the paper in a file. Raises Problem 400 with line and column, 413, 415, 422."""
    if file.format is None:
        raise Problem(
            415, f"The format of {file.name!r} is unknown. Give it an extension such as .md or .ttl."
        )
    return build_paper_form(
        read_paper_document(file.name, file.data, file.format, settings.paper_triples).triples
    )


def build_paper_form(triples: Iterable[ox.Triple]) -> FormPage:
    """The form of the paper that these statements describe. Raises Problem 422 and 413."""
    original = OriginalPaper(sorted(set(triples), key=str))
    lines = serialize_n_triples(original.triples)
    extra_statements = list_extra_statements(FormToGraph(original, original.form_state))
    return FormPage(build_initial_form(original), lines.decode(), extra_statements=extra_statements)


def list_paper_choices(store: Store) -> Sequence[FieldChoice]:
    """The issue papers in the graph as choices; empty where they are too many for a list."""
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
    """The title of the paper in a graph, or its name."""
    triples = store.triples(graph, ox.NamedNode(PAPER_NAMESPACE + name), DCTERMS_TITLE)
    return best_text((triple.object for triple in triples), default=name).value


FORM_ANSWER_FORMATS = (HTML, JSON)
MAX_FORM_BYTES = 4 * 1024 * 1024  # bytes of a form that is sent
NOT_SAVED_MESSAGE = gettext_noop(
    "Nothing was saved. Fix the problems below; a paper that is not complete can be saved as a draft."
)
LEAKED_TOKEN_MESSAGE = gettext_noop(
    "A token was in this field, and was removed. Others may have seen it: have it revoked. Enter a token "
    "only in its own field."
)


class PaperFormParameters(ParameterModel):
    """Query parameters of GET /write."""

    issue: Text = describe_parameter(
        "The issue, such as `spam`, on which a new paper is begun.", examples=["spam"]
    )
    paper: Text = describe_parameter("The name or IRI of a paper of the graph, which is edited.")
    lang: Text = describe_parameter(
        "The language of the labels and messages: ar, en, es, fr, ru or zh.",
        json_schema_extra={"enum": [*MESSAGE_LANGUAGES], "examples": ["fr"]},
    )
    saved: BareText = describe_parameter(
        "Given bare: the page says that the paper was just saved.", examples=[""]
    )


class FormActionParameters(ParameterModel):
    """Query parameters of POST /write."""

    media_type: Text = describe_media_type(FORM_ANSWER_FORMATS)


async def choose_form_format(request: Request) -> Format:
    """The format of the answer. Raises Problem 406, before the other parameters are looked at."""
    asked = bodies.parameter_values(bodies.get_query_parameters(request), "_mediatype")
    return choose_response_format(request, FORM_ANSWER_FORMATS, next(iter(asked), None))


PAPER_FORM_OPERATION = Operation(formats=(HTML,))
FORM_ACTION_OPERATION = Operation(
    formats=FORM_ANSWER_FORMATS,
    json=FormCheck,
    bodies=(FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE),
    first=(choose_form_format,),
    parameters=FormActionParameters,
)


def get_paper_form(
    context: ContextDep, tokens: TokensDep, parameters: Annotated[PaperFormParameters, Query()]
) -> Response:
    """The form in which a paper is written: of a new one, or of one of the graph; else where to begin."""
    choose_response_format(context.request, (HTML,))
    with use_language(get_form_language(parameters.lang or "")):
        return open_requested_form(context, tokens, parameters)


def open_requested_form(
    context: RequestContext, tokens: TokenStore, parameters: PaperFormParameters
) -> Response:
    """The form of the paper or issue that is given, else the page where one is begun. Raises Problem 404."""
    if name := (parameters.paper or "").removeprefix(PAPER_NAMESPACE):
        page = build_stored_paper_form(context.store, name, context.settings)
        return respond_with_form_page(context, tokens, replace(page, saved=parameters.saved is not None))
    if issue := (parameters.issue or "").removeprefix(f"{ID_NAMESPACE}issue/"):
        return respond_with_form_page(context, tokens, build_new_paper_form(issue))
    return respond_with_start_page(context, tokens)


async def post_paper_form(
    context: ContextDep,
    writes: WritesDep,
    tokens: TokensDep,
    format_: Annotated[Format, Depends(choose_form_format)],
) -> Response:
    """Check, download or save what is filled in; change the form or show it again; open a file in it."""
    request = context.request
    given = bodies.check_content_type(request, (FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE))
    pairs, files = parse_form_body(given, await bodies.read_request_body(request, MAX_FORM_BYTES))
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
    """The response to the button that was pressed. Raises Problem 400, 413, 422."""
    page = build_submitted_page(form)
    match form.action:
        case FormAction.ADD | FormAction.REMOVE | FormAction.SHOW:
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
    show = (
        partial(respond_with_form_json, context)
        if format_ is JSON
        else partial(respond_with_form_page, context, tokens)
    )
    return await run_in_threadpool(show, page)


def build_check_job(settings: Settings, page: FormPage) -> FormCheckJob:
    """The check of a page, in the language of the request."""
    return FormCheckJob(page.form_state, page.source.encode(), page.profile, current_language(), settings)


async def edit_submitted_form(
    settings: Settings, checks: WorkQueue, page: FormPage, form: FormRequest
) -> FormPage:
    """The page with a row or value added or removed, unchecked; unchanged where that is too much.

    Raises Problem 400, 422, and 413 for a form that cannot be read.
    """
    job = build_check_job(settings, page)
    try:
        form_state, focus, extra_statements = await checks.run(edit_form_items, job, form.action, form.item)
    except Problem as problem:
        if problem.status != 413:
            raise
        return replace(page, refusal=problem)  # the page still has what was typed
    return replace(page, form_state=form_state, focus=focus, extra_statements=extra_statements)


async def check_submitted_form(
    context: RequestContext, checks: WorkQueue, page: FormPage
) -> tuple[FormPage, FormCheckResult]:
    """The page with the messages of a check, and the result of the check. Raises Problem 400, 413, 422."""
    async with cancel_on_disconnect(context.request.receive):
        check_result = await checks.run(check_form, build_check_job(context.settings, page))
    name_warnings = await run_in_threadpool(list_name_warnings, context, page)
    messages = [*page.messages, *name_warnings, *check_result.messages]
    return replace(
        page, check_result=check_result, messages=messages, extra_statements=check_result.extra_statements
    ), check_result


def list_name_warnings(context: RequestContext, page: FormPage) -> list[FieldMessage]:
    """A warning at the name of a new paper, if the graph already has a paper of this name."""
    if page.version or not is_paper_name_taken(context.store, page.form_state.name, context.settings):
        return []
    return [FieldMessage("name", "Warning", *translate_message(NAME_TAKEN_MESSAGE), blocks=False)]


def parse_form_body(content_type: ContentType, body: bytes) -> tuple[Pairs, list[UploadedFile]]:
    """The fields of a form, and the files in it. Raises Problem 400."""
    if content_type.media_type == FORM_MEDIA_TYPE:
        return bodies.parse_form(body), []
    parts = bodies.parse_multipart(body, content_type.parameters.get("boundary", ""))
    file_parts = [part for part in parts if part.field_name == "file"]
    pairs = [
        (part.field_name, bodies.decode_utf8_text(part.body, f"field {part.field_name}"))
        for part in parts
        if part not in file_parts
    ]
    return pairs, [build_uploaded_file(part) for part in file_parts]


def get_form_language(tag: str) -> str:
    """The language of the form: the requested one, or that of the page. Raises Problem 400 for another."""
    if tag and tag not in MESSAGE_LANGUAGES:
        raise Problem(
            400, f"The form is not available in {tag!r}. Use one of: {', '.join(MESSAGE_LANGUAGES)}."
        )
    return tag or current_language()


def build_submitted_page(form: FormRequest) -> FormPage:
    """The page of a submitted form, with messages where a token was. Raises Problem 400 for a profile."""
    form_state, profile = form.form_state, check_profile_name(form.other_fields.get("profile") or "complete")
    match form.action:
        case FormAction.DRAFT | FormAction.COMPLETE:
            profile = form.action.value
            status = {"creativeWorkStatus": [FieldValue(1, profile)]}
            form_state = replace_form_row(form_state, "", FormRow(1, form_state.paper.values | status))
        case FormAction.SAVE:
            status_text = form_state.paper.words("creativeWorkStatus").strip()
            profile = status_text if status_text in CHECK_PROFILES else "draft"
    leak_messages = [
        FieldMessage(field, "Violation", *translate_message(LEAKED_TOKEN_MESSAGE))
        for field in form.leaked_fields
    ]
    return FormPage(
        form_state, form.source, form.version, profile, messages=leak_messages, has_unsaved_input=True
    )


def edit_form_items(job: FormCheckJob, action: FormAction, item: str) -> tuple[FormState, str, list[str]]:
    """The form after an action on an item, the name of what to show, and the statements without a field.

    Raises Problem 400, 413.
    """
    form_graph = convert_form_to_graph(job)
    form_state, focus = job.form_state, ""
    match action:
        case FormAction.ADD:
            form_state, focus = add_form_item(form_state, item, form_graph.original)
        case FormAction.REMOVE:
            form_state, focus = remove_form_item(form_state, item)
    return form_state, focus, list_extra_statements(form_graph)


async def open_form_file(
    context: RequestContext, checks: WorkQueue, tokens: TokenStore, file: UploadedFile
) -> Response:
    """The form with the paper in a file, or the reason why it cannot be read."""
    try:
        if not file.name or not file.data:
            raise Problem(400, "No file was chosen, or it is empty. Choose one.")
        page = await checks.run(build_uploaded_paper_form, file, context.settings)
    except Problem as problem:
        return await run_in_threadpool(respond_with_start_page, context, tokens, problem)
    return await run_in_threadpool(respond_with_form_page, context, tokens, page)


def respond_with_start_page(
    context: RequestContext, tokens: TokenStore, problem: Problem | None = None
) -> Response:
    """The page to begin a paper."""
    settings = context.settings
    body = rendering.render_template(
        "begin.html",
        base=settings.base,
        issues=FormField("", "wgig:issue").choices(current_language()),
        papers=list_paper_choices(context.store),
        problem=problem,
        takes_papers=is_paper_writing_open(tokens),
    )
    post_headers = FORM_HEADERS if context.request.method == "POST" else {}
    return respond_with_body(
        context.request, body, HTML, status=problem.status if problem else 200, headers=post_headers
    )


async def save_submitted_form(
    request: Request, writes: WritePipeline, tokens: TokenStore, page: FormPage, form: FormRequest
) -> FormPage:
    """The page of a checked paper after saving, or with the reason at a field why it was not saved."""
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
    """The page with the reason why nothing was saved, at the field that it is about."""
    page = replace(page, refusal=problem)
    match problem.status:
        case 401 | 403 if is_paper_writing_open(tokens):
            return add_field_problem(page, "token", problem)
        case 412 if not page.version:
            return add_field_problem(page, "name", problem)
        case 412:
            return add_conflict_notes(writes, replace(page, version=problem.members["version"]))
    return page


def add_field_problem(page: FormPage, field: str, problem: Problem) -> FormPage:
    """The page with a problem as the message at a field."""
    other_messages = [message for message in page.messages if message.field != field]
    message = FieldMessage(field, "Violation", *translate_message(problem.detail))
    return replace(page, messages=[*other_messages, message], is_field_refused=True)


def add_conflict_notes(writes: WritePipeline, page: FormPage) -> FormPage:
    """The page with notes on what somebody else saved meanwhile, unless the paper was deleted."""
    if not page.version:
        return page
    opened = OriginalPaper(read_form_document(page.source.encode(), writes.settings).triples)
    graph = paper_graph_iri(page.form_state.name, writes.settings)
    saved = OriginalPaper(writes.store.triples(graph))
    return replace(page, messages=[*page.messages, *iter_conflict_notes(opened, saved)])

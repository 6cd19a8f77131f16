"""/write: the form in which people write a paper, without JavaScript or with it; also opened from a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ...graphs.dependencies import WritesDep
from ...graphs.write_pipeline import WritePipeline
from ...http import bodies
from ...http.auth import TokenStore, is_paper_writing_open, refuse_token_in_form
from ...http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, ContentType, Pairs
from ...http.dependencies import TokensDep
from ...http.language import current_language, is_language_chosen, translate_message, use_language
from ...http.negotiation import choose_response_format
from ...http.parameters import check_query_parameters
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
from ...settings import Settings
from ...shacl.gate import PAPER_GRAPH_PATH
from ...shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES, check_profile_name
from ...store.store import Store
from ..markdown import reader
from ..readers import read_paper_document
from ..skeleton import build_paper_skeleton
from ..uploads import UploadedFile, build_uploaded_file
from .check import (
    FormCheckJob,
    FormCheckResult,
    check_form,
    convert_form_to_graph,
    list_extra_statements,
    read_form_document,
    serialize_paper_triples,
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
    """The form of a new paper on an issue, with what is known of that. Raises Problem 404."""
    return build_paper_form(reader.parse_paper_triples(build_paper_skeleton(issue))[0])


def build_stored_paper_form(store: Store, name: str, settings: Settings) -> FormPage:
    """The form of a paper of the graph. Raises Problem 404, 422 for another kind, 413 for a huge one."""
    graph = paper_graph_iri(name, settings)
    if not LOCAL_NAME_PATTERN.fullmatch(name) or not store.has_graph(graph):
        raise Problem(404, f"No paper in the graph has the name {name!r}. The papers are at /papers.")
    version = paper_graph_version(store, graph)
    found = build_paper_form(store.triples(graph))
    if found.form_state.name != name:
        raise Problem(422, f"The graph of {name} is about another paper, {found.form_state.name}.")
    return replace(found, version=version)


def build_uploaded_paper_form(file: UploadedFile, settings: Settings) -> FormPage:
    """The form of the paper in a file. Raises Problem 400 with line and column, 413, 415, 422."""
    if file.format is None:
        raise Problem(
            415, f"Nothing tells the format of {file.name!r}. Name it with an ending such as .md or .ttl."
        )
    return build_paper_form(
        read_paper_document(file.name, file.data, file.format, settings.paper_triples).triples
    )


def build_paper_form(triples: Iterable[ox.Triple]) -> FormPage:
    """The form of the paper that statements describe. Raises Problem 422 and 413."""
    source = OriginalPaper(sorted(set(triples), key=str))
    lines = serialize_paper_triples(source.triples)
    others = list_extra_statements(FormToGraph(source, source.form_state))
    return FormPage(build_initial_form(source), lines.decode(), extra_statements=others)


def list_paper_choices(store: Store) -> Sequence[FieldChoice]:
    """The issue papers of the graph to choose from; none where they are more than a list can hold."""
    found = [*islice(store.match(None, RDF_TYPE, WGIG_ISSUE_PAPER), MAX_LISTED_PAPERS + 1)]
    if len(found) > MAX_LISTED_PAPERS:
        return []
    there = {
        one.subject.value.removeprefix(PAPER_NAMESPACE): one.graph_name.value
        for one in found
        if isinstance(one.subject, ox.NamedNode) and isinstance(one.graph_name, ox.NamedNode)
        if PAPER_GRAPH_PATH in one.graph_name.value
    }
    titles = {name: stored_paper_title(store, graph, name) for name, graph in there.items()}
    return sorted(
        (FieldChoice(name, f"{said} ({name})") for name, said in titles.items()), key=lambda one: one.label
    )


def stored_paper_title(store: Store, graph: str, name: str) -> str:
    """The title of the paper of a graph, or its name."""
    found = store.triples(graph, ox.NamedNode(PAPER_NAMESPACE + name), DCTERMS_TITLE)
    return best_text((one.object for one in found), otherwise=name).value


MAX_FORM_BYTES = 4 * 1024 * 1024  # bytes of a form that is sent
NOT_SAVED_MESSAGE = gettext_noop(
    "Nothing was saved. Mend what is said below; what is not complete can be saved as a draft."
)
LEAKED_TOKEN_MESSAGE = gettext_noop(
    "A token stood here, and is taken out. Others may have seen it: have it revoked. A token belongs in the "
    "field for it alone."
)


def get_paper_form(context: ContextDep, tokens: TokensDep) -> Response:
    """The form in which a paper is written: of a new one, or of one of the graph; else where to begin."""
    given = dict(check_query_parameters(context.request, ("issue", "paper", "lang", "saved")))
    choose_response_format(context.request, (HTML,))
    with use_language(get_form_language(given.get("lang", ""))):
        return open_requested_form(context, tokens, given)


def open_requested_form(context: RequestContext, tokens: TokenStore, given: Mapping[str, str]) -> Response:
    """The form of the paper or issue that is given, else the page where one is begun. Raises Problem 404."""
    if name := given.get("paper", "").removeprefix(PAPER_NAMESPACE):
        page = build_stored_paper_form(context.store, name, context.settings)
        return respond_with_form_page(context, tokens, replace(page, saved="saved" in given))
    if issue := given.get("issue", "").removeprefix(f"{ID_NAMESPACE}issue/"):
        return respond_with_form_page(context, tokens, build_new_paper_form(issue))
    return respond_with_start_page(context, tokens)


async def post_paper_form(context: ContextDep, writes: WritesDep, tokens: TokensDep) -> Response:
    """Check, download or save what is filled in; change the form or show it again; open a file in it."""
    request = context.request
    format_ = choose_response_format(request, (HTML, JSON))
    check_query_parameters(request, ("_mediatype",))
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
    """What the button that was pressed does. Raises Problem 400, 413, 422."""
    page = build_submitted_page(form)
    match form.action:
        case FormAction.ADD | FormAction.REMOVE | FormAction.SHOW:
            page = await edit_submitted_form(context.settings, writes.checks, page, form)
        case FormAction.MARKDOWN | FormAction.TURTLE:
            page, done = await check_submitted_form(context, writes.checks, page)
            file_format = DOWNLOAD_FORMATS[form.action]
            return await run_in_threadpool(download_paper, context, tokens, page, done, file_format)
        case FormAction.DRAFT | FormAction.COMPLETE | FormAction.SAVE:
            page, _ = await check_submitted_form(context, writes.checks, page)
            page = await save_submitted_form(context.request, writes, tokens, page, form)
            if page.saved:
                way = f"/write?{urlencode({'paper': page.form_state.name, 'saved': ''})}"
                return Response(status_code=303, headers={"Location": way, **FORM_HEADERS})
        case FormAction.CHECK:
            page, _ = await check_submitted_form(context, writes.checks, page)
    show = (
        partial(respond_with_form_json, context)
        if format_ is JSON
        else partial(respond_with_form_page, context, tokens)
    )
    return await run_in_threadpool(show, page)


def build_check_job(settings: Settings, page: FormPage) -> FormCheckJob:
    """What is to be checked of a page, in the language of now."""
    return FormCheckJob(page.form_state, page.source.encode(), page.profile, current_language(), settings)


async def edit_submitted_form(
    settings: Settings, checks: WorkQueue, page: FormPage, form: FormRequest
) -> FormPage:
    """The page with what is added or without what is removed, unchecked; as it was where that is too much.

    Raises Problem 400, 422, and 413 for a form that cannot be read.
    """
    todo = build_check_job(settings, page)
    try:
        filled, focus, others = await checks.run(edit_form_items, todo, form.action, form.item)
    except Problem as problem:
        if problem.status != 413:
            raise
        return replace(page, refusal=problem)  # what was typed comes back
    return replace(page, form_state=filled, focus=focus, extra_statements=others)


async def check_submitted_form(
    context: RequestContext, checks: WorkQueue, page: FormPage
) -> tuple[FormPage, FormCheckResult]:
    """The page that says what a check found, and the result of the check. Raises Problem 400, 413, 422."""
    async with cancel_on_disconnect(context.request.receive):
        done = await checks.run(check_form, build_check_job(context.settings, page))
    taken = await run_in_threadpool(list_name_warnings, context, page)
    messages = [*page.messages, *taken, *done.messages]
    return replace(page, check_result=done, messages=messages, extra_statements=done.extra_statements), done


def list_name_warnings(context: RequestContext, page: FormPage) -> list[FieldMessage]:
    """A warning at the name of a new paper, where the graph has a paper of this name."""
    if page.version or not is_paper_name_taken(context.store, page.form_state.name, context.settings):
        return []
    return [FieldMessage("name", "Warning", *translate_message(NAME_TAKEN_MESSAGE), blocks=False)]


def parse_form_body(given: ContentType, body: bytes) -> tuple[Pairs, list[UploadedFile]]:
    """The fields of a form, and the file in it if it has one. Raises Problem 400."""
    if given.media_type == FORM_MEDIA_TYPE:
        return bodies.parse_form(body), []
    parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
    files = [one for one in parts if one.field == "file"]
    pairs = [
        (one.field, bodies.decode_utf8_text(one.body, f"field {one.field}"))
        for one in parts
        if one not in files
    ]
    return pairs, [build_uploaded_file(one) for one in files]


def get_form_language(tag: str) -> str:
    """The language of the form: that of the page, if none is asked for. Raises Problem 400 for another."""
    if tag and tag not in MESSAGE_LANGUAGES:
        raise Problem(400, f"The form is not there in {tag!r}. Take one of: {', '.join(MESSAGE_LANGUAGES)}.")
    return tag or current_language()


def build_submitted_page(form: FormRequest) -> FormPage:
    """The page of a form that was sent, which says where a token was. Raises Problem 400 for a profile."""
    filled, profile = form.form_state, check_profile_name(form.other_fields.get("profile") or "complete")
    match form.action:
        case FormAction.DRAFT | FormAction.COMPLETE:
            profile = form.action.value
            status = {"creativeWorkStatus": [FieldValue(1, profile)]}
            filled = replace_form_row(filled, "", FormRow(1, filled.paper.values | status))
        case FormAction.SAVE:
            status_now = filled.paper.words("creativeWorkStatus").strip()
            profile = status_now if status_now in CHECK_PROFILES else "draft"
    leaks = [
        FieldMessage(one, "Violation", *translate_message(LEAKED_TOKEN_MESSAGE)) for one in form.leaked_fields
    ]
    return FormPage(filled, form.source, form.version, profile, messages=leaks, unsaved=True)


def edit_form_items(todo: FormCheckJob, action: FormAction, item: str) -> tuple[FormState, str, list[str]]:
    """The form after an action on an item, the name of what to show of it, and what no field shows.

    Raises Problem 400, 413.
    """
    stating = convert_form_to_graph(todo)
    filled, focus = todo.form_state, ""
    match action:
        case FormAction.ADD:
            filled, focus = add_form_item(filled, item, stating.original)
        case FormAction.REMOVE:
            filled, focus = remove_form_item(filled, item)
    return filled, focus, list_extra_statements(stating)


async def open_form_file(
    context: RequestContext, checks: WorkQueue, tokens: TokenStore, file: UploadedFile
) -> Response:
    """The form with the paper of a file, or why that cannot be read."""
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
    """The page where a paper is begun."""
    settings = context.settings
    body = rendering.render_template(
        "begin.html",
        base=settings.base,
        issues=FormField("", "wgig:issue").choices(current_language()),
        papers=list_paper_choices(context.store),
        problem=problem,
        takes_papers=is_paper_writing_open(tokens),
    )
    sent_now = FORM_HEADERS if context.request.method == "POST" else {}
    return respond_with_body(
        context.request, body, HTML, status=problem.status if problem else 200, headers=sent_now
    )


async def save_submitted_form(
    request: Request, writes: WritePipeline, tokens: TokenStore, page: FormPage, form: FormRequest
) -> FormPage:
    """The page of a paper that was checked and is saved; or that says at the field why it is not."""
    try:
        token = authorize_paper_save(request, tokens, form.other_fields.get("token", ""))
        done = page.check_result
        if form.leaked_fields or not done or not done.conforms:
            raise Problem(422, NOT_SAVED_MESSAGE)
        saving = SaveRequest(page.form_state.name, done.triples, page.version)
        await save_paper(request, writes, token, saving)
    except Problem as problem:
        return await run_in_threadpool(refuse_save, writes, tokens, page, problem)
    return replace(page, saved=True)


def refuse_save(writes: WritePipeline, tokens: TokenStore, page: FormPage, problem: Problem) -> FormPage:
    """The page that says why nothing was saved, at the field that it is about."""
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
    """The page that says at a field why nothing was saved."""
    others = [one for one in page.messages if one.field != field]
    message = FieldMessage(field, "Violation", *translate_message(problem.detail))
    return replace(page, messages=[*others, message], is_field_refused=True)


def add_conflict_notes(writes: WritePipeline, page: FormPage) -> FormPage:
    """The page with what somebody else saved meanwhile, unless the paper is no longer there."""
    if not page.version:
        return page
    before = OriginalPaper(read_form_document(page.source.encode(), writes.settings).triples)
    graph = paper_graph_iri(page.form_state.name, writes.settings)
    now = OriginalPaper(writes.store.triples(graph))
    return replace(page, messages=[*page.messages, *iter_conflict_notes(before, now)])

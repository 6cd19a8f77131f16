"""/write: the form in which people write a paper, without JavaScript or with it; also opened from a file."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ...http import bodies
from ...http.auth import refuse_in_form, takes_papers
from ...http.bodies import FORM, MULTIPART, ContentType, Pairs
from ...http.language import is_chosen, language, speaking_in, translated
from ...http.parameters import only
from ...http.responses import answer, pick, while_there
from ...http.work_queue import Turns
from ...i18n import marked
from ...pages import rendering
from ...problems import Problem
from ...rdf.formats import HTML, JSON, Format
from ...rdf.namespaces import LOCAL
from ...rdf.shipped import TITLE
from ...settings import Settings
from ...shacl.conformance_graph import PAPER, TYPE
from ...shacl.gate import HOME
from ...shacl.rules import LANGUAGES, PROFILES
from ...store.store import Store
from ..markdown import reader
from ..markdown.values import ID
from ..readers import read
from ..skeleton import skeleton
from ..uploads import File, uploaded
from .check import Done, Todo, open_document, rest, stated, work, written
from .choices import Choice
from .fields import Field
from .messages import Message, differing
from .original import PAPERS, Source
from .request import Sent, added, begin_request, removed, replaced, sent
from .save import DOWNLOADS, TAKEN, Saving, allowed, downloaded, graph_of, is_taken, save, version_of
from .state import Filled, Row, Value
from .statements import Stating
from .view import UNKEPT, Page, shown, told

MOST = 200  # papers in a list to choose from


def of_issue(issue: str) -> Page:
    """The form of a new paper on an issue, with what is known of that. Raises Problem 404."""
    return of_triples(reader.read(skeleton(issue))[0])


def of_graph(store: Store, name: str, settings: Settings) -> Page:
    """The form of a paper of the graph. Raises Problem 404, 422 for another kind, 413 for a huge one."""
    graph = graph_of(name, settings)
    if not LOCAL.fullmatch(name) or not store.has(graph):
        raise Problem(404, f"No paper in the graph has the name {name!r}. The papers are at /papers.")
    version = version_of(store, graph)
    found = of_triples(store.triples(graph))
    if found.filled.name != name:
        raise Problem(422, f"The graph of {name} is about another paper, {found.filled.name}.")
    found.version = version
    return found


def of_file(file: File, settings: Settings) -> Page:
    """The form of the paper in a file. Raises Problem 400 with line and column, 413, 415, 422."""
    if file.format is None:
        raise Problem(
            415, f"Nothing tells the format of {file.name!r}. Name it with an ending such as .md or .ttl."
        )
    return of_triples(read(file.name, file.data, file.format, settings.paper_triples).triples)


def of_triples(triples: Iterable[ox.Triple]) -> Page:
    """The form of the paper that statements describe. Raises Problem 422 and 413."""
    source = Source(sorted(set(triples), key=str))
    lines = written(source.triples)
    others = rest(Stating(source, source.filled))
    return Page(begin_request(source), lines.decode(), rest=others)


def known(store: Store) -> Sequence[Choice]:
    """The issue papers of the graph to choose from; none where they are more than a list can hold."""
    found = [*islice(store.match(None, TYPE, PAPER), MOST + 1)]
    if len(found) > MOST:
        return []
    there = {
        one.subject.value.removeprefix(PAPERS): one.graph_name.value
        for one in found
        if isinstance(one.subject, ox.NamedNode) and isinstance(one.graph_name, ox.NamedNode)
        if HOME in one.graph_name.value
    }
    titles = {name: title(store, graph, name) for name, graph in there.items()}
    return sorted(
        (Choice(name, f"{said} ({name})") for name, said in titles.items()), key=lambda one: one.label
    )


def title(store: Store, graph: str, name: str) -> str:
    """The title of the paper of a graph, or its name."""
    found = store.triples(graph, ox.NamedNode(PAPERS + name), TITLE)
    return next((one.object.value for one in found if isinstance(one.object, ox.Literal)), name)


LARGEST = 4 * 1024 * 1024  # bytes of a form that is sent
SAVES = ("draft", "complete", "save")
UNSAVED = marked("Nothing was saved. Mend what is said below; what is not complete can be saved as a draft.")
LEAKED = marked(
    "A token stood here, and is taken out. Others may have seen it: have it revoked. A token belongs in the "
    "field for it alone."
)


def write_form(request: Request) -> Response:
    """The form in which a paper is written: of a new one, or of one of the graph; else where to begin."""
    given = dict(only(request, ("issue", "paper", "lang", "saved")))
    pick(request, (HTML,))
    with speaking_in(spoken(given.get("lang", ""))):
        return begun(request, given)


def begun(request: Request, given: Mapping[str, str]) -> Response:
    """The form of the paper or issue that is given, else the page where one is begun. Raises Problem 404."""
    state = request.app.state
    if name := given.get("paper", "").removeprefix(PAPERS):
        page = of_graph(state.store, name, state.settings)
        page.saved = "saved" in given
        return shown(request, page)
    if issue := given.get("issue", "").removeprefix(f"{ID}issue/"):
        return shown(request, of_issue(issue))
    return beginning(request)


async def write_by_form(request: Request) -> Response:
    """Check, download or save what is filled in; change the form or show it again; open a file in it."""
    format_ = pick(request, (HTML, JSON))
    only(request, ("_mediatype",))
    given = bodies.content_type(request, (FORM, MULTIPART))
    pairs, files = fields(given, await bodies.read(request, LARGEST))
    refuse_in_form(pairs)
    if files:
        return await opened_file(request, files[0])
    form = sent(pairs)
    with speaking_in(language() if is_chosen() else spoken(form.once.get("lang", ""))):
        return await pressed(request, form, format_)


async def pressed(request: Request, form: Sent, format_: Format) -> Response:
    """What the button that was pressed does. Raises Problem 400, 413, 422."""
    page = begun_again(form)
    await filled_in(request, page, form)
    if page.done and form.does in DOWNLOADS:
        return await run_in_threadpool(downloaded, request, page, page.done, DOWNLOADS[form.does])
    if page.done and form.does in SAVES and (answered := await saved(request, page, page.done, form)):
        return answered
    return await run_in_threadpool(told if format_ is JSON else shown, request, page)


async def filled_in(request: Request, page: Page, form: Sent) -> None:
    """Change the page by the button that was pressed, or check it. Raises Problem 400, 413, 422."""
    settings: Settings = request.app.state.settings
    checks: Turns = request.app.state.checks
    todo = Todo(page.filled, form.source.encode(), page.profile, language(), settings)
    add, remove = form.once.get("add", ""), form.once.get("remove", "")
    page.messages = [Message(one, "Violation", *translated(LEAKED)) for one in form.leaked]
    if add or remove or form.does == "show":
        try:
            page.filled, page.focus, page.rest = await checks.run(changed, todo, add, remove)
        except Problem as problem:
            if problem.status != 413:
                raise
            page.refused = problem  # what was typed comes back
        return
    async with while_there(request.receive):
        page.done = await checks.run(work, todo)
    taken = await run_in_threadpool(name_taken, request, page)
    page.messages, page.rest = [*page.messages, *taken, *page.done.messages], page.done.rest


def name_taken(request: Request, page: Page) -> list[Message]:
    """A warning at the name of a new paper, where the graph has a paper of this name."""
    if page.version or not is_taken(request.app.state.store, page.filled.name, request.app.state.settings):
        return []
    return [Message("name", "Warning", *translated(TAKEN), blocks=False)]


def fields(given: ContentType, body: bytes) -> tuple[Pairs, list[File]]:
    """The fields of a form, and the file in it if it has one. Raises Problem 400."""
    if given.media_type == FORM:
        return bodies.parse_form(body), []
    parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
    files = [one for one in parts if one.field == "file"]
    pairs = [(one.field, bodies.text(one.body, f"field {one.field}")) for one in parts if one not in files]
    return pairs, [uploaded(one) for one in files]


def spoken(tag: str) -> str:
    """The language of the form: that of the page, if none is asked for. Raises Problem 400 for another."""
    if tag and tag not in LANGUAGES:
        raise Problem(400, f"The form is not there in {tag!r}. Take one of: {', '.join(LANGUAGES)}.")
    return tag or language()


def begun_again(form: Sent) -> Page:
    """The page of a form that was sent. Raises Problem 400 for an unknown profile."""
    filled, profile = form.filled, form.once.get("profile") or "complete"
    if profile not in PROFILES:
        raise Problem(400, f"There is no profile {profile!r}. Take one of: {', '.join(PROFILES)}.")
    if form.does in ("draft", "complete"):
        profile = form.does
        status = {"creativeWorkStatus": [Value(1, profile)]}
        filled = replaced(filled, "", Row(1, filled.paper.values | status))
    elif form.does == "save":
        status_now = filled.paper.words("creativeWorkStatus").strip()
        profile = status_now if status_now in PROFILES else "draft"
    return Page(filled, form.source, form.version, profile, unsaved=True)


def changed(todo: Todo, add: str, remove: str) -> tuple[Filled, str, list[str]]:
    """The form with what is added, if anything is, or without what is removed; its name; what no field shows.

    Raises Problem 400, 413.
    """
    stating = stated(todo)
    filled, focus = todo.filled, ""
    if add:
        filled, focus = added(filled, add, stating.source)
    elif remove:
        filled, focus = removed(filled, remove)
    return filled, focus, rest(stating)


async def opened_file(request: Request, file: File) -> Response:
    """The form with the paper of a file, or why that cannot be read."""
    checks: Turns = request.app.state.checks
    try:
        if not file.name or not file.data:
            raise Problem(400, "No file was chosen, or it is empty. Choose one.")
        page = await checks.run(of_file, file, request.app.state.settings)
    except Problem as problem:
        return await run_in_threadpool(beginning, request, problem)
    return await run_in_threadpool(shown, request, page)


def beginning(request: Request, problem: Problem | None = None) -> Response:
    """The page where a paper is begun."""
    settings: Settings = request.app.state.settings
    body = rendering.render(
        "begin.html",
        base=settings.base,
        issues=Field("", "wgig:issue").things(language()),
        papers=known(request.app.state.store),
        problem=problem,
        takes_papers=takes_papers(request),
    )
    sent_now = UNKEPT if request.method == "POST" else {}
    return answer(request, body, HTML, status=problem.status if problem else 200, headers=sent_now)


async def saved(request: Request, page: Page, done: Done, form: Sent) -> Response | None:
    """Save the paper and lead to it; None where that is refused, which the page says at the field."""
    try:
        token = allowed(request, form.once.get("token", ""))
        if form.leaked or not done.conforms:
            raise Problem(422, UNSAVED)
        await save(request, token, Saving(page.filled.name, done.triples, page.version))
    except Problem as problem:
        await run_in_threadpool(refuse, request, page, problem)
        return None
    way = f"/write?{urlencode({'paper': page.filled.name, 'saved': ''})}"
    return Response(status_code=303, headers={"Location": way, **UNKEPT})


def refuse(request: Request, page: Page, problem: Problem) -> None:
    """Let the page say why nothing was saved, at the field that it is about."""
    page.refused = problem
    if problem.status in (401, 403) and takes_papers(request):
        at_field(page, "token", problem)
    if problem.status != 412:
        return
    if not page.version:
        at_field(page, "name", problem)
        return
    settings: Settings = request.app.state.settings
    store: Store = request.app.state.store
    page.version = problem.members["version"]
    if page.version:
        before = Source(open_document(page.source.encode(), settings).triples)
        now = Source(store.triples(graph_of(page.filled.name, settings)))
        page.messages = [*page.messages, *differing(before, now)]


def at_field(page: Page, field: str, problem: Problem) -> None:
    """Let the page say at a field why nothing was saved."""
    others = [one for one in page.messages if one.field != field]
    page.messages = [*others, Message(field, "Violation", *translated(problem.detail))]
    page.at_field = True

"""/validate: checks papers in files, a form or multipart/form-data, with reports in many formats.

One request checks at most 100 papers; the work runs in a limited process. Without a file, the page has the
form and a table of how the known papers conform, section by section. A text of up to 200,000 characters is
shown again, to be corrected. An unreadable single file is answered with its problem document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.bodies import ContentType, Pairs, values
from ..http.language import language
from ..http.parameters import only
from ..http.responses import answer, pick, while_there
from ..http.telemetry import around, counting, outcome_of_problem
from ..http.work_queue import Turns
from ..pages import rendering
from ..problems import Problem
from ..rdf.formats import FORMATS, HTML, WORD, Format
from ..rdf.namespaces import namespaces
from ..settings import Settings
from ..shacl.check import check, papers_of
from ..shacl.documents import Document, too_many
from ..shacl.findings import Outcome, Unread
from ..shacl.reports import WRITERS
from ..shacl.reports.html import Shown
from ..shacl.rules import LANGUAGES, PROFILE, PROFILES
from ..store.store import Store
from ..store.view import Row, rows
from ..text import natural
from .readers import read
from .uploads import BY_TYPE, FORMAT, FORMS, SENT, TEXT, File, accept, parted, uploads

# The papers themselves need not be in the graph: the assertion has the title, before what it asserts.
QUERY = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX wgig: <{base}ontology#>
SELECT ?whole ?paper ?label ?made_up ?met ?asked ?result ?section ?state FROM <{base}graph/conformance>
WHERE {{
  ?whole wgig:partsMet ?met ; wgig:partsAsked ?asked ; earl:subject ?paper ; rdfs:label ?label ;
         earl:result ?result .
  ?assertion dcterms:isPartOf ?whole ; earl:test ?test ; earl:result ?state .
  BIND(STRAFTER(STR(?test), "{form}") AS ?section)
  FILTER(?section IN ("0", "1", "2", "3", "4", "5", "6", "7", "8"))
  OPTIONAL {{ ?whole wgig:illustrative ?made_up }}
}}
ORDER BY ?whole ?section
"""
PASSED = "passed"


@dataclass(frozen=True)
class Standing:
    """A paper: whether it is made up and complete, how many parts of the template it has, and its sections.

    The result of a section is `passed`, `missing`, `faulty` or `untested`, in the order of the template.
    """

    iri: str
    title: ox.Literal
    assertion: str
    illustrative: bool
    complete: bool
    met: int
    parts: int
    sections: Sequence[str]


def standing(store: Store, base: str) -> list[Standing]:
    """The papers of which the graph says how they stand, by title; none where there is no such graph."""
    query = QUERY.format(base=base, form=namespaces(base)["form-issue-paper"])
    groups = groupby(rows(store, query), key=lambda row: row["whole"])
    return sorted((of_rows([*group]) for _, group in groups), key=lambda one: natural(one.title.value))


def of_rows(found: Sequence[Row]) -> Standing:
    """A paper, from the rows of its sections."""
    row = found[0]
    label = row["label"]
    return Standing(
        iri=row["paper"].value,
        title=ox.Literal(label.value.rpartition(", profile ")[0], language=label.language),
        assertion=row["whole"].value,
        illustrative="made_up" in row,
        complete=local_name(row["result"].value) == PASSED,
        met=int(row["met"].value),
        parts=int(row["asked"].value),
        sections=[local_name(one["state"].value) for one in found],
    )


def local_name(iri: str) -> str:
    """The end of the IRI of a result."""
    return iri.rpartition("/")[2]


VARY = "Accept, Accept-Encoding, Accept-Language"
OFFERED = tuple(WRITERS)
TYPED = tuple(one for one in FORMATS if one is not WORD)  # what can be pasted as text
PAPERS = 100  # checked in one request; each costs the work of a small file
PARAMETERS = ("profile", "lang", "_mediatype")
SHOW = ("do", "show")  # of a page: its form, as it is filled in, and no report
ECHOED = 200_000  # characters of a text that the page gives back to be mended


class Wish(NamedTuple):
    """The profile to check by, and the language to report in."""

    profile: str
    language: str


class Found(NamedTuple):
    """What came of a file, and its text as far as it has one."""

    outcome: Outcome
    text: str


class Work(NamedTuple):
    """What is to be done with a body, as a process gets it; `language` is for who does not choose one."""

    given: ContentType
    body: bytes
    address: Pairs
    language: str
    format: Format
    settings: Settings


class Done(NamedTuple):
    """What came of it: the report in the format asked for, or for a page what stands on it."""

    wished: Wish
    fields: Pairs
    report: bytes = b""
    found: Sequence[Found] = ()
    problem: Problem | None = None
    outcomes: Sequence[str] = ()


async def validate(request: Request) -> Response:
    """Check the papers in the body: a file as it is, a form, or several files as multipart/form-data.

    The answer is 200 whether or not they conform. What is wrong with the address is said before the body is
    read. A page says itself what is wrong with the body; a program gets the Problem.
    """
    format_ = pick(request, OFFERED)
    address = only(request, PARAMETERS)
    wish(address, language())
    given = bodies.content_type(request, SENT)
    settings: Settings = request.app.state.settings
    limit = settings.body_bytes if given.media_type in FORMS else settings.paper_bytes
    body = await bodies.read(request, limit)
    checks: Turns = request.app.state.checks
    todo = Work(given, body, address, language(), format_, settings)
    with around(request.app.state.tracing, "check"), counting(request.app.state.metrics) as outcomes:
        async with while_there(request.receive):
            done = await checks.run(work, todo)
        outcomes.extend(done.outcomes)
    return await run_in_threadpool(answered, request, format_, done)


def validation_form(request: Request) -> Response:
    """The form in which people check a paper, and how the known papers stand."""
    wished = wish(only(request, PARAMETERS[:2]), language())
    pick(request, (HTML,))
    return answer(request, page(request, Done(wished, [])), HTML, headers={"Vary": VARY})


def work(todo: Work) -> Done:
    """Check what is in a body. Raises Problem where a program asks and there is nothing to report."""
    if todo.format == HTML:  # a copy of it, in another process
        return work_for_page(todo)
    fields, files = uploads(todo.given, todo.body)
    wished = wish([*todo.address, *fields], todo.language)
    outcomes = [one.outcome for one in Checks(wished.profile, todo.settings).of(files)]
    if problem := only_problem(outcomes):
        raise problem
    report = WRITERS[todo.format](outcomes, wished.language)
    return Done(wished, fields, report, outcomes=[outcome_of(one) for one in outcomes])


def work_for_page(todo: Work) -> Done:
    """Check what is in a body, for a page that shows it again with the report beside it."""
    wished = wish(todo.address, todo.language)
    fields: Pairs = []
    try:
        fields, files = parted(todo.given, todo.body)
        wished = wish([*todo.address, *fields], todo.language)
        if SHOW in fields:
            return Done(wished, fields)
        accept(fields, files)
    except Problem as problem:
        return Done(wished, fields, problem=problem, outcomes=[outcome_of_problem(problem)])
    found = Checks(wished.profile, todo.settings).of(files)
    only = only_problem([one.outcome for one in found])
    outcomes = [outcome_of(one.outcome) for one in found]
    return Done(wished, [*echo(files, found), *fields], found=found, problem=only, outcomes=outcomes)


def outcome_of(one: Outcome) -> str:
    """What is counted of a file."""
    if isinstance(one, Unread):
        return outcome_of_problem(one.problem)
    return "conforms" if one.conforms else "violates"


def answered(request: Request, format_: Format, done: Done) -> Response:
    """The answer to a check: about what was sent, so that nobody need keep it."""
    body = page(request, done) if format_ is HTML else done.report
    headers = {"Vary": VARY, "Cache-Control": "no-store"}
    if format_ is not HTML:  # a page says itself in which language its report is
        headers["Content-Language"] = done.wished.language
    links = [f'<{PROFILE}{done.wished.profile}>; rel="profile"']
    status = done.problem.status if done.problem else 200
    return answer(request, body, format_, status=status, links=links, headers=headers)


def only_problem(outcomes: Sequence[Outcome]) -> Problem | None:
    """The problem of the only file, if it has one: then there is nothing to report."""
    only = outcomes[0] if len(outcomes) == 1 else None
    return only.problem if isinstance(only, Unread) else None


class Checks:
    """Checks file after file by a profile, within what one request may cost."""

    def __init__(self, profile: str, settings: Settings) -> None:
        """Nothing is checked yet."""
        self.profile, self.settings = profile, settings
        self.triples = self.papers = 0

    def of(self, files: Sequence[File]) -> list[Found]:
        """What came of each file."""
        return [self.found(one) for one in files]

    def found(self, file: File) -> Found:
        """What came of a file."""
        try:
            document = self.document(file)
            return Found(check(document, self.profile, self.settings.shacl), document.text)
        except Problem as problem:
            return Found(Unread(file.name, problem), file.text)

    def document(self, file: File) -> Document:
        """A file, read. Raises Problem 400, 413 and 415."""
        if file.format is None:
            raise bodies.unsupported(
                f"Neither its type nor its name tells the format of {file.name!r}. Send one of: "
                f"{', '.join(BY_TYPE)}.",
                SENT,
            )
        if len(file.data) > self.settings.paper_bytes:
            raise bodies.too_large(self.settings.paper_bytes)
        document = read(file.name, file.data, file.format, self.settings.paper_triples)
        self.triples += len(document.triples)
        self.papers += len(papers_of(document))
        if self.triples > self.settings.paper_triples:
            raise too_many(self.settings.paper_triples)
        if self.papers > PAPERS:
            raise Problem(413, f"More than {PAPERS} papers were sent. Send them in several requests.")
        return document


def page(request: Request, done: Done) -> bytes:
    """The form with what was sent in its fields; with it the report, or how the known papers stand."""
    state = request.app.state
    outcomes, texts = [one.outcome for one in done.found], [one.text for one in done.found]
    return rendering.render(
        "validate.html",
        base=state.settings.base,
        text=next(iter(values(done.fields, TEXT)), ""),
        chosen=next(iter(values(done.fields, FORMAT)), ""),
        formats=TYPED,
        profiles=PROFILES,
        languages=LANGUAGES,
        wished=done.wished,
        problem=done.problem,
        shown=Shown(outcomes, done.wished.language, texts) if done.found else None,
        papers=[] if done.found else standing(state.store, state.settings.base),
    )


def echo(files: Sequence[File], found: Sequence[Found]) -> Pairs:
    """The only text and its format as fields of the form, to be mended and sent again."""
    if len(files) > 1 or len(found[0].text) > ECHOED:
        return [(TEXT, "")]
    format_ = files[0].format
    return [(TEXT, found[0].text), (FORMAT, format_.suffix if format_ in TYPED else "")]


def wish(pairs: Pairs, liked: str) -> Wish:
    """Profile and language that are asked for, the first before others, or else the liked language.

    Raises Problem 400.
    """
    profile = asked(pairs, "profile").removeprefix(PROFILE) or "complete"
    if profile not in PROFILES:
        raise Problem(400, f"There is no profile {profile!r}. Take one of: {', '.join(PROFILES)}.")
    tag = asked(pairs, "lang")
    tongue = tag.lower().partition("-")[0]  # without script and region (RFC 5646)
    if tag and tongue not in LANGUAGES:
        raise Problem(400, f"There is no report in {tag!r}. Take one of: {', '.join(LANGUAGES)}.")
    return Wish(profile, tongue or liked)


def asked(pairs: Pairs, key: str) -> str:
    """The first value of a key that is not empty, or an empty one."""
    return next(filter(None, values(pairs, key)), "")

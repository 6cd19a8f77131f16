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
from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.bodies import ContentType, Pairs, parameter_values
from ..http.dependencies import ChecksDep, TelemetryDep
from ..http.language import current_language
from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS, cancel_on_disconnect, respond_with_body
from ..http.telemetry import count_check_outcomes, outcome_of_problem, span_if_traced
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.formats import FILE_FORMATS, HTML, WORD_DOCUMENT, Format
from ..rdf.namespaces import namespaces_by_prefix
from ..settings import Settings
from ..shacl.check import check_document, get_issue_papers
from ..shacl.conformance import TEST_PASSED
from ..shacl.documents import Document, build_triple_limit_problem
from ..shacl.findings import CheckOutcome, UncheckedFile
from ..shacl.reports import REPORT_WRITERS
from ..shacl.reports.html import ReportView
from ..shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES, PROFILE_NAMESPACE, check_profile_name
from ..store.store import Store
from ..store.view import ResultRow, select_solutions
from ..text import natural_sort_key
from .readers import read_paper_document
from .uploads import (
    FORM_UPLOAD_PARSERS,
    FORMATS_BY_TYPE,
    PAPER_FORMAT_FIELD,
    PAPER_TEXT_FIELD,
    UPLOAD_MEDIA_TYPES,
    UploadedFile,
    check_uploads,
    parse_upload_body,
    parse_uploads,
)

# The papers themselves need not be in the graph: the assertion has the title, before what it asserts.
PAPER_CONFORMANCE_QUERY = """
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


@dataclass(frozen=True)
class PaperConformance:
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


def list_paper_conformance(store: Store, base: str) -> list[PaperConformance]:
    """The papers of which the graph says how they stand, by title; none where there is no such graph."""
    query = PAPER_CONFORMANCE_QUERY.format(base=base, form=namespaces_by_prefix(base)["form-issue-paper"])
    groups = groupby(select_solutions(store, query), key=lambda row: row["whole"])
    return sorted(
        (build_paper_conformance([*group]) for _, group in groups),
        key=lambda one: natural_sort_key(one.title.value),
    )


def build_paper_conformance(found: Sequence[ResultRow]) -> PaperConformance:
    """A paper, from the rows of its sections."""
    row = found[0]
    label = row["label"]
    return PaperConformance(
        iri=row["paper"].value,
        title=ox.Literal(label.value.rpartition(", profile ")[0], language=label.language),
        assertion=row["whole"].value,
        illustrative="made_up" in row,
        complete=earl_result_name(row["result"].value) == TEST_PASSED,
        met=int(row["met"].value),
        parts=int(row["asked"].value),
        sections=[earl_result_name(one["state"].value) for one in found],
    )


def earl_result_name(iri: str) -> str:
    """The end of the IRI of a result."""
    return iri.rpartition("/")[2]


VALIDATION_VARY = "Accept, Accept-Encoding, Accept-Language"
OFFERED_REPORT_FORMATS = tuple(REPORT_WRITERS)
# What can be pasted as text.
PASTABLE_FORMATS = tuple(one for one in FILE_FORMATS if one is not WORD_DOCUMENT)
MAX_CHECKED_PAPERS = 100  # checked in one request; each costs the work of a small file
VALIDATION_PARAMETERS = ("profile", "lang", "_mediatype")
SHOW_FORM_PAIR = ("do", "show")  # of a page: its form, as it is filled in, and no report
MAX_ECHOED_CHARACTERS = 200_000  # characters of a text that the page gives back to be mended


class ValidationOptions(NamedTuple):
    """The profile to check by, and the language to report in."""

    profile: str
    language: str


class CheckedFile(NamedTuple):
    """What came of a file, and its text as far as it has one."""

    outcome: CheckOutcome
    text: str


class ValidationJob(NamedTuple):
    """What is to be done with a body, as a process gets it; `language` is for who does not choose one."""

    content_type: ContentType
    body: bytes
    parameters: Pairs
    language: str
    format: Format
    settings: Settings


class ValidationJobResult(NamedTuple):
    """What came of it: the report in the format asked for, or for a page what stands on it."""

    options: ValidationOptions
    fields: Pairs
    report: bytes = b""
    files: Sequence[CheckedFile] = ()
    problem: Problem | None = None
    outcomes: Sequence[str] = ()


async def post_validation(context: ContextDep, checks: ChecksDep, telemetry: TelemetryDep) -> Response:
    """Check the papers in the body: a file as it is, a form, or several files as multipart/form-data.

    The answer is 200 whether or not they conform. What is wrong with the address is said before the body is
    read. A page says itself what is wrong with the body; a program gets the Problem.
    """
    request = context.request
    format_ = choose_response_format(request, OFFERED_REPORT_FORMATS)
    address = check_query_parameters(request, VALIDATION_PARAMETERS)
    parse_validation_options(address, current_language())
    given = bodies.check_content_type(request, UPLOAD_MEDIA_TYPES)
    settings = context.settings
    limit = settings.body_bytes if given.media_type in FORM_UPLOAD_PARSERS else settings.paper_bytes
    body = await bodies.read_request_body(request, limit)
    todo = ValidationJob(given, body, address, current_language(), format_, settings)
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        async with cancel_on_disconnect(request.receive):
            done = await checks.run(run_validation_job, todo)
        outcomes.extend(done.outcomes)
    return await run_in_threadpool(respond_with_validation, context, format_, done)


def get_validation(context: ContextDep) -> Response:
    """The form in which people check a paper, and how the known papers stand."""
    request = context.request
    wished = parse_validation_options(
        check_query_parameters(request, VALIDATION_PARAMETERS[:2]), current_language()
    )
    choose_response_format(request, (HTML,))
    return respond_with_body(
        request,
        render_validation_page(context, ValidationJobResult(wished, [])),
        HTML,
        headers={"Vary": VALIDATION_VARY},
    )


def run_validation_job(todo: ValidationJob) -> ValidationJobResult:
    """Check what is in a body. Raises Problem where a program asks and there is nothing to report."""
    if todo.format == HTML:  # a copy of it, in another process
        return run_page_validation(todo)
    fields, files = parse_uploads(todo.content_type, todo.body)
    wished = parse_validation_options([*todo.parameters, *fields], todo.language)
    outcomes = [one.outcome for one in PaperFileChecker(wished.profile, todo.settings).check_files(files)]
    if problem := find_only_problem(outcomes):
        raise problem
    report = REPORT_WRITERS[todo.format](outcomes, wished.language)
    return ValidationJobResult(wished, fields, report, outcomes=[file_outcome_name(one) for one in outcomes])


def run_page_validation(todo: ValidationJob) -> ValidationJobResult:
    """Check what is in a body, for a page that shows it again with the report beside it."""
    wished = parse_validation_options(todo.parameters, todo.language)
    fields: Pairs = []
    try:
        fields, files = parse_upload_body(todo.content_type, todo.body)
        wished = parse_validation_options([*todo.parameters, *fields], todo.language)
        if SHOW_FORM_PAIR in fields:
            return ValidationJobResult(wished, fields)
        check_uploads(fields, files)
    except Problem as problem:
        return ValidationJobResult(wished, fields, problem=problem, outcomes=[outcome_of_problem(problem)])
    found = PaperFileChecker(wished.profile, todo.settings).check_files(files)
    only = find_only_problem([one.outcome for one in found])
    outcomes = [file_outcome_name(one.outcome) for one in found]
    return ValidationJobResult(
        wished, [*echo_pasted_text(files, found), *fields], files=found, problem=only, outcomes=outcomes
    )


def file_outcome_name(one: CheckOutcome) -> str:
    """What is counted of a file."""
    if isinstance(one, UncheckedFile):
        return outcome_of_problem(one.problem)
    return "conforms" if one.conforms else "violates"


def respond_with_validation(context: RequestContext, format_: Format, done: ValidationJobResult) -> Response:
    """The answer to a check: about what was sent, so that nobody need keep it."""
    body = render_validation_page(context, done) if format_ is HTML else done.report
    headers = {"Vary": VALIDATION_VARY, **NO_STORE_HEADERS}
    if format_ is not HTML:  # a page says itself in which language its report is
        headers["Content-Language"] = done.options.language
    links = [f'<{PROFILE_NAMESPACE}{done.options.profile}>; rel="profile"']
    status = done.problem.status if done.problem else 200
    return respond_with_body(context.request, body, format_, status=status, links=links, headers=headers)


def find_only_problem(outcomes: Sequence[CheckOutcome]) -> Problem | None:
    """The problem of the only file, if it has one: then there is nothing to report."""
    only = outcomes[0] if len(outcomes) == 1 else None
    return only.problem if isinstance(only, UncheckedFile) else None


class PaperFileChecker:
    """Checks file after file by a profile, within what one request may cost."""

    def __init__(self, profile: str, settings: Settings) -> None:
        """Nothing is checked yet."""
        self.profile, self.settings = profile, settings
        self.triple_count = self.paper_count = 0

    def check_files(self, files: Sequence[UploadedFile]) -> list[CheckedFile]:
        """What came of each file."""
        return [self.check_file(one) for one in files]

    def check_file(self, file: UploadedFile) -> CheckedFile:
        """What came of a file."""
        try:
            document = self.read_document(file)
            return CheckedFile(check_document(document, self.profile, self.settings.shacl), document.text)
        except Problem as problem:
            return CheckedFile(UncheckedFile(file.name, problem), file.text)

    def read_document(self, file: UploadedFile) -> Document:
        """A file, read. Raises Problem 400, 413 and 415."""
        if file.format is None:
            raise bodies.unsupported_type_problem(
                f"Neither its type nor its name tells the format of {file.name!r}. Send one of: "
                f"{', '.join(FORMATS_BY_TYPE)}.",
                UPLOAD_MEDIA_TYPES,
            )
        if len(file.data) > self.settings.paper_bytes:
            raise bodies.body_too_large_problem(self.settings.paper_bytes)
        document = read_paper_document(file.name, file.data, file.format, self.settings.paper_triples)
        self.triple_count += len(document.triples)
        self.paper_count += len(get_issue_papers(document))
        if self.triple_count > self.settings.paper_triples:
            raise build_triple_limit_problem(self.settings.paper_triples)
        if self.paper_count > MAX_CHECKED_PAPERS:
            raise Problem(
                413, f"More than {MAX_CHECKED_PAPERS} papers were sent. Send them in several requests."
            )
        return document


def render_validation_page(context: RequestContext, done: ValidationJobResult) -> bytes:
    """The form with what was sent in its fields; with it the report, or how the known papers stand."""
    outcomes, texts = [one.outcome for one in done.files], [one.text for one in done.files]
    return rendering.render_template(
        "validate.html",
        base=context.base,
        text=next(iter(parameter_values(done.fields, PAPER_TEXT_FIELD)), ""),
        chosen=next(iter(parameter_values(done.fields, PAPER_FORMAT_FIELD)), ""),
        formats=PASTABLE_FORMATS,
        profiles=CHECK_PROFILES,
        languages=MESSAGE_LANGUAGES,
        wished=done.options,
        problem=done.problem,
        shown=ReportView(outcomes, done.options.language, texts) if done.files else None,
        papers=[] if done.files else list_paper_conformance(context.store, context.base),
    )


def echo_pasted_text(files: Sequence[UploadedFile], found: Sequence[CheckedFile]) -> Pairs:
    """The only text and its format as fields of the form, to be mended and sent again."""
    if len(files) > 1 or len(found[0].text) > MAX_ECHOED_CHARACTERS:
        return [(PAPER_TEXT_FIELD, "")]
    format_ = files[0].format
    return [
        (PAPER_TEXT_FIELD, found[0].text),
        (PAPER_FORMAT_FIELD, format_.suffix if format_ in PASTABLE_FORMATS else ""),
    ]


def parse_validation_options(pairs: Pairs, liked: str) -> ValidationOptions:
    """Profile and language that are asked for, the first before others, or else the liked language.

    Raises Problem 400.
    """
    given = first_pair_value(pairs, "profile").removeprefix(PROFILE_NAMESPACE)
    profile = check_profile_name(given or "complete")
    tag = first_pair_value(pairs, "lang")
    tongue = tag.lower().partition("-")[0]  # without script and region (RFC 5646)
    if tag and tongue not in MESSAGE_LANGUAGES:
        raise Problem(400, f"There is no report in {tag!r}. Take one of: {', '.join(MESSAGE_LANGUAGES)}.")
    return ValidationOptions(profile, tongue or liked)


def first_pair_value(pairs: Pairs, key: str) -> str:
    """The first value of a key that is not empty, or an empty one."""
    return next(filter(None, parameter_values(pairs, key)), "")

"""/validate: check papers in files, a form or multipart/form-data, with reports in many formats.

One request checks at most 100 papers, in a process with limits. Without a file, the page has the form and a
table of the conformance of the known papers, section by section. A text of up to 200,000 characters is shown
again, to be corrected. A single file that cannot be read is answered with its problem document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, NamedTuple

import pyoxigraph as ox
from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import bodies
from ..http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, ContentType, Pairs, parameter_values
from ..http.dependencies import ChecksDep, TelemetryDep
from ..http.language import current_language
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type, describe_parameter
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
from .schemas import CheckReport
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

# The papers themselves may not be in the graph: the label of an assertion begins with the title.
PAPER_CONFORMANCE_QUERY = """
PREFIX dcterms: <http://purl.org/dc/terms/>
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX wgig: <{base}ontology#>
SELECT ?paper_assertion ?paper ?label ?illustrative ?met ?parts ?result ?section ?state
FROM <{base}graph/conformance>
WHERE {{
  ?paper_assertion wgig:partsMet ?met ; wgig:partsAsked ?parts ; earl:subject ?paper ; rdfs:label ?label ;
         earl:result ?result .
  ?section_assertion dcterms:isPartOf ?paper_assertion ; earl:test ?test ; earl:result ?state .
  BIND(STRAFTER(STR(?test), "{form}") AS ?section)
  FILTER(?section IN ("0", "1", "2", "3", "4", "5", "6", "7", "8"))
  OPTIONAL {{ ?paper_assertion wgig:illustrative ?illustrative }}
}}
ORDER BY ?paper_assertion ?section
"""


@dataclass(frozen=True)
class PaperConformance:
    """The conformance of a paper: whether it is illustrative and complete, its parts and its sections.

    `met` of the `parts` that the template requires are there. The result of a section is `passed`, `missing`,
    `faulty` or `untested`, in the order of the template.
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
    """The papers in the conformance graph, by title; empty where there is no such graph."""
    query = PAPER_CONFORMANCE_QUERY.format(base=base, form=namespaces_by_prefix(base)["form-issue-paper"])
    groups = groupby(select_solutions(store, query), key=lambda row: row["paper_assertion"])
    return sorted(
        (build_paper_conformance([*group]) for _, group in groups),
        key=lambda paper: natural_sort_key(paper.title.value),
    )


def build_paper_conformance(rows: Sequence[ResultRow]) -> PaperConformance:
    """A paper, from the query results for its sections."""
    first_row = rows[0]
    label = first_row["label"]
    return PaperConformance(
        iri=first_row["paper"].value,
        title=ox.Literal(label.value.rpartition(", profile ")[0], language=label.language),
        assertion=first_row["paper_assertion"].value,
        illustrative="illustrative" in first_row,
        complete=earl_result_name(first_row["result"].value) == TEST_PASSED,
        met=int(first_row["met"].value),
        parts=int(first_row["parts"].value),
        sections=[earl_result_name(row["state"].value) for row in rows],
    )


def earl_result_name(iri: str) -> str:
    """The last segment of the IRI of a result."""
    return iri.rpartition("/")[2]


VALIDATION_VARY = "Accept, Accept-Encoding, Accept-Language"
OFFERED_REPORT_FORMATS = tuple(REPORT_WRITERS)
# What can be pasted as text.
PASTABLE_FORMATS = tuple(one for one in FILE_FORMATS if one is not WORD_DOCUMENT)
MAX_CHECKED_PAPERS = 100  # checked in one request; each costs the work of a small file
SHOW_FORM_PAIR = ("do", "show")  # of a page: its form, as it is filled in, and no report
MAX_ECHOED_CHARACTERS = 200_000  # characters of a text that the page gives back to be mended


class ValidationOptions(NamedTuple):
    """The profile to check by, and the language of the report."""

    profile: str
    language: str


class CheckedFile(NamedTuple):
    """The outcome of a file, and its text as far as it has one."""

    outcome: CheckOutcome
    text: str


class ValidationJob(NamedTuple):
    """A body to check, as a process gets it; `language` is the default if the client does not choose one."""

    content_type: ContentType
    body: bytes
    parameters: Pairs
    language: str
    format: Format
    settings: Settings


class ValidationJobResult(NamedTuple):
    """The result of a check: the report in the requested format, or for HTML the data of the page."""

    options: ValidationOptions
    fields: Pairs
    report: bytes = b""
    files: Sequence[CheckedFile] = ()
    problem: Problem | None = None
    outcomes: Sequence[str] = ()


class ValidationFormParameters(ParameterModel):
    """Query parameters of GET /validate."""

    profile: Text = describe_parameter(
        "The profile to check by: `draft`, `complete` (meant without it) or `final`.",
        examples=["draft"],
        json_schema_extra={"default": "complete"},
    )
    lang: Text = describe_parameter(
        "The language of the report: ar, en, es, fr, ru or zh; beats Accept-Language.",
        examples=["fr"],
    )


class ValidationParameters(ValidationFormParameters):
    """Query parameters of POST /validate."""

    media_type: Text = describe_media_type(OFFERED_REPORT_FORMATS)


async def choose_report_format(request: Request) -> Format:
    """The format of the report. Raises Problem 406, before the other parameters are looked at."""
    asked = parameter_values(bodies.get_query_parameters(request), "_mediatype")
    return choose_response_format(request, OFFERED_REPORT_FORMATS, next(iter(asked), None))


VALIDATION_FORM_OPERATION = Operation(formats=(HTML,))
VALIDATION_OPERATION = Operation(
    formats=OFFERED_REPORT_FORMATS,
    json=CheckReport,
    bodies=(*(one.media_type for one in FILE_FORMATS), MULTIPART_MEDIA_TYPE, FORM_MEDIA_TYPE),
    first=(choose_report_format,),
    parameters=ValidationParameters,
)


async def post_validation(
    context: ContextDep,
    checks: ChecksDep,
    telemetry: TelemetryDep,
    format_: Annotated[Format, Depends(choose_report_format)],
) -> Response:
    """Check the papers in the body: a file as it is, a form, or several files as multipart/form-data.

    The status is 200 whether or not they conform. Query parameters are checked before the body is read. A
    page shows what is wrong with the body; a program gets the problem document.
    """
    request = context.request
    address = bodies.get_query_parameters(request)
    parse_validation_options(address, current_language())
    content_type = bodies.check_content_type(request, UPLOAD_MEDIA_TYPES)
    settings = context.settings
    limit = settings.body_bytes if content_type.media_type in FORM_UPLOAD_PARSERS else settings.paper_bytes
    body = await bodies.read_request_body(request, limit)
    job = ValidationJob(content_type, body, address, current_language(), format_, settings)
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        async with cancel_on_disconnect(request.receive):
            result = await checks.run(run_validation_job, job)
        outcomes.extend(result.outcomes)
    return await run_in_threadpool(respond_with_validation, context, format_, result)


def get_validation(context: ContextDep, parameters: Annotated[ValidationFormParameters, Query()]) -> Response:
    """The form in which people check a paper, and how the known papers stand."""
    request = context.request
    options = choose_validation_options(parameters.profile or "", parameters.lang or "", current_language())
    choose_response_format(request, (HTML,))
    return respond_with_body(
        request,
        render_validation_page(context, ValidationJobResult(options, [])),
        HTML,
        headers={"Vary": VALIDATION_VARY},
    )


def run_validation_job(job: ValidationJob) -> ValidationJobResult:
    """Check the papers in a body. Raises Problem where a program asks and there is nothing to report."""
    if job.format == HTML:  # equal and not identical: it is a copy, in another process
        return run_page_validation(job)
    fields, files = parse_uploads(job.content_type, job.body)
    options = parse_validation_options([*job.parameters, *fields], job.language)
    outcomes = [
        checked.outcome for checked in PaperFileChecker(options.profile, job.settings).check_files(files)
    ]
    if problem := find_only_problem(outcomes):
        raise problem
    report = REPORT_WRITERS[job.format](outcomes, options.language)
    return ValidationJobResult(
        options, fields, report, outcomes=[file_outcome_name(outcome) for outcome in outcomes]
    )


def run_page_validation(job: ValidationJob) -> ValidationJobResult:
    """Check the papers in a body, for a page that shows the body again with the report."""
    options = parse_validation_options(job.parameters, job.language)
    fields: Pairs = []
    try:
        fields, files = parse_upload_body(job.content_type, job.body)
        options = parse_validation_options([*job.parameters, *fields], job.language)
        if SHOW_FORM_PAIR in fields:
            return ValidationJobResult(options, fields)
        check_uploads(fields, files)
    except Problem as problem:
        return ValidationJobResult(options, fields, problem=problem, outcomes=[outcome_of_problem(problem)])
    checked_files = PaperFileChecker(options.profile, job.settings).check_files(files)
    only_problem = find_only_problem([checked.outcome for checked in checked_files])
    outcomes = [file_outcome_name(checked.outcome) for checked in checked_files]
    return ValidationJobResult(
        options,
        [*echo_pasted_text(files, checked_files), *fields],
        files=checked_files,
        problem=only_problem,
        outcomes=outcomes,
    )


def file_outcome_name(outcome: CheckOutcome) -> str:
    """The label of the outcome of a file in the metrics."""
    if isinstance(outcome, UncheckedFile):
        return outcome_of_problem(outcome.problem)
    return "conforms" if outcome.conforms else "violates"


def respond_with_validation(
    context: RequestContext, format_: Format, result: ValidationJobResult
) -> Response:
    """The response to a check; it is not cached, as it is about what the client sent."""
    body = render_validation_page(context, result) if format_ is HTML else result.report
    headers = {"Vary": VALIDATION_VARY, **NO_STORE_HEADERS}
    if format_ is not HTML:  # in a page, lang attributes have the language of the report
        headers["Content-Language"] = result.options.language
    links = [f'<{PROFILE_NAMESPACE}{result.options.profile}>; rel="profile"']
    status = result.problem.status if result.problem else 200
    return respond_with_body(context.request, body, format_, status=status, links=links, headers=headers)


def find_only_problem(outcomes: Sequence[CheckOutcome]) -> Problem | None:
    """The problem of the only file, if it could not be checked: then there is nothing to report."""
    only_outcome = outcomes[0] if len(outcomes) == 1 else None
    return only_outcome.problem if isinstance(only_outcome, UncheckedFile) else None


class PaperFileChecker:
    """Checks files one after the other by a profile, within the limits of one request."""

    def __init__(self, profile: str, settings: Settings) -> None:
        """Start with nothing checked."""
        self.profile, self.settings = profile, settings
        self.triple_count = self.paper_count = 0

    def check_files(self, files: Sequence[UploadedFile]) -> list[CheckedFile]:
        """The outcome of each file."""
        return [self.check_file(file) for file in files]

    def check_file(self, file: UploadedFile) -> CheckedFile:
        """The outcome of a file."""
        try:
            document = self.read_document(file)
            return CheckedFile(check_document(document, self.profile, self.settings.shacl), document.text)
        except Problem as problem:
            return CheckedFile(UncheckedFile(file.name, problem), file.text)

    def read_document(self, file: UploadedFile) -> Document:
        """The document in a file. Raises Problem 400, 413 and 415."""
        if file.format is None:
            raise bodies.unsupported_type_problem(
                f"Neither media type nor extension gives the format of {file.name!r}. Send one of: "
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


def render_validation_page(context: RequestContext, result: ValidationJobResult) -> bytes:
    """The page with the form as it was sent, and the report or the conformance of the known papers."""
    outcomes, texts = (
        [checked.outcome for checked in result.files],
        [checked.text for checked in result.files],
    )
    return rendering.render_template(
        "validate.html",
        base=context.base,
        text=next(iter(parameter_values(result.fields, PAPER_TEXT_FIELD)), ""),
        chosen=next(iter(parameter_values(result.fields, PAPER_FORMAT_FIELD)), ""),
        formats=PASTABLE_FORMATS,
        profiles=CHECK_PROFILES,
        languages=MESSAGE_LANGUAGES,
        wished=result.options,
        problem=result.problem,
        shown=ReportView(outcomes, result.options.language, texts) if result.files else None,
        papers=[] if result.files else list_paper_conformance(context.store, context.base),
    )


def echo_pasted_text(files: Sequence[UploadedFile], checked_files: Sequence[CheckedFile]) -> Pairs:
    """The only text and its format as fields of the form, to be corrected and sent again."""
    if len(files) > 1 or len(checked_files[0].text) > MAX_ECHOED_CHARACTERS:
        return [(PAPER_TEXT_FIELD, "")]
    format_ = files[0].format
    return [
        (PAPER_TEXT_FIELD, checked_files[0].text),
        (PAPER_FORMAT_FIELD, format_.suffix if format_ in PASTABLE_FORMATS else ""),
    ]


def parse_validation_options(pairs: Pairs, default_language: str) -> ValidationOptions:
    """Profile and language from the first value of each parameter, or else the defaults.

    Raises Problem 400 for unknown ones.
    """
    return choose_validation_options(
        first_pair_value(pairs, "profile"), first_pair_value(pairs, "lang"), default_language
    )


def choose_validation_options(profile: str, tag: str, default_language: str) -> ValidationOptions:
    """Profile and language, by default `complete` and `default_language`. Raises Problem 400."""
    profile = check_profile_name(profile.removeprefix(PROFILE_NAMESPACE) or "complete")
    tongue = tag.lower().partition("-")[0]  # without script and region (RFC 5646)
    if tag and tongue not in MESSAGE_LANGUAGES:
        raise Problem(400, f"There is no report in {tag!r}. Use one of: {', '.join(MESSAGE_LANGUAGES)}.")
    return ValidationOptions(profile, tongue or default_language)


def first_pair_value(pairs: Pairs, key: str) -> str:
    """The first value of a key that is not empty, or an empty string."""
    return next(filter(None, parameter_values(pairs, key)), "")

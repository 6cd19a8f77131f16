"""/validate: check the papers in a request body, with reports in many formats.

With shapes in a form, it checks any RDF graphs against these instead of the template.

A body is a file, a form with a pasted text, or multipart/form-data with files. One request checks at most 100
papers, in a worker process with limits. The page has a form, in which a pasted text of up to 200,000
characters can be corrected. Before a check, it also has a table with the conformance of the papers in the
store. If the only file cannot be read, a program gets a problem document, and a browser the page with it.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, NamedTuple

import pyoxigraph as ox
from fastapi import Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import WithJsonSchema

from ..http import bodies
from ..http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE, ContentType, Pairs, parameter_values
from ..http.dependencies import CheckQueuesDep, TelemetryDep
from ..http.language import current_language
from ..http.limits import identify_client
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, Texts, describe_media_type, describe_parameter
from ..http.responses import NO_STORE_HEADERS, cancel_on_disconnect, respond_with_body
from ..http.telemetry import count_check_outcomes, outcome_of_problem, span_if_traced
from ..http.work_queue import WorkQueue, is_process_limit
from ..i18n import gettext_noop
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.formats import FILE_FORMATS, HTML, WORD_DOCUMENT, Format
from ..rdf.namespaces import EARL_RESULT
from ..settings import Settings, parse_paper_hosts
from ..shacl.check import check_document, get_issue_papers
from ..shacl.documents import Document, build_triple_limit_problem
from ..shacl.findings import CheckOutcome, UncheckedFile
from ..shacl.outcomes import OUTCOME_PASSED, list_section_outcomes
from ..shacl.reports import REPORT_WRITERS
from ..shacl.reports.html import ReportView
from ..shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES, PROFILE_NAMESPACE, validate_profile_name
from ..store.store import Store
from ..store.view import ResultRow, select_solutions
from ..text import natural_sort_key
from ..validation.check import check_data
from ..validation.shapes_graph import ShapesSource, read_shapes_graph
from .address import PaperFetcher
from .dependencies import PaperFetcherDep
from .readers import read_paper_document
from .schemas import CheckReport
from .uploads import (
    FORM_UPLOAD_PARSERS,
    PAPER_FORMAT_FIELD,
    PAPER_NAME_FIELD,
    PAPER_TEXT_FIELD,
    SHAPES_FIELD,
    TEXT_EDITED_FIELD,
    UPLOAD_MEDIA_TYPES,
    UploadedFile,
    check_uploads,
    find_paper_address,
    parse_upload_body,
    parse_uploads,
)

# The assertion on a paper names the sections with another outcome than passed. The title of a paper is taken
# from the label of its assertion, as the paper may not be in the store.
PAPER_CONFORMANCE_QUERY = """
PREFIX earl: <http://www.w3.org/ns/earl#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX wgig: <{base}ontology#>
SELECT ?assertion ?paper ?label ?illustrative ?met ?parts ?result ?outcome_property ?part
FROM <{base}graph/conformance>
WHERE {{
  ?assertion wgig:partsAsked ?parts ; earl:subject ?paper ; rdfs:label ?label ; earl:result ?result .
  OPTIONAL {{ ?assertion wgig:partsMet ?met }}
  OPTIONAL {{ ?assertion wgig:illustrative ?illustrative }}
  OPTIONAL {{
    VALUES ?outcome_property {{ wgig:partMissing wgig:partFaulty wgig:partWaived wgig:partUntested }}
    ?assertion ?outcome_property ?part
  }}
}}
ORDER BY ?assertion
"""


@dataclass(frozen=True)
class PaperConformance:
    """The conformance of a paper in the store.

    Of the `parts` that the template requires, `met` are present; None if the text of the paper was not seen.
    `sections` are the outcomes `passed`, `missing`, `faulty`, `waived`, `untested` or `unseen` of the
    sections, in the order of the template.
    """

    iri: str
    title: ox.Literal
    illustrative: bool
    complete: bool
    met: int | None
    parts: int
    sections: Sequence[str]


def list_paper_conformance(store: Store, base: str) -> list[PaperConformance]:
    """The papers in the conformance graph, sorted by title; empty if the graph does not exist."""
    query = PAPER_CONFORMANCE_QUERY.format(base=base)
    groups = groupby(select_solutions(store, query), key=lambda row: row["assertion"])
    return sorted(
        (build_paper_conformance([*group]) for _, group in groups),
        key=lambda paper: natural_sort_key(paper.title.value),
    )


def build_paper_conformance(rows: Sequence[ResultRow]) -> PaperConformance:
    """The conformance of a paper, from the query results for its sections and parts."""
    first_row = rows[0]
    label = first_row["label"]  # such as "Spam, profile complete: failed"
    return PaperConformance(
        iri=first_row["paper"].value,
        title=ox.Literal(label.value.rpartition(", profile ")[0], language=label.language),
        illustrative="illustrative" in first_row,
        complete=first_row["result"].value.rpartition("/")[2] == OUTCOME_PASSED,
        met=int(first_row["met"].value) if "met" in first_row else None,
        parts=int(first_row["parts"].value),
        sections=list_section_outcomes(
            [
                (EARL_RESULT, first_row["result"]),
                *((row["outcome_property"], row["part"]) for row in rows if "part" in row),
            ]
        ),
    )


VALIDATION_VARY = "Accept, Accept-Encoding, Accept-Language, Cookie"
OFFERED_REPORT_FORMATS = tuple(REPORT_WRITERS)
PASTABLE_FORMATS = tuple(format_ for format_ in FILE_FORMATS if format_ is not WORD_DOCUMENT)  # text formats
UNKNOWN_FORMAT_MESSAGE = gettext_noop(
    "This is not a paper: its format is unknown. Choose a Markdown, Word or RDF file, with an extension "
    "such as .md, .docx or .ttl."
)
SHAPES_FIELD_MARKS = (b'name="shapes"', b"shapes=")  # in a body that has shapes
MAX_CHECKED_PAPERS = 100  # in one request
SHOW_FORM_PAIR = ("do", "show")  # a form field: show the form again as it is filled in, without a report
MAX_ECHOED_CHARACTERS = 200_000  # a longer text is not in the form of the page with its report


class ValidationOptions(NamedTuple):
    """The profile, and the language of the report."""

    profile: str
    language: str


class CheckedFile(NamedTuple):
    """The outcome of the check of a file, and the text of the file; empty if it is not a text."""

    outcome: CheckOutcome
    text: str
    is_pasted: bool


class ValidationJob(NamedTuple):
    """A request body to check, for a worker process. `language` is the default language of the report.

    `fetched_files` has the paper at the address in the body, if it has one and this was fetched.
    """

    content_type: ContentType
    body: bytes
    parameters: Pairs
    language: str
    format: Format
    settings: Settings
    fetched_files: Sequence[UploadedFile] = ()


class ValidationJobResult(NamedTuple):
    """The result of a check: a report in the requested format, or for HTML the data of the page.

    `metric_labels` are the labels of the outcomes of the files in the metrics. With an `address`, nothing was
    checked yet, as the paper at this address must be fetched first. `has_shapes`: the files were checked
    against shapes in the body instead of a profile.
    """

    options: ValidationOptions
    fields: Pairs
    report: bytes = b""
    files: Sequence[CheckedFile] = ()
    problem: Problem | None = None
    metric_labels: Sequence[str] = ()
    address: str = ""
    has_shapes: bool = False


class ValidationFormParameters(ParameterModel):
    """Query parameters of GET /validate."""

    profile: Text = describe_parameter(
        "The profile to check against: `draft`, `complete` (the default) or `final`.",
        examples=["draft"],
        json_schema_extra={"default": "complete"},
    )
    lang: Text = describe_parameter(
        "The language of the report: ar, en, es, fr, ru or zh. It overrides Accept-Language.",
        examples=["fr"],
    )


class ValidationParameters(ValidationFormParameters):
    """Query parameters of POST /validate."""

    media_type: Text = describe_media_type(OFFERED_REPORT_FORMATS)


class ValidationForm(ParameterModel):
    """The form fields of POST /validate: papers as texts, files or addresses."""

    paper: Texts = describe_parameter("The text of a paper, in Markdown or RDF.")
    files: Annotated[
        Texts, WithJsonSchema({"type": "array", "items": {"type": "string", "format": "binary"}})
    ] = describe_parameter("Files with papers, only as multipart/form-data.")
    format: Text = describe_parameter(
        "The media type or the file extension of the texts. By default, the format is guessed."
    )
    name: Text = describe_parameter("The file name of the text in the report.")
    address: Text = describe_parameter("The address of a paper, if the operator allows it.")
    shapes: Texts = describe_parameter(
        "SHACL shapes, as texts or files, to check any RDF against instead of the template."
    )


async def choose_report_format(request: Request) -> Format:
    """The format of the report. Raises Problem 406 if the client accepts none of those offered."""
    media_types = parameter_values(bodies.get_query_parameters(request), "_mediatype")
    return choose_response_format(request, OFFERED_REPORT_FORMATS, next(iter(media_types), None))


VALIDATION_FORM_OPERATION = Operation(formats=(HTML,))
VALIDATION_OPERATION = Operation(
    name="checkPapers",
    formats=OFFERED_REPORT_FORMATS,
    json=CheckReport,
    bodies=(*(format_.media_type for format_ in FILE_FORMATS), MULTIPART_MEDIA_TYPE, FORM_MEDIA_TYPE),
    form=ValidationForm,
    early_dependencies=(choose_report_format,),
    parameters=ValidationParameters,
)


async def post_validation(
    context: ContextDep,
    queues: CheckQueuesDep,
    telemetry: TelemetryDep,
    fetcher: PaperFetcherDep,
    format_: Annotated[Format, Depends(choose_report_format)],
) -> Response:
    """Check the papers in the body: a file, a form with a text, or several files as multipart/form-data.

    If the operator allows it, a form can also have the address of a paper. A form with SHACL shapes, in the
    field `shapes` as texts or files, checks any RDF against these instead of the template; nothing is
    fetched, and the profile has no meaning then.

    The status is 200 whether or not the papers conform. If the body is invalid, a browser gets the page with
    the error, and a program gets a problem document.
    """
    request = context.request
    parameters = bodies.get_query_parameters(request)
    parse_validation_options(parameters, current_language())  # raises before the body is read
    content_type = bodies.require_content_type(request, UPLOAD_MEDIA_TYPES)
    settings = context.settings
    limit = settings.body_bytes if content_type.media_type in FORM_UPLOAD_PARSERS else settings.paper_bytes
    body = await bodies.read_request_body(request, limit)
    job = ValidationJob(content_type, body, parameters, current_language(), format_, settings)
    with span_if_traced(telemetry.tracing, "check"), count_check_outcomes(telemetry.metrics) as outcomes:
        async with (
            cancel_on_disconnect(request.receive),
            queues.shape_checks.slot() if has_shapes(job) else nullcontext(),
        ):
            result = await run_limited_job(queues.checks, job)
            if result.address:
                result = await check_fetched_paper(request, queues.checks, fetcher, job, result)
        outcomes.extend(result.metric_labels)
    return await run_in_threadpool(respond_with_validation, context, format_, result)


async def check_fetched_paper(
    request: Request,
    checks: WorkQueue,
    fetcher: PaperFetcher,
    job: ValidationJob,
    result: ValidationJobResult,
) -> ValidationJobResult:
    """The result of the job after the paper at `result.address` was fetched.

    Except for HTML, raises Problem if it was not fetched.
    """
    client = identify_client(request.client.host if request.client else "")
    try:
        file = await fetcher.fetch_paper(result.address, client, job.settings)
    except Problem as problem:
        if job.format != HTML:
            raise
        return result._replace(problem=problem, metric_labels=[outcome_of_problem(problem)])
    return await run_limited_job(checks, job._replace(fetched_files=[file]))


def has_shapes(job: ValidationJob) -> bool:
    """Whether a body may have shapes, by marks, because only the process of the check parses it."""
    return any(mark in job.body for mark in SHAPES_FIELD_MARKS)


async def run_limited_job(checks: WorkQueue, job: ValidationJob) -> ValidationJobResult:
    """The result of a job. Raises Problem if it exceeds a limit; with shapes, these may be the reason."""
    try:
        return await checks.run(run_validation_job, job)
    except Problem as problem:
        if not is_process_limit(problem) or not has_shapes(job):
            raise
        raise Problem(
            problem.status,
            f"{problem.detail} Your shapes may be the reason: patterns, queries, long paths and deep nesting "
            "can take any time. Use simpler ones.",
            slug=problem.slug,
        ) from problem


def get_validation(context: ContextDep, parameters: Annotated[ValidationFormParameters, Query()]) -> Response:
    """The page with the form to check papers, and with the conformance of the papers in the store."""
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
    """Check the papers in a body. Except for HTML, raises Problem if the body or the only file is invalid."""
    if job.format == HTML:  # not `is`: a worker process has a copy of the job
        return run_page_validation(job)
    fields, all_files = parse_uploads(job.content_type, job.body, job.fetched_files)
    files, sources = split_shapes(all_files)
    options = parse_validation_options([*job.parameters, *fields], job.language)
    if needs_fetch(job, fields):
        return ValidationJobResult(options, fields, address=find_paper_address(fields))
    checker = FileChecker(options.profile, sources, job.settings)
    outcomes = [checked.outcome for checked in checker.check_files(files)]
    if problem := find_only_problem(outcomes):
        raise problem
    report = REPORT_WRITERS[job.format](outcomes, options.language)
    return ValidationJobResult(
        options,
        fields,
        report,
        metric_labels=[outcome_metric_label(outcome) for outcome in outcomes],
        has_shapes=bool(sources),
    )


def split_shapes(files: Sequence[UploadedFile]) -> tuple[list[UploadedFile], tuple[ShapesSource, ...]]:
    """The files to check, and the shapes to check them against; empty for the template."""
    return (
        [file for file in files if not file.is_shapes],
        tuple(ShapesSource(file.name, file.data, file.format) for file in files if file.is_shapes),
    )


def run_page_validation(job: ValidationJob) -> ValidationJobResult:
    """Check the papers in a body. The result has the problem or the report, and the form as it was sent."""
    options = parse_validation_options(job.parameters, job.language)
    fields: Pairs = []
    try:
        fields, files = parse_upload_body(job.content_type, job.body)
        options = parse_validation_options([*job.parameters, *fields], job.language)
        if SHOW_FORM_PAIR in fields:
            return ValidationJobResult(options, fields)
        files += job.fetched_files
        check_uploads(fields, files)
        files, sources = split_shapes(files)
        fields = [*echo_shapes(sources), *fields]
        if needs_fetch(job, fields):
            return ValidationJobResult(options, fields, address=find_paper_address(fields))
        checked_files = FileChecker(options.profile, sources, job.settings).check_files(files)
    except Problem as problem:
        metric_labels = [outcome_of_problem(problem)]
        return ValidationJobResult(options, fields, problem=problem, metric_labels=metric_labels)
    only_problem = find_only_problem([checked.outcome for checked in checked_files])
    metric_labels = [outcome_metric_label(checked.outcome) for checked in checked_files]
    return ValidationJobResult(
        options,
        [*echo_pasted_text(files, checked_files), *fields],
        files=checked_files,
        problem=only_problem,
        metric_labels=metric_labels,
        has_shapes=bool(sources),
    )


def needs_fetch(job: ValidationJob, fields: Pairs) -> bool:
    """Whether the fields have the address of a paper that was not fetched yet."""
    return not job.fetched_files and find_paper_address(fields) != ""


def outcome_metric_label(outcome: CheckOutcome) -> str:
    """The label of the outcome of a file in the metrics."""
    if isinstance(outcome, UncheckedFile):
        return outcome_of_problem(outcome.problem)
    return "conforms" if outcome.conforms else "violates"


def respond_with_validation(
    context: RequestContext, format_: Format, result: ValidationJobResult
) -> Response:
    """The response to a check, which must not be cached."""
    body = render_validation_page(context, result) if format_ is HTML else result.report
    headers = {"Vary": VALIDATION_VARY, **NO_STORE_HEADERS}
    if result.problem:
        headers |= result.problem.headers
    if format_ is not HTML:  # the language of a page may differ from that of the report in it
        headers["Content-Language"] = result.options.language
    profile_link = f'<{PROFILE_NAMESPACE}{result.options.profile}>; rel="profile"'
    links = [] if result.has_shapes else [profile_link]
    status = result.problem.status if result.problem else 200
    return respond_with_body(context.request, body, format_, status=status, links=links, headers=headers)


def find_only_problem(outcomes: Sequence[CheckOutcome]) -> Problem | None:
    """The problem of the only file if it could not be checked, else None."""
    only_outcome = outcomes[0] if len(outcomes) == 1 else None
    return only_outcome.problem if isinstance(only_outcome, UncheckedFile) else None


class FileChecker:
    """Checks the files of a request by a profile, or by shapes, within the limits of a request."""

    def __init__(self, profile: str, sources: tuple[ShapesSource, ...], settings: Settings) -> None:
        """Start with no triples and papers counted.

        Raises Problem for shapes that are invalid or refused, see `read_shapes_graph`.
        """
        self.profile, self.sources, self.settings = profile, sources, settings
        self.triple_count = self.paper_count = 0
        if sources:
            self.triple_count = len(read_shapes_graph(sources, settings).triples)

    def check_files(self, files: Sequence[UploadedFile]) -> list[CheckedFile]:
        """The outcome of the check of each file."""
        return [self.check_file(file) for file in files]

    def check_file(self, file: UploadedFile) -> CheckedFile:
        """The outcome of the check of a file."""
        try:
            document = self.read_document(file)
            report = (
                check_data(document, self.sources, self.settings)
                if self.sources
                else check_document(document, self.profile, self.settings.shacl)
            )
            return CheckedFile(report, document.text, file.is_pasted)
        except Problem as problem:
            return CheckedFile(UncheckedFile(file.name, problem), file.text, file.is_pasted)

    def read_document(self, file: UploadedFile) -> Document:
        """The document in a file. Raises Problem 400 if invalid, 413 above a limit, 415 without a format."""
        if file.format is None:
            raise bodies.unsupported_type_problem(UNKNOWN_FORMAT_MESSAGE, UPLOAD_MEDIA_TYPES)
        if len(file.data) > self.settings.paper_bytes:
            raise bodies.upload_too_large_problem(self.settings.paper_bytes)
        document = read_paper_document(file.name, file.data, file.format, self.settings.paper_triples)
        self.triple_count += len(document.triples)
        self.paper_count += 0 if self.sources else len(get_issue_papers(document))
        if self.triple_count > self.settings.paper_triples:
            raise build_triple_limit_problem(self.settings.paper_triples)
        if self.paper_count > MAX_CHECKED_PAPERS:
            raise Problem(
                413, f"More than {MAX_CHECKED_PAPERS} papers were sent. Send them in several requests."
            )
        return document


def render_validation_page(context: RequestContext, result: ValidationJobResult) -> bytes:
    """The page with the form as it was sent, and the report or the conformance of the papers in the store."""
    report_view = ReportView(
        [checked.outcome for checked in result.files],
        result.options.language,
        [checked.text for checked in result.files],
        {number for number, checked in enumerate(result.files, 1) if checked.is_pasted},
    )
    return rendering.render_template(
        "validate.html",
        base=context.base,
        host_url=context.request.base_url,
        text=next(iter(parameter_values(result.fields, PAPER_TEXT_FIELD)), ""),
        chosen_format=next(iter(parameter_values(result.fields, PAPER_FORMAT_FIELD)), ""),
        file_name=next(iter(parameter_values(result.fields, PAPER_NAME_FIELD)), ""),
        shapes=next(iter(parameter_values(result.fields, SHAPES_FIELD)), ""),
        has_shapes=result.has_shapes,
        edited=next(iter(parameter_values(result.fields, TEXT_EDITED_FIELD)), ""),
        address="" if result.files else find_paper_address(result.fields),
        hosts=parse_paper_hosts(context.settings.paper_hosts),
        formats=PASTABLE_FORMATS,
        profiles=CHECK_PROFILES,
        languages=MESSAGE_LANGUAGES,
        options=result.options,
        problem=result.problem,
        report_view=report_view if result.files else None,
        papers=[] if result.files else list_paper_conformance(context.store, context.base),
    )


def echo_shapes(sources: Sequence[ShapesSource]) -> Pairs:
    """The form field with the text of the shapes; empty if the text is long or in several files."""
    is_echoed = len(sources) == 1 and len(sources[0].data) <= MAX_ECHOED_CHARACTERS
    return [(SHAPES_FIELD, sources[0].data.decode("utf-8", "replace") if is_echoed else "")]


def echo_pasted_text(files: Sequence[UploadedFile], checked_files: Sequence[CheckedFile]) -> Pairs:
    """The form fields with the checked text, its file name and its format.

    They are empty if the text is long or in several files.
    """
    if len(files) > 1 or len(checked_files[0].text) > MAX_ECHOED_CHARACTERS:
        return [(PAPER_TEXT_FIELD, ""), (PAPER_NAME_FIELD, ""), (TEXT_EDITED_FIELD, "")]
    format_ = files[0].format
    return [
        (PAPER_TEXT_FIELD, checked_files[0].text),
        (PAPER_NAME_FIELD, "" if files[0].is_pasted else files[0].name),
        (PAPER_FORMAT_FIELD, format_.suffix if format_ in PASTABLE_FORMATS else ""),
    ]


def parse_validation_options(pairs: Pairs, default_language: str) -> ValidationOptions:
    """The profile and language in parameters and form fields, or the defaults.

    The first value of each is used. Raises Problem 400 for an unknown value.
    """
    return choose_validation_options(
        first_pair_value(pairs, "profile"), first_pair_value(pairs, "lang"), default_language
    )


def choose_validation_options(profile: str, tag: str, default_language: str) -> ValidationOptions:
    """The profile and language, by default `complete` and `default_language`.

    `tag` is a language tag. Raises Problem 400 for an unknown profile, or a language without reports.
    """
    profile = validate_profile_name(profile.removeprefix(PROFILE_NAMESPACE) or "complete")
    language = tag.lower().partition("-")[0]  # without script and region (RFC 5646)
    if tag and language not in MESSAGE_LANGUAGES:
        raise Problem(400, f"There is no report in {tag!r}. Use one of: {', '.join(MESSAGE_LANGUAGES)}.")
    return ValidationOptions(profile, language or default_language)


def first_pair_value(pairs: Pairs, key: str) -> str:
    """The first non-empty value of a key, or an empty string."""
    return next(filter(None, parameter_values(pairs, key)), "")

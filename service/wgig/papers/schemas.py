"""Models of JSON responses: the report on papers (see `shacl.reports.json`), and the check of a form."""

from typing import Any, Literal

from pydantic import Field

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel

ProfileName = Literal["draft", "complete", "final"]
SectionResult = Literal["done", "missing", "faulty", "waived", "not checked"]
Severity = Literal["Violation", "Warning", "Info"]


class Completeness(ResponseModel):
    """The number of parts that the template requires (`parts`), that the paper has, and that are waived."""

    met: Count
    waived: Count
    parts: Count


class SectionEntry(ResponseModel):
    """The state of a section of the template. Section 0 is the paper itself, such as its title."""

    number: Count
    state: SectionResult


class SummarizedSection(SectionEntry):
    """A section with its state in words, which includes what is missing."""

    summary: str


class TitledSection(SectionEntry):
    """A section with its title."""

    title: str


class FindingEntry(ResponseModel):
    """A finding, with its position in the file.

    `code`, `name` and `rule` (an IRI) identify the rule. `part` is the part of the template with the finding,
    `mend` an example of a fix, and `waived` the reason for a waiver.
    """

    code: str
    severity: Severity
    section: int
    part: str
    message: str
    name: str
    focus: str
    path: str
    value: str | None
    line: int | None
    column: int | None
    excerpt: str
    mend: str
    suggestion: str | None
    waived: str | None
    rule: str


class CheckedPaper(ResponseModel):
    """A paper with its findings."""

    iri: str
    title: str
    conforms: bool
    completeness: Completeness
    sections: list[TitledSection]
    findings: list[FindingEntry]
    left_out: Count = Field(alias="leftOut", description="The number of findings that are not listed.")


class FileProblem(ExtensibleResponseModel):
    """The problem that prevented the check of a file (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class CheckedFileEntry(ResponseModel):
    """A file with its papers, or with the problem that prevented its check.

    A file that was checked against shapes in the request has no papers, but the number of nodes that are
    targets of the shapes, and the findings about them.
    """

    name: str
    conforms: bool
    papers: list[CheckedPaper]
    focus_nodes: Count | Absent = Field(alias="focusNodes", default=None)
    findings: list[FindingEntry] | Absent = None
    left_out: Count | Absent = Field(alias="leftOut", default=None)
    problem: FileProblem | Absent = None


class CheckReport(ResponseModel):
    """The report on the files of a request."""

    conforms: bool
    profile: ProfileName | None
    files: list[CheckedFileEntry]


class SarifLog(ExtensibleResponseModel):
    """A log in SARIF 2.1.0, with the schema https://json.schemastore.org/sarif-2.1.0.json."""

    schema_iri: str = Field(alias="$schema")
    version: Literal["2.1.0"]
    runs: list[dict[str, Any]]


class FormMessage(ResponseModel):
    """A message for a form field. If `blocks` is true, the paper does not conform to its profile.

    `details` are further lines: values that were probably meant, and an example.
    """

    field: str
    severity: Severity
    text: str
    language: str
    code: str
    blocks: bool
    details: list[str]


class FormCheck(ResponseModel):
    """The result of the check of a form: the paper has `met` of the `parts` that the template requires.

    `names` has the name of what the value of a field means, such as a paragraph, by the name of the field.
    `prefilled` are the fields whose value the form filled in from the issue, `unconfirmed` the required ones
    of them that the author has not marked to be kept.
    """

    profile: ProfileName
    conforms: bool
    met: Count
    parts: Count
    prefilled: list[str]
    unconfirmed: list[str]
    sections: list[SummarizedSection]
    messages: list[FormMessage]
    names: dict[str, str]
    problem: FileProblem | Absent = None

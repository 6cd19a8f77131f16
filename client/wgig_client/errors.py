"""ServiceError, the exception for failed requests, and Report, the report on checked papers."""

from typing import Any

import httpx2

from .values import build_html_table

FINDING_COLUMNS = ("line", "severity", "message")  # of a report in a notebook


class Report(dict[str, Any]):
    """The JSON report of the service: `files`, each of them with `papers`, each of these with `findings`."""

    @property
    def conforms(self) -> bool:
        """Whether all papers conform to the profile."""
        return bool(self["conforms"])

    @property
    def papers(self) -> list[dict[str, Any]]:
        """The results of all papers of all files."""
        return [paper for file in self["files"] for paper in file["papers"]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of all papers: `code`, `severity`, `message`, `line`, `mend` (the fix) and more."""
        return [finding for paper in self.papers for finding in paper["findings"]]

    def _repr_html_(self) -> str:
        """The result in a sentence, and the findings as a table, for notebooks."""
        rows = [[finding.get(name) for name in FINDING_COLUMNS] for finding in self.findings]
        summary = "conforms" if self.conforms else "does not conform"
        return f"<p>{summary}</p>{build_html_table(FINDING_COLUMNS, rows, len(rows)) if rows else ''}"


ERROR_MEDIA_TYPES = ("application/problem+json", "application/json")  # a problem document, a report
MAX_SHOWN_BODY_CHARACTERS = 500  # of a response that is neither problem document nor report


class ServiceError(Exception):
    """A failed request.

    `status` is the HTTP status, None if no complete response arrived. `title` and `detail` describe the error
    and how to fix it. `members` are all members of the problem document (RFC 9457) or of the report that the
    service sent; for a syntax error they include `line` and `column`, counted from 1.
    """

    def __init__(self, status: int | None, title: str, detail: str, members: dict[str, Any] | None = None):
        """Build the message from the title, the detail and the members."""
        self.status, self.title, self.detail = status, title, detail
        self.members = members or {}
        lines = [f"{title}: {detail}" if status is None else f"{status} {title}: {detail}"]
        super().__init__("\n".join([*lines, *filter(None, [self.excerpt, self.suggestion])]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments: Exception would pickle the message."""
        return type(self), (self.status, self.title, self.detail, self.members)

    @property
    def line(self) -> int | None:
        """The line of a syntax error, counted from 1; None for other errors."""
        return self.members.get("line")

    @property
    def column(self) -> int | None:
        """The column of a syntax error, counted from 1; None for other errors."""
        return self.members.get("column")

    @property
    def excerpt(self) -> str | None:
        """The text of the line of a syntax error, with a caret below the column; None for other errors."""
        return self.members.get("excerpt")

    @property
    def suggestion(self) -> str | None:
        """How to fix the error; None if the service has no suggestion."""
        return self.members.get("suggestion")


def build_service_error(response: httpx2.Response) -> ServiceError:
    """The error from a complete response: a problem document, or a report on papers that do not conform."""
    title = response.reason_phrase or "Refused"
    members = parse_error_document(response)
    if "files" in members:
        messages = [finding["message"] for finding in Report(members).findings]
        return ServiceError(response.status_code, "Does not conform", " ".join(messages), members)
    detail = str(
        members.get("detail")
        or response.text[:MAX_SHOWN_BODY_CHARACTERS].strip()
        or "The service did not give any details."
    )
    return ServiceError(response.status_code, str(members.get("title", title)), detail, members)


def parse_error_document(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object in the body of the response; empty if the body is anything else."""
    if response.headers.get("content-type", "").partition(";")[0] not in ERROR_MEDIA_TYPES:
        return {}
    try:
        members = response.json()
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}

"""ServiceError, the one exception of the client, and the report on checked papers.

It holds what the service said against a request, as a problem document or a report, or that it did not
answer.
"""

from typing import Any

import httpx


class Report(dict[str, Any]):
    """The report as the service gives it in JSON: `files`, in them `papers`, in them `findings`."""

    @property
    def conforms(self) -> bool:
        """Whether all that was sent conforms to the profile."""
        return bool(self["conforms"])

    @property
    def papers(self) -> list[dict[str, Any]]:
        """What was found of each paper of all files."""
        return [paper for file in self["files"] for paper in file["papers"]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What each paper lacks: `code`, `severity`, `message`, `line`, `mend` and more."""
        return [finding for paper in self.papers for finding in paper["findings"]]


ERROR_MEDIA_TYPES = ("application/problem+json", "application/json")
MAX_SHOWN_BODY_CHARACTERS = 500  # characters of an answer that is no such document


class ServiceError(Exception):
    """There is no answer, not even a part of one.

    `status` is the HTTP status, None where no whole answer came; `title` and `detail` say what happened and
    what to do instead. `members` are all members of the problem document (RFC 9457), among them, where a text
    does not parse, `line` and `column`, counted from one.
    """

    def __init__(self, status: int | None, title: str, detail: str, members: dict[str, Any] | None = None):
        """Name what happened."""
        self.status, self.title, self.detail = status, title, detail
        self.members = members or {}
        lines = [f"{title}: {detail}" if status is None else f"{status} {title}: {detail}"]
        super().__init__("\n".join([*lines, *filter(None, [self.excerpt, self.suggestion])]))

    @property
    def line(self) -> int | None:
        """The line at which a text does not parse."""
        return self.members.get("line")

    @property
    def column(self) -> int | None:
        """The column at which a text does not parse."""
        return self.members.get("column")

    @property
    def excerpt(self) -> str | None:
        """That line, with a caret below the place."""
        return self.members.get("excerpt")

    @property
    def suggestion(self) -> str | None:
        """How to mend it."""
        return self.members.get("suggestion")


def build_service_error(response: httpx.Response) -> ServiceError:
    """What a whole answer says against a request: as a problem document, or as the report on a paper."""
    title = response.reason_phrase or "Refused"
    members = parse_error_document(response)
    if "files" in members:
        lacking = [finding["message"] for finding in Report(members).findings]
        return ServiceError(response.status_code, "Does not conform", " ".join(lacking), members)
    said = str(
        members.get("detail")
        or response.text[:MAX_SHOWN_BODY_CHARACTERS].strip()
        or "The service says nothing more."
    )
    return ServiceError(response.status_code, str(members.get("title", title)), said, members)


def parse_error_document(response: httpx.Response) -> dict[str, Any]:
    """The object in JSON that an answer is; empty where it is something else."""
    if response.headers.get("content-type", "").partition(";")[0] not in ERROR_MEDIA_TYPES:
        return {}
    try:
        members = response.json()
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}

"""The one way to say no: a problem with a status, what happened, and what to do instead (RFC 9457)."""

from http import HTTPStatus
from typing import Any


class Problem(Exception):
    """A refusal that a client can act on.

    `status` is the HTTP status, `detail` one or two sentences: what is wrong and how to mend it. `slug` names the
    page that explains this kind of problem. `headers` go into the response (`Allow`, `Retry-After`, ...), `members`
    are extension members of the problem document (`line`, `column`, `suggestion`, ...).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = HTTPStatus(status).phrase
        self.slug = slug or self.title.lower().replace(" ", "-")
        self.headers = headers or {}
        self.members = members

"""The one way to say no: a problem with a status, what happened, and what to do instead (RFC 9457)."""

from functools import partial
from typing import Any, NamedTuple

from .steering import cut

LONGEST = 2000  # characters of a detail, which may quote a stranger


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, a title, and what it means in general."""

    status: int
    title: str
    meaning: str


# By the slug of the page that explains it. The first of a status is the default of that status.
KINDS = {
    "bad-request": Kind(400, "Bad request", "A parameter, header or body is missing, doubled, or malformed."),
    "syntax": Kind(
        400,
        "The text does not parse",
        "A query, update or document breaks the grammar. Line and column, counted from one, say where; the "
        "excerpt shows the line with a caret below the place.",
    ),
    "unauthorized": Kind(401, "Token needed", "Writing needs a bearer token; none or a wrong one was sent."),
    "forbidden": Kind(
        403, "Not allowed", "The service does this for nobody, or its operator has not opened it."
    ),
    "not-found": Kind(404, "Not found", "Nothing is known under this address."),
    "method-not-allowed": Kind(
        405, "Wrong method", "The address exists, but not for this method. The field Allow lists its methods."
    ),
    "not-acceptable": Kind(
        406,
        "No such format",
        "None of the formats that the client accepts can be had. The detail lists those that can.",
    ),
    "no-profile": Kind(
        406,
        "No such profile",
        "None of the profiles that the client asks for is known, or has anything for this. The detail lists "
        "those that can be had.",
    ),
    "no-language": Kind(
        406,
        "No such language",
        "Nothing here is said in a language that the address asks for. The detail lists those there are.",
    ),
    "too-slow": Kind(408, "Too slow", "The body of the request did not arrive in time."),
    "gone": Kind(
        410,
        "No longer so",
        "What was cited is not the same any more. The detail says which graphs were written since.",
    ),
    "precondition-failed": Kind(
        412, "Changed meanwhile", "If-Match or If-None-Match does not hold. Nothing was written."
    ),
    "too-large": Kind(413, "Too large", "The request is larger than the settings of this service allow."),
    "uri-too-long": Kind(
        414, "Address too long", "The address is longer than is read here. A query can be sent in a body."
    ),
    "unsupported-media-type": Kind(
        415,
        "Format not understood",
        "The body is in a format, character set or coding that is not read here.",
    ),
    "range": Kind(
        416,
        "Beyond the end",
        "The part that is asked for begins behind the end of the file. Content-Range says how long it is.",
    ),
    "unprocessable": Kind(
        422, "Cannot be done", "The request is well formed, but cannot be computed. Nothing was written."
    ),
    "no-paper": Kind(
        422,
        "No paper found",
        "The file can be read, but holds no issue paper, so there was nothing to check. A wrong file, or a "
        "paper without its type.",
    ),
    "internal": Kind(
        500, "Our mistake", "The service failed. The number in the detail finds the reason in its log."
    ),
    "not-installed": Kind(
        501, "Not installed", "This service lacks a library that the answer takes. Another format needs none."
    ),
    "other-service": Kind(
        502,
        "Another service failed",
        "The query asks another service, which cannot be reached, is too slow, or answers what is not taken.",
    ),
    "disk": Kind(
        500,
        "The disk failed",
        "The disk of the service failed during a write. What was written before is there, and can be read.",
    ),
    "unavailable": Kind(
        503, "Not now", "The answer takes more than this service may spend, or the store does not answer."
    ),
    "disk-full": Kind(
        507,
        "No room",
        "The disk of the service is full. What was written before is there, and can be read.",
    ),
}


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """A refusal that a client can act on.

    `status` is the HTTP status, `detail` one or two sentences: what is wrong and how to mend it. `slug`
    names the kind of problem, by default that of the status. `headers` go into the response (`Allow`,
    `Retry-After`, ...), `members` are extension members of the document (`line`, `column`, ...).
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
        """Name what happened and what to do instead."""
        self.status = status
        self.detail = cut(detail, LONGEST)
        super().__init__(self.detail)
        self.slug = slug or next(name for name, kind in KINDS.items() if kind.status == status)
        self.title = KINDS[self.slug].title
        self.headers = headers or {}
        self.members = members

    def __reduce__(self) -> tuple[Any, tuple[int, str]]:
        """Pickled by what it was made of, most of which has to be named."""
        named = partial(Problem, slug=self.slug, headers=self.headers, **self.members)
        return named, (self.status, self.detail)

    def document(self, base: str, instance: str) -> dict[str, Any]:
        """The members of the problem document; `instance` is the path of the request, as it was sent."""
        return {
            "type": f"{base}doc/problem/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }

"""Problem, the exception that becomes an error response: a problem document (RFC 9457)."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from .i18n import gettext_noop
from .text import MAX_LISTED_NAMES, find_near_name, shorten_untrusted_text

CHOICES_MARK = "Choose from: "  # before the names in a detail
MAX_DETAIL_CHARACTERS = 2000  # the detail may quote untrusted input


class ProblemKind(NamedTuple):
    """A problem type (RFC 9457): HTTP status, title, meaning, and advice for the client."""

    status: int
    title: str
    meaning: str
    advice: str


# By slug, the last segment of the IRI of the problem type. The first type of each status is its default.
PROBLEM_KINDS = {
    "bad-request": ProblemKind(
        400,
        gettext_noop("Bad request"),
        gettext_noop("A parameter, header or body is missing, repeated or malformed."),
        gettext_noop("Correct the address or the form as the message says, and send it again."),
    ),
    "syntax": ProblemKind(
        400,
        gettext_noop("Syntax error"),
        gettext_noop(
            "A query, update or document has a syntax error. The line and column, counted from 1, say "
            "where it is; the excerpt shows the line with a caret below the position."
        ),
        gettext_noop("Look at the line above the caret, fix the error, and send the text again."),
    ),
    "unauthorized": ProblemKind(
        401,
        gettext_noop("Token needed"),
        gettext_noop("You need a bearer token to write. The request has none, or an invalid one."),
        gettext_noop(
            "You do not need a token to read. To write, ask the operator of this service for one, and "
            "send it in the Authorization header."
        ),
    ),
    "forbidden": ProblemKind(
        403,
        gettext_noop("Not allowed"),
        gettext_noop("The service does not allow this, or its operator has not enabled it."),
        gettext_noop(
            "Ask the operator of this service whether it can be enabled for you. All data can also be "
            "downloaded as dumps."
        ),
    ),
    "not-found": ProblemKind(
        404,
        gettext_noop("Not found"),
        gettext_noop("There is nothing at this address."),
        gettext_noop("Check the address for typing errors, or search by name."),
    ),
    "method-not-allowed": ProblemKind(
        405,
        gettext_noop("Method not allowed"),
        gettext_noop(
            "The address exists, but does not support this method. The Allow header lists the "
            "supported methods."
        ),
        gettext_noop(
            "Use one of the methods that the message names. In a browser, follow a link to the "
            "address, or type it in."
        ),
    ),
    "not-acceptable": ProblemKind(
        406,
        gettext_noop("Format not available"),
        gettext_noop(
            "None of the formats that the client accepts is available. The detail lists the available "
            "formats."
        ),
        gettext_noop(
            "Request one of the formats that the message names, or leave the format out to get the default."
        ),
    ),
    "no-profile": ProblemKind(
        406,
        gettext_noop("Profile not available"),
        gettext_noop(
            "None of the requested profiles is known or available for this resource. The detail lists "
            "the available profiles."
        ),
        gettext_noop("Request one of the profiles that the message names, or leave the profile out."),
    ),
    "no-language": ProblemKind(
        406,
        gettext_noop("Language not available"),
        gettext_noop(
            "Nothing is available in the languages that the address asks for. The detail lists the "
            "available languages."
        ),
        gettext_noop(
            "Leave out the parameter lang, or request a language that the message names. English is "
            "always available."
        ),
    ),
    "too-slow": ProblemKind(
        408,
        gettext_noop("Request timed out"),
        gettext_noop("The body of the request did not arrive in time."),
        gettext_noop("Send it again over a faster connection, or send less at once."),
    ),
    "gone": ProblemKind(
        410,
        gettext_noop("Changed since it was cited"),
        gettext_noop("The cited data has changed. The detail names the graphs that have been written since."),
        gettext_noop("Cite the current data, or see what changed in the versions of its graph."),
    ),
    "no-longer-kept": ProblemKind(
        410,
        gettext_noop("No longer kept"),
        gettext_noop(
            "The operator of this service erased the content of this version, or the version is older "
            "than the retention period of the service."
        ),
        gettext_noop("Use the current version of the graph, or another version from its list of versions."),
    ),
    "precondition-failed": ProblemKind(
        412,
        gettext_noop("Changed in the meantime"),
        gettext_noop("The condition in If-Match or If-None-Match was not met. Nothing was written."),
        gettext_noop("Get the current version, apply your change to it, and send it with its new ETag."),
    ),
    "too-large": ProblemKind(
        413,
        gettext_noop("Too large"),
        gettext_noop("The request is larger than the settings of this service allow."),
        gettext_noop("Send or request less at once. The message states the limit."),
    ),
    "uri-too-long": ProblemKind(
        414,
        gettext_noop("Address too long"),
        gettext_noop(
            "The address is longer than this service accepts. A query can be sent in the request body."
        ),
        gettext_noop("Send the query in the body of a POST request instead of in the address."),
    ),
    "unsupported-media-type": ProblemKind(
        415,
        gettext_noop("Unsupported format"),
        gettext_noop(
            "The request body is in a format, character set or content coding that this service does not "
            "support."
        ),
        gettext_noop(
            "Send one of the formats that the message names, and state it in the Content-Type header."
        ),
    ),
    "range": ProblemKind(
        416,
        gettext_noop("Range not satisfiable"),
        gettext_noop(
            "The requested range begins after the end of the file. Content-Range states the length of the"
            " file."
        ),
        gettext_noop("Request a range that begins before the end, or the whole file."),
    ),
    "unprocessable": ProblemKind(
        422,
        gettext_noop("Cannot be processed"),
        gettext_noop("The request is well-formed, but cannot be processed. Nothing was written."),
        gettext_noop("Fix what the message reports, and send it again."),
    ),
    "no-paper": ProblemKind(
        422,
        gettext_noop("No paper found"),
        gettext_noop(
            "The file can be read, but contains no issue paper, so there was nothing to check. It may "
            "be the wrong file, or the paper may have no type."
        ),
        gettext_noop(
            "Check that you sent the right file, and that it is marked as a paper: in Markdown by a line "
            "such as paper: my-paper between two lines --- at the top, in RDF by the type wgig:IssuePaper."
        ),
    ),
    "too-many": ProblemKind(
        429,
        gettext_noop("Too many requests"),
        gettext_noop("This client exceeded the rate limit of this service."),
        gettext_noop(
            "Wait as long as the message says, and send the request again. The RateLimit header of "
            "each response states how many requests are left."
        ),
    ),
    "field-too-large": ProblemKind(
        431,
        gettext_noop("Header field too large"),
        gettext_noop("A header field of the request is longer than this service accepts."),
        gettext_noop("Send a shorter header field. The message names the field and states the limit."),
    ),
    "internal": ProblemKind(
        500,
        gettext_noop("Internal error"),
        gettext_noop(
            "The service failed. The number in the detail identifies the error in the log of the service."
        ),
        gettext_noop(
            "Try again. If it fails again, send the number in the message to the operator of this service."
        ),
    ),
    "not-installed": ProblemKind(
        501,
        gettext_noop("Not installed"),
        gettext_noop(
            "A library that this format needs is not installed on this service. Other formats do not need it."
        ),
        gettext_noop("Request another format."),
    ),
    "not-implemented": ProblemKind(
        501,
        gettext_noop("Unknown method"),
        gettext_noop("The service does not know the method of the request."),
        gettext_noop("Use a method from the documentation of the address, such as GET."),
    ),
    "other-service": ProblemKind(
        502,
        gettext_noop("Another service failed"),
        gettext_noop(
            "The request needs a response from another service, which cannot be reached, is too slow, or "
            "sends an invalid response."
        ),
        gettext_noop("Try again later, or send a request that does not need the other service."),
    ),
    "disk": ProblemKind(
        500,
        gettext_noop("The write failed"),
        gettext_noop(
            "The disk or the store of the service failed during a write. Earlier writes are kept and "
            "can be read."
        ),
        gettext_noop("Try to write again later. Reading still works."),
    ),
    "unavailable": ProblemKind(
        503,
        gettext_noop("Temporarily unavailable"),
        gettext_noop(
            "The response needs more resources than this service may use, or the store does not respond."
        ),
        gettext_noop("Wait a little and try again. If the problem persists, request less at once."),
    ),
    "disk-full": ProblemKind(
        507,
        gettext_noop("Disk full"),
        gettext_noop("The disk of the service is full. Earlier writes are kept and can be read."),
        gettext_noop("Try to write again later. Reading still works."),
    ),
}


class DetailSentence(NamedTuple):
    """A sentence of a detail, which pages translate: a message, and the values for its `%(name)s`."""

    message: str
    values: Mapping[str, str]

    def __str__(self) -> str:
        """The sentence in English."""
        return self.message % self.values


def build_sentence(message: str, **values: object) -> DetailSentence:
    """A sentence of a detail; mark the message with `gettext_noop`."""
    return DetailSentence(message, {name: str(value) for name, value in values.items()})


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An error in a request or in the state of the service, which becomes an error response.

    `status` is the HTTP status. `detail` says in one or two sentences what is wrong and how to fix it; pages
    translate it if it is a sequence of sentences. `slug` is a key of PROBLEM_KINDS, by default the first with
    this status. `headers` are added to the response (`Allow`, `Retry-After`, ...). `members` are extension
    members of the document (`line`, `column`, ...).
    """

    def __init__(
        self,
        status: int,
        detail: str | Sequence[DetailSentence],
        *,
        slug: str | None = None,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Look up the problem type, and shorten the detail."""
        self.status = status
        self.sentences = () if isinstance(detail, str) else tuple(detail)
        text = detail if isinstance(detail, str) else " ".join(map(str, detail))
        self.detail = shorten_untrusted_text(text, MAX_DETAIL_CHARACTERS)
        super().__init__(self.detail)
        self.slug = slug or next(name for name, kind in PROBLEM_KINDS.items() if kind.status == status)
        self.title = PROBLEM_KINDS[self.slug].title
        self.headers = headers or {}
        self.members = members

    def __reduce__(self) -> tuple[Any, tuple[int, str | Sequence[DetailSentence]]]:
        """Pickle the arguments: Exception would pickle only the positional ones."""
        build = partial(Problem, slug=self.slug, headers=self.headers, **self.members)
        return build, (self.status, self.sentences or self.detail)

    def document(self, base: str, instance: str) -> dict[str, Any]:
        """The problem document; `base` is the base IRI, `instance` the path of the request as sent."""
        return {
            "type": f"{base}doc/problem/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }


def suggest_name_sentences(suggestion: str) -> list[DetailSentence]:
    """The question whether a name was meant; empty without a suggestion."""
    return [build_sentence(gettext_noop("Did you mean %(name)s?"), name=suggestion)] if suggestion else []


def missing_extra_problem(failure: str, extra: str) -> Problem:
    """The Problem 501 for a missing extra of the package; `failure` says what is not possible without it."""
    detail = f"{failure}, because the extra {extra} is not installed: pip install 'wgig[{extra}]'."
    return Problem(501, detail, slug="not-installed")


def unknown_name_problem(
    prefix: str, name: str, known: Collection[str], max_listed: int = MAX_LISTED_NAMES
) -> Problem:
    """The Problem 400 for an unknown name; its detail begins with `prefix`, such as "There is no parameter".

    The detail suggests the most similar known name, which is also the member `suggestion`. If no known name
    is similar, it lists the first `max_listed` known names, which are also the member `choices`.
    """
    if suggestion := find_near_name(name, known):
        return Problem(400, f"{prefix} {name!r}. Did you mean {suggestion}?", suggestion=suggestion)
    if not known:
        return Problem(400, f"{prefix} {name!r}. There are none.")
    listed = sorted(known)[:max_listed]
    ellipsis = ", …" if len(listed) < len(known) else ""
    detail = f"{prefix} {name!r}. {CHOICES_MARK}{', '.join(listed)}{ellipsis}."
    return Problem(400, detail, choices=listed)

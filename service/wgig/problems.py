"""The one way to say no: a problem with a status, what happened, and what to do instead (RFC 9457)."""

from collections.abc import Collection
from functools import partial
from typing import Any, NamedTuple

from .i18n import gettext_noop
from .text import MAX_LISTED_NAMES, find_near_name, shorten_untrusted_text

MAX_DETAIL_CHARACTERS = 2000  # characters of a detail, which may quote a stranger


class ProblemKind(NamedTuple):
    """A kind of problem: its HTTP status, a title, what it means in general, and what a reader can do."""

    status: int
    title: str
    meaning: str
    advice: str


# By the slug of the page that explains it. The first of a status is the default of that status.
PROBLEM_KINDS = {
    "bad-request": ProblemKind(
        400,
        gettext_noop("Bad request"),
        gettext_noop("A parameter, header or body is missing, doubled, or malformed."),
        gettext_noop(
            "Compare the address or the form with what the problem asks for, and send it again. Without "
            "its conditions, the page shows all that there is."
        ),
    ),
    "syntax": ProblemKind(
        400,
        gettext_noop("The text does not parse"),
        gettext_noop(
            "A query, update or document breaks the grammar. Line and column, counted from one, say where; "
            "the excerpt shows the line with a caret below the place."
        ),
        gettext_noop(
            "Look at the line above the caret, mend it, and send it again. Most often a bracket, a dot or a "
            "prefix is missing shortly before that place."
        ),
    ),
    "unauthorized": ProblemKind(
        401,
        gettext_noop("Token needed"),
        gettext_noop("Writing needs a bearer token; none or a wrong one was sent."),
        gettext_noop(
            "To read needs no token. To write, ask the operator of this service for one, and send it in the "
            "field Authorization."
        ),
    ),
    "forbidden": ProblemKind(
        403,
        gettext_noop("Not allowed"),
        gettext_noop("The service does this for nobody, or its operator has not opened it."),
        gettext_noop(
            "Ask the operator of this service whether it can be opened for you. All data can be had as dumps "
            "as well."
        ),
    ),
    "not-found": ProblemKind(
        404,
        gettext_noop("Not found"),
        gettext_noop("Nothing is known under this address."),
        gettext_noop(
            "Check the address for slips of typing, look for the thing by its name, or begin at the list of "
            "its kind."
        ),
    ),
    "method-not-allowed": ProblemKind(
        405,
        gettext_noop("Wrong method"),
        gettext_noop("The address exists, but not for this method. The field Allow lists its methods."),
        gettext_noop(
            "Use one of the methods that the problem names. In a browser, go to the address by a link or"
            " by typing it."
        ),
    ),
    "not-acceptable": ProblemKind(
        406,
        gettext_noop("No such format"),
        gettext_noop(
            "None of the formats that the client accepts can be had. The detail lists those that can."
        ),
        gettext_noop(
            "Ask for one of the formats that the problem names, or for none: then the best one comes."
        ),
    ),
    "no-profile": ProblemKind(
        406,
        gettext_noop("No such profile"),
        gettext_noop(
            "None of the profiles that the client asks for is known, or has anything for this. The detail "
            "lists those that can be had."
        ),
        gettext_noop("Ask for one of the profiles that the problem names, or for none."),
    ),
    "no-language": ProblemKind(
        406,
        gettext_noop("No such language"),
        gettext_noop(
            "Nothing here is said in a language that the address asks for. The detail lists those there are."
        ),
        gettext_noop(
            "Leave out the parameter lang, or ask for a language that the problem names. English is "
            "there always."
        ),
    ),
    "too-slow": ProblemKind(
        408,
        gettext_noop("Too slow"),
        gettext_noop("The body of the request did not arrive in time."),
        gettext_noop("Send it again over a faster connection, or send less at once."),
    ),
    "gone": ProblemKind(
        410,
        gettext_noop("No longer so"),
        gettext_noop(
            "What was cited is not the same any more. The detail says which graphs were written since."
        ),
        gettext_noop(
            "Cite it anew as it is now, or look at the versions of its graph, which tell what changed."
        ),
    ),
    "precondition-failed": ProblemKind(
        412,
        gettext_noop("Changed meanwhile"),
        gettext_noop("If-Match or If-None-Match does not hold. Nothing was written."),
        gettext_noop("Get it as it is now, make your change in that, and send it with its new ETag."),
    ),
    "too-large": ProblemKind(
        413,
        gettext_noop("Too large"),
        gettext_noop("The request is larger than the settings of this service allow."),
        gettext_noop("Send or ask for less at once. The problem says how much may be."),
    ),
    "uri-too-long": ProblemKind(
        414,
        gettext_noop("Address too long"),
        gettext_noop("The address is longer than is read here. A query can be sent in a body."),
        gettext_noop("Send the query in the body of a POST instead of in the address."),
    ),
    "unsupported-media-type": ProblemKind(
        415,
        gettext_noop("Format not understood"),
        gettext_noop("The body is in a format, character set or coding that is not read here."),
        gettext_noop("Send one of the formats that the problem names, and say which it is in Content-Type."),
    ),
    "range": ProblemKind(
        416,
        gettext_noop("Beyond the end"),
        gettext_noop(
            "The part that is asked for begins behind the end of the file. Content-Range says how long it is."
        ),
        gettext_noop("Ask for a part that begins before the end, or for the whole."),
    ),
    "unprocessable": ProblemKind(
        422,
        gettext_noop("Cannot be done"),
        gettext_noop("The request is well formed, but cannot be computed. Nothing was written."),
        gettext_noop("Read what the problem finds, change that, and send it again."),
    ),
    "no-paper": ProblemKind(
        422,
        gettext_noop("No paper found"),
        gettext_noop(
            "The file can be read, but holds no issue paper, so there was nothing to check. A wrong file, or "
            "a paper without its type."
        ),
        gettext_noop(
            "Check that the right file was sent, and that it says it is a paper: in Markdown a head with the "
            "key paper, in RDF the type wgig:IssuePaper."
        ),
    ),
    "too-many": ProblemKind(
        429,
        gettext_noop("Too many requests"),
        gettext_noop("This client asks more often than the settings of this service allow."),
        gettext_noop(
            "Wait as long as the problem says, and send it again. The field RateLimit tells with each answer "
            "how many requests are left."
        ),
    ),
    "internal": ProblemKind(
        500,
        gettext_noop("Our mistake"),
        gettext_noop("The service failed. The number in the detail finds the reason in its log."),
        gettext_noop(
            "Try it again. If it fails once more, tell the operator of this service the number in the "
            "problem."
        ),
    ),
    "not-installed": ProblemKind(
        501,
        gettext_noop("Not installed"),
        gettext_noop("This service lacks a library that the answer takes. Another format needs none."),
        gettext_noop("Ask for another format."),
    ),
    "other-service": ProblemKind(
        502,
        gettext_noop("Another service failed"),
        gettext_noop(
            "The query asks another service, which cannot be reached, is too slow, or answers what is not "
            "taken."
        ),
        gettext_noop("Try it again later, or ask the query without the other service."),
    ),
    "disk": ProblemKind(
        500,
        gettext_noop("The write failed"),
        gettext_noop(
            "The disk of the service, or the store behind it, failed during a write. What was written before "
            "is there, and can be read."
        ),
        gettext_noop("Try to write again later. To read works on."),
    ),
    "unavailable": ProblemKind(
        503,
        gettext_noop("Not now"),
        gettext_noop("The answer takes more than this service may spend, or the store does not answer."),
        gettext_noop("Wait a little and try it again. If it stays so, ask for less at once."),
    ),
    "disk-full": ProblemKind(
        507,
        gettext_noop("No room"),
        gettext_noop("The disk of the service is full. What was written before is there, and can be read."),
        gettext_noop("Try to write again later. To read works on."),
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
        self.detail = shorten_untrusted_text(detail, MAX_DETAIL_CHARACTERS)
        super().__init__(self.detail)
        self.slug = slug or next(name for name, kind in PROBLEM_KINDS.items() if kind.status == status)
        self.title = PROBLEM_KINDS[self.slug].title
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


def unknown_name_problem(
    sentence: str, name: str, known: Collection[str], shown: int = MAX_LISTED_NAMES
) -> Problem:
    """The 400 for a name that is not among those known: `sentence` says of what, then comes what to do.

    The member `suggestion` holds the name that is near, where one is.
    """
    if meant := find_near_name(name, known):
        return Problem(400, f"{sentence} {name!r}. Did you mean {meant}?", suggestion=meant)
    if not known:
        return Problem(400, f"{sentence} {name!r}. There are none.")
    some = sorted(known)[:shown]
    more = ", …" if len(some) < len(known) else ""
    return Problem(400, f"{sentence} {name!r}. There are: {', '.join(some)}{more}.")

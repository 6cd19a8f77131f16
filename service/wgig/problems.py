"""The one way to say no: a problem with a status, what happened, and what to do instead (RFC 9457)."""

from collections.abc import Collection
from functools import partial
from typing import Any, NamedTuple

from .i18n import marked
from .text import MAX_LISTED_NAMES, cut, near

LONGEST = 2000  # characters of a detail, which may quote a stranger


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, a title, what it means in general, and what a reader can do."""

    status: int
    title: str
    meaning: str
    advice: str


# By the slug of the page that explains it. The first of a status is the default of that status.
KINDS = {
    "bad-request": Kind(
        400,
        marked("Bad request"),
        marked("A parameter, header or body is missing, doubled, or malformed."),
        marked(
            "Compare the address or the form with what the problem asks for, and send it again. Without "
            "its conditions, the page shows all that there is."
        ),
    ),
    "syntax": Kind(
        400,
        marked("The text does not parse"),
        marked(
            "A query, update or document breaks the grammar. Line and column, counted from one, say where; "
            "the excerpt shows the line with a caret below the place."
        ),
        marked(
            "Look at the line above the caret, mend it, and send it again. Most often a bracket, a dot or a "
            "prefix is missing shortly before that place."
        ),
    ),
    "unauthorized": Kind(
        401,
        marked("Token needed"),
        marked("Writing needs a bearer token; none or a wrong one was sent."),
        marked(
            "To read needs no token. To write, ask the operator of this service for one, and send it in the "
            "field Authorization."
        ),
    ),
    "forbidden": Kind(
        403,
        marked("Not allowed"),
        marked("The service does this for nobody, or its operator has not opened it."),
        marked(
            "Ask the operator of this service whether it can be opened for you. All data can be had as dumps "
            "as well."
        ),
    ),
    "not-found": Kind(
        404,
        marked("Not found"),
        marked("Nothing is known under this address."),
        marked(
            "Check the address for slips of typing, look for the thing by its name, or begin at the list of "
            "its kind."
        ),
    ),
    "method-not-allowed": Kind(
        405,
        marked("Wrong method"),
        marked("The address exists, but not for this method. The field Allow lists its methods."),
        marked(
            "Use one of the methods that the problem names. In a browser, go to the address by a link or"
            " by typing it."
        ),
    ),
    "not-acceptable": Kind(
        406,
        marked("No such format"),
        marked("None of the formats that the client accepts can be had. The detail lists those that can."),
        marked("Ask for one of the formats that the problem names, or for none: then the best one comes."),
    ),
    "no-profile": Kind(
        406,
        marked("No such profile"),
        marked(
            "None of the profiles that the client asks for is known, or has anything for this. The detail "
            "lists those that can be had."
        ),
        marked("Ask for one of the profiles that the problem names, or for none."),
    ),
    "no-language": Kind(
        406,
        marked("No such language"),
        marked(
            "Nothing here is said in a language that the address asks for. The detail lists those there are."
        ),
        marked(
            "Leave out the parameter lang, or ask for a language that the problem names. English is "
            "there always."
        ),
    ),
    "too-slow": Kind(
        408,
        marked("Too slow"),
        marked("The body of the request did not arrive in time."),
        marked("Send it again over a faster connection, or send less at once."),
    ),
    "gone": Kind(
        410,
        marked("No longer so"),
        marked("What was cited is not the same any more. The detail says which graphs were written since."),
        marked("Cite it anew as it is now, or look at the versions of its graph, which tell what changed."),
    ),
    "precondition-failed": Kind(
        412,
        marked("Changed meanwhile"),
        marked("If-Match or If-None-Match does not hold. Nothing was written."),
        marked("Get it as it is now, make your change in that, and send it with its new ETag."),
    ),
    "too-large": Kind(
        413,
        marked("Too large"),
        marked("The request is larger than the settings of this service allow."),
        marked("Send or ask for less at once. The problem says how much may be."),
    ),
    "uri-too-long": Kind(
        414,
        marked("Address too long"),
        marked("The address is longer than is read here. A query can be sent in a body."),
        marked("Send the query in the body of a POST instead of in the address."),
    ),
    "unsupported-media-type": Kind(
        415,
        marked("Format not understood"),
        marked("The body is in a format, character set or coding that is not read here."),
        marked("Send one of the formats that the problem names, and say which it is in Content-Type."),
    ),
    "range": Kind(
        416,
        marked("Beyond the end"),
        marked(
            "The part that is asked for begins behind the end of the file. Content-Range says how long it is."
        ),
        marked("Ask for a part that begins before the end, or for the whole."),
    ),
    "unprocessable": Kind(
        422,
        marked("Cannot be done"),
        marked("The request is well formed, but cannot be computed. Nothing was written."),
        marked("Read what the problem finds, change that, and send it again."),
    ),
    "no-paper": Kind(
        422,
        marked("No paper found"),
        marked(
            "The file can be read, but holds no issue paper, so there was nothing to check. A wrong file, or "
            "a paper without its type."
        ),
        marked(
            "Check that the right file was sent, and that it says it is a paper: in Markdown a head with the "
            "key paper, in RDF the type wgig:IssuePaper."
        ),
    ),
    "too-many": Kind(
        429,
        marked("Too many requests"),
        marked("This client asks more often than the settings of this service allow."),
        marked(
            "Wait as long as the problem says, and send it again. The field RateLimit tells with each answer "
            "how many requests are left."
        ),
    ),
    "internal": Kind(
        500,
        marked("Our mistake"),
        marked("The service failed. The number in the detail finds the reason in its log."),
        marked(
            "Try it again. If it fails once more, tell the operator of this service the number in the "
            "problem."
        ),
    ),
    "not-installed": Kind(
        501,
        marked("Not installed"),
        marked("This service lacks a library that the answer takes. Another format needs none."),
        marked("Ask for another format."),
    ),
    "other-service": Kind(
        502,
        marked("Another service failed"),
        marked(
            "The query asks another service, which cannot be reached, is too slow, or answers what is not "
            "taken."
        ),
        marked("Try it again later, or ask the query without the other service."),
    ),
    "disk": Kind(
        500,
        marked("The write failed"),
        marked(
            "The disk of the service, or the store behind it, failed during a write. What was written before "
            "is there, and can be read."
        ),
        marked("Try to write again later. To read works on."),
    ),
    "unavailable": Kind(
        503,
        marked("Not now"),
        marked("The answer takes more than this service may spend, or the store does not answer."),
        marked("Wait a little and try it again. If it stays so, ask for less at once."),
    ),
    "disk-full": Kind(
        507,
        marked("No room"),
        marked("The disk of the service is full. What was written before is there, and can be read."),
        marked("Try to write again later. To read works on."),
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


def unknown(sentence: str, name: str, known: Collection[str], shown: int = MAX_LISTED_NAMES) -> Problem:
    """The 400 for a name that is not among those known: `sentence` says of what, then comes what to do.

    The member `suggestion` holds the name that is near, where one is.
    """
    if meant := near(name, known):
        return Problem(400, f"{sentence} {name!r}. Did you mean {meant}?", suggestion=meant)
    if not known:
        return Problem(400, f"{sentence} {name!r}. There are none.")
    some = sorted(known)[:shown]
    more = ", …" if len(some) < len(known) else ""
    return Problem(400, f"{sentence} {name!r}. There are: {', '.join(some)}{more}.")

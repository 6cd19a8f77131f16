"""Requests of OAI-PMH 2.0: the arguments of each verb, and resumption tokens.

A resumption token holds the arguments of its list, so that the service keeps no state: where the next page
begins, the number of the last change that the list covers, and when the token expires. A digest that depends
on the database of resource versions detects a token that was altered, and one of another database.
"""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..http.bodies import Pairs

TOKEN_VALIDITY_SECONDS = 24 * 3600
TOKEN_DIGEST_BYTES = 12
TOKEN_FORMAT = 1
MAX_TOKEN_NUMBER = 10**15
TOKEN_MEMBER_TYPES = (int, str, str, str, str, str, int, int, int, int)  # as `issue_token` writes them
DATESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DATESTAMP_FORMAT_CHARACTERS = len("YYYY-MM-DDThh:mm:ss")
SET_NAME_PATTERN = re.compile(r"[\w.!~*'()-]+", re.ASCII)  # a setSpec without levels (section 2.6)
# By argument: what the XML Schema allows.
ARGUMENT_PATTERNS = {
    "metadataPrefix": SET_NAME_PATTERN,
    "set": re.compile(rf"{SET_NAME_PATTERN.pattern}(:{SET_NAME_PATTERN.pattern})*", re.ASCII),
}
DATESTAMP_PATTERN = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?", re.ASCII)

BAD_VERB, BAD_ARGUMENT, BAD_TOKEN = "badVerb", "badArgument", "badResumptionToken"
NO_FORMAT, NO_ITEM, NO_RECORDS, NO_SETS = (
    "cannotDisseminateFormat",
    "idDoesNotExist",
    "noRecordsMatch",
    "noSetHierarchy",
)


class OaiError(Exception):
    """An error of the protocol, with one of its error codes."""

    def __init__(self, code: str, message: str) -> None:
        """`message` is for people."""
        super().__init__(message)
        self.code = code


class VerbArguments(NamedTuple):
    """The arguments that a verb needs and those that it accepts; a token replaces all others."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    has_token: bool = False


LIST_ARGUMENTS = VerbArguments(("metadataPrefix",), ("from", "until", "set"), has_token=True)
ARGUMENTS_BY_VERB = {
    "Identify": VerbArguments(),
    "ListMetadataFormats": VerbArguments(optional=("identifier",)),
    "ListSets": VerbArguments(has_token=True),
    "ListIdentifiers": LIST_ARGUMENTS,
    "ListRecords": LIST_ARGUMENTS,
    "GetRecord": VerbArguments(("identifier", "metadataPrefix")),
}


class OaiRequest(NamedTuple):
    """A valid request: its verb, and its other arguments by name."""

    verb: str
    arguments: dict[str, str]


def parse_oai_request(pairs: Pairs) -> OaiRequest:
    """The request in these parameters. Raises OaiError."""
    counts = Counter(name for name, _ in pairs)
    arguments = dict(pairs)
    verb = arguments.pop("verb", "")
    if counts["verb"] != 1 or verb not in ARGUMENTS_BY_VERB:
        verbs = ", ".join(ARGUMENTS_BY_VERB)
        raise OaiError(BAD_VERB, f"Send the argument verb once, with one of: {verbs}.")
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise OaiError(BAD_ARGUMENT, f"The argument {repeated[0]!r} was sent more than once.")
    check_oai_arguments(verb, arguments)
    return OaiRequest(verb, arguments)


def check_oai_arguments(verb: str, arguments: dict[str, str]) -> None:
    """Raise OaiError if an argument is missing, unknown, or excluded by another one."""
    required, optional, has_token = ARGUMENTS_BY_VERB[verb]
    if has_token and "resumptionToken" in arguments:
        if len(arguments) > 1:
            raise OaiError(BAD_ARGUMENT, "Send resumptionToken without other arguments, except verb.")
        return
    for name in required:
        if name not in arguments:
            raise OaiError(BAD_ARGUMENT, f"{verb} needs the argument {name}.")
    for name in arguments:
        if name not in (*required, *optional):
            raise OaiError(BAD_ARGUMENT, f"{verb} has no argument {name!r}.")
    for name, pattern in ARGUMENT_PATTERNS.items():
        if name in arguments and not pattern.fullmatch(arguments[name]):
            raise OaiError(BAD_ARGUMENT, f"{name} is {arguments[name]!r}, which no {name} can be.")
    check_datestamps(arguments)


def check_datestamps(arguments: dict[str, str]) -> None:
    """Raise OaiError if `from` or `until` is not a datestamp, or if they do not fit together."""
    for name in ("from", "until"):
        text = arguments.get(name)
        if text is not None and not is_datestamp(text):
            raise OaiError(
                BAD_ARGUMENT, f"{name} is {text!r}. Write it as YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, in UTC."
            )
    first, last = arguments.get("from", ""), arguments.get("until", "")
    if first and last and len(first) != len(last):
        raise OaiError(BAD_ARGUMENT, "from and until have different granularities.")
    if first and last and first > last:
        raise OaiError(BAD_ARGUMENT, f"from ({first}) is later than until ({last}).")


def is_datestamp(text: str) -> bool:
    """Whether a text is a date, or a time to the second in UTC."""
    if not DATESTAMP_PATTERN.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # such as February 30
        return False
    return True


@dataclass(frozen=True)
class HarvestList:
    """A list of records: the verb and its arguments, which are empty if they were not sent."""

    verb: str
    prefix: str
    set_name: str = ""
    first_time: str = ""
    last_time: str = ""


class ListPage(NamedTuple):
    """A page of a list: it begins after the version `after`, which is record `cursor` of the list.

    The list covers the versions up to `last`.
    """

    list: HarvestList
    after: int
    last: int
    cursor: int


class IssuedToken(NamedTuple):
    """A resumption token, and the time when it expires."""

    text: str
    expires_at: datetime


def issue_token(page: ListPage, stream_id: str) -> IssuedToken:
    """The token for a page of a list; `stream_id` identifies the database of resource versions."""
    expires_at = int(time.time()) + TOKEN_VALIDITY_SECONDS
    list_ = page.list
    members = [
        *(TOKEN_FORMAT, list_.verb, list_.prefix, list_.set_name, list_.first_time, list_.last_time),
        *(page.after, page.last, page.cursor, expires_at),
    ]
    body = encode_base64(json.dumps(members, separators=(",", ":")).encode())
    text = f"{body}.{encode_base64(digest_token(body, stream_id))}"
    return IssuedToken(text, datetime.fromtimestamp(expires_at, UTC))


def read_token(text: str, verb: str, stream_id: str) -> ListPage:
    """The page that a token of this verb stands for. Raises OaiError if it is wrong or has expired."""
    body, _, digest = text.partition(".")
    if digest != encode_base64(digest_token(body, stream_id)):
        raise bad_token_error("is not one of this repository, or its records were replaced")
    members = decode_token_members(body)
    if members is None:
        raise bad_token_error("is of another version of this service")
    list_, (after, last, cursor, expires_at) = HarvestList(*members[1:6]), members[6:]
    if list_.verb != verb:
        raise bad_token_error(f"is of {list_.verb}, not of {verb}")
    if expires_at < time.time():
        raise bad_token_error("has expired")
    return ListPage(list_, after, last, cursor)


def decode_token_members(body: str) -> list[Any] | None:
    """The members in the body of a token; None if it has other ones.

    The digest needs no secret, so a client can make a token with any body.
    """
    try:
        members = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, list) or tuple(map(type, members)) != TOKEN_MEMBER_TYPES:
        return None
    numbers = [member for member in members if isinstance(member, int)]
    return (
        members
        if numbers[0] == TOKEN_FORMAT and min(numbers) >= 0 and max(numbers) <= MAX_TOKEN_NUMBER
        else None
    )


def bad_token_error(reason: str) -> OaiError:
    """The error for a token that cannot be used; `reason` completes the sentence."""
    return OaiError(BAD_TOKEN, f"The resumption token {reason}. Begin the list again.")


def digest_token(body: str, stream_id: str) -> bytes:
    """The digest of the body of a token."""
    key = stream_id.encode()
    return hashlib.blake2b(body.encode(), key=key, digest_size=TOKEN_DIGEST_BYTES).digest()


def encode_base64(data: bytes) -> str:
    """The data in Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

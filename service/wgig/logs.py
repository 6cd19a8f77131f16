"""What the service logs, and how: a line each, in plain words or as JSON, which no stranger can break.

Nothing here tells who asked what unless a setting wants it.
"""

import hashlib
import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from .settings import Settings
from .steering import cut, harmless, one_line

OFF, NETWORK, TEXT, JSON = "off", "network", "text", "json"
BITS = {4: 24, 6: 48}  # of an address that tell the network, and not who in it
LONGEST = 10_000  # characters of a query

requests = logging.getLogger("wgig.access")
queries = logging.getLogger("wgig.query")
service = logging.getLogger("wgig.serve")


class Logs:
    """The logs of requests and of queries, as the settings want them."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings."""
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Log as these settings want from now on."""
        self.settings = settings
        self.requests = settings.access_log != OFF
        self.queries = settings.query_log != OFF
        for log, wanted in ((requests, self.requests), (queries, self.queries)):
            log.setLevel(logging.INFO if wanted else logging.CRITICAL)

    def shown(self, client: str) -> str:
        """What is logged of the address of a client."""
        return network(client) if self.settings.access_log == NETWORK else client

    def request(self, **fields: Any) -> None:
        """Log a request."""
        requests.info("request", extra={"fields": fields})

    def query(self, text: str, **fields: Any) -> None:
        """Log a query by the digest of its text without space around; the text where a setting wants it."""
        text = text.strip()
        said = {"text": cut(text, LONGEST)} if self.settings.query_log == TEXT else {}
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        queries.info("query", extra={"fields": {"sha256": digest, **fields, **said}})


@lru_cache
def network(address: str) -> str:
    """The network of an address, in which many are; what is no address as it is."""
    try:
        version = ip_address(address).version
        return str(ip_network(f"{address}/{BITS[version]}", strict=False))
    except ValueError:
        return address


def begin(settings: Settings) -> None:
    """Let all logs of this process go to standard error, in the form that the settings want."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.log == JSON else Plain())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    service.setLevel(logging.INFO)
    logging.captureWarnings(True)


def say(sentence: str) -> None:
    """Log what people are told at the start and at the end."""
    service.info(sentence)


class Lines(logging.Formatter):
    """What both forms have: when, how bad, by whom, what, and the fields beside."""

    def members(self, record: logging.LogRecord) -> dict[str, Any]:
        """The members of a line. A mistake is told without its traceback unless we look for its cause."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        members = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and (error := record.exc_info[1]):
            members |= {"error": f"{type(error).__name__}: {error}", "at": place(error)}
            if os.environ.get("WGIG_DEBUG"):
                members["traceback"] = "".join(traceback.format_exception(error))
        return members


class JsonLines(Lines):
    """An object of JSON a line, in ASCII alone."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return json.dumps(self.members(record), default=str)


class Plain(Lines):
    """Words for people, then fields as `name=value`; a traceback is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        members = self.members(record)
        head = [members.pop(name) for name in ("time", "level", "logger", "message")]
        below = harmless(members.pop("traceback", "")).splitlines()
        pairs = [f"{name}={value(one)}" for name, one in members.items()]
        return "\n    ".join([one_line(" ".join([*head, *pairs])), *below])


def value(given: Any) -> str:
    """A value of a field: bare where it is one word, else in quotes, with what would end them escaped."""
    text = str(given)
    return (
        text
        if text and text.isascii() and not set(text) & set(' "=\\') and text.isprintable()
        else json.dumps(text)
    )


def place(error: BaseException) -> str:
    """Where an error was raised: file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119

"""Messages to other services about changes: to a WebSub hub (WGIG_HUB) and to webhooks (WGIG_WEBHOOKS).

Specifications: https://www.w3.org/TR/websub/ (the side of the publisher) and Standard Webhooks
(https://www.standardwebhooks.com/). Only the process that writes sends messages. A message covers all commits
since the last one, and has no content of them. It is sent after a pause in the writes, on a thread of its own
for each address, so that no write waits for it.

Which version of the change log an address knows is in a file of the store folder. It also names the message
that is being sent, before the first attempt: after a crash, the same message is sent again, with the same id.
So each change is announced at least once. Memory does not grow with the commits: they are read from the log.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

import anyio

from ..files import make_private_folder, open_durable_file
from ..http.bodies import FORM_MEDIA_TYPE
from ..http.outbound import OutboundMessage, PeerError, post_message
from ..pages.names import INTERNAL_KINDS
from ..problems import Problem
from ..rdf.formats import JSON
from ..settings import Settings, parse_allowed_urls, read_secret_file
from ..sparql.examples import list_example_queries
from ..store.change_log import ChangeLog
from ..store.errors import StoreError
from ..store.files import ASIDE_FOLDER
from ..store.projection import PROJECTION_ERRORS
from ..store.projection_runner import CommittedChange
from ..store.resource_versions import queries
from ..store.resource_versions.projection import ResourceVersionsProjection
from ..store.store import Store
from ..store.transactions import Debouncer

NOTIFICATIONS_FILE = "notifications.json"  # in the folder `aside`
# A message is sent after a pause in the writes, or if they continue, after a delay.
NOTIFICATION_PAUSE_SECONDS, MAX_NOTIFICATION_DELAY_SECONDS = 2.0, 10.0
SEND_TIMEOUT_SECONDS = 10  # of an attempt, including the resolution of the name
FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 5.0, 3600.0  # the wait doubles with each attempt
GIVE_UP_SECONDS = 3 * 24 * 3600  # after the first attempt
GONE_STATUS = 410  # the receiver wants no more messages
MAX_NAMED_GRAPHS = 100  # in a message
MAX_READ_COMMITS = 1000  # from which the changed feeds are read; after more, all feeds count as changed
WEBHOOK_SECRET_PREFIX, SECRET_FILE_PREFIX = "whsec_", "file:"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64  # by Standard Webhooks
UNKNOWN_VERSION = -1  # of an address that knows the log from before a restore

# Outcomes of attempts, and states of addresses.
DELIVERED_OUTCOME, FAILED_OUTCOME, GIVEN_UP_OUTCOME = "delivered", "failed", "given_up"
CURRENT_STATE, WAITING_STATE, FAILING_STATE, STOPPED_STATE = "current", "waiting", "failing", "stopped"

log = logging.getLogger("wgig")


@dataclass(frozen=True)
class AddressState:
    """What an address knows, as it is kept on disk.

    `known_version` is the last version of the change log, of this `epoch`, that it was told of. While a
    message is being sent, `sent_version` is the last version that it covers, else 0, and `since` the time of
    its first attempt. A `stopped` address gets no more messages.
    """

    epoch: str
    known_version: int
    sent_version: int = 0
    since: float = 0.0
    stopped: bool = False


class CommitSpan(NamedTuple):
    """The commits of a message: those after a version (UNKNOWN_VERSION: perhaps all), up to another one."""

    after: int
    until: int


class MessageBuilder(Protocol):
    """What makes the requests that announce commits to an address."""

    def __call__(self, message_id: str, span: CommitSpan) -> Sequence[OutboundMessage]:
        """The requests. An address was told of the commits if each of them succeeds.

        Raises Problem, PROJECTION_ERRORS.
        """


class AddressNotifier:
    """Tells an address of commits, one message at a time, until it accepts it."""

    def __init__(
        self,
        url: str,
        change_log: ChangeLog,
        state: AddressState,
        build_messages: MessageBuilder,
        save_state: Callable[[str, AddressState], None],
    ) -> None:
        """Take the address, what it knows, and the function that keeps that on disk."""
        self.url, self.change_log, self.state = url, change_log, state
        self.build_messages, self.save_state = build_messages, save_state
        self.name = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"  # the rest may be a secret
        self.failure_count = 0  # of attempts in a row
        self.retry_time = 0.0  # of the next attempt, by the monotonic clock
        self.outcomes = Counter[str]()
        self.debouncer = Debouncer(self.deliver, NOTIFICATION_PAUSE_SECONDS, MAX_NOTIFICATION_DELAY_SECONDS)

    @property
    def condition(self) -> str:
        """One of the states of addresses."""
        if self.state.stopped:
            return STOPPED_STATE
        if self.failure_count:
            return FAILING_STATE
        return CURRENT_STATE if self.state.known_version == self.change_log.last_version else WAITING_STATE

    def deliver(self) -> None:
        """Send the message that is being sent, or a new one about all later commits, if it is time for it.

        After a failure, another attempt is scheduled.
        """
        is_done = self.state.stopped or self.state.known_version == self.change_log.last_version
        if is_done or time.monotonic() < self.retry_time:
            return
        try:
            self.attempt_delivery()
        except (Problem, *PROJECTION_ERRORS) as error:  # such as a full disk
            self.schedule_retry(str(error))

    def attempt_delivery(self) -> None:
        """Send the message once, and keep the outcome. Raises Problem, PROJECTION_ERRORS."""
        if not self.state.sent_version:
            self.keep(replace(self.state, sent_version=self.change_log.last_version, since=time.time()))
        span = CommitSpan(self.state.known_version, self.state.sent_version)
        failure, is_gone = self.send_messages(self.build_messages(self.build_id(span), span))
        if is_gone:
            log.error("%s answered 410 and gets no more messages about changes.", self.name)
            self.keep(replace(self.state, stopped=True))
        elif not failure:
            self.finish(DELIVERED_OUTCOME)
        elif time.time() - self.state.since > GIVE_UP_SECONDS:
            log.error(
                "%s was not told of changes %s to %s, after attempts for %s days: %s.",
                self.name,
                span.after + 1,
                span.until,
                GIVE_UP_SECONDS // (24 * 3600),
                failure,
            )
            self.finish(GIVEN_UP_OUTCOME)
        else:
            self.schedule_retry(failure)

    def build_id(self, span: CommitSpan) -> str:
        """The id of the message about these commits, which is the same in each attempt."""
        text = f"{self.state.epoch} {self.url} {span.until}"
        return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def send_messages(self, messages: Sequence[OutboundMessage]) -> tuple[str, bool]:
        """Send messages. Returns why one failed, or empty, and whether its status was 410."""
        try:
            for message in messages:
                status = asyncio.run(post_within_limit(self.url, message))
                if not 200 <= status < 300:
                    return f"it responded with status {status}", status == GONE_STATUS
        except (PeerError, OSError) as error:  # OSError: a timeout, or no certificates
            return str(error) or f"it did not respond within {SEND_TIMEOUT_SECONDS} seconds", False
        return "", False

    def schedule_retry(self, failure: str) -> None:
        """Try again later, each time after a longer wait."""
        self.outcomes[FAILED_OUTCOME] += 1
        seconds = min(FIRST_RETRY_SECONDS * 2**self.failure_count, MAX_RETRY_SECONDS)
        log.warning("%s was not told of changes: %s. Next attempt in %.0f s.", self.name, failure, seconds)
        self.failure_count = min(self.failure_count + 1, 30)
        self.retry_time = time.monotonic() + seconds
        timer = threading.Timer(seconds, self.debouncer.trigger)
        timer.daemon = True
        timer.start()

    def finish(self, outcome: str) -> None:
        """Go on after a message that was delivered or given up."""
        self.outcomes[outcome] += 1
        self.failure_count, self.retry_time = 0, 0.0
        self.keep(AddressState(self.change_log.epoch, self.state.sent_version))
        if self.condition != CURRENT_STATE:
            self.debouncer.trigger()

    def keep(self, state: AddressState) -> None:
        """Use a state, once it is on disk."""
        self.save_state(self.url, state)
        self.state = state


async def post_within_limit(url: str, message: OutboundMessage) -> int:
    """The status of the response to a message. Raises PeerError, and TimeoutError."""
    with anyio.fail_after(SEND_TIMEOUT_SECONDS):
        return await post_message(url, message)


class ChangeNotifier:
    """Tells the addresses of the settings of each commit; it does nothing before it is opened."""

    def __init__(self, settings: Settings, store: Store, versions: ResourceVersionsProjection) -> None:
        """Take the settings, the store, and the versions of its resources."""
        self.settings, self.store, self.versions = settings, store, versions
        self.notifiers: list[AddressNotifier] = []
        self.states: dict[str, AddressState] = {}
        self.lock = threading.Lock()  # of the states, and their file

    def open(self) -> None:
        """Follow the commits from now on, or from where another process stopped.

        Raises ValueError for a wrong secret, and OSError.
        """
        builders: dict[str, MessageBuilder] = {}
        for url in parse_allowed_urls(self.settings.hub, "WGIG_HUB"):
            builders[url] = HubMessages(self.settings.public_base, self.store, self.versions)
        urls = parse_allowed_urls(self.settings.webhooks, "WGIG_WEBHOOKS")
        if urls:
            secret = decode_webhook_secret(self.settings.webhook_secret)
            builders |= dict.fromkeys(urls, WebhookMessages(self.settings.public_base, self.store, secret))
        if not builders:
            return
        change_log, kept = self.store.log, self.read_states()
        self.states = {url: adapt_state(kept.get(url), change_log) for url in builders}
        self.write_states()
        self.notifiers = [
            AddressNotifier(url, change_log, self.states[url], build, self.save_state)
            for url, build in builders.items()
        ]
        for notifier in self.notifiers:
            if notifier.url in urls:
                notifier.name += f" (number {urls.index(notifier.url) + 1} of WGIG_WEBHOOKS)"
        self.store.runner.subscribe(self)

    async def resume(self) -> None:
        """Tell addresses of the commits that they were not told of by another process."""
        self.receive(None, 0)

    def receive(self, commits: Sequence[CommittedChange] | None, last_number: int) -> None:
        """Schedule messages about commits, which are read from the log."""
        del commits, last_number
        for notifier in self.notifiers:
            notifier.debouncer.trigger()

    def count_conditions(self) -> Counter[str]:
        """The number of addresses in each state."""
        return Counter(notifier.condition for notifier in self.notifiers)

    def count_outcomes(self) -> Counter[str]:
        """The number of attempts with each outcome since the start."""
        return sum((notifier.outcomes for notifier in self.notifiers), Counter[str]())

    @property
    def path(self) -> Path | None:
        """The file with the states; None for a store in memory."""
        return self.store.folder and self.store.folder / ASIDE_FOLDER / NOTIFICATIONS_FILE

    def read_states(self) -> dict[str, AddressState]:
        """The states on disk by URL; none if the file is missing or damaged."""
        try:
            values: dict[str, Any] = json.loads(self.path.read_bytes()) if self.path else {}
            return {url: AddressState(**fields) for url, fields in values.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError):
            log.error("%s is damaged: addresses are told of later changes only.", self.path)
            return {}

    def save_state(self, url: str, state: AddressState) -> None:
        """Keep the state of an address on disk. Raises StoreError."""
        with self.lock:
            self.states[url] = state
            try:
                self.write_states()
            except OSError as error:
                raise StoreError(f"{self.path} cannot be written: {error.strerror}.") from error

    def write_states(self) -> None:
        """Write all states. Raises OSError."""
        if self.path:
            make_private_folder(self.path.parent)
            with open_durable_file(self.path) as file:
                file.write(json.dumps({url: asdict(state) for url, state in self.states.items()}).encode())


def adapt_state(state: AddressState | None, change_log: ChangeLog) -> AddressState:
    """The state of an address: of a new one, that it knows all; after a restore, that it may know nothing.

    The same holds if the log has lost commits that the address was told of.
    """
    if state is None:
        return AddressState(change_log.epoch, change_log.last_version)
    is_ahead = max(state.known_version, state.sent_version) > change_log.last_version
    if is_ahead or state.epoch != change_log.epoch:
        return AddressState(change_log.epoch, UNKNOWN_VERSION, stopped=state.stopped)
    return state


def decode_webhook_secret(setting: str) -> bytes:
    """The bytes of the secret in WGIG_WEBHOOK_SECRET. Raises ValueError."""
    text = setting
    if setting.startswith(SECRET_FILE_PREFIX):
        text = read_secret_file(Path(setting.removeprefix(SECRET_FILE_PREFIX)), "WGIG_WEBHOOK_SECRET")
    try:
        secret = base64.b64decode(text.removeprefix(WEBHOOK_SECRET_PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(WEBHOOK_SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(secret) <= MAX_SECRET_BYTES:
        raise ValueError(
            f"WGIG_WEBHOOK_SECRET is not a secret for WGIG_WEBHOOKS. Set it to {WEBHOOK_SECRET_PREFIX} and "
            f"{MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64, or to file:FILE with that."
        )
    return secret


class WebhookMessages(NamedTuple):
    """Makes the signed message about commits (Standard Webhooks)."""

    public_base: str
    store: Store
    secret: bytes

    def __call__(self, message_id: str, span: CommitSpan) -> list[OutboundMessage]:
        """The message, signed for this attempt. Raises StoreError."""
        change_log = self.store.log
        is_known = span.after != UNKNOWN_VERSION
        graphs = change_log.list_changed_graphs(*span) if is_known else None
        times = [entry.time for entry in change_log.read_entries(span.until - 1, span.until)]
        body = {
            "type": "data.changed",
            "timestamp": (times or [change_log.last_time])[0].isoformat(timespec="microseconds"),
            "data": {
                "version": span.until,
                "after": span.after if is_known else None,
                "graphs": None if graphs is None else graphs[:MAX_NAMED_GRAPHS],
                "graphCount": None if graphs is None else len(graphs),
                "changes": f"{self.public_base}changes",
                "page": f"{self.public_base}changes?before={span.until + 1}",
            },
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        timestamp = str(int(time.time()))
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign_webhook(self.secret, message_id, timestamp, content),
        }
        return [OutboundMessage(content, JSON.media_type, headers)]


def sign_webhook(secret: bytes, message_id: str, timestamp: str, content: bytes) -> str:
    """The value of webhook-signature: HMAC-SHA256 of id, time and body."""
    signed = f"{message_id}.{timestamp}.".encode() + content
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"


class HubMessages(NamedTuple):
    """Makes the requests that tell a hub which feeds changed (WebSub, section 7)."""

    public_base: str
    store: Store
    versions: ResourceVersionsProjection

    def __call__(self, message_id: str, span: CommitSpan) -> list[OutboundMessage]:
        """A request for each feed; the standard leaves their form to the hub."""
        del message_id
        topics = [f"{self.public_base}{path}" for path in self.list_changed_feeds(span)]
        return [
            OutboundMessage(
                urlencode({"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}).encode(),
                FORM_MEDIA_TYPE,
            )
            for topic in topics
        ]

    def list_changed_feeds(self, span: CommitSpan) -> list[str]:
        """The paths of the feeds that commits changed, or perhaps changed. Raises as `list_all_kinds`."""
        kinds = self.find_changed_kinds(span)
        if kinds is None:
            kinds = self.list_all_kinds()
        shown_kinds = sorted(kinds - INTERNAL_KINDS)
        return [
            *(["feed.atom"] if shown_kinds else []),
            *(f"feed/{kind}.atom" for kind in shown_kinds),
            # Which results changed is not known before the queries run.
            *(f"feed/query/{query.name}.atom" for query in list_example_queries() if query.date_variable),
        ]

    def find_changed_kinds(self, span: CommitSpan) -> set[str] | None:
        """The kinds of resources whose statements commits changed; None if not all commits can be read."""
        if span.after == UNKNOWN_VERSION or span.until - span.after > MAX_READ_COMMITS:
            return None
        kinds = set[str]()
        for version in range(span.after + 1, span.until + 1):  # one at a time, as a change may be large
            change = self.store.log.read_change(version)
            if change is None:
                return None
            kinds.update(self.iter_kinds(change.removed), self.iter_kinds(change.added))
        return kinds

    def iter_kinds(self, quads: Sequence[Any]) -> Iterator[str]:
        """The kind of the subject of each quad, if it has one."""
        prefix = f"{self.versions.base}id/"
        for quad in quads:
            iri = getattr(quad.subject, "value", "")
            if iri.startswith(prefix):
                yield iri.removeprefix(prefix).partition("/")[0]

    def list_all_kinds(self) -> set[str]:
        """The kinds of all resources. Raises Problem, PROJECTION_ERRORS."""
        self.versions.ensure_current()
        return set(queries.list_versioned_kinds(self.versions.versions))

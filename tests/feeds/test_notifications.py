"""A WebSub hub and webhooks are told of changes; local servers accept, refuse, redirect, or do not answer."""

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import feedparser
import httpx2
import pyoxigraph as ox
import pytest
from wgig.app import make_service
from wgig.feeds import notifications
from wgig.feeds.notifications import (
    AddressNotifier,
    AddressState,
    ChangeNotifier,
    decode_webhook_secret,
    sign_webhook,
)
from wgig.settings import Settings
from wgig.sparql.examples import list_example_queries
from wgig.store.files import ASIDE_FOLDER
from wgig.store.store import Store

from tests.fixtures.http_server import serve_on_thread
from tests.fixtures.processes import run_service
from tests.fixtures.service import TOKEN, make_service_client, make_store_client
from tests.fixtures.triples import parse_triples, put_turtle

BASE, PUBLIC_URL = Settings.base, "https://wgig.example.org/"
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
QUERY_FEEDS = {
    f"{PUBLIC_URL}feed/query/{query.name}.atom" for query in list_example_queries() if query.date_variable
}
WAIT_SECONDS = 30  # at most; a message arrives long before


class ReceivedMessage(NamedTuple):
    """A request that a server received."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The id of a webhook."""
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        """The data of a webhook."""
        return json.loads(self.body)["data"]


class Receiver(ThreadingHTTPServer):
    """A server that receives messages, and answers them with the `statuses` in turn, then with 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.messages = queue.Queue[ReceivedMessage]()
        self.statuses: list[int] = []
        self.location = ""
        self.holds_response = self.is_hostile = False
        self.is_stopping = threading.Event()

    @property
    def url(self) -> str:
        """The address of the receiver."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    def get(self) -> ReceivedMessage:
        """The next message; waits for it."""
        return self.messages.get(timeout=WAIT_SECONDS)

    def get_all(self) -> list[ReceivedMessage]:
        """The messages that have arrived."""
        return [self.messages.get() for _ in range(self.messages.qsize())]

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect."""


class ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.messages.put(ReceivedMessage(self.path, headers, body))
        if self.server.holds_response:
            self.server.is_stopping.wait()
            return
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 204)
        if self.server.location:
            self.send_header("Location", self.server.location)
        if self.server.is_hostile:
            self.send_header("Content-Length", "1000000000000")
        self.end_headers()
        while self.server.is_hostile:
            self.wfile.write(b"x" * 10_000)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the base class
        pass


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""
    with serve_on_thread(Receiver()) as server:
        yield server
        server.is_stopping.set()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that accepts all messages."""
    with run_receiver() as server:
        yield server


class ManualDebouncer:
    """Takes the place of the Debouncer, and calls the function only when a test does."""

    def __init__(self, function: Callable[[], None], *_: float) -> None:
        self.function, self.trigger_count = function, 0

    def trigger(self) -> None:
        """Count the calls."""
        self.trigger_count += 1


@pytest.fixture(autouse=True)
def _manual_debouncer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are sent when a test calls `deliver`."""
    monkeypatch.setattr(notifications, "Debouncer", ManualDebouncer)


@pytest.fixture
def store() -> Store:
    """An empty store."""
    return Store.in_memory()


def open_notifier(store: Store, **settings: Any) -> ChangeNotifier:
    """The open notifier of a service with these settings."""
    values = {"public_url": PUBLIC_URL, "webhook_secret": SECRET} | settings
    notifier = make_service(Settings(**values), store).notifier
    notifier.open()
    return notifier


def open_webhook(store: Store, receiver: Receiver) -> AddressNotifier:
    """What tells the receiver of changes by a webhook."""
    (notifier,) = open_notifier(store, webhooks=receiver.url).notifiers
    return notifier


def change_issue(store: Store, slug: str, graph: str = "one") -> None:
    """Replace a graph by a label of an issue."""
    label = f'<{BASE}id/issue/{slug}> <http://www.w3.org/2000/01/rdf-schema#label> "{slug}" .'
    store.replace({f"{BASE}graph/{graph}": parse_triples(label)})


def skip_wait(notifier: AddressNotifier) -> None:
    """Let the time of the next attempt come."""
    notifier.retry_time = 0.0


def test_a_webhook_says_which_graphs_changed_without_their_content(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    notifier.deliver()
    (message,) = receiver.get_all()
    assert (message.path, message.headers["content-type"]) == ("/hook", "application/json")
    body = json.loads(message.body)
    assert body == {
        "type": "data.changed",
        "timestamp": store.log.last_time.isoformat(timespec="microseconds"),
        "data": {
            "version": 1,
            "after": 0,
            "graphs": [f"{BASE}graph/one"],
            "graphCount": 1,
            "changes": f"{PUBLIC_URL}changes",
            "page": f"{PUBLIC_URL}changes?before=2",
        },
    }
    client = make_store_client(store)
    stream, page = (body["data"][name].removeprefix(PUBLIC_URL) for name in ("changes", "page"))
    assert client.get(f"/{stream}").headers["content-type"].startswith("application/trig")
    assert client.get(f"/{page}", headers={"Accept": "text/html"}).status_code == 200
    assert notifier.condition == "current"


def test_the_signature_is_that_of_standard_webhooks(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    notifier.deliver()
    message = receiver.get()
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.body
    digest = hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()
    assert message.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(time.time() - int(message.headers["webhook-timestamp"])) < WAIT_SECONDS


def test_the_signature_of_a_known_message_is_that_of_other_libraries() -> None:
    # From the tests of the libraries of Standard Webhooks.
    secret = decode_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign_webhook(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_many_commits_are_one_message(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    for number in range(150):
        change_issue(store, "spam", f"g{number:03}")
    notifier.deliver()
    notifier.deliver()
    (message,) = receiver.get_all()
    assert (message.data["after"], message.data["version"], message.data["graphCount"]) == (0, 150, 150)
    assert len(message.data["graphs"]) == notifications.MAX_NAMED_GRAPHS


def test_each_commit_triggers_a_message(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    assert store.runner.wait_until_applied(1, WAIT_SECONDS)
    assert notifier.debouncer.trigger_count == 1  # type: ignore[attr-defined]


def test_the_graphs_of_a_bulk_load_are_unknown(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    with (Path(__file__).parent.parent / "fixtures" / "graph.ttl").open("rb") as file:
        store.bulk_load(file, ox.RdfFormat.TURTLE, f"{BASE}graph/one")
    store.finish_load()
    notifier.deliver()
    assert receiver.get().data["graphs"] is None


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_a_refused_message_is_sent_again_with_the_same_id(
    store: Store, receiver: Receiver, status: int
) -> None:
    notifier = open_webhook(store, receiver)
    receiver.statuses = [status, status]
    change_issue(store, "spam")
    notifier.deliver()
    assert notifier.condition == "failing"
    change_issue(store, "worms", "two")  # while the first message waits
    notifier.deliver()  # it is not yet time for the next attempt
    for _ in range(2):
        skip_wait(notifier)
        notifier.deliver()
    first, second, third = receiver.get_all()
    assert first.id == second.id == third.id
    assert first.body == second.body == third.body
    assert notifier.condition == "waiting"
    notifier.deliver()
    later = receiver.get()
    assert (later.id != first.id, later.data["after"], later.data["version"]) == (True, 1, 2)
    assert notifier.outcomes == {"failed": 2, "delivered": 2}


def test_the_wait_doubles_with_each_failure(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float]()

    class RecordedTimer(threading.Timer):
        def start(self) -> None:
            waits.append(self.interval)

    monkeypatch.setattr(threading, "Timer", RecordedTimer)
    notifier = open_webhook(store, receiver)
    receiver.statuses = [500] * 12
    change_issue(store, "spam")
    for _ in range(12):
        notifier.deliver()
        skip_wait(notifier)
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == notifications.MAX_RETRY_SECONDS == 3600


def test_a_message_is_given_up_after_days_and_the_log_says_so(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = open_webhook(store, receiver)
    receiver.statuses = [500]
    change_issue(store, "spam")
    monkeypatch.setattr(notifications, "GIVE_UP_SECONDS", -1)
    notifier.deliver()
    assert "was not told of changes 1 to 1" in caplog.text
    assert "it responded with status 500" in caplog.text
    assert "/hook" not in caplog.text  # the path may be a secret
    assert notifier.outcomes == {"given_up": 1}
    change_issue(store, "worms")
    notifier.deliver()
    assert [message.data["after"] for message in receiver.get_all()] == [0, 1]


def test_an_address_that_is_gone_gets_no_more_messages(store: Store, receiver: Receiver) -> None:
    notifier = open_webhook(store, receiver)
    receiver.statuses = [410]
    for slug in ("spam", "worms"):
        change_issue(store, slug)
        notifier.deliver()
    assert len(receiver.get_all()) == 1
    assert notifier.condition == "stopped"


def test_a_redirect_is_not_followed(store: Store, receiver: Receiver) -> None:
    with run_receiver() as private_receiver:
        receiver.statuses, receiver.location = [307], private_receiver.url
        notifier = open_webhook(store, receiver)
        change_issue(store, "spam")
        notifier.deliver()
        assert notifier.condition == "failing"
        assert (len(receiver.get_all()), private_receiver.get_all()) == (1, [])


def test_a_name_with_a_private_address_is_not_connected_to(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://localhost:{receiver.server_port}/hook"
    (notifier,) = open_notifier(store, webhooks=url).notifiers
    change_issue(store, "spam")
    notifier.deliver()
    assert "its host name has a private IP address" in caplog.text
    assert not receiver.get_all()


def test_a_receiver_that_does_not_answer_is_given_up(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "SEND_TIMEOUT_SECONDS", 0.2)
    receiver.holds_response = True
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    notifier.deliver()
    assert notifier.condition == "failing"


def test_an_endless_response_is_not_read(store: Store, receiver: Receiver) -> None:
    receiver.is_hostile, receiver.statuses = True, [200]
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    notifier.deliver()
    assert notifier.condition == "current"
    receiver.is_hostile = False


def test_endless_headers_are_a_failure(store: Store, receiver: Receiver) -> None:
    receiver.location = "x" * 1_000_000
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    notifier.deliver()
    assert notifier.condition == "failing"


def test_a_full_disk_delays_a_message(
    store: Store, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")

    def fail(_: ChangeNotifier) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(ChangeNotifier, "write_states", fail)
        notifier.deliver()
    assert (notifier.condition, receiver.get_all()) == ("failing", [])  # its id would not be known later
    skip_wait(notifier)
    notifier.deliver()
    assert (notifier.condition, len(receiver.get_all())) == ("current", 1)


def test_a_message_is_repeated_after_a_crash_with_the_same_id(receiver: Receiver, tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    notifier = open_webhook(store, receiver)
    change_issue(store, "spam")
    receiver.statuses = [500]
    notifier.deliver()
    change_issue(store, "worms")
    restarted = open_webhook(store, receiver)  # as after a kill: only what is on disk is known
    restarted.deliver()
    first, second = receiver.get_all()
    assert (first.id, first.body) == (second.id, second.body)
    restarted.deliver()
    assert receiver.get().data["after"] == 1
    assert (tmp_path / "store" / ASIDE_FOLDER / notifications.NOTIFICATIONS_FILE).stat().st_mode & 0o77 == 0


def test_a_new_address_is_not_told_of_earlier_changes(store: Store, receiver: Receiver) -> None:
    change_issue(store, "spam")
    notifier = open_webhook(store, receiver)
    notifier.deliver()
    assert (notifier.condition, receiver.get_all()) == ("current", [])


def test_after_a_restore_an_address_is_told_that_all_may_have_changed(
    receiver: Receiver, tmp_path: Path
) -> None:
    store = Store.open(tmp_path / "store")
    open_webhook(store, receiver)
    store.log.begin_epoch()  # as a restore does
    open_webhook(store, receiver).deliver()
    data = receiver.get().data
    assert (data["after"], data["graphs"]) == (None, None)


def test_an_address_that_knows_lost_commits_is_told_that_all_may_have_changed(
    receiver: Receiver, tmp_path: Path
) -> None:
    store = Store.open(tmp_path / "store")
    notifier = open_webhook(store, receiver)
    notifier.keep(AddressState(store.log.epoch, known_version=5))
    restarted = open_webhook(store, receiver)
    change_issue(store, "spam")
    restarted.deliver()
    assert (receiver.get().data["after"], restarted.condition) == (None, "current")


def test_a_failing_address_delays_no_other_and_the_log_has_its_number(
    store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with run_receiver() as other_receiver:
        urls = f"{receiver.url} {other_receiver.url}"
        notifier = open_notifier(store, webhooks=urls)
        receiver.statuses = [500]
        change_issue(store, "spam")
        for address_notifier in notifier.notifiers:
            address_notifier.deliver()
        assert "(number 1 of WGIG_WEBHOOKS) was not told of changes" in caplog.text
        assert notifier.count_conditions() == {"failing": 1, "current": 1}
        assert notifier.count_outcomes() == {"failed": 1, "delivered": 1}
        first, second = receiver.get(), other_receiver.get()
        assert first.id != second.id


def read_topics(receiver: Receiver) -> set[str]:
    """The topics of the messages to a hub."""
    topics = set()
    for message in receiver.get_all():
        fields = parse_qs(message.body.decode())
        assert message.headers["content-type"] == "application/x-www-form-urlencoded"
        assert (fields["hub.mode"], fields["hub.url"]) == (["publish"], fields["hub.topic"])
        topics |= {*fields["hub.topic"]}
    return topics


def test_a_hub_is_told_of_the_feeds_that_changed(store: Store, receiver: Receiver) -> None:
    change_issue(store, "spam")
    (notifier,) = open_notifier(store, hub=receiver.url).notifiers
    store.replace({"x:g": parse_triples(f"<{BASE}id/paper/p> a <x:Paper> . <{BASE}id/write/w> a <x:W> .")})
    notifier.deliver()
    feeds = {f"{PUBLIC_URL}feed.atom", f"{PUBLIC_URL}feed/paper.atom"}
    assert read_topics(receiver) == feeds | QUERY_FEEDS


def test_a_hub_is_told_of_all_feeds_after_a_bulk_load(store: Store, receiver: Receiver) -> None:
    change_issue(store, "spam")
    (notifier,) = open_notifier(store, hub=receiver.url).notifiers
    with (Path(__file__).parent.parent / "fixtures" / "graph.ttl").open("rb") as file:
        store.bulk_load(file, ox.RdfFormat.TURTLE, "x:g")
    store.finish_load()
    notifier.deliver()
    assert read_topics(receiver) >= {f"{PUBLIC_URL}feed.atom", f"{PUBLIC_URL}feed/issue.atom"} | QUERY_FEEDS


def test_a_feed_names_the_hub_and_the_topic_of_which_it_is_told(store: Store, receiver: Receiver) -> None:
    change_issue(store, "spam")
    settings = Settings(hub="https://hub.example/", public_url=PUBLIC_URL)
    client = make_service_client(settings, store)
    for path in ("feed.atom", "feed/issue.atom", "feed/query/due-and-delivered.atom"):
        response = client.get(f"/{path}")
        assert response.links["hub"]["url"] == "https://hub.example/"
        assert response.links["self"]["url"] == PUBLIC_URL + path
        links = {link.rel: link.href for link in feedparser.parse(response.content).feed.links}
        assert (links["hub"], links["self"]) == ("https://hub.example/", PUBLIC_URL + path)
    del receiver


def test_a_feed_names_no_hub_without_one(store: Store) -> None:
    response = make_store_client(store).get("/feed.atom")
    assert not {"hub", "self"} & response.links.keys()
    assert "hub" not in response.text


@pytest.mark.parametrize("secret", ["", "whsec_", "c2VjcmV0", "whsec_c2VjcmV0", "whsec_%%%", "file:/none"])
def test_a_secret_that_is_missing_or_weak_is_refused(store: Store, secret: str) -> None:
    with pytest.raises(ValueError, match="WGIG_WEBHOOK_SECRET"):
        open_notifier(store, webhooks="https://hooks.example/", webhook_secret=secret)


def test_the_secret_may_be_in_a_file_that_others_cannot_read(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    assert open_notifier(store, webhooks="https://hooks.example/", webhook_secret=f"file:{path}").notifiers
    path.chmod(0o644)
    with pytest.raises(ValueError, match="Other users can access the file"):
        open_notifier(store, webhooks="https://hooks.example/", webhook_secret=f"file:{path}")


@pytest.mark.parametrize("name", ["hub", "webhooks", "public_url"])
def test_an_invalid_address_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"WGIG_{name.upper()}", "ftp://hooks.example/")
    with pytest.raises(ValueError, match=f"WGIG_{name.upper()} has the invalid URL"):
        Settings.from_environment()


def test_nothing_is_sent_without_settings(store: Store) -> None:
    notifier = open_notifier(store)
    change_issue(store, "spam")
    assert (notifier.notifiers, store.runner.subscribers) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_service_sends_the_message_again_when_it_starts(
    receiver: Receiver, tmp_path: Path, workers: str
) -> None:
    settings = {
        "WGIG_WORKERS": workers,
        "WGIG_WEBHOOKS": receiver.url,
        "WGIG_WEBHOOK_SECRET": SECRET,
        "WGIG_TOKEN": TOKEN,
        "WGIG_METRICS": "open",
    }
    receiver.holds_response = True
    with run_service(tmp_path / "store", **settings) as service:
        client = httpx2.Client(base_url=service.url, headers={"Authorization": f"Bearer {TOKEN}"})
        with client:
            put_turtle(client, "<x:s> <x:p> <x:o> .")  # is answered although the receiver is not
        first = receiver.get()
        service.process.kill()
    receiver.holds_response = False
    receiver.is_stopping.set()
    with run_service(tmp_path / "store", **settings) as service:
        second = receiver.get()
        assert (first.id, first.body) == (second.id, second.body)
        while (
            'wgig_notifications_total{outcome="delivered"} 1.0'
            not in httpx2.get(f"{service.url}metrics").text
        ):
            pass
        assert httpx2.get(f"{service.url}ready").json()["failedNotifications"] == 0
    assert not receiver.get_all()  # only the process that writes sends

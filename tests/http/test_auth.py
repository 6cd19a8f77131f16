"""Tokens: made, kept as digests, asked at each request, expiring, taken back; and where none may stand."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from wgig.app import create_app, make_service
from wgig.cli import arguments, parser
from wgig.files import FileError
from wgig.http import auth
from wgig.http.auth import TOKEN_SCOPES, TokenStore
from wgig.settings import TOKENS_FILE, Settings
from wgig.store.store import Store

from tests.fixtures.service import client_of

TTL = {"Content-Type": "text/turtle"}
PAPER = "/graph/paper/one"


@pytest.fixture
def served(tmp_path: Path) -> httpx.Client:
    """A client without a token of a service that reads the tokens of this folder; papers are not checked."""
    settings = Settings(store=tmp_path, write_profile="off")
    return client_of(
        create_app(make_service(settings, Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)))
    )


def put_as(client: httpx.Client, secret: str, path: str = "/graph/one") -> httpx.Response:
    headers = TTL | {"Authorization": f"Bearer {secret}"}
    return client.put(path, content="<x:a> <x:p> 1 .", headers=headers)


def test_a_token_opens_writing_until_it_is_revoked(served: httpx.Client, tmp_path: Path) -> None:
    assert put_as(served, "any").status_code == 403
    secret, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], "Alice")
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert put_as(served, secret).status_code == 201
    assert auth.revoke_access_token(tmp_path / TOKENS_FILE, token.id) == token
    refused = put_as(served, secret)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer realm="wgig", error="invalid_token"',
    )
    assert auth.revoke_access_token(tmp_path / TOKENS_FILE, token.id) is None


def test_the_page_of_updates_knows_at_once_that_there_is_a_token(
    served: httpx.Client, tmp_path: Path
) -> None:
    page = {"Accept": "text/html"}
    assert "It is closed" in served.get("/update", headers=page).text
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert "It is open" in served.get("/update", headers=page).text


def test_the_form_of_a_paper_knows_at_once_that_a_token_opens_papers(
    served: httpx.Client, tmp_path: Path
) -> None:
    def offers() -> bool:
        return 'id="token"' in served.get("/write?issue=spam", headers={"Accept": "text/html"}).text

    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert not offers()
    auth.create_access_token(tmp_path / TOKENS_FILE, ["papers"])
    assert offers()


def test_who_sends_no_token_is_told_how_and_of_no_error(served: httpx.Client, tmp_path: Path) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    answer = served.delete("/graph/one")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="wgig"')
    assert "Authorization: Bearer <token>" in answer.json()["detail"]


def test_a_token_expires(served: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires="2h")
    assert put_as(served, secret).status_code == 201

    class Later(datetime):
        @classmethod
        def now(cls, _: object = None) -> "datetime":  # type: ignore[override]
            return datetime.fromisoformat(token.expires)

    monkeypatch.setattr(auth, "datetime", Later)
    answer = put_as(served, secret)
    assert (answer.status_code, f"expired at {token.expires}" in answer.json()["detail"]) == (401, True)


def test_the_span_of_a_token_counts_from_now(tmp_path: Path) -> None:
    _, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires="30d")
    left = datetime.fromisoformat(token.expires) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


@pytest.mark.parametrize("written", ["30", "d", "-1d", "0d", "30 d", "1y", "999999d"])
def test_what_is_no_span_of_time_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(ValueError, match="Give hours, days or weeks"):
        auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires=written)
    assert not (tmp_path / TOKENS_FILE).exists()


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        ("papers", (403, 201, 403)),
        ("graphs", (201, 201, 403)),
        ("update", (403, 403, 204)),
        ("admin", (403, 403, 403)),
    ],
)
def test_a_token_opens_what_its_scope_says(
    served: httpx.Client, tmp_path: Path, scope: str, statuses: tuple[int, ...]
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, [scope])
    update = {"update": "INSERT DATA { <x:a> <x:p> 1 }"}
    answers = (
        put_as(served, secret),
        put_as(served, secret, PAPER),
        served.post("/update", data=update, headers={"Authorization": f"Bearer {secret}"}),
    )
    assert tuple(one.status_code for one in answers) == statuses
    for one in answers:
        if one.status_code == 403:
            assert 'error="insufficient_scope", scope="' in one.headers["www-authenticate"]


def test_a_write_that_names_no_graph_is_not_for_who_writes_papers(
    served: httpx.Client, tmp_path: Path
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["papers"])
    headers = TTL | {"Authorization": f"Bearer {secret}"}
    assert served.post("/graphs", content="<x:a> <x:p> 1 .", headers=headers).status_code == 403
    assert served.put("/graphs?default", content="<x:a> <x:p> 1 .", headers=headers).status_code == 403


def test_the_secret_is_kept_nowhere_and_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    assert (tmp_path / TOKENS_FILE).stat().st_mode & 0o777 == 0o600
    assert not [one for one in tmp_path.iterdir() if secret.encode() in one.read_bytes()]
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".partial"]


def test_a_file_that_others_may_read_is_refused(served: httpx.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    (tmp_path / TOKENS_FILE).chmod(0o640)
    with pytest.raises(FileError, match="chmod 600"):
        TokenStore(tmp_path / TOKENS_FILE).list_tokens()
    with pytest.raises(FileError, match="chmod 600"):
        auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    answer = put_as(served, secret)
    assert (answer.status_code, str(tmp_path) in answer.text) == (503, False)
    # The form is given all the same: who saves it is told.
    page = served.get("/write?issue=spam", headers={"Accept": "text/html"})
    assert (page.status_code, 'name="token"' in page.text) == (200, True)


def test_a_file_that_the_system_does_not_give_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir(0o700)
    reasons = {tmp_path / "file" / TOKENS_FILE: "not a directory", tmp_path / "folder": "is a directory"}
    for path, reason in reasons.items():
        with pytest.raises(FileError) as refused:
            TokenStore(path).list_tokens()
        assert f"The tokens in {path} cannot be read or written: {reason}." in str(refused.value)
    with pytest.raises(FileError, match="cannot be read or written"):
        auth.create_access_token(tmp_path / "file" / TOKENS_FILE, ["graphs"])


@pytest.mark.parametrize("content", [b"", b"[1]", b'[{"id": 1}]', b"\xff"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TOKENS_FILE).write_bytes(content)
    (tmp_path / TOKENS_FILE).chmod(0o600)
    with pytest.raises(FileError, match="is damaged"):
        TokenStore(tmp_path / TOKENS_FILE).list_tokens()


@pytest.mark.parametrize("query", ["access_token=x", "x=1&access_token=x", "token=wgig_" + "a" * 43])
@pytest.mark.parametrize(("method", "path"), [("PUT", PAPER), ("POST", "/update"), ("GET", "/graphs")])
def test_a_token_in_an_address_is_burned(served: httpx.Client, method: str, path: str, query: str) -> None:
    answer = served.request(method, f"{path}?{query}")
    assert (answer.status_code, "Have it revoked now" in answer.json()["detail"]) == (400, True)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="wgig", error="invalid_request"'


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("sent", [{"data": {"access_token": "x"}}, {"files": {"access_token": "x"}}])
def test_a_token_in_a_body_is_burned(
    served: httpx.Client, tmp_path: Path, sent: dict[str, dict[str, str]], beside: bool
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs", "update"])
    headers = {"Authorization": f"Bearer {secret}"} if beside else {}
    path = "/update" if "data" in sent else "/graph/one"
    answer = served.post(path, headers=headers, **sent)  # type: ignore[arg-type]
    assert (answer.status_code, "Have it revoked now" in answer.json()["detail"]) == (400, True)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="wgig", error="invalid_request"'


def test_a_token_in_the_form_of_a_query_is_burned_though_none_is_needed(served: httpx.Client) -> None:
    answer = served.post("/sparql", data={"query": "ASK {}", "access_token": "x"})
    assert (answer.status_code, "Have it revoked now" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "form", ["update=CLEAR%20ALL", "access_token=x&%FF", f"access_token=x&update={'%20' * 30_000}", ""]
)
def test_a_form_without_a_token_or_too_large_to_look_through_needs_one(
    served: httpx.Client, tmp_path: Path, form: str
) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert served.post("/update", content=form, headers=headers).status_code == 401


def test_two_tokens_in_one_request_are_refused(served: httpx.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    answer = served.delete("/graph/one", headers=[("Authorization", f"Bearer {secret}")] * 2)
    assert answer.status_code == 400


def test_what_a_token_gets_is_kept_by_nobody(served: httpx.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    made = put_as(served, secret)
    read = served.get("/graph/one", headers={"Authorization": f"Bearer {secret}"})
    assert [one.headers["cache-control"] for one in (made, read)] == ["no-store"] * 2


def wgig(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wgig", *arguments, "--store", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_shell_makes_lists_and_revokes(tmp_path: Path) -> None:
    made = wgig("token", "new", "--scope", "papers", "--name", "Alice", "--expires", "1w", folder=tmp_path)
    secret = made.stdout.strip()
    assert len(made.stdout.splitlines()) == 1
    found = TokenStore(tmp_path / TOKENS_FILE).find(secret)
    assert found is not None
    listed = json.loads(wgig("token", "list", folder=tmp_path).stdout)
    assert [(one["id"], one["name"], one["scopes"]) for one in listed] == [(found.id, "Alice", "papers")]
    assert secret not in str(listed)
    assert wgig("token", "revoke", found.id, folder=tmp_path).returncode == 0
    assert wgig("token", "revoke", found.id, folder=tmp_path).returncode == 1
    assert TokenStore(tmp_path / TOKENS_FILE).list_tokens() == []


def test_instances_share_a_file_of_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_TOKENS", str(tmp_path / "shared" / "tokens"))
    made = wgig("token", "new", "--scope", "graphs", folder=tmp_path / "one")
    settings = Settings.from_environment(store=tmp_path / "two")
    assert not settings.store.exists()
    client = client_of(
        create_app(make_service(settings, Store.in_memory(), tokens=TokenStore(settings.token_file)))
    )
    assert put_as(client, made.stdout.strip()).status_code == 201


def test_a_token_has_each_scope_that_was_asked_for(tmp_path: Path) -> None:
    asked = ("--scope", "graphs", "metrics", "--scope", "update")
    found = TokenStore(tmp_path / TOKENS_FILE).find(
        wgig("token", "new", *asked, folder=tmp_path).stdout.strip()
    )
    assert found is not None
    assert set(found.scopes) == {"graphs", "metrics", "update"}


@pytest.mark.parametrize("arguments", [("new",), ("new", "--scope", "all"), ("revoke",), ("lend",)])
def test_the_shell_refuses_a_call_that_lacks_something(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert wgig("token", *arguments, folder=tmp_path).returncode == 2


def test_the_shell_offers_the_scopes_that_there_are() -> None:
    assert set(arguments.SCOPE_CHOICES) == TOKEN_SCOPES.keys()
    _, _, text = parser.TOKEN_ACTIONS["new"]
    assert [re.sub("  +", ": ", one) for one in text.splitlines()[4:]] == [
        f"{scope}: {meaning}" for scope, meaning in TOKEN_SCOPES.items()
    ]


@pytest.mark.parametrize(("action", "own"), [("new", "--scope"), ("list", "--format"), ("revoke", "ID")])
def test_each_action_has_help_of_its_own(tmp_path: Path, action: str, own: str) -> None:
    said = wgig("token", action, "--help", folder=tmp_path).stdout
    assert f"examples:\n  wgig token {action}" in said
    assert [
        one for one in ("--scope", "--format", "ID") if re.search(rf"^  {one}\b", said, re.MULTILINE)
    ] == [own]

"""Access tokens: creation, storage as digests, scopes, expiry, revocation, and refusal outside the header."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from wgig.app import create_app, make_service
from wgig.cli import arguments, parser
from wgig.files import FileError
from wgig.http import auth
from wgig.http.auth import TOKEN_SCOPES, TokenStore
from wgig.settings import TOKENS_FILE, Settings
from wgig.store.store import Store

from tests.fixtures.service import make_client

TURTLE_HEADERS = {"Content-Type": "text/turtle"}
PAPER_PATH = "/graph/paper/one"


@pytest.fixture
def token_client(tmp_path: Path) -> httpx2.Client:
    """A client, without a token, of a service with the token file in `tmp_path`; papers are not checked."""
    settings = Settings(store=tmp_path, write_profile="off")
    return make_client(
        create_app(make_service(settings, Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)))
    )


def put_with_token(client: httpx2.Client, secret: str, path: str = "/graph/one") -> httpx2.Response:
    headers = TURTLE_HEADERS | {"Authorization": f"Bearer {secret}"}
    return client.put(path, content="<x:a> <x:p> 1 .", headers=headers)


def test_token_allows_writing_until_revoked(token_client: httpx2.Client, tmp_path: Path) -> None:
    assert put_with_token(token_client, "any").status_code == 403  # without tokens, the service is read-only
    secret, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], "Alice")
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert put_with_token(token_client, secret).status_code == 201
    assert auth.revoke_access_token(tmp_path / TOKENS_FILE, token.id) == token
    refused = put_with_token(token_client, secret)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (
        401,
        'Bearer realm="wgig", error="invalid_token"',
    )
    assert auth.revoke_access_token(tmp_path / TOKENS_FILE, token.id) is None


def test_update_page_shows_new_token_immediately(token_client: httpx2.Client, tmp_path: Path) -> None:
    headers = {"Accept": "text/html"}
    assert "Updates are turned off" in token_client.get("/update", headers=headers).text
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert "You need a token" in token_client.get("/update", headers=headers).text


def test_paper_form_has_token_field_only_with_paper_scope(
    token_client: httpx2.Client, tmp_path: Path
) -> None:
    def has_token_field() -> bool:
        return 'id="token"' in token_client.get("/write?issue=spam", headers={"Accept": "text/html"}).text

    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    assert not has_token_field()
    auth.create_access_token(tmp_path / TOKENS_FILE, ["papers"])
    assert has_token_field()


def test_missing_token_gets_challenge_without_error_code(token_client: httpx2.Client, tmp_path: Path) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    response = token_client.delete("/graph/one")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="wgig"')
    assert "Authorization: Bearer <token>" in response.json()["detail"]


def test_expired_token_is_refused(
    token_client: httpx2.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires="2h")
    assert put_with_token(token_client, secret).status_code == 201

    class ExpiryTime(datetime):
        """A datetime class whose current time is the expiry of the token."""

        @classmethod
        def now(cls, _: object = None) -> "datetime":  # type: ignore[override]
            return datetime.fromisoformat(token.expires)

    monkeypatch.setattr(auth, "datetime", ExpiryTime)
    response = put_with_token(token_client, secret)
    assert (response.status_code, f"expired at {token.expires}" in response.json()["detail"]) == (401, True)


def test_lifetime_starts_at_creation(tmp_path: Path) -> None:
    _, token = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires="30d")
    remaining = datetime.fromisoformat(token.expires) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < remaining <= timedelta(days=30)


@pytest.mark.parametrize("lifetime", ["30", "d", "-1d", "0d", "30 d", "1y", "999999d"])
def test_invalid_lifetime_is_refused(tmp_path: Path, lifetime: str) -> None:
    with pytest.raises(ValueError, match="Give hours, days or weeks"):
        auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"], expires=lifetime)
    assert not (tmp_path / TOKENS_FILE).exists()


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        # the statuses of writing a graph, writing the graph of a paper, and SPARQL Update
        ("papers", (403, 201, 403)),
        ("graphs", (201, 201, 403)),
        ("update", (403, 403, 204)),
        ("admin", (403, 403, 403)),
    ],
)
def test_scope_determines_allowed_writes(
    token_client: httpx2.Client, tmp_path: Path, scope: str, statuses: tuple[int, ...]
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, [scope])
    form = {"update": "INSERT DATA { <x:a> <x:p> 1 }"}
    responses = (
        put_with_token(token_client, secret),
        put_with_token(token_client, secret, PAPER_PATH),
        token_client.post("/update", data=form, headers={"Authorization": f"Bearer {secret}"}),
    )
    assert tuple(response.status_code for response in responses) == statuses
    for response in responses:
        if response.status_code == 403:
            assert 'error="insufficient_scope", scope="' in response.headers["www-authenticate"]


def test_papers_scope_does_not_allow_unnamed_graph_writes(
    token_client: httpx2.Client, tmp_path: Path
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["papers"])
    headers = TURTLE_HEADERS | {"Authorization": f"Bearer {secret}"}
    assert token_client.post("/graphs", content="<x:a> <x:p> 1 .", headers=headers).status_code == 403
    assert token_client.put("/graphs?default", content="<x:a> <x:p> 1 .", headers=headers).status_code == 403


def test_secret_is_not_stored_and_file_is_private(tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    assert (tmp_path / TOKENS_FILE).stat().st_mode & 0o777 == 0o600
    assert not [path for path in tmp_path.iterdir() if secret.encode() in path.read_bytes()]
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".partial"]


def test_token_file_readable_by_others_is_refused(token_client: httpx2.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    (tmp_path / TOKENS_FILE).chmod(0o640)
    with pytest.raises(FileError, match="chmod 600"):
        TokenStore(tmp_path / TOKENS_FILE).list_tokens()
    with pytest.raises(FileError, match="chmod 600"):
        auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    response = put_with_token(token_client, secret)
    assert (response.status_code, str(tmp_path) in response.text) == (503, False)
    # The form is still shown; saving it reports the error.
    page = token_client.get("/write?issue=spam", headers={"Accept": "text/html"})
    assert (page.status_code, 'name="token"' in page.text) == (200, True)


def test_token_file_readable_by_others_is_logged_once_per_version(
    token_client: httpx2.Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    for mode in (0o640, 0o600, 0o640):
        (tmp_path / TOKENS_FILE).chmod(mode)
        for _ in range(3):
            put_with_token(token_client, secret)
    assert [record.getMessage().startswith("the tokens cannot be read: ") for record in caplog.records] == [
        True
    ] * 2


def test_unreadable_token_file_error_has_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir(0o700)
    reasons = {tmp_path / "file" / TOKENS_FILE: "not a directory", tmp_path / "folder": "is a directory"}
    for path, reason in reasons.items():
        with pytest.raises(FileError) as refused:
            TokenStore(path).list_tokens()
        assert f"The tokens in {path} cannot be read or written: {reason}." in str(refused.value)
    with pytest.raises(FileError, match="cannot be read or written"):
        auth.create_access_token(tmp_path / "file" / TOKENS_FILE, ["graphs"])


@pytest.mark.parametrize("content", [b"", b"1", b"[1]", b'[{"id": 1}]', b"\xff"])
def test_damaged_token_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / TOKENS_FILE).write_bytes(content)
    (tmp_path / TOKENS_FILE).chmod(0o600)
    with pytest.raises(FileError, match="is damaged"):
        TokenStore(tmp_path / TOKENS_FILE).list_tokens()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("digest", 1),
        ("digest", "é" * 64),
        ("digest", ""),
        ("expires", "nonsense"),
        ("expires", "2099-01-01"),
        ("expires", 2099),
        ("expires", None),
        ("scopes", [["graphs"]]),
        ("scopes", "graphs"),
        ("name", None),
    ],
)
def test_token_file_with_an_invalid_entry_is_refused_with_its_number(
    token_client: httpx2.Client, tmp_path: Path, field: str, value: object
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    entries = json.loads((tmp_path / TOKENS_FILE).read_bytes())
    entries[1][field] = value
    (tmp_path / TOKENS_FILE).write_text(json.dumps(entries))
    with pytest.raises(FileError, match="is damaged: entry 2 is not a token"):
        TokenStore(tmp_path / TOKENS_FILE).list_tokens()
    assert put_with_token(token_client, secret).status_code == 503


@pytest.mark.parametrize("query", ["access_token=x", "x=1&access_token=x", "token=wgig_" + "a" * 43])
@pytest.mark.parametrize(("method", "path"), [("PUT", PAPER_PATH), ("POST", "/update"), ("GET", "/graphs")])
def test_token_in_url_is_refused(token_client: httpx2.Client, method: str, path: str, query: str) -> None:
    response = token_client.request(method, f"{path}?{query}")
    assert (response.status_code, "Have it revoked now" in response.json()["detail"]) == (400, True)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="wgig", error="invalid_request"'


@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize(
    "body_arguments", [{"data": {"access_token": "x"}}, {"files": {"access_token": "x"}}]
)
def test_token_in_body_is_refused(
    token_client: httpx2.Client, tmp_path: Path, body_arguments: dict[str, dict[str, str]], has_header: bool
) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs", "update"])
    headers = {"Authorization": f"Bearer {secret}"} if has_header else {}
    path = "/update" if "data" in body_arguments else "/graph/one"
    response = token_client.post(path, headers=headers, **body_arguments)  # type: ignore[arg-type]
    assert (response.status_code, "Have it revoked now" in response.json()["detail"]) == (400, True)
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="wgig", error="invalid_request"'


def test_token_in_form_of_query_is_refused(token_client: httpx2.Client) -> None:
    response = token_client.post("/sparql", data={"query": "ASK {}", "access_token": "x"})
    assert (response.status_code, "Have it revoked now" in response.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("update=CLEAR%20ALL", id="without token"),
        pytest.param("access_token=x&%FF", id="invalid"),
        pytest.param(f"access_token=x&update={'%20' * 30_000}", id="larger than MAX_INSPECTED_FORM_BYTES"),
        pytest.param("", id="empty"),
    ],
)
def test_form_in_which_no_token_is_found_gets_401(
    token_client: httpx2.Client, tmp_path: Path, form: str
) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["update"])
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert token_client.post("/update", content=form, headers=headers).status_code == 401


def test_two_authorization_headers_are_refused(token_client: httpx2.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    response = token_client.delete("/graph/one", headers=[("Authorization", f"Bearer {secret}")] * 2)
    assert response.status_code == 400


def test_responses_to_authorized_requests_are_not_cached(token_client: httpx2.Client, tmp_path: Path) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    write_response = put_with_token(token_client, secret)
    read_response = token_client.get("/graph/one", headers={"Authorization": f"Bearer {secret}"})
    assert [response.headers["cache-control"] for response in (write_response, read_response)] == [
        "no-store"
    ] * 2


def run_wgig(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wgig", *arguments, "--store", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_creates_lists_and_revokes_tokens(tmp_path: Path) -> None:
    creation = run_wgig(
        "token", "new", "--scope", "papers", "--name", "Alice", "--expires", "1w", folder=tmp_path
    )
    secret = creation.stdout.strip()
    assert len(creation.stdout.splitlines()) == 1
    token = TokenStore(tmp_path / TOKENS_FILE).find(secret)
    assert token is not None
    listed = json.loads(run_wgig("token", "list", folder=tmp_path).stdout)
    assert [(row["id"], row["name"], row["scopes"]) for row in listed] == [(token.id, "Alice", "papers")]
    assert secret not in str(listed)
    assert run_wgig("token", "revoke", token.id, folder=tmp_path).returncode == 0
    assert run_wgig("token", "revoke", token.id, folder=tmp_path).returncode == 1  # it no longer exists
    assert TokenStore(tmp_path / TOKENS_FILE).list_tokens() == []


def test_instances_can_share_token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_TOKENS", str(tmp_path / "shared" / "tokens"))
    creation = run_wgig("token", "new", "--scope", "graphs", folder=tmp_path / "one")
    settings = Settings.from_environment(store=tmp_path / "two")
    assert not settings.store.exists()
    client = make_client(
        create_app(make_service(settings, Store.in_memory(), tokens=TokenStore(settings.token_file)))
    )
    assert put_with_token(client, creation.stdout.strip()).status_code == 201


def test_token_has_all_requested_scopes(tmp_path: Path) -> None:
    scope_options = ("--scope", "graphs", "metrics", "--scope", "update")
    token = TokenStore(tmp_path / TOKENS_FILE).find(
        run_wgig("token", "new", *scope_options, folder=tmp_path).stdout.strip()
    )
    assert token is not None
    assert set(token.scopes) == {"graphs", "metrics", "update"}


@pytest.mark.parametrize("arguments", [("new",), ("new", "--scope", "all"), ("revoke",), ("lend",)])
def test_incomplete_or_unknown_token_command_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run_wgig("token", *arguments, folder=tmp_path).returncode == 2  # a usage error


def test_help_lists_all_scopes() -> None:
    assert set(arguments.SCOPE_CHOICES) == TOKEN_SCOPES.keys()
    _, _, help_text = parser.TOKEN_ACTIONS["new"]
    scope_lines = help_text.splitlines()[-len(TOKEN_SCOPES) :]
    assert [re.sub("  +", ": ", line) for line in scope_lines] == [
        f"{scope}: {meaning}" for scope, meaning in TOKEN_SCOPES.items()
    ]


@pytest.mark.parametrize(
    ("action", "expected_option"), [("new", "--scope"), ("list", "--format"), ("revoke", "ID")]
)
def test_each_token_action_has_help(tmp_path: Path, action: str, expected_option: str) -> None:
    help_text = run_wgig("token", action, "--help", folder=tmp_path).stdout
    assert f"examples:\n  wgig token {action}" in help_text
    assert [
        option
        for option in ("--scope", "--format", "ID")
        if re.search(rf"^  {option}\b", help_text, re.MULTILINE)
    ] == [expected_option]


def test_settings_file_with_token_that_others_can_open_stops_writing(tmp_path: Path) -> None:
    settings_file = tmp_path / "settings"
    settings_file.write_text("WGIG_TOKEN=secret\n")
    settings_file.chmod(0o600)
    tokens = TokenStore(None, "secret", settings_file=settings_file)
    assert tokens.find("secret")
    settings_file.chmod(0o644)
    with pytest.raises(FileError, match="chmod 600"):
        tokens.find("secret")
    settings_file.write_text("WGIG_LOG=json\n")  # the token comes from elsewhere
    assert tokens.find("secret")


@pytest.mark.parametrize("content", [b"no setting", b"WGIG_OTHER=1", b"WGIG_TOKEN = t2", b"\xff"])
def test_invalid_settings_file_that_others_can_open_stops_writing(tmp_path: Path, content: bytes) -> None:
    settings_file = tmp_path / "settings"
    settings_file.write_bytes(content)
    settings_file.chmod(0o644)
    tokens = TokenStore(None, "secret", settings_file=settings_file)
    with pytest.raises(FileError, match="cannot be read"):
        tokens.find("secret")
    settings_file.chmod(0o600)  # the settings that were read from it before still apply
    assert tokens.find("secret")

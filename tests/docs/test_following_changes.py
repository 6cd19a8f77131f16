"""The commands on the page about following changes run."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from wgig.feeds.notifications import (
    FIRST_RETRY_SECONDS,
    GIVE_UP_SECONDS,
    MAX_RETRY_SECONDS,
    SEND_TIMEOUT_SECONDS,
    CommitSpan,
    WebhookMessages,
    sign_webhook,
)
from wgig.graphs.dumps import DUMP_NAMES, KEPT_DUMP_VERSIONS
from wgig.graphs.dumps_routes import DUMP_WAIT_SECONDS
from wgig.lists.tables import TABLE_LIST_SEPARATOR
from wgig.store.resource_versions.database import MEMBERS_PER_PAGE
from wgig.store.store import Store

from tests.docs.blocks import find_code_blocks, read_docs_page, run_shell_block

PAGE = read_docs_page("how-to/following-changes.md")
# test_ldes_client.py runs the block with npx.
BLOCKS = [block for block in find_code_blocks(PAGE, "sh") if "npx" not in block]


def test_only_one_block_is_left_to_another_test() -> None:
    assert len(BLOCKS) == len(find_code_blocks(PAGE, "sh")) - 1


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_run_as_shown(block: str, service_url: str, tmp_path: Path) -> None:
    process = run_shell_block(block, service_url, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout or any(path.stat().st_size for path in tmp_path.iterdir())


def test_the_shown_function_verifies_webhooks() -> None:
    namespace: dict[str, Any] = {}
    (code,) = find_code_blocks(PAGE, "python")
    exec(code, namespace)
    secret, body = f"whsec_{base64.b64encode(b's' * 32).decode()}", b"{}"
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": sign_webhook(b"s" * 32, "msg_1", "1614265330", body),
    }
    assert namespace["is_authentic"](secret, headers, body)
    assert not namespace["is_authentic"](secret, headers, b"[]")


def test_the_shown_message_has_the_members_of_a_webhook() -> None:
    (shown,) = find_code_blocks(PAGE, "json")
    build = WebhookMessages("https://wgig.example.org/", Store.in_memory(), b"s" * 32)
    ((body, *_),) = build("msg_1", CommitSpan(0, 1))
    sent = json.loads(body)
    assert list(json.loads(shown)) == list(sent)
    assert list(json.loads(shown)["data"]) == list(sent["data"])


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"within {SEND_TIMEOUT_SECONDS} seconds" in PAGE
    assert f"first after {FIRST_RETRY_SECONDS:.0f} seconds" in PAGE
    assert (MAX_RETRY_SECONDS, GIVE_UP_SECONDS) == (3600, 3 * 24 * 3600)
    assert "up to an hour; after 3 days" in PAGE
    assert f"longer than {DUMP_WAIT_SECONDS} seconds" in PAGE
    assert KEPT_DUMP_VERSIONS == 3
    assert "last three that were requested" in PAGE
    assert f"A page holds {MEMBERS_PER_PAGE} members" in PAGE
    assert f"`{TABLE_LIST_SEPARATOR}`" in PAGE
    assert all(f"`/dump.{name}`" in PAGE or f"`.{name}`" in PAGE for name in DUMP_NAMES)

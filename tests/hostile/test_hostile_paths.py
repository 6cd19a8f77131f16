"""Names and suffixes in paths: one that nobody knows is not found, and leads nowhere."""

from urllib.parse import quote

import pytest
from fastapi import FastAPI

from tests.hostile.asking import ask
from tests.hostile.attacks import ATTACKS, MARK, UNREADABLE
from tests.hostile.harmless import check
from tests.hostile.targets import TARGETS, Target, called, status

UPWARDS = (
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/x",
    "%252e%252e",
    "..;/x",
    f"a%0d%0aSet-Cookie:%20{MARK}=1",
)


@pytest.mark.parametrize("target", [one for one in TARGETS if "{" in one.path], ids=called)
def test_no_part_of_a_path_is_more_than_a_name(app: FastAPI, target: Target) -> None:
    texts = [text for text in ATTACKS.values() if text.strip()]
    parts = [quote(text, safe=safe) for text in texts for safe in ("", "/:")]
    parts += [
        target.at().removeprefix(target.path.partition("{")[0]) + quote(text, safe="") for text in texts
    ]
    parts += [*UNREADABLE, *UPWARDS]
    requests = [(target.method, target.at(part), {"headers": {"Accept": "text/html"}}) for part in parts]
    for part, answer in zip(parts, ask(app, requests), strict=True):
        check(answer, part)
        assert answer.status_code >= 300, (part, status(answer))


@pytest.mark.parametrize("path", ["//{}.example/", "/%2f/{}.example/", "/\\{}.example/", "/x//{}/", "///"])
def test_nobody_is_led_to_another_host_by_a_path(app: FastAPI, path: str) -> None:
    (answer,) = ask(app, [("GET", path.format(MARK), {})])
    check(answer, path)
    assert answer.status_code in (308, 404)

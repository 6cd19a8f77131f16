"""Attacks in paths: an unknown name or suffix is not found and redirects to no other host."""

from urllib.parse import quote

import pytest
from starlette.types import ASGIApp

from tests.hostile.attacks import ATTACK_MARK, ATTACKS, INVALID_ENCODINGS
from tests.hostile.client import send_requests
from tests.hostile.response_checks import check_response
from tests.hostile.targets import TARGETS, Target, summarize_response, target_id

TRAVERSALS = (
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/x",
    "%252e%252e",
    "..;/x",
    f"a%0d%0aSet-Cookie:%20{ATTACK_MARK}=1",
)


@pytest.mark.parametrize("target", [target for target in TARGETS if "{" in target.path], ids=target_id)
def test_attack_in_a_path_is_refused(app: ASGIApp, target: Target) -> None:
    texts = [text for text in ATTACKS.values() if text.strip()]
    values = [quote(text, safe=safe) for text in texts for safe in ("", "/:")]
    valid_value = target.fill_path().removeprefix(target.path.partition("{")[0])
    values += [valid_value + quote(text, safe="") for text in texts]
    values += [*INVALID_ENCODINGS, *TRAVERSALS]
    requests = [
        (target.method, target.fill_path(value), {"headers": {"Accept": "text/html"}}) for value in values
    ]
    for value, response in zip(values, send_requests(app, requests), strict=True):
        check_response(response, value)
        # A redirect is allowed: `check_response` checks that it stays on this host.
        assert response.status_code >= 300, (value, summarize_response(response))


@pytest.mark.parametrize("path", ["//{}.example/", "/%2f/{}.example/", "/\\{}.example/", "/x//{}/", "///"])
def test_path_does_not_redirect_to_another_host(app: ASGIApp, path: str) -> None:
    (response,) = send_requests(app, [("GET", path.format(ATTACK_MARK), {})])
    check_response(response, path)
    assert response.status_code in (308, 404)

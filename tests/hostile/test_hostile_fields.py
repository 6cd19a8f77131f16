"""Attacks in header fields: invalid values are refused or ignored, and do not occur in responses."""

import pytest
from starlette.types import ASGIApp

from tests.hostile.attacks import ATTACK_MARK, ATTACKS
from tests.hostile.client import send_requests
from tests.hostile.response_checks import check_response
from tests.hostile.targets import GET_TARGETS

FIELD_NAMES = (
    "Accept",
    "Accept-Charset",
    "Accept-Datetime",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Profile",
    "Authorization",
    "Cache-Control",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Forwarded",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Link",
    "Origin",
    "Prefer",
    "Range",
    "Referer",
    "User-Agent",
    "WGIG-Query-Id",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-HTTP-Method-Override",
)
INVALID_HOSTS = (
    'a"><script>',
    "a b",
    f"{ATTACK_MARK}.example\\@x",
    "[::1",
    "[1:2]",
    "x:99999999",
    "%0d%0a",
    "a/b?c#d",
    "\xff",
    "a>;rel=x,<b",
)
PATHS = sorted(
    {target.fill_path() for target in GET_TARGETS if not target.path.startswith("/queries/")}
    | {"/queries/coverage-matrix"}
)
# An HTTP server accepts no field value with a line break or NUL.
FIELD_VALUES = [text.encode() for text in ATTACKS.values() if not {*"\r\n\0"} & {*text}]


@pytest.mark.parametrize("field", FIELD_NAMES)
def test_attack_in_a_header_field_is_harmless(app: ASGIApp, field: str) -> None:
    shift = FIELD_NAMES.index(field)  # so that each path gets half of the fields, with different values
    attacks = [
        (path, FIELD_VALUES[(number + shift) % len(FIELD_VALUES)])
        for number, path in enumerate(PATHS)
        if (number + shift // 2) % 2
    ]
    requests = [("GET", path, {"headers": {"Accept": "text/html", field: value}}) for path, value in attacks]
    for (path, value), response in zip(attacks, send_requests(app, requests), strict=True):
        check_response(response, f"{path} {field}: {value!r}"[:300])


@pytest.mark.parametrize("host", INVALID_HOSTS)
def test_invalid_host_is_refused(app: ASGIApp, host: str) -> None:
    requests = [("GET", path, {"headers": {"Host": host.encode("latin-1")}}) for path in PATHS]
    for path, response in zip(PATHS, send_requests(app, requests), strict=True):
        check_response(response, path)
        assert response.status_code == 400

"""Header fields: one that says nothing sensible is refused or left aside, and comes back nowhere."""

import pytest
from fastapi import FastAPI

from tests.hostile.asking import ask
from tests.hostile.attacks import ATTACKS, MARK
from tests.hostile.harmless import check
from tests.hostile.targets import READ

FIELDS = (
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
HOSTS = (
    'a"><script>',
    "a b",
    f"{MARK}.example\\@x",
    "[::1",
    "[1:2]",
    "x:99999999",
    "%0d%0a",
    "a/b?c#d",
    "\xff",
    "a>;rel=x,<b",
)
PATHS = sorted(
    {one.at() for one in READ if not one.path.startswith("/queries/")} | {"/queries/coverage-matrix"}
)
# A server hands on no field with a line break in it.
TEXTS = [text.encode() for text in ATTACKS.values() if not {*"\r\n\0"} & {*text}]


@pytest.mark.parametrize("field", FIELDS)
def test_no_header_field_is_more_than_a_wish(app: FastAPI, field: str) -> None:
    first = FIELDS.index(field)  # so that over all fields each path gets about all of the texts
    sent = [(path, TEXTS[(place + first) % len(TEXTS)]) for place, path in enumerate(PATHS)]
    requests = [("GET", path, {"headers": {"Accept": "text/html", field: text}}) for path, text in sent]
    for (path, text), answer in zip(sent, ask(app, requests), strict=True):
        check(answer, f"{path} {field}: {text!r}"[:300])


@pytest.mark.parametrize("host", HOSTS)
def test_no_name_of_a_host_is_more_than_a_name(app: FastAPI, host: str) -> None:
    requests = [("GET", path, {"headers": {"Host": host.encode("latin-1")}}) for path in PATHS]
    for path, answer in zip(PATHS, ask(app, requests), strict=True):
        check(answer, path)
        assert answer.status_code == 400

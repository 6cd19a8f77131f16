"""What clients accept, for tests: browsers, and programs that want data."""

import httpx

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
# By no field, by any, or as OpenRefine and curl do.
PROGRAMS = ("", "*/*", "application/json", "application/json, text/javascript, */*; q=0.01", "text/turtle")


def page(client: httpx.Client, path: str) -> str:
    """What a browser gets there: a page, which stands beside what others get."""
    answer = client.get(path, headers={"Accept": BROWSER})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Accept" in answer.headers["vary"].split(", ")
    return answer.text

"""What the page about self-description shows is what happens."""

import re
import shlex
import urllib.request
from urllib.parse import urlsplit

import pyoxigraph as ox
from wgig.app import ROUTES
from wgig.settings import Settings

from tests.docs.blocks import calls, page

PAGE = page("reference/self-description.md")
(QUERY,) = re.findall(r"```sparql\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_lists_routes_and_settings_that_are() -> None:
    shown = set(re.findall(r"^\| `(/\S+)` \|", PAGE, re.MULTILINE))
    assert len(shown) == 7
    assert shown <= {path for path, *_ in ROUTES}
    assert {one.lower() for one in re.findall(r"WGIG_(\w+)", PAGE)} <= {*Settings.__dataclass_fields__}


def test_what_it_shows_gives_what_it_says(served: str) -> None:
    for call in calls(PAGE, "curl"):
        asked = next(one for one in shlex.split(call) if one.startswith("http"))
        fields = dict(re.findall(r"'(\w+): (.*?)'", call))
        request = urllib.request.Request(served.rstrip("/") + urlsplit(asked).path, headers=fields)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
            assert fields.get("Accept", "") in answer.headers["Content-Type"]
    dump = urllib.request.urlopen(f"{served.rstrip('/')}/dump.nq").read()
    store = ox.Store()
    store.load(dump, ox.RdfFormat.N_QUADS)
    rows = store.query(QUERY, use_default_graph_as_union=True)
    assert isinstance(rows, ox.QuerySolutions)
    assert len(list(rows)) > 10

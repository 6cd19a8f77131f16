"""The URLs, commands and query on the page about self-description are correct."""

import re
import shlex
import urllib.request
from urllib.parse import urlsplit

import pyoxigraph as ox
from wgig.app import ROUTES
from wgig.settings import Settings

from tests.docs.blocks import find_calls, read_docs_page

PAGE = read_docs_page("reference/self-description.md")
(QUERY,) = re.findall(r"```sparql\n(.*?)```", PAGE, re.DOTALL)


def test_routes_and_settings_on_the_page_exist() -> None:
    shown = set(re.findall(r"^\| `(/\S+)` \|", PAGE, re.MULTILINE))
    assert len(shown) == 9
    assert {path.partition("?")[0] for path in shown} <= {path for path, *_ in ROUTES}
    assert {name.lower() for name in re.findall(r"WGIG_(\w+)", PAGE)} <= {*Settings.__dataclass_fields__}


def test_commands_and_query_have_results(service_url: str) -> None:
    for call in find_calls(PAGE, "curl"):
        url = next(argument for argument in shlex.split(call) if argument.startswith("http"))
        fields = dict(re.findall(r"'(\w+): (.*?)'", call))
        request = urllib.request.Request(service_url.rstrip("/") + urlsplit(url).path, headers=fields)
        with urllib.request.urlopen(request) as response:
            assert response.status == 200
            assert fields.get("Accept", "") in response.headers["Content-Type"]
    dump = urllib.request.urlopen(f"{service_url.rstrip('/')}/dump.nq").read()
    store = ox.Store()
    store.load(dump, ox.RdfFormat.N_QUADS)
    rows = store.query(QUERY, use_default_graph_as_union=True)
    assert isinstance(rows, ox.QuerySolutions)
    assert len(list(rows)) > 10

"""The shipped graph with a hostile text in place of each of its texts, and hostile IRIs beside its own."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, cycle
from pathlib import Path

import pyoxigraph as ox
from wgig.graphs.description.derived import DescriptionGraphs
from wgig.rdf.shipped import read_inference_rules
from wgig.seed import list_shipped_files, refresh_shipped_graphs
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store

# What a script sets that runs though it never should.
HIT = "window.hit=1"
# The begin and the end of each hostile text, which nothing else on a page has.
BEGIN, END = "\ue000", "\ue001"
MARKUP = (
    f"<script>{HIT}</script>",
    f'"><img src=x onerror={HIT}>',
    f"'><svg onload={HIT}>",
    f"</script><script>{HIT}</script>",
    f"<!--<script></script><script>{HIT}</script>",
    f"</textarea></title></style></template><img src=x onerror={HIT}>",
    f'" autofocus onfocus={HIT} x="',
    f"' onmouseover={HIT} style=position:fixed;inset:0 '",
    f"javascript:{HIT}",
    f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
    "<base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    f"<a href=javascript:{HIT}>a</a><form action=//evil.example><button>b</button></form>",
    f"{{{{7*7}}}}{{%raw%}}${{{HIT}}}<%={HIT}%>%(x)s%s&lt;&amp;amp;&#60;",
    f"]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>{HIT}</x:script>",
)
TURNING = (
    "\u202eturned",
    "\u2067turned \u202e twice",
    "\u2069\u202c\u202eturned from without",
    "\u2069\u2069\u2066\u202dturned",
    "\u061c\u200f\u202bשלום \u2067",
)
SHAPES = (
    "W" * 10_000,
    "ﷺ" * 200,
    "e" + "\u0301" * 200,
    "a\tb\n\n\nc\u2028d\u2029e\x85f\x7f",
    "\u200b\u200d\ufeff",
    " ",
)
TEXTS = (*MARKUP, *TURNING, *SHAPES)
IRIS = (
    f"javascript:{HIT}",
    f"JavaScript:{HIT}//https://example.org",
    f"vbscript:{HIT}",
    "data:text/html;base64,PHNjcmlwdD5wYXJlbnQuaGl0PTE8L3NjcmlwdD4=",
    f"http://evil.example/'onmouseover='{HIT}",
    "http://evil.example/&quot;&#34;&lt;script&gt;",
    f"x:{HIT}",
    "http://[::1]/%22%3E%3Cscript%3E",
    "http://evil.example/" + "w" * 10_000,
    f"{Settings.base}id/issue/'onclick='{HIT}",
    f"{Settings.base}id/issue/%22%3E%3Cimg%20src=x%20onerror={HIT}%3E",
    f"{Settings.base}id/issue/&lt;b&gt;%22?x=1#y",
    f"{Settings.base}ontology#'onclick='{HIT}",
    "urn:\u202eturned",
)
EVERY = 9  # subjects differ by turns in what is hostile about them
LONG_TAG = "-x" + "-turned" * 20
STRING = "http://www.w3.org/2001/XMLSchema#string"
LABEL = re.compile(r"(prefLabel|label|name|title)$")
POINTING = ("http://www.w3.org/2000/01/rdf-schema#seeAlso", "http://purl.org/dc/terms/source")
A = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
ISSUE = ox.NamedNode(f"{Settings.base}ontology#Issue")
PREF_LABEL = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")


def poisoned(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """The triples with hostile texts and, at some of the subjects, without labels and with hostile IRIs."""
    texts, numbers = cycle((*TEXTS, None)), cycle(range(EVERY))
    places: dict[object, int] = {}
    for one in triples:
        place = places.setdefault(one.subject, next(numbers))
        if place == 1 and one.predicate.value in POINTING:
            for iri in IRIS:
                yield ox.Triple(one.subject, one.predicate, ox.NamedNode(iri))
        if not isinstance(one.object, ox.Literal):
            yield one
        elif place != 2 or LABEL.search(one.predicate.value) is None:
            yield ox.Triple(one.subject, one.predicate, literal(one.object, next(texts), place))


def literal(was: ox.Literal, text: str | None, place: int) -> ox.Literal:
    """A hostile literal of the same language or type; None is an empty one. Of those with a type, some."""
    value = "" if text is None else f"{BEGIN}{text} {was.value}{END}"
    if was.language:
        return ox.Literal(value, language=f"{was.language}{LONG_TAG if place == 3 else ''}")
    if was.datatype.value == STRING or place == 4:
        return ox.Literal(value, datatype=was.datatype)
    return was


def fill(folder: Path, files: Path) -> None:
    """Make a store of the poisoned graphs, and of what follows by the rules; `files` is a folder for them."""
    base = Settings.base
    for graph, paths in list_shipped_files(base).items():
        for path in paths:
            triples = poisoned(one.triple for one in ox.parse(path=path, format=ox.RdfFormat.TURTLE))
            copy = files / path.relative_to(SHIPPED_FOLDER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if graph == f"{base}graph/issues":
                triples = chain(triples, hostile_things())
            with copy.open("wb") as file:
                ox.serialize(triples, file, ox.RdfFormat.N_TRIPLES)
    board, portrait = ConformanceGraph(base, Settings.shacl), DescriptionGraphs(base)
    store = Store.open(
        folder, read_inference_rules(), f"{base}graph/inferred", first=[board], last=[portrait]
    )
    refresh_shipped_graphs(store, base, files)


def hostile_things() -> Iterator[ox.Triple]:
    """An issue of each hostile IRI, which is called as itself."""
    for iri in IRIS:
        thing = ox.NamedNode(iri)
        yield ox.Triple(thing, A, ISSUE)
        yield ox.Triple(thing, PREF_LABEL, ox.Literal(f"{BEGIN}{iri}{END}", language="en"))

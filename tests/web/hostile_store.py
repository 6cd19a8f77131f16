"""A store with the bundled graphs, in which all texts are hostile and hostile IRIs are added."""

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

# The statement of every injected script, which must never run.
HIT_SCRIPT = "window.hit=1"
# The first and last character of each hostile text, which occur nowhere else on a page.
BEGIN_MARK, END_MARK = "\ue000", "\ue001"
MARKUP_TEXTS = (
    f"<script>{HIT_SCRIPT}</script>",
    f'"><img src=x onerror={HIT_SCRIPT}>',
    f"'><svg onload={HIT_SCRIPT}>",
    f"</script><script>{HIT_SCRIPT}</script>",
    f"<!--<script></script><script>{HIT_SCRIPT}</script>",
    f"</textarea></title></style></template><img src=x onerror={HIT_SCRIPT}>",
    f'" autofocus onfocus={HIT_SCRIPT} x="',
    f"' onmouseover={HIT_SCRIPT} style=position:fixed;inset:0 '",
    f"javascript:{HIT_SCRIPT}",
    f"<iframe srcdoc='<script>parent.{HIT_SCRIPT}</script>'></iframe>",
    "<base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    f"<a href=javascript:{HIT_SCRIPT}>a</a><form action=//evil.example><button>b</button></form>",
    f"{{{{7*7}}}}{{%raw%}}${{{HIT_SCRIPT}}}<%={HIT_SCRIPT}%>%(x)s%s&lt;&amp;amp;&#60;",
    f"]]><x:script xmlns:x='http://www.w3.org/1999/xhtml'>{HIT_SCRIPT}</x:script>",
)
BIDI_TEXTS = (
    "\u202eturned",
    "\u2067turned \u202e twice",
    "\u2069\u202c\u202eturned from without",
    "\u2069\u2069\u2066\u202dturned",
    "\u061c\u200f\u202bשלום \u2067",
)
UNUSUAL_TEXTS = (
    "W" * 10_000,
    "ﷺ" * 200,
    "e" + "\u0301" * 200,
    "a\tb\n\n\nc\u2028d\u2029e\x85f\x7f",
    "\u200b\u200d\ufeff",
    " ",
)
HOSTILE_TEXTS = (*MARKUP_TEXTS, *BIDI_TEXTS, *UNUSUAL_TEXTS)
HOSTILE_IRIS = (
    f"javascript:{HIT_SCRIPT}",
    f"JavaScript:{HIT_SCRIPT}//https://example.org",
    f"vbscript:{HIT_SCRIPT}",
    "data:text/html;base64,PHNjcmlwdD5wYXJlbnQuaGl0PTE8L3NjcmlwdD4=",  # <script>parent.hit=1</script>
    f"http://evil.example/'onmouseover='{HIT_SCRIPT}",
    "http://evil.example/&quot;&#34;&lt;script&gt;",
    f"x:{HIT_SCRIPT}",
    "http://[::1]/%22%3E%3Cscript%3E",
    "http://evil.example/" + "w" * 10_000,
    f"{Settings.base}id/issue/'onclick='{HIT_SCRIPT}",
    f"{Settings.base}id/issue/%22%3E%3Cimg%20src=x%20onerror={HIT_SCRIPT}%3E",
    f"{Settings.base}id/issue/&lt;b&gt;%22?x=1#y",
    f"{Settings.base}ontology#'onclick='{HIT_SCRIPT}",
    "urn:\u202eturned",
)
# Each subject has a variant, from 0 to 8. All variants have hostile strings. Variant 1 also has links to
# hostile IRIs, 2 has no labels, 3 has long language tags, and 4 has hostile literals of other datatypes.
SUBJECT_VARIANTS = 9
LONG_TAG = "-x" + "-turned" * 20
XSD_STRING_IRI = "http://www.w3.org/2001/XMLSchema#string"
LABEL_PROPERTY_PATTERN = re.compile(r"(prefLabel|label|name|title)$")
LINK_PROPERTIES = ("http://www.w3.org/2000/01/rdf-schema#seeAlso", "http://purl.org/dc/terms/source")
RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
ISSUE_CLASS = ox.NamedNode(f"{Settings.base}ontology#Issue")
PREF_LABEL = ox.NamedNode("http://www.w3.org/2004/02/skos/core#prefLabel")


def poison_triples(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """The triples with hostile texts; some subjects get links to hostile IRIs, or lose their labels."""
    # None stands for an empty text.
    texts, numbers = cycle((*HOSTILE_TEXTS, None)), cycle(range(SUBJECT_VARIANTS))
    variants: dict[object, int] = {}
    for triple in triples:
        variant = variants.setdefault(triple.subject, next(numbers))
        if variant == 1 and triple.predicate.value in LINK_PROPERTIES:
            for iri in HOSTILE_IRIS:
                yield ox.Triple(triple.subject, triple.predicate, ox.NamedNode(iri))
        if not isinstance(triple.object, ox.Literal):
            yield triple
        elif variant != 2 or LABEL_PROPERTY_PATTERN.search(triple.predicate.value) is None:
            yield ox.Triple(
                triple.subject, triple.predicate, poison_literal(triple.object, next(texts), variant)
            )


def poison_literal(original: ox.Literal, text: str | None, variant: int) -> ox.Literal:
    """A hostile literal with the same language or type; empty if `text` is None.

    Of typed literals, only strings and those of variant 4 are replaced.
    """
    value = "" if text is None else f"{BEGIN_MARK}{text} {original.value}{END_MARK}"
    if original.language:
        return ox.Literal(value, language=f"{original.language}{LONG_TAG if variant == 3 else ''}")
    if original.datatype.value == XSD_STRING_IRI or variant == 4:
        return ox.Literal(value, datatype=original.datatype)
    return original


def fill_hostile_store(folder: Path, files: Path) -> None:
    """Fill a store with the hostile graphs and inferred statements; their files are written to `files`."""
    base = Settings.base
    for graph, paths in list_shipped_files(base).items():
        for path in paths:
            triples = poison_triples(quad.triple for quad in ox.parse(path=path, format=ox.RdfFormat.TURTLE))
            copy = files / path.relative_to(SHIPPED_FOLDER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if graph == f"{base}graph/issues":
                triples = chain(triples, iter_hostile_issues())
            with copy.open("wb") as file:
                ox.serialize(triples, file, ox.RdfFormat.N_TRIPLES)
    conformance, description = ConformanceGraph(base, Settings.shacl), DescriptionGraphs(base)
    store = Store.open(
        folder,
        read_inference_rules(),
        f"{base}graph/inferred",
        computed_graphs=[conformance],
        describers=[description],
    )
    refresh_shipped_graphs(store, base, files)


def iter_hostile_issues() -> Iterator[ox.Triple]:
    """An issue for each hostile IRI, with the IRI as its label."""
    for iri in HOSTILE_IRIS:
        issue = ox.NamedNode(iri)
        yield ox.Triple(issue, RDF_TYPE, ISSUE_CLASS)
        yield ox.Triple(issue, PREF_LABEL, ox.Literal(f"{BEGIN_MARK}{iri}{END_MARK}", language="en"))

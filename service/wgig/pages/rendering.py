"""HTML rendering: Jinja templates, static files and browser scripts, and RDF terms as links and text.

Templates escape everything, and an undefined name is an error. A term is linked where that is possible, with
its own language and direction. Static files and the scripts that Vite builds from `service/web` have a digest
in their path, so that browsers can cache them for good. A checkout installed without access to the npm
registry has no scripts, and pages work without them.
"""

import hashlib
import json
import re
from bisect import bisect
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import east_asian_width
from urllib.parse import quote, urlencode

import pyoxigraph as ox
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from .. import i18n
from ..http import language
from ..i18n import SPOKEN
from ..rdf.namespaces import namespaces, short
from ..settings import Settings
from ..text import contained

BUILT = Path(__file__).parent / "static" / "built"


@cache
def script(name: str) -> str | None:
    """The path of a script, by the name of its source in `service/web/src`; None where it is not built."""
    manifest = BUILT / "manifest.json"
    if not manifest.is_file():
        return None
    known: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    return script_path(known[f"src/{name}.ts"]["file"])


def built_files() -> dict[str, bytes]:
    """The content of each file that browsers load, by its path; Vite puts a digest into each name."""
    return {script_path(file.name): file.read_bytes() for file in BUILT.glob("*.js")}


def script_path(file: str) -> str:
    """The path of a file by its name."""
    return f"/static/{file}"


MAX_CACHED_DATES = 2_000  # dates that are at hand
WRITTEN = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?(?:Z|[+-][0-9:]{5})?"
)


class Span(NamedTuple):
    """The first and last day of a day, month or year."""

    first: date
    last: date


@lru_cache(MAX_CACHED_DATES)
def span(text: str) -> Span | None:
    """The days that a date means, which may be a month or a year alone; None where it is none."""
    found = WRITTEN.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(one) if one else 0 for one in found.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    last = first if day else date(year, month or 12, monthrange(year, month or 12)[1])
    return Span(first, last)


def in_words(text: str) -> str:
    """A date as people read it, such as 25 January 2005; one that is none as it is."""
    found, days = WRITTEN.fullmatch(text), span(text)
    if not found or not days:
        return text
    if found["day"]:
        return language.day(days.first)
    return language.month(days.first) if found["month"] else found["year"]


HERE = Path(__file__).parent
CAPITAL_WIDTH_LETTERS = 1.25  # in DejaVu Sans, a wide font, 1.19 on average; W, M and G are wider
KEPT = 10_000  # IRIs whose forms on pages are at hand
PATH = "/:@!$&'()*+,;=~"  # what stands in a path as it is
WEB = re.compile(r"https?://", re.IGNORECASE)
CODE, TEXT = Markup("<code>%s</code>"), Markup('<span dir="auto">%s</span>')
SAID = Markup('<span lang="%s" dir="auto">%s</span>')
IN_ENGLISH = Markup('<span lang="en" dir="ltr">%s</span>')
MARK = Markup(' <span class="mark">%s</span>')
LINK = Markup('<a href="%s"%s>%s</a>')
ELSEWHERE = Markup(' rel="nofollow noopener external"')
APART = Markup('<bdi dir="ltr">%s</bdi>')
IN_LANGUAGE = Markup(' lang="%s" dir="auto"')
NOT_DRAWN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+")
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+")


def render(template: str, *, base: str = Settings.base, **context: Any) -> bytes:
    """A page as UTF-8. `template` is a file name in templates/, `base` the base IRI of the graph."""
    return contained(environment(base).get_template(template).render(**context).encode())


@cache
def environment(base: str) -> Environment:
    """The templates with what they call: everything is escaped, and a name that is not given is an error."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["ext.i18n.trimmed"] = True
    found.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    known = namespaces(base)
    found.globals |= {"static": static_path, "script": script, "run": run, "base": base, "namespaces": known}
    found.globals |= {"language": language.language, "direction": language.direction, "spoken": SPOKEN}
    found.globals |= {"alternates": language.alternates, "address_in": language.address_in}
    found.globals |= {"short_address": language.short_address, "comma": language.comma}
    found.filters |= {
        "shown": lambda term, labels: show(term, labels, base),
        "told": lambda term, labels: tell(term, labels, base),
        "link": lambda iri, labels: link(iri, labels.get(iri), base, language.language()),
        "said": lambda text: said(text, language.language()),
        "graph_link": lambda iri, labels: graph_link(iri, labels.get(iri), base, language.language()),
        "marks": lambda graphs, labels: marks(graphs, labels, base),
        "href": lambda iri: href(iri, base),
        "graph_path": lambda iri: graph_path(iri, base),
        "in_format": in_format,
        "with": with_parameter,
        "listing": lambda path: f"{path}{'&' if '?' in path else '?'}_profile=all",
        "outside": lambda iri: not iri.startswith(base),
        "short": lambda iri: short(iri, base),
        "words": words,
        "anchor": anchor,
        "sentence": sentence,
        "day": in_words,
        "number": language.number,
        "apart": apart,
        "tongue": language.name_of,
        "drawn": drawn,
    }
    return found


def show(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term of the graph: linked where it may be, in its own language and direction."""
    if isinstance(term, ox.NamedNode):
        return link(term.value, labels.get(term.value), base, language.language())
    if not isinstance(term, ox.Literal):
        return CODE % str(term)
    if not term.language:
        return TEXT % term.value
    text = SAID % (term.language, term.value)
    return text if term.language in {language.language(), "en"} else text + MARK % term.language


def said(text: ox.Literal, tongue: str) -> Markup:
    """A text on a page in the language `tongue`, which says where it is in another one."""
    return escape(text.value) if text.language in (None, tongue) else SAID % (text.language, text.value)


def tell(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term of the graph as a sentence has it: as `show`, and a date in words."""
    if isinstance(term, ox.Literal) and not term.language:
        return TEXT % in_words(term.value)
    return show(term, labels, base)


@lru_cache(KEPT)
def link(iri: str, label: ox.Literal | None, base: str, tongue: str = i18n.ENGLISH) -> Markup:
    """The link to what an IRI names, called by its label; code where none can lead there.

    `tongue` is the language of the page.
    """
    target = href(iri, base)
    if target is None:
        return CODE % iri
    fields = Markup() if iri.startswith(base) else ELSEWHERE
    if label is None:
        return LINK % (target, fields, short(iri, base))
    if label.language not in (None, tongue):
        fields += IN_LANGUAGE % label.language
    return LINK % (target, fields, label.value)


def sentence(text: str) -> Markup:
    """A text that was made in Python, in the language of the page, or marked as the English that it stays."""
    told, tongue = language.translated(text)
    return escape(told) if tongue == language.language() else IN_ENGLISH % told


def apart(text: str) -> Markup:
    """A sentence with each day in it apart from its words: among words from the right, it would turn."""
    parts = enumerate(DAY.split(text))
    return Markup().join(APART % part if place % 2 else escape(part) for place, part in parts)


def graph_link(iri: str, label: ox.Literal | None, base: str, tongue: str) -> Markup:
    """The link to the graph of an IRI, on a page in the language `tongue`."""
    return LINK % (graph_path(iri, base), "", said(label, tongue) if label else words(iri))


def marks(graphs: Sequence[str], labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """In which graphs a statement stands."""
    return Markup().join(mark(one, labels.get(one), base, language.language()) for one in graphs)


@lru_cache(KEPT)
def mark(graph: str, label: ox.Literal | None, base: str, tongue: str) -> Markup:
    """That a statement stands in a graph, or that it was inferred, in the language of now: `tongue`."""
    if graph == f"{base}graph/inferred":
        return MARK % graph_link(graph, ox.Literal(language.gettext("inferred")), base, tongue)
    says = escape(language.gettext("in graph %(graph)s"))
    return MARK % (says % {"graph": graph_link(graph, label, base, tongue)})


@lru_cache(KEPT)
def href(iri: str, base: str) -> str | None:
    """Where a link to the IRI leads: a path of this service, a web address, or None: no link."""
    if iri.startswith(f"{base}id/"):
        return "/doc/" + quote(iri.removeprefix(f"{base}id/"), safe=f"{PATH}%")
    if iri.startswith(base):
        return "/" + quote(iri.removeprefix(base), safe=f"{PATH}?%#")  # a query is one here
    return iri if WEB.match(iri) else None


def graph_path(iri: str | None, base: str) -> str:
    """Where a graph is read and written: an address of its own below the base; None: the default graph."""
    if iri is None:
        return "/graphs?default"
    if iri.startswith(f"{base}graph/"):
        return "/" + quote(iri.removeprefix(base))
    return f"/graphs?graph={quote(iri, safe='')}"


def in_format(path: str, media_type: str) -> str:
    """The path of the same answer in the format of a media type."""
    return with_parameter(path, "_mediatype", media_type)


def with_parameter(path: str, name: str, value: str) -> str:
    """The path with one more parameter."""
    return f"{path}{'&' if '?' in path else '?'}{urlencode({name: value})}"


@lru_cache(KEPT)
def words(iri: str) -> str:
    """The last part of an IRI as words, for terms that come without a label: `isPartOf` is "is part of"."""
    name = re.split(r"[#/]", iri.rstrip("#/"))[-1]
    return WORD.sub(" ", name).strip().lower() or iri


def drawn(text: str, most: int) -> str:
    """A text as a picture holds it: in one line so many letters wide, without what turns the rest of it."""
    line = " ".join(NOT_DRAWN.sub(" ", text).split())
    widths = [*accumulate(CAPITAL_WIDTH_LETTERS if one.isupper() else letters(one) for one in line)]
    return line if not line or widths[-1] <= most else f"{line[: bisect(widths, most - 1)]}…"


def letters(text: str) -> int:
    """How many letters wide a text is, for which a character of Chinese or Korean counts as two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def anchor(iri: str) -> str:
    """The fragment of a term's IRI, as the id of its place on a page."""
    return iri.partition("#")[2]


def run(parameters: list[tuple[str, str]]) -> str:
    """The path that runs a query, by the parameters of the SPARQL Protocol."""
    return "/sparql?" + urlencode(parameters)


def static_path(name: str) -> str:
    """The path of a static file; it holds a digest of the content, so that it may be kept for ever."""
    stem, _, suffix = name.rpartition(".")
    digest = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{stem}-{digest}.{suffix}"


@cache
def static_files() -> dict[str, bytes]:
    """The content of each static file by its path."""
    own = (file for file in (HERE / "static").iterdir() if file.is_file())
    return built_files() | {static_path(file.name): file.read_bytes() for file in own}

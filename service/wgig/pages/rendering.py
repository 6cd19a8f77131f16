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
from ..http.parameters import add_url_parameters
from ..i18n import PAGE_LANGUAGES
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import namespaces_by_prefix, shorten_iri
from ..settings import Settings
from ..text import balance_page_bidi

BUILT_SCRIPTS_FOLDER = Path(__file__).parent / "static" / "built"


@cache
def find_script_path(name: str) -> str | None:
    """The path of a script, by the name of its source in `service/web/src`; None where it is not built."""
    manifest = BUILT_SCRIPTS_FOLDER / "manifest.json"
    if not manifest.is_file():
        return None
    known: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    return build_script_path(known[f"src/{name}.ts"]["file"])


def read_script_files() -> dict[str, bytes]:
    """The content of each file that browsers load, by its path; Vite puts a digest into each name."""
    return {build_script_path(file.name): file.read_bytes() for file in BUILT_SCRIPTS_FOLDER.glob("*.js")}


def build_script_path(file: str) -> str:
    """The path of a file by its name."""
    return f"/static/{file}"


MAX_CACHED_DATES = 2_000  # dates that are at hand
DATE_PATTERN = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?(?:Z|[+-][0-9:]{5})?"
)


class DateSpan(NamedTuple):
    """The first and last day of a day, month or year."""

    first: date
    last: date


@lru_cache(MAX_CACHED_DATES)
def parse_date_span(text: str) -> DateSpan | None:
    """The days that a date means, which may be a month or a year alone; None where it is none."""
    found = DATE_PATTERN.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(one) if one else 0 for one in found.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    last = first if day else date(year, month or 12, monthrange(year, month or 12)[1])
    return DateSpan(first, last)


def format_date_text(text: str) -> str:
    """A date as people read it, such as 25 January 2005; one that is none as it is."""
    found, days = DATE_PATTERN.fullmatch(text), parse_date_span(text)
    if not found or not days:
        return text
    if found["day"]:
        return language.format_day(days.first)
    return language.format_month(days.first) if found["month"] else found["year"]


PAGES_FOLDER = Path(__file__).parent
CAPITAL_WIDTH_LETTERS = 1.25  # in DejaVu Sans, a wide font, 1.19 on average; W, M and G are wider
MAX_CACHED_IRIS = 10_000  # IRIs whose forms on pages are at hand
PATH_SAFE_CHARACTERS = "/:@!$&'()*+,;=~"  # what stands in a path as it is
HTTP_SCHEME_PATTERN = re.compile(r"https?://", re.IGNORECASE)
CODE_MARKUP, TEXT_MARKUP = Markup("<code>%s</code>"), Markup('<span dir="auto">%s</span>')
LITERAL_MARKUP = Markup('<span lang="%s" dir="auto">%s</span>')
ENGLISH_MARKUP = Markup('<span lang="en" dir="ltr">%s</span>')
BADGE_MARKUP = Markup(' <span class="mark">%s</span>')
LINK_MARKUP = Markup('<a href="%s"%s>%s</a>')
EXTERNAL_LINK_ATTRIBUTES = Markup(' rel="nofollow noopener external"')
ISOLATED_MARKUP = Markup('<bdi dir="ltr">%s</bdi>')
LANGUAGE_ATTRIBUTES = Markup(' lang="%s" dir="auto"')
UNDRAWABLE_PATTERN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+")
DAY_IN_TEXT_PATTERN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")


def render_template(template: str, *, base: str = Settings.base, **context: Any) -> bytes:
    """A page as UTF-8. `template` is a file name in templates/, `base` the base IRI of the graph."""
    return balance_page_bidi(
        make_template_environment(base).get_template(template).render(**context).encode()
    )


@cache
def make_template_environment(base: str) -> Environment:
    """The templates with what they call: everything is escaped, and a name that is not given is an error."""
    found = Environment(
        loader=FileSystemLoader(PAGES_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.policies["ext.i18n.trimmed"] = True
    found.install_gettext_callables(language.gettext, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    known = namespaces_by_prefix(base)
    found.globals |= {
        "static": build_static_path,
        "script": find_script_path,
        "run": build_query_path,
        "base": base,
        "namespaces": known,
    }
    found.globals |= {
        "language": language.current_language,
        "direction": language.text_direction,
        "spoken": PAGE_LANGUAGES,
    }
    found.globals |= {"alternates": language.language_alternates, "address_in": language.address_in_language}
    found.globals |= {"short_address": language.short_address, "comma": language.list_separator}
    found.filters |= {
        "shown": lambda term, labels: render_term(term, labels, base),
        "told": lambda term, labels: render_term_in_sentence(term, labels, base),
        "link": lambda iri, labels: render_iri_link(iri, labels.get(iri), base, language.current_language()),
        "said": lambda text: render_literal(text, language.current_language()),
        "graph_link": lambda iri, labels: render_graph_link(
            iri, labels.get(iri), base, language.current_language()
        ),
        "marks": lambda graphs, labels: render_graph_badges(graphs, labels, base),
        "href": lambda iri: find_href(iri, base),
        "graph_path": lambda iri: graph_path(iri, base),
        "in_format": path_in_format,
        "with": lambda path, name, value: add_url_parameters(path, [(name, value)]),
        "listing": lambda path: add_url_parameters(path, [("_profile", "all")]),
        "outside": lambda iri: not iri.startswith(base),
        "short": lambda iri: shorten_iri(iri, base),
        "words": words_of_iri,
        "anchor": iri_fragment,
        "sentence": render_sentence,
        "day": format_date_text,
        "number": language.format_number,
        "apart": isolate_days,
        "tongue": language.format_language_name,
        "drawn": truncate_to_letters,
    }
    return found


def render_term(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term of the graph: linked where it may be, in its own language and direction."""
    if isinstance(term, ox.NamedNode):
        return render_iri_link(term.value, labels.get(term.value), base, language.current_language())
    if not isinstance(term, ox.Literal):
        return CODE_MARKUP % str(term)
    if not term.language:
        return TEXT_MARKUP % term.value
    text = LITERAL_MARKUP % (term.language, term.value)
    return (
        text if term.language in {language.current_language(), "en"} else text + BADGE_MARKUP % term.language
    )


def render_literal(text: ox.Literal, tongue: str) -> Markup:
    """A text on a page in the language `tongue`, which says where it is in another one."""
    return (
        escape(text.value)
        if text.language in (None, tongue)
        else LITERAL_MARKUP % (text.language, text.value)
    )


def render_term_in_sentence(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term of the graph as a sentence has it: as `render_term`, and a date in words."""
    if isinstance(term, ox.Literal) and not term.language:
        return TEXT_MARKUP % format_date_text(term.value)
    return render_term(term, labels, base)


@lru_cache(MAX_CACHED_IRIS)
def render_iri_link(iri: str, label: ox.Literal | None, base: str, tongue: str = i18n.ENGLISH) -> Markup:
    """The link to what an IRI names, called by its label; code where none can lead there.

    `tongue` is the language of the page.
    """
    target = find_href(iri, base)
    if target is None:
        return CODE_MARKUP % iri
    fields = Markup() if iri.startswith(base) else EXTERNAL_LINK_ATTRIBUTES
    if label is None:
        return LINK_MARKUP % (target, fields, shorten_iri(iri, base))
    if label.language not in (None, tongue):
        fields += LANGUAGE_ATTRIBUTES % label.language
    return LINK_MARKUP % (target, fields, label.value)


def render_sentence(text: str) -> Markup:
    """A text that was made in Python, in the language of the page, or marked as the English that it stays."""
    told, tongue = language.translate_message(text)
    return escape(told) if tongue == language.current_language() else ENGLISH_MARKUP % told


def isolate_days(text: str) -> Markup:
    """A sentence with each day in it apart from its words: among words from the right, it would turn."""
    parts = enumerate(DAY_IN_TEXT_PATTERN.split(text))
    return Markup().join(ISOLATED_MARKUP % part if place % 2 else escape(part) for place, part in parts)


def render_graph_link(iri: str, label: ox.Literal | None, base: str, tongue: str) -> Markup:
    """The link to the graph of an IRI, on a page in the language `tongue`."""
    return LINK_MARKUP % (
        graph_path(iri, base),
        "",
        render_literal(label, tongue) if label else words_of_iri(iri),
    )


def render_graph_badges(graphs: Sequence[str], labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """In which graphs a statement stands."""
    return Markup().join(
        render_graph_badge(one, labels.get(one), base, language.current_language()) for one in graphs
    )


@lru_cache(MAX_CACHED_IRIS)
def render_graph_badge(graph: str, label: ox.Literal | None, base: str, tongue: str) -> Markup:
    """That a statement stands in a graph, or that it was inferred, in the language of now: `tongue`."""
    if graph == f"{base}graph/inferred":
        return BADGE_MARKUP % render_graph_link(graph, ox.Literal(language.gettext("inferred")), base, tongue)
    says = escape(language.gettext("in graph %(graph)s"))
    return BADGE_MARKUP % (says % {"graph": render_graph_link(graph, label, base, tongue)})


@lru_cache(MAX_CACHED_IRIS)
def find_href(iri: str, base: str) -> str | None:
    """Where a link to the IRI leads: a path of this service, a web address, or None: no link."""
    if iri.startswith(f"{base}id/"):
        return "/doc/" + quote(iri.removeprefix(f"{base}id/"), safe=f"{PATH_SAFE_CHARACTERS}%")
    if iri.startswith(base):
        return "/" + quote(iri.removeprefix(base), safe=f"{PATH_SAFE_CHARACTERS}?%#")  # a query is one here
    return iri if HTTP_SCHEME_PATTERN.match(iri) else None


def graph_path(iri: str | None, base: str) -> str:
    """Where a graph is read and written: an address of its own below the base; None: the default graph."""
    if iri is None:
        return "/graphs?default"
    if iri.startswith(f"{base}graph/"):
        return "/" + quote(iri.removeprefix(base))
    return f"/graphs?graph={quote(iri, safe='')}"


def path_in_format(path: str, media_type: str) -> str:
    """The path of the same answer in the format of a media type."""
    return add_url_parameters(path, [("_mediatype", media_type)])


@lru_cache(MAX_CACHED_IRIS)
def truncate_to_letters(text: str, most: int) -> str:
    """A text as a picture holds it: in one line so many letters wide, without what turns the rest of it."""
    line = " ".join(UNDRAWABLE_PATTERN.sub(" ", text).split())
    widths = [*accumulate(CAPITAL_WIDTH_LETTERS if one.isupper() else width_in_letters(one) for one in line)]
    return line if not line or widths[-1] <= most else f"{line[: bisect(widths, most - 1)]}…"


def width_in_letters(text: str) -> int:
    """How many letters wide a text is, for which a character of Chinese or Korean counts as two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def iri_fragment(iri: str) -> str:
    """The fragment of a term's IRI, as the id of its place on a page."""
    return iri.partition("#")[2]


def build_query_path(parameters: list[tuple[str, str]]) -> str:
    """The path that runs a query, by the parameters of the SPARQL Protocol."""
    return "/sparql?" + urlencode(parameters)


def build_static_path(name: str) -> str:
    """The path of a static file; it holds a digest of the content, so that it may be kept for ever."""
    stem, _, suffix = name.rpartition(".")
    digest = hashlib.sha256((PAGES_FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{stem}-{digest}.{suffix}"


@cache
def read_static_files() -> dict[str, bytes]:
    """The content of each static file by its path."""
    own = (file for file in (PAGES_FOLDER / "static").iterdir() if file.is_file())
    return read_script_files() | {build_static_path(file.name): file.read_bytes() for file in own}

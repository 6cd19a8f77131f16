"""HTML rendering: Jinja templates, static files and browser scripts, and RDF terms as links and text.

Templates escape all values, and an undefined name is an error. A term is linked if possible, and has
attributes for its language and direction. The paths of static files, and of the scripts that Vite builds from
`service/web`, contain a digest, so that browsers can cache the files forever. A checkout that was installed
without access to the npm registry has no scripts; pages work without them.
"""

import hashlib
import json
import re
from bisect import bisect
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
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
from wgig_client.namespaces import namespaces_by_prefix

from .. import i18n
from ..http import language
from ..http.parameters import add_url_parameters
from ..i18n import ENGLISH, PAGE_LANGUAGES
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import shorten_iri
from ..settings import Settings
from ..text import balance_page_bidi
from .docs_site import has_docs_site
from .names import is_criterion_shortened, short_criterion_name
from .notes import write_note_sentences
from .template_classes import PageContext, PageTemplate, format_markup, gettext_markup, ngettext_markup

BUILT_SCRIPTS_FOLDER = Path(__file__).parent / "static" / "built"
COMMENT_OR_INDENTATION_PATTERN = re.compile(rb"/\*.*?\*/|(?<=\s)\s+", re.DOTALL)  # of CSS


class SortLink(NamedTuple):
    """The path of a list sorted by a column, and the direction of its order now, as in `aria-sort`.

    The direction is empty, or else the path is that of the opposite one.
    """

    path: str
    direction: str


@cache
def find_script_path(name: str) -> str | None:
    """The path of a script, by the name of its source in `service/web/src`; None if it is not built."""
    manifest = BUILT_SCRIPTS_FOLDER / "manifest.json"
    entries: dict[str, Any] = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
    entry = entries.get(f"src/{name}.ts")  # an older build lacks new scripts
    return build_script_path(entry["file"]) if entry else None


def read_script_files() -> dict[str, bytes]:
    """The content of each built script by its path; Vite includes a digest in each file name."""
    return {build_script_path(file.name): file.read_bytes() for file in BUILT_SCRIPTS_FOLDER.glob("*.js")}


def build_script_path(file: str) -> str:
    """The path of a built script by its file name."""
    return f"/static/{file}"


MAX_CACHED_DATES = 2_000
DATE_PATTERN = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?(?:Z|[+-][0-9:]{5})?"
)


class DateSpan(NamedTuple):
    """The first and last day of a date, month or year."""

    first: date
    last: date


@lru_cache(MAX_CACHED_DATES)
def parse_date_span(text: str) -> DateSpan | None:
    """The first and last day of a date, month or year, such as 2005-01; None for other text."""
    match = DATE_PATTERN.fullmatch(text)
    if not match:
        return None
    year, month, day = (int(number) if number else 0 for number in match.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    last = first if day else date(year, month or 12, monthrange(year, month or 12)[1])
    return DateSpan(first, last)


def format_date_text(text: str) -> str:
    """A date in words, such as 25 January 2005; other text is returned unchanged."""
    match = DATE_PATTERN.fullmatch(text)
    span = parse_date_span(text) if match else None
    if not match or not span:
        return text
    if match["day"]:
        return language.format_day(span.first)
    return language.format_month(span.first) if match["month"] else match["year"]


PAGES_FOLDER = Path(__file__).parent
CAPITAL_WIDTH_LETTERS = 1.25  # of a capital; in the wide font DejaVu Sans 1.19 on average, more for W, M, G
MAX_CACHED_IRIS = 10_000  # IRIs whose links are cached
MAX_CACHED_SITE_PARTS = 500  # for about 20 pages in six languages
PATH_SAFE_CHARACTERS = "/:@!$&'()*+,;=~"  # not percent-encoded in paths
HTTP_SCHEME_PATTERN = re.compile(r"https?://", re.IGNORECASE)
PARAGRAPH_SIGN_PATTERN = re.compile(r"¶([0-9]{1,4})\b")
REPORT_REFERENCE_PATTERN = re.compile(r"Background Report ¶[0-9]+(?:(?:, | and |, and )¶[0-9]+)*")
INFERENCE_PREFIX = "derived: "  # of the basis of a value
CLAIM_CODE_PATTERN = re.compile(r" \([a-z]+-[0-9]+\)")
CODE_MARKUP, TEXT_MARKUP = Markup("<code>%s</code>"), Markup('<span dir="auto">%s</span>')
LITERAL_MARKUP = Markup('<span lang="%s" dir="auto">%s</span>')
ENGLISH_MARKUP = Markup('<span lang="en" dir="ltr">%s</span>')
BADGE_MARKUP = Markup(' <span class="mark">%s</span>')
LINK_MARKUP = Markup('<a href="%s"%s>%s</a>')
PROPERTY_LINK_MARKUP = Markup('<a href="%s" title="%s"%s>%s</a>')
NAME_MARKUP = Markup('<span class="name"%s>%s</span><span class="address" dir="ltr" hidden>%s</span>')
EXTERNAL_LINK_ATTRIBUTES = Markup(' rel="nofollow noopener external"')
UNFOCUSED_ATTRIBUTE = Markup(' tabindex="-1"')
ISOLATED_MARKUP = Markup('<bdi dir="ltr">%s</bdi>')
LANGUAGE_ATTRIBUTES = Markup(' lang="%s" dir="auto"')
# Control characters, bidirectional controls and noncharacters, which a picture must not contain.
UNDRAWABLE_PATTERN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+")
CODE_IN_TEXT_PATTERN = re.compile(r"`([^`\n]+)`")
DAY_IN_TEXT_PATTERN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")


def render_template(template: str, *, base: str = Settings.base, **context: Any) -> bytes:
    """A page in UTF-8. `template` is a file name in templates/, `base` the base IRI of the graph."""
    return balance_page_bidi(
        make_template_environment(base).get_template(template).render(**context).encode()
    )


def render_fragment(template: str, *, base: str, **context: Any) -> Markup:
    """A part of a page, to be put into its template. `template` is a file name in templates/."""
    text = make_template_environment(base).get_template(template).render(**context)
    return Markup(text.strip())  # noqa: S704  # nosec


@lru_cache(MAX_CACHED_SITE_PARTS)
def render_site_part(template: str, here: str, base: str, page_language: str) -> Markup:
    """A part of all pages, such as the menu, with a mark at the link to the path `here`.

    `page_language` is the current language, as a parameter for the cache.
    """
    del page_language
    return render_fragment(template, base=base, here=here)


def load_templates(base: str, names: Iterable[str]) -> None:
    """Compile these templates for the base IRI, unless they are; one takes 5 to 20 ms."""
    for name in names:
        make_template_environment(base).get_template(name)


@cache
def make_template_environment(base: str) -> Environment:
    """The Jinja environment with its functions and filters; `base` is the base IRI of the graph."""
    environment = Environment(
        loader=FileSystemLoader(PAGES_FOLDER / "templates"),
        autoescape=True,
        auto_reload=False,  # examines the time of each file, 15 a page
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.context_class, environment.template_class = PageContext, PageTemplate
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.globals |= TEXT_FUNCTIONS | {
        "base": base,
        "namespaces": namespaces_by_prefix(base),
        "site_part": lambda template, here: render_site_part(
            template, here, base, language.current_language()
        ),
    }
    environment.filters |= TEXT_FILTERS | {
        "term": lambda term, labels: render_term(term, labels, base),
        "term_in_sentence": lambda term, labels: render_term_in_sentence(term, labels, base),
        "link": lambda iri, labels: render_iri_link(iri, labels.get(iri), base, language.current_language()),
        "named_link": lambda iri, label, is_hidden: render_named_link(
            iri, label, base, language.current_language(), is_hidden=is_hidden
        ),
        "literal": lambda literal: render_literal(literal, language.current_language()),
        "graph_link": lambda iri, labels: render_graph_link(
            iri, labels.get(iri), base, language.current_language()
        ),
        "graph_badges": lambda graphs, labels: render_graph_badges(graphs, labels, base),
        "href": lambda iri: find_href(iri, base),
        "graph_path": lambda iri: graph_path(iri, base),
        "in_format": path_in_format,
        "with_parameter": lambda path, name, value: add_url_parameters(path, [(name, value)]),
        "all_profiles": lambda path: add_url_parameters(path, [("_profile", "all")]),
        "is_external": lambda iri: not iri.startswith(base),
        "property_link": lambda iri, label: render_property_link(
            iri, label, base, language.current_language()
        ),
        "short": lambda iri: shorten_iri(iri, base),
        "words": words_of_iri,
        "anchor": iri_fragment,
        "note_sentences": lambda note: render_note(note, base),
    }
    return environment


def render_term(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term as markup: linked if possible, with its language.

    A badge names the language if it is neither English nor that of the page.
    """
    if isinstance(term, ox.NamedNode):
        return render_iri_link(term.value, labels.get(term.value), base, language.current_language())
    if not isinstance(term, ox.Literal):
        return CODE_MARKUP % str(term)
    if not term.language:
        return format_markup(TEXT_MARKUP, term.value)
    text = format_markup(LITERAL_MARKUP, term.language, link_report_paragraphs(term.value))
    return (
        text if term.language in {language.current_language(), "en"} else text + BADGE_MARKUP % term.language
    )


def link_report_paragraphs(text: str) -> Markup:
    """A text as markup, in which paragraphs such as "Background Report ¶37 and ¶222" are links."""
    if "¶" not in text:  # nearly all texts
        return escape(text)

    def link_paragraphs(reference: re.Match[str]) -> str:
        return PARAGRAPH_SIGN_PATTERN.sub(
            r'<a href="/doc/document/background-report/\1">¶\1</a>', reference[0]
        )

    return Markup(REPORT_REFERENCE_PATTERN.sub(link_paragraphs, str(escape(text))))  # noqa: S704  # nosec


def render_literal(literal: ox.Literal, page_language: str) -> Markup:
    """A literal as markup, with a `lang` attribute if it is not in the language of the page."""
    return (
        escape(literal.value)
        if literal.language in (None, page_language)
        else format_markup(LITERAL_MARKUP, literal.language, literal.value)
    )


def render_term_in_sentence(term: Any, labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """A term as markup within a sentence: like `render_term`, but with dates and inferences in words."""
    if isinstance(term, ox.Literal) and not term.language:
        if term.value.startswith(INFERENCE_PREFIX):
            return render_inference(term.value.removeprefix(INFERENCE_PREFIX))
        return format_markup(TEXT_MARKUP, format_date_text(term.value))
    return render_term(term, labels, base)


def render_inference(reason: str) -> Markup:
    """That we inferred a value, and why, without the codes of claims."""
    text = escape(language.gettext("our inference: %(reason)s"))
    return text % {"reason": TEXT_MARKUP % CLAIM_CODE_PATTERN.sub("", reason)}


@lru_cache(MAX_CACHED_IRIS)
def render_iri_link(
    iri: str, label: ox.Literal | None, base: str, page_language: str = i18n.ENGLISH
) -> Markup:
    """A link to an IRI with its label or short form as text; the IRI as code if it cannot be linked."""
    target = find_href(iri, base)
    if target is None:
        return CODE_MARKUP % iri
    attributes = Markup() if iri.startswith(base) else EXTERNAL_LINK_ATTRIBUTES
    if label is None:
        return format_markup(LINK_MARKUP, target, attributes, shorten_iri(iri, base))
    if label.language not in (None, page_language):
        attributes += LANGUAGE_ATTRIBUTES % label.language
    return format_markup(LINK_MARKUP, target, attributes, label.value)


@lru_cache(MAX_CACHED_IRIS)
def render_property_link(iri: str, label: ox.Literal, base: str, page_language: str) -> Markup:
    """A link to a property, with its short form as title; to the ontology if it cannot be linked."""
    attributes = Markup() if iri.startswith(base) else EXTERNAL_LINK_ATTRIBUTES
    target, title = find_href(iri, base) or "/ontology", shorten_iri(iri, base)
    return PROPERTY_LINK_MARKUP % (target, title, attributes, render_literal(label, page_language))


@lru_cache(MAX_CACHED_IRIS)
def render_named_link(
    iri: str, label: ox.Literal | None, base: str, page_language: str, *, is_hidden: bool = False
) -> Markup:
    """A link to an IRI with its label and its short form, of which a switch on the page shows one.

    The keyboard skips the link if `is_hidden`, because the page shows the same link before.
    """
    target, name = find_href(iri, base), shorten_iri(iri, base)
    if target is None:
        return CODE_MARKUP % iri
    attributes = Markup() if iri.startswith(base) else EXTERNAL_LINK_ATTRIBUTES
    if is_hidden:
        attributes += UNFOCUSED_ATTRIBUTE
    if label is None:
        return LINK_MARKUP % (target, attributes, name)
    language_attributes = (
        Markup() if label.language in (None, page_language) else LANGUAGE_ATTRIBUTES % label.language
    )
    return LINK_MARKUP % (target, attributes, NAME_MARKUP % (language_attributes, label.value, name))


def render_sentence(text: str) -> Markup:
    """A message made in Python, translated to the language of the page, or marked up as English."""
    translation, text_language = language.translate_message(text)
    markup = mark_up_code(translation)
    return markup if text_language == language.current_language() else ENGLISH_MARKUP % markup


def mark_up_code(text: str) -> Markup:
    """A sentence with the text between backticks as code, which is shown without them."""
    parts = enumerate(CODE_IN_TEXT_PATTERN.split(text))
    return Markup().join(CODE_MARKUP % part if index % 2 else escape(part) for index, part in parts)


def render_note(note: Any, base: str) -> Markup:
    """A note of the editors, as sentences if it is a text; a part of a note is a string in English."""
    if isinstance(note, str):
        note = ox.Literal(note, language=ENGLISH)
    if isinstance(note, ox.Literal):
        note = ox.Literal(write_note_sentences(note.value), language=note.language)
    return render_term(note, {}, base)


def isolate_days(text: str) -> Markup:
    """A sentence with each ISO date in an isolated element, as right-to-left text would reorder its parts."""
    parts = enumerate(DAY_IN_TEXT_PATTERN.split(text))
    return Markup().join(ISOLATED_MARKUP % part if index % 2 else escape(part) for index, part in parts)


def render_graph_link(iri: str, label: ox.Literal | None, base: str, page_language: str) -> Markup:
    """A link to the page of a graph; its text is the label or the words of the IRI."""
    return LINK_MARKUP % (
        graph_path(iri, base),
        "",
        render_literal(label, page_language) if label else words_of_iri(iri),
    )


def render_graph_badges(graphs: Sequence[str], labels: Mapping[str, ox.Literal], base: str) -> Markup:
    """Badges that name the graphs of a statement."""
    return Markup().join(
        render_graph_badge(graph, labels.get(graph), base, language.current_language()) for graph in graphs
    )


@lru_cache(MAX_CACHED_IRIS)
def render_graph_badge(graph: str, label: ox.Literal | None, base: str, page_language: str) -> Markup:
    """A badge with the graph of a statement, or "inferred".

    `page_language` is the current language, as a parameter for the cache.
    """
    if graph == f"{base}graph/inferred":
        inferred = ox.Literal(language.gettext("inferred"))
        return BADGE_MARKUP % render_graph_link(graph, inferred, base, page_language)
    text = escape(language.gettext("in graph %(graph)s"))
    return BADGE_MARKUP % (text % {"graph": render_graph_link(graph, label, base, page_language)})


@lru_cache(MAX_CACHED_IRIS)
def find_href(iri: str, base: str) -> str | None:
    """The target of a link to an IRI: a path of this service, a web URL, or None if it cannot be linked."""
    if iri.startswith(f"{base}id/"):
        return "/doc/" + quote(iri.removeprefix(f"{base}id/"), safe=f"{PATH_SAFE_CHARACTERS}%")
    if iri.startswith(base):
        return "/" + quote(
            iri.removeprefix(base), safe=f"{PATH_SAFE_CHARACTERS}?%#"
        )  # IRIs of this service can have a query string
    return iri if HTTP_SCHEME_PATTERN.match(iri) else None


def graph_path(iri: str | None, base: str) -> str:
    """The path to read and write a graph (Graph Store Protocol); None is the default graph."""
    if iri is None:
        return "/graphs?default"
    if iri.startswith(f"{base}graph/"):
        return "/" + quote(iri.removeprefix(base))
    return f"/graphs?graph={quote(iri, safe='')}"


def path_in_format(path: str, media_type: str) -> str:
    """The path with `_mediatype`, for the same content in another format."""
    return add_url_parameters(path, [("_mediatype", media_type)])


@lru_cache(MAX_CACHED_IRIS)
def truncate_to_letters(text: str, max_letters: int) -> str:
    """A text for a picture: one line of at most `max_letters` letters, without bidirectional controls."""
    line = " ".join(UNDRAWABLE_PATTERN.sub(" ", text).split())
    widths = [
        *accumulate(
            CAPITAL_WIDTH_LETTERS if character.isupper() else width_in_letters(character)
            for character in line
        )
    ]
    if not line or widths[-1] <= max_letters:
        return line
    return f"{line[: bisect(widths, max_letters - 1)]}…"


@lru_cache(MAX_CACHED_IRIS)
def width_in_letters(text: str) -> int:
    """The width of a text in letters; wide characters, such as Chinese, count as two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def iri_fragment(iri: str) -> str:
    """The fragment of the IRI of a term, which is the HTML ID of its entry."""
    return iri.partition("#")[2]


def build_query_path(parameters: list[tuple[str, str]]) -> str:
    """The path of a query, with the parameters of the SPARQL Protocol."""
    return "/sparql?" + urlencode(parameters)


@cache
def build_static_path(name: str) -> str:
    """The path of a static file, with a digest of its content, so that browsers can cache it forever."""
    stem, _, suffix = name.rpartition(".")
    digest = hashlib.sha256((PAGES_FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{stem}-{digest}.{suffix}"


@cache
def read_logo() -> Markup:
    """The logo as an SVG element, which is also the icon of the site.

    Its bars are the numbers of issues in the five categories of the first meeting, in their order.
    """
    text = (PAGES_FOLDER / "static" / "icon.svg").read_text(encoding="utf-8")
    return Markup(text.strip())  # noqa: S704  # nosec


@cache
def read_static_files() -> dict[str, bytes]:
    """The content of each static file and built script by its path."""
    files = (file for file in (PAGES_FOLDER / "static").iterdir() if file.is_file())
    return read_script_files() | {build_static_path(file.name): read_static_file(file) for file in files}


def read_static_file(file: Path) -> bytes:
    """The content of a static file; of a style sheet, without comments and indentation (11 % compressed)."""
    content = file.read_bytes()
    return COMMENT_OR_INDENTATION_PATTERN.sub(b"", content) if file.suffix == ".css" else content


# The functions and filters that need neither the base IRI nor labels.
TEXT_FUNCTIONS = {
    "_": gettext_markup,
    "gettext": gettext_markup,
    "ngettext": ngettext_markup,
    "static": build_static_path,
    "has_docs_site": has_docs_site,
    "logo": read_logo,
    "script": find_script_path,
    "query_path": build_query_path,
    "language": language.current_language,
    "direction": language.text_direction,
    "page_languages": PAGE_LANGUAGES,
    "alternates": language.language_alternates,
    "address_in": language.address_in_language,
    "short_address": language.short_address,
    "list_separator": language.list_separator,
}
TEXT_FILTERS = {
    "short_criterion": short_criterion_name,
    "is_criterion_shortened": is_criterion_shortened,
    "sentence": render_sentence,
    "code_in_text": mark_up_code,
    "day": format_date_text,
    "number": language.format_number,
    "percent": language.format_percent,
    "byte_count": language.format_byte_count,
    "isolate_days": isolate_days,
    "language_name": language.format_language_name,
    "truncate_to_letters": truncate_to_letters,
}

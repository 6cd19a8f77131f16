"""Routes of /ontology and its versions, /shapes, /context.jsonld and /static.

The ontology and the shapes are graphs that have a page, and that are served in each format. Static files have
a digest in their path, so they are cached forever.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Annotated, Any

import pyoxigraph as ox
from fastapi import Path, Query, Request, Response

from .._version import __version__
from ..http import language as http_language
from ..http.language import current_language
from ..http.operations import Operation
from ..http.parameters import request_base_url
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ..i18n import gettext_noop
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import CSS, HTML, JAVASCRIPT, JSON_LD, SVG, XML_SCHEMA, Format
from ..rdf.json_layout import serialize_json_body
from ..rdf.namespaces import expand_curie
from ..rdf.vocabulary import VocabularyTerm
from ..shacl.rules import rules_by_code, section_headings
from ..store import history
from ..store.history import MAX_LISTED_VERSIONS
from ..store.node_cache import cache_for_node
from ..store.store import Store
from .alternates import Resource, data_links
from .description import stated_types
from .mappings import resource_markup
from .ontology_page import build_ontology_view
from .parameters import DESCRIPTION_FORMATS, FilteredDescriptionParameters, make_profile_operation
from .profile_negotiation import parse_preferences
from .profiles import DEFAULT_PROFILE_FORMATS
from .representation import (
    ontology_context,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from .schemas import GraphDocument

STATIC_FORMATS = {
    "css": CSS,
    "js": JAVASCRIPT,
    "svg": SVG,
    "xsd": XML_SCHEMA,
}
# By name of the graph: makes the entries of its page from its triples and the language.
GRAPH_ENTRY_BUILDERS: dict[str, Callable[[list[ox.Triple], str], object]] = {
    "ontology": vocabulary.group_terms_by_kind,
    "shapes": lambda triples, _: vocabulary.list_node_shapes(triples),
}
LABEL_ARTICLE = "ال"  # not counted in Arabic labels
FIRST_IDEOGRAPH = "\u2e80"  # Chinese labels have too many first letters for groups
# By topic: the names of shapes, without "Shape" and what follows.
SHAPE_TOPICS = {
    gettext_noop("Papers and checks"): (
        "Paper", "IssuePaper", "AssessmentPaper", "Assessment", "of", "Assertion", "Figures", "KnownFigures",
        "Finding", "TestResult", "Software",
    ),
    gettext_noop("Issues and mechanisms"): ("Issue", "InventoryEntry", "Category", "GovernanceMechanism"),
    gettext_noop("Judgments and recommendations"): (
        "Judgment", "Appraisal", "Verdict", "Dispute", "Recommendation", "Principle", "Definition",
    ),
    gettext_noop("Texts"): ("Document", "Section", "Paragraph", "Citation", "Contribution"),
    gettext_noop("People and places"): (
        "Person", "Organization", "Membership", "StakeholderGroup", "Country", "Place", "Coordinates",
    ),
    gettext_noop("Meetings and agreements"): (
        "Meeting", "PlenaryMeeting", "WorkingMeeting", "OpenConsultation", "Session", "SessionKind", "Event",
        "Milestone", "Agreement", "AgreementOutcome",
    ),
}  # fmt: skip
OTHER_TOPIC = gettext_noop("Names, sources and vocabularies")
OWL_VERSION_IRI = expand_curie("owl:versionIRI")


GRAPH_DOCUMENT_OPERATION = make_profile_operation(DESCRIPTION_FORMATS, GraphDocument)
VERSION_OPERATION = Operation(status=303)
CONTEXT_OPERATION = Operation(formats=(JSON_LD,))
JSON_LD_CONTEXT = replace(JSON_LD)  # another object: the profiles of JSON-LD do not apply to a context


def get_ontology(
    context: ContextDep, parameters: Annotated[FilteredDescriptionParameters, Query()]
) -> Response:
    """The ontology: a page with a section for each term, or the graph that declares the terms."""
    return respond_with_graph_document(context, parameters, "ontology")


def get_ontology_version(
    context: ContextDep,
    version: Annotated[
        str, Path(description="The version in the IRI of the ontology.", examples=[__version__])
    ],
) -> Response:
    """A 303 redirect from the IRI of the current version to /ontology. Raises Problem 404 for others."""
    base = context.base
    version_terms = [
        triple.object
        for triple in require_graph_triples(context, "ontology")
        if triple.predicate == OWL_VERSION_IRI
    ]
    version_iris = [term.value for term in version_terms if isinstance(term, ox.NamedNode)]
    if f"{base}ontology/{version}" not in version_iris:
        raise Problem(
            404,
            f"There is no version {version!r} of the ontology. The current one is {', '.join(version_iris)}. "
            "The old versions of its graph are listed at /graph/ontology?versions.",
        )
    return Response(status_code=303, headers={"Location": "/ontology", "Vary": "Accept, Accept-Profile"})


def get_shapes(
    context: ContextDep, parameters: Annotated[FilteredDescriptionParameters, Query()]
) -> Response:
    """The shapes: a page of their requirements, or their graph."""
    return respond_with_graph_document(context, parameters, "shapes")


def get_json_ld_context(context: ContextDep) -> Response:
    """The JSON-LD context of the ontology."""
    body = serialize_json_body({"@context": ontology_context(context)})
    return respond_with_body(context.request, body, JSON_LD_CONTEXT, links=data_links())


StaticFileName = Annotated[
    str,
    Path(
        description="The name of a file with its digest, as in the links of the pages.",
        examples=[rendering.build_static_path("icon.svg").rpartition("/")[2]],
    ),
]
STATIC_FILE_OPERATION = Operation(formats=tuple(STATIC_FORMATS.values()))


def get_static_file(request: Request, name: StaticFileName) -> Response:
    """A file that pages load. Its path contains its digest. Raises Problem 404 if there is no such file."""
    body = rendering.read_static_files().get(request.url.path)
    if body is None:
        raise Problem(404, f"There is no file {request.url.path}. The pages link to the files that exist.")
    return respond_with_body(
        request,
        body,
        STATIC_FORMATS[name.rpartition(".")[2]],
        headers={"Cache-Control": IMMUTABLE_CACHE_CONTROL},
    )


@dataclass(frozen=True)
class GraphContent:
    """A graph that has a page: its triples, the languages of its texts, and the entries of the page.

    `header` has the triples about the ontology or the shapes as a whole. `labels` are by IRI, in the language
    of the page.
    """

    triples: list[ox.Triple]
    languages: list[str]
    header: list[ox.Triple]
    entries: Any
    labels: dict[str, ox.Literal]


def respond_with_graph_document(
    context: RequestContext, parameters: FilteredDescriptionParameters, name: str
) -> Response:
    """The graph `ontology` or `shapes`, or its page. Raises Problem 404 if the graph is empty."""
    suffix = context.request.path_params.get("suffix", "")
    preferences = parse_preferences(context, parameters, DEFAULT_PROFILE_FORMATS, suffix)
    store = context.store
    base = context.base
    iri = f"{base}{name}"
    triples = require_graph_triples(context, name)
    if preferences.languages.is_explicit:
        content = build_graph_content(
            http_language.keep_requested_languages(triples, preferences.languages),
            name,
            base,
            current_language(),
        )
    else:
        content = read_graph_content(store, f"{base}graph/{name}", base, current_language())

    def write(format_: Format) -> bytes:
        if format_ is not HTML:
            return serialize_graph_body(context, content.triples, format_)
        words = parameters.q or ""
        template_values: dict[str, object] = {
            "q": words,
            "found": find_names_with_words(words, SEARCHED_TEXTS[name](content.entries)),
            "entries": content.entries,
            "labels": content.labels,
            "markup": resource_markup(
                iri,
                f"{request_base_url(context.request)}{name}",
                content.header,
                preferences.languages.ranges,
                base,
            ),
            "versions": history.list_graph_versions(context.history, context.store, f"{base}graph/{name}")[
                -MAX_LISTED_VERSIONS:
            ],
        }
        if name == "ontology":
            template_values["ontology"] = build_ontology_view(store, base, current_language())
        return render_site_page(
            context,
            f"{name}.html",
            **template_values,
            rules=[*rules_by_code().values()],
            headings=section_headings(),
            group_by_initial=group_by_initial,
            group_by_topic=group_by_topic,
        )

    resource = Resource(iri, f"/{name}", lambda: content.header, write, stated_types(content.header))
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=[f'<{iri}>; rel="about"'],
        find_languages=lambda _: content.languages,
    )


def group_by_initial(terms: Iterable[VocabularyTerm]) -> list[tuple[str, list[VocabularyTerm]]]:
    """Terms by the first letter of their labels; by that of their local names if the label is in Chinese."""

    def initial(term: VocabularyTerm) -> str:
        label = term.label.value.removeprefix(LABEL_ARTICLE)
        name = re.split("[#/]", term.iri)[-1] if label >= FIRST_IDEOGRAPH else label
        return unicodedata.normalize("NFD", name)[:1].upper()  # without diacritics

    return [(letter, list(group)) for letter, group in groupby(sorted(terms, key=initial), initial)]


def group_by_topic(shapes: Iterable[vocabulary.NodeShape]) -> list[tuple[str, list[vocabulary.NodeShape]]]:
    """Shapes by their topics of SHAPE_TOPICS; those without one come last."""
    groups: dict[str, list[vocabulary.NodeShape]] = {topic: [] for topic in (*SHAPE_TOPICS, OTHER_TOPIC)}
    for shape in shapes:
        name = re.split("Shape|-", shape.iri.rpartition("#")[2])[0]
        groups[next((topic for topic, names in SHAPE_TOPICS.items() if name in names), OTHER_TOPIC)].append(
            shape
        )
    return [(topic, members) for topic, members in groups.items() if members]


def find_names_with_words(q: str, texts_by_name: Mapping[str, Sequence[str]]) -> set[str]:
    """The names whose texts contain all words."""
    words = q.casefold().split()
    return {
        name
        for name, texts in texts_by_name.items()
        if all(word in "\n".join(texts).casefold() for word in words)
    }


def list_rule_texts(shapes: Iterable[vocabulary.NodeShape]) -> dict[str, Sequence[str]]:
    """The texts of rules and other shapes in which words are searched, by name."""
    language, rules = current_language(), rules_by_code().values()
    return {rule.code: (rule.code, rule.name[language]) for rule in rules} | {
        shape.iri.rpartition("#")[2]: (shape.iri, shape.name, *chain.from_iterable(shape.messages.values()))
        for shape in shapes
    }


def list_term_texts(terms_by_kind: Mapping[str, Sequence[VocabularyTerm]]) -> dict[str, Sequence[str]]:
    """The texts of terms in which words are searched, by IRI."""
    return {
        term.iri: (term.iri, term.label.value, term.definition)
        for terms in terms_by_kind.values()
        for term in terms
    }


# By name of the graph: makes the texts in which words are searched from the entries of its page.
SEARCHED_TEXTS: dict[str, Callable[[Any], dict[str, Sequence[str]]]] = {
    "ontology": list_term_texts,
    "shapes": list_rule_texts,
}


@cache_for_node
def read_graph_triples(store: Store, graph: str) -> list[ox.Triple]:
    """The triples of the graph `ontology` or `shapes`; cached until a write changes it."""
    return list(store.triples(graph))


@cache_for_node
def read_graph_content(store: Store, graph: str, base: str, language: str) -> GraphContent:
    """The content of the page of `ontology` or `shapes` in a language; cached until a write changes it."""
    name = graph.removeprefix(f"{base}graph/")
    return build_graph_content(read_graph_triples(store, graph), name, base, language)


def build_graph_content(triples: list[ox.Triple], name: str, base: str, language: str) -> GraphContent:
    """The content of the page of `ontology` or `shapes`, in a language, from its triples."""
    subject = ox.NamedNode(f"{base}{name}")
    header = [triple for triple in triples if triple.subject == subject]
    entries = GRAPH_ENTRY_BUILDERS[name](triples, language)
    labels = vocabulary.labels_by_node(triples, language)
    return GraphContent(triples, http_language.list_statement_languages(triples), header, entries, labels)


def require_graph_triples(context: RequestContext, name: str) -> list[ox.Triple]:
    """The triples of the graph `ontology` or `shapes`. Raises Problem 404 if it is empty."""
    base = context.base
    triples = read_graph_triples(context.store, f"{base}graph/{name}")
    if not triples:
        raise Problem(
            404, f"The store holds no graph <{base}graph/{name}>. Load it with: wgig load --shipped {name}"
        )
    return triples

"""The tags of the OpenAPI description: the groups of operations on pages and in generated clients."""

from typing import NamedTuple

from ..lists.definitions import LIST_DEFINITIONS


class Tag(NamedTuple):
    """A tag: its name, its description, and the beginnings of the paths of its operations."""

    name: str
    description: str
    paths: tuple[str, ...]


# The first tag with a matching path is used.
API_TAGS = (
    Tag(
        "lists",
        "Papers, issues, judgments and other resources as lists with filters and sorting, and as tables.",
        (*LIST_DEFINITIONS, "coverage", "compare", "people", "tables"),
    ),
    Tag(
        "resources",
        "What the graph states about a resource, and the ontology and the rules that it uses.",
        ("id", "doc", "ontology", "shapes", "context.jsonld"),
    ),
    Tag("search", "Search by words, also for search engines and browsers.", ("search", "opensearch.xml")),
    Tag(
        "reconciliation",
        "Match the rows of a table with resources (Reconciliation Service API 0.2).",
        ("reconcile",),
    ),
    Tag(
        "sparql",
        "Queries and updates (SPARQL 1.1 Protocol), and running queries.",
        ("sparql", "update", "queries/running", "build"),
    ),
    Tag("queries", "Example queries with parameters, each with a path of its own.", ("queries",)),
    Tag("papers", "Check whether papers are complete, and write them.", ("validate", "write")),
    Tag(
        "graphs",
        "Named graphs, their versions, dumps and releases (SPARQL 1.1 Graph Store HTTP Protocol, Memento).",
        ("graphs", "graph", "dump", "releases"),
    ),
    Tag("citation", "Citations, and the content as it was when it was cited.", ("cite", "cited")),
    Tag(
        "changes",
        "What changed, as event stream, feeds and calendar, and for harvesters (OAI-PMH).",
        ("changes", "feed", "feed.atom", "meetings.ics", "oai"),
    ),
    Tag(
        "discovery",
        "Descriptions of the service and its data for programs that discover what there is.",
        (
            ".well-known",
            "catalog",
            "linkset",
            "sitemap",
            "sitemap.xml",
            "robots.txt",
            "openapi.json",
            "api",
            "docs",
        ),
    ),
    Tag("operation", "The state of the service, for its operator.", ("health", "ready", "metrics")),
)
# All other paths are of pages for people.
PAGES_TAG = Tag("pages", "Pages for people that have no other format.", ())
OPENAPI_TAGS = [{"name": tag.name, "description": tag.description} for tag in (*API_TAGS, PAGES_TAG)]


def find_tag(path: str) -> str:
    """The name of the tag of the operations on a path."""
    for tag in API_TAGS:
        for start in tag.paths:
            rest = path.removeprefix(f"/{start}")
            if rest != path and (rest in ("", ".{suffix}") or rest.startswith("/")):
                return tag.name
    return PAGES_TAG.name

"""`wgig search`, `wgig describe` and `wgig cite`: look up resources in the local store or at a service."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wgig_client.calls import (
    CITATION_MEDIA_TYPES,
    expand_resource_name,
    extract_snippet_text,
    resource_document_path,
)
from wgig_client.client import GraphClient
from wgig_client.errors import ServiceError

from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import shorten_iri
from ..settings import Settings
from ..text import replace_control_characters
from .console import get_offered_format, print_message, print_table
from .local_service import open_graph
from .parser import EXIT_NO, EXIT_OK

MAX_VALUES_PER_PROPERTY = 12  # in a table; the others are counted
MAX_SUGGESTED_RESOURCES = 3


def run_search(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print what is found, the best first. Exit code 0, or 1 if nothing is found.

    Raises Problem for a refused search, ServiceError, StoreError for the local store.
    """
    parameters = {"q": " ".join(arguments.words), "kind": arguments.kind, "lang": arguments.lang}
    with open_graph(arguments.url, settings) as graph:
        pages = graph.iter_search_pages({name: value for name, value in parameters.items() if value})
        first_page = next(pages)
        items = [*first_page["items"]]
        while len(items) < arguments.limit and (page := next(pages, None)):
            items += page["items"]
    if first_page["meant"]:
        print_message(f"Searched for: {first_page['meant']}")
    print_search_items(items[: arguments.limit], choose_table_format(arguments, "tsv"), settings.base)
    if first_page["total"] > arguments.limit:
        print_message(
            f"{first_page['total']} results; only the first {arguments.limit} are shown. To show "
            "more, use --limit"
        )
    return EXIT_OK if items else EXIT_NO


def choose_table_format(arguments: argparse.Namespace, pipe_format: str) -> str:
    """The requested format, or a table on a terminal and `pipe_format` in a pipe."""
    format_: str | None = arguments.format
    return format_ or ("table" if sys.stdout.isatty() else pipe_format)


def print_search_items(items: list[dict[str, Any]], format_: str, base: str) -> None:
    """Print search results: name, kind and address; outside of a table also the passage found."""
    if format_ == "json":
        print(json.dumps(items, indent=2, ensure_ascii=False))
        return
    rows = [
        [
            replace_control_characters(" ".join(str(value).split()))
            for value in (
                item["label"],
                item["kind"],
                item["id"].removeprefix(f"{base}id/"),
                extract_snippet_text(item["snippet"]),
            )
        ]
        for item in items
    ]
    if format_ == "tsv":
        for row in rows:
            print(*row, sep="\t")
    elif rows:
        print_table(["name", "kind", "address"], [row[:3] for row in rows])
    else:
        print_message("Nothing was found. Try other words, or fewer words.")


def run_describe(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the description of a resource. Exit code 0.

    Raises Problem 404 for an unknown resource, with similar ones, ServiceError, StoreError for the local
    store.
    """
    format_ = choose_table_format(arguments, "ttl")
    with open_graph(arguments.url, settings) as graph:
        try:
            if format_ == "table":
                print_description(graph.thing(arguments.name), settings.base)
            else:
                offered_format = get_offered_format(format_, GRAPH_FORMATS, "A description")
                print(read_description(graph, arguments.name, offered_format.media_type), end="")
        except ServiceError as error:
            if error.status == 404:  # the service suggests a similar name
                raise Problem(404, error.detail) from error
            if error.status is None:
                raise invalid_name_problem(graph, arguments.name, error.detail, settings.base) from error
            raise
    return EXIT_OK


def read_description(graph: GraphClient, name: str, media_type: str) -> str:
    """The description of a resource or of a term of the ontology, as RDF in a media type."""
    iri = expand_resource_name(name)
    headers = {"Accept": media_type}
    if "#" not in iri:
        return graph.connection.send_read("GET", resource_document_path(iri), headers=headers).text
    return graph.connection.send_read(
        "POST", "sparql", data={"query": f"DESCRIBE <{iri}>"}, headers=headers
    ).text


def invalid_name_problem(graph: GraphClient, name: str, detail: str, base: str) -> Problem:
    """The problem 404 for a text that is no name; it suggests what a search for the text finds."""
    page = next(graph.iter_search_pages({"q": name}))
    names = [item["id"].removeprefix(f"{base}id/") for item in page["items"]]
    hint = f" Did you mean {', '.join(names[:MAX_SUGGESTED_RESOURCES])}?" if names else ""
    return Problem(404, f"{detail}{hint}")


def print_description(description: Mapping[str, Any], base: str) -> None:
    """Print a description as a table of properties and values, with names instead of addresses."""
    print(replace_control_characters(shorten_iri(description["id"], base)))
    rows = [("name", text) for texts in description.get("label", {}).values() for text in texts]
    for property_, values in description.get("facts", {}).items():
        shown_values = [format_description_value(value, base) for value in values[:MAX_VALUES_PER_PROPERTY]]
        if len(values) > MAX_VALUES_PER_PROPERTY:
            shown_values.append(f"and {len(values) - MAX_VALUES_PER_PROPERTY} more")
        name = words_of_iri(property_.replace(":", "#"))
        rows += [(name if not index else "", value) for index, value in enumerate(shown_values)]
    rows += [("source", source["id"]) for source in description.get("sources", [])]
    rows = [(name, replace_control_characters(value)) for name, value in rows]
    print_table(["property", "value"], rows)


def format_description_value(value: Any, base: str) -> str:
    """A value of a description: the name of a resource, or a text."""
    match value:
        case {"label": labels} if labels:
            return str((labels.get("en") or next(iter(labels.values())))[0])
        case {"id": str(iri)}:
            return shorten_iri(iri, base)
        case {"value": text} | text:
            return str(text)


def run_cite(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print a citation. Exit code 0.

    Raises Problem 400 without anything to cite, 404 for an unknown resource, ServiceError, OSError for the
    file of the query.
    """
    if bool(arguments.name) == bool(arguments.query):
        raise Problem(400, "Nothing to cite was given. Give a name, or a query with --query.")
    query = arguments.query or ""
    if query and "{" not in query:
        query = Path(query).read_text("utf-8")
    with open_graph(arguments.url, settings) as graph:
        text = graph.cite(
            iri=arguments.name or "", query=query, media_type=CITATION_MEDIA_TYPES[arguments.format]
        )
    print(text.rstrip("\n"))
    return EXIT_OK

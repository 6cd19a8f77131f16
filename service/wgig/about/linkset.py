"""/linkset: all typed links of a landing page, its content and its metadata (FAIR Signposting, level 2).

A link set (RFC 9264) is JSON, or text as in a Link header. Landing pages are the pages of resources and
graphs, and /catalog for the whole dataset. Links within the service have the host of the request.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urljoin

from fastapi import Query, Response

from ..graphs.description.dcat import DCAT_DUMP_FORMATS
from ..graphs.releases_routes import RELEASES_PATH, find_release, iter_release_links
from ..graphs.routes import SD_NAMED_GRAPH, describe_graph_page, is_existing_graph
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type, describe_parameter
from ..http.parameters import encode_field_value, request_base_url
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, HTML, TURTLE, Format
from ..rdf.namespaces import SCHEMA_NAMESPACE
from ..rdf.sparql_lexer import check_absolute_iri
from ..resources.alternates import Resource
from ..resources.description import stated_types, statements_about
from ..resources.licenses import shared_license, store_license
from ..resources.profiles import DEFAULT_PROFILE_TOKEN, profiles_by_token
from ..resources.routes import BIBTEX_MEDIA_TYPE, describe_document_page, doc_path
from ..resources.signposting import (
    LINKSET_FORMATS,
    LINKSET_TEXT,
    LandingPage,
    TypedLink,
    iter_landing_links,
    list_linkset_links,
)

CATALOG_PATH = "/catalog"


class LinksetParameters(ParameterModel):
    """Query parameters of /linkset."""

    iri: Text = describe_parameter(
        "The IRI of a resource, of a graph, or of the catalog.",
        examples=["https://w3id.org/wgig/id/issue/spam"],
    )
    media_type: Text = describe_media_type(LINKSET_FORMATS)


LINKSET_OPERATION = Operation(formats=LINKSET_FORMATS)


class LinkedPage(NamedTuple):
    """A landing page: its path, and its links."""

    path: str
    links: list[TypedLink]


def get_linkset(context: ContextDep, parameters: Annotated[LinksetParameters, Query()]) -> Response:
    """All typed links of the page about a resource, a graph or the catalog (FAIR Signposting).

    Raises Problem 400 for a malformed IRI, 404 if it has no page, 406 for an unsupported format.
    """
    format_ = choose_response_format(context.request, LINKSET_FORMATS, parameters.media_type)
    if parameters.iri is None:
        raise Problem(400, "Set the parameter iri to the IRI of a resource, of a graph, or of the catalog.")
    page = find_linked_page(context, check_absolute_iri(parameters.iri, "iri"))
    host = request_base_url(context.request)
    return respond_with_body(context.request, serialize_linkset(page, host, format_), format_)


def find_linked_page(context: RequestContext, iri: str) -> LinkedPage:
    """The landing page about an IRI. Raises Problem 404 if there is none."""
    base = context.base
    if iri == f"{base}catalog":
        return describe_catalog_page(context)
    if iri.startswith(f"{base}id/") and (statements := statements_about(context.store, [iri])):
        path = doc_path(iri.removeprefix(f"{base}id/"))
        landing = describe_document_page(iri, statements, base)
        resource = Resource(iri, path, tuple, lambda _: b"", stated_types(statements))
        citation = TypedLink(
            "describedby",
            f"/cite?iri={quote(iri, safe='')}&_mediatype={BIBTEX_MEDIA_TYPE}",
            BIBTEX_MEDIA_TYPE,
        )
        return LinkedPage(path, [*iter_resource_links(resource, landing, base), citation])
    if iri.startswith(f"{base}releases/"):
        release = find_release(context.store.folder, iri.removeprefix(f"{base}releases/"))
        path = f"{RELEASES_PATH}/{release.name}"
        return LinkedPage(path, [*iter_release_links(release.record)])
    if is_existing_graph(context, iri):
        types, license_ = frozenset((SD_NAMED_GRAPH.value,)), shared_license(context.store, [iri])
        path, formats = graph_path(iri, base), (*GRAPH_FORMATS, HTML)
        resource = Resource(
            iri,
            path,
            tuple,
            lambda _: b"",
            types,
            formats,
            uses_suffix=False,
            license=license_,
            content_profile=DEFAULT_PROFILE_TOKEN,
        )
        links = iter_resource_links(resource, describe_graph_page(context, iri), base)
        return LinkedPage(path, [*links, TypedLink("collection", "/graphs")])
    raise Problem(404, f"There is no page about <{iri}>. Give the IRI of a resource, a graph or the catalog.")


def iter_resource_links(resource: Resource, landing: LandingPage, base: str) -> Iterator[TypedLink]:
    """The links of the landing page of a resource with representations."""
    yield from iter_landing_links(landing)
    for representation in resource.representations(base):
        if representation.format is not HTML:
            is_content = representation.profile.token == resource.content_profile
            yield TypedLink(
                "item" if is_content else "describedby",
                resource.representation_address(representation),
                representation.format.media_type,
                representation.profile.iri,
            )
    if resource.license:
        yield TypedLink("license", resource.license)


def describe_catalog_page(context: RequestContext) -> LinkedPage:
    """The landing page of the whole dataset, whose content are the dumps."""
    landing = LandingPage(f"{context.base}catalog", (f"{SCHEMA_NAMESPACE}Dataset",))
    dumps = [
        TypedLink("item", f"/dump.{syntax.suffix}.{coding.suffix}", coding.media_type)
        for syntax, coding in DCAT_DUMP_FORMATS
    ]
    profile = profiles_by_token(context.base)["dcat"].iri
    metadata = [
        TypedLink("describedby", f"{CATALOG_PATH}.{format_.suffix}", format_.media_type, profile)
        for format_ in GRAPH_FORMATS
    ]
    license_ = store_license(context.store)
    return LinkedPage(
        CATALOG_PATH,
        [
            *iter_landing_links(landing),
            *dumps,
            *metadata,
            TypedLink("describedby", "/.well-known/void", TURTLE.media_type),
            *([TypedLink("license", license_)] if license_ else []),
        ],
    )


def list_catalog_links(context: RequestContext) -> list[str]:
    """The links of the page of the catalog as values of a Link header."""
    page = describe_catalog_page(context)
    return [*(link.serialize() for link in page.links), *list_linkset_links(f"{context.base}catalog")]


def list_catalog_data_links(base: str) -> list[str]:
    """The links of the catalog as data, which describes the dataset that has the page."""
    iri = f"{base}catalog"
    links = [TypedLink("cite-as", iri), TypedLink("describes", CATALOG_PATH)]
    return [*(link.serialize() for link in links), *list_linkset_links(iri)]


def iter_anchored_links(page: LinkedPage) -> Iterator[tuple[str, TypedLink]]:
    """The links of a landing page, and those back from its content and metadata, each with its anchor."""
    for link in page.links:
        yield page.path, link
    for link in page.links:
        if link.relation in BACK_RELATIONS:
            yield link.target, TypedLink(BACK_RELATIONS[link.relation], page.path, HTML.media_type)


BACK_RELATIONS = {"item": "collection", "describedby": "describes"}


def serialize_linkset(page: LinkedPage, host: str, format_: Format) -> bytes:
    """The link set of a landing page; `host` is the base URL of the request."""
    links = [
        (urljoin(host, anchor), link._replace(target=urljoin(host, link.target)))
        for anchor, link in iter_anchored_links(page)
    ]
    if format_ is LINKSET_TEXT:
        values = (encode_field_value(link.serialize(anchor)) for anchor, link in links)
        return ",\n".join(values).encode() + b"\n"
    contexts: dict[str, dict[str, Any]] = {}
    for anchor, link in links:
        targets = contexts.setdefault(anchor, {"anchor": anchor}).setdefault(link.relation, [])
        targets.append(build_linkset_target(link))
    return json.dumps({"linkset": list(contexts.values())}, indent=2).encode() + b"\n"


def build_linkset_target(link: TypedLink) -> dict[str, str]:
    """A target of a link set in JSON (RFC 9264, section 4.2.3).

    `profile` is a text, as in the recipe of FAIR Signposting and for its clients.
    """
    target = {"href": link.target, "type": link.media_type, "profile": link.profile}
    return {name: value for name, value in target.items() if value}

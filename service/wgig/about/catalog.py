"""/catalog: the datasets, dumps and services of this service, as DCAT 3, or as a page (`catalog_page`).

The catalog has the triples of the graph `dcat`. It adds the descriptions of graphs from other graphs, the
contact from the settings, and the size and digest of the dumps. These are read from the files, as a dump
contains the graph `dcat`, which therefore cannot contain the digest of the dump. The dumps are written by the
first request for the catalog, or for a dump, after a change.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Annotated

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Query, Response
from wgig_client.literals import build_typed_literal
from wgig_client.namespaces import DCTERMS_NAMESPACE

from ..graphs.citation.datacite import RELEASE_ABSTRACT
from ..graphs.dependencies import DumpsDep, RecorderDep
from ..graphs.description.dcat import DCAT_DUMP_FORMATS, EU_PUBLIC_ACCESS, DcatCatalog, english_literal
from ..graphs.description.void import DATASET_TITLE
from ..graphs.dumps import DumpFile, StoreDumps, wrap_dump_future
from ..graphs.releases import DATACITE_FILE, Release, build_release_iri, list_releases
from ..http.responses import NO_STORE_HEADERS
from ..lists.dependencies import StoreSizeDep
from ..pages.dependencies import ContextDep, RequestContext
from ..rdf.formats import GRAPH_FORMATS, HTML
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DCTERMS_HAS_PART,
    DCTERMS_LICENSE,
    DCTERMS_MODIFIED,
    DCTERMS_SOURCE,
    DCTERMS_TITLE,
    RDF_TYPE,
    SPDX_SHA256,
    expand_curie,
)
from ..resources.alternates import Resource
from ..resources.parameters import ProfileParameters, make_profile_operation
from ..resources.profile_negotiation import (
    LANGUAGE_NEUTRAL_HEADERS,
    Preferences,
    parse_format_preferences,
    requests_profile,
)
from ..resources.profiles import profiles_by_token
from ..resources.representation import respond_with_resource
from ..sparql.dependencies import QueriesDep
from ..store.errors import StoreError
from .catalog_page import CatalogSources, respond_with_catalog_page
from .linkset import list_catalog_data_links, list_catalog_links
from .well_known import read_description_graph, serialize_localized_triples

CATALOG_NAME = "dcat"  # the token of its profile, and the name of its graph
CATALOG_DUMPS_TIMEOUT_SECONDS = 5  # for a request that waits for the dumps
DATASET_PROPERTY, DISTRIBUTION_PROPERTY = (
    expand_curie(name) for name in ("dcat:dataset", "dcat:distribution")
)
DERIVED_FROM_PROPERTY = expand_curie("prov:wasDerivedFrom")

Triples = list[ox.Triple]


CATALOG_OPERATION = make_profile_operation((*GRAPH_FORMATS, HTML), None)


async def get_catalog(  # noqa: PLR0913, PLR0917 - what the page is made from
    context: ContextDep,
    dumps: DumpsDep,
    queries: QueriesDep,
    recorder: RecorderDep,
    store_size: StoreSizeDep,
    parameters: Annotated[ProfileParameters, Query()],
) -> Response:
    """The catalog of datasets, dumps and services; for browsers, a page of it. Raises Problem 400, 404, 406.

    If the dumps are not ready in time, or the disk fails, their sizes and digests are left out, and the
    response is not cached.
    """
    request = context.request
    formats = GRAPH_FORMATS if requests_profile(request, parameters) else (*GRAPH_FORMATS, HTML)
    profile = replace(profiles_by_token(context.base)[CATALOG_NAME], formats=formats)
    preferences = parse_format_preferences(
        context, parameters, formats, request.path_params.get("suffix", ""), {CATALOG_NAME: profile}
    )
    if preferences.representations[0].format is HTML and not preferences.wants_listing:
        sources = CatalogSources(dumps, queries, recorder, store_size)
        links = await run_sync(list_catalog_links, context)
        return await respond_with_catalog_page(context, sources, links)
    dcat_triples = await run_sync(read_description_graph, context, CATALOG_NAME)
    return await run_sync(
        respond_with_catalog, context, preferences, dcat_triples, await wait_for_dumps(dumps)
    )


async def wait_for_dumps(dumps: StoreDumps) -> list[DumpFile]:
    """The dumps of the current state of the store that are ready within CATALOG_DUMPS_TIMEOUT_SECONDS."""
    names = [f"{syntax.suffix}.{coding.suffix}" for syntax, coding in DCAT_DUMP_FORMATS]
    futures = [wrap_dump_future(dumps.get_current(name)) for name in names]
    done, _ = await asyncio.wait(futures, timeout=CATALOG_DUMPS_TIMEOUT_SECONDS)
    return [future.result() for future in done if not isinstance(future.exception(), StoreError)]


def respond_with_catalog(
    context: RequestContext, preferences: Preferences, dcat_triples: Triples, dumps: list[DumpFile]
) -> Response:
    """The catalog as a response: the triples of the graph `dcat`, and the triples added to them."""
    catalog = DcatCatalog(context.base)
    descriptions = list(iter_self_descriptions(context, dcat_triples))
    contacts = context.settings.contact.split()
    triples = [
        *dcat_triples,
        *(replace_source_property(triple) for triple in descriptions),
        *(
            ox.Triple(catalog.node, DCTERMS_MODIFIED, triple.object)
            for triple in descriptions
            if is_about_dataset(triple, catalog, DCTERMS_MODIFIED)
        ),
        *iter_default_descriptions(dcat_triples, descriptions),
        *iter_license_triples(dcat_triples, descriptions, catalog),
        *chain.from_iterable(iter_dump_triples(dump, catalog) for dump in dumps),
        *chain.from_iterable(
            iter_release_triples(release, catalog) for release in list_releases(context.store.folder)
        ),
        *chain.from_iterable(
            iter_contact_triples(contact, number, catalog) for number, contact in enumerate(contacts, 1)
        ),
    ]
    resource = Resource(
        catalog.node.value,
        "/catalog",
        lambda: (),
        partial(serialize_localized_triples, context, triples),
        formats=GRAPH_FORMATS,
        default_profile=CATALOG_NAME,
    )
    cache_headers = {} if len(dumps) == len(DCAT_DUMP_FORMATS) else NO_STORE_HEADERS
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=list_catalog_data_links(context.base),
        headers=LANGUAGE_NEUTRAL_HEADERS | cache_headers,
    )


def is_about_dataset(triple: ox.Triple, catalog: DcatCatalog, property_: ox.NamedNode) -> bool:
    """Whether a triple states this property of the dataset of all graphs."""
    return triple.subject == catalog.dataset and triple.predicate == property_


def iter_self_descriptions(context: RequestContext, dcat_triples: Triples) -> Iterator[ox.Triple]:
    """The triples of other graphs about the datasets of the catalog: title, license, sources, last change."""
    store = context.store
    # The bundled graph `catalog` has the dates of the bundled graphs, which may have changed since.
    bundled_catalog_graph = ox.NamedNode(f"{context.base}graph/catalog")
    for triple in dcat_triples:
        if triple.predicate == DATASET_PROPERTY:
            for quad in store.match(triple.object):  # type: ignore[arg-type]
                if (
                    quad.predicate.value.startswith(DCTERMS_NAMESPACE)
                    and quad.graph_name != bundled_catalog_graph
                ):
                    yield quad.triple


def replace_source_property(triple: ox.Triple) -> ox.Triple:
    """The triple, with dcterms:source replaced by prov:wasDerivedFrom (PROV-DC, section 3.1).

    In DCAT-AP the value of dcterms:source is a dataset, but the sources of this project are pages.
    """
    return (
        ox.Triple(triple.subject, DERIVED_FROM_PROPERTY, triple.object)
        if triple.predicate == DCTERMS_SOURCE
        else triple
    )


def iter_default_descriptions(dcat_triples: Triples, descriptions: Triples) -> Iterator[ox.Triple]:
    """A title and a description for each graph that has none, as DCAT requires them for every dataset."""
    described = {(triple.subject, triple.predicate) for triple in descriptions}
    for triple in dcat_triples:
        if triple.predicate == DCTERMS_HAS_PART and isinstance(triple.object, ox.NamedNode):
            if (triple.object, DCTERMS_TITLE) not in described:
                yield ox.Triple(triple.object, DCTERMS_TITLE, ox.Literal(triple.object.value))
            if (triple.object, DCTERMS_DESCRIPTION) not in described:
                yield ox.Triple(
                    triple.object,
                    DCTERMS_DESCRIPTION,
                    english_literal("A graph without a description."),
                )


def iter_license_triples(
    dcat_triples: Triples, descriptions: Triples, catalog: DcatCatalog
) -> Iterator[ox.Triple]:
    """The license of each distribution if all graphs in it have the same one, as DCAT-AP allows only one."""
    licenses_by_dataset = dict[object, set[ox.NamedNode]]()
    for triple in descriptions:
        if triple.predicate == DCTERMS_LICENSE and isinstance(triple.object, ox.NamedNode):
            licenses_by_dataset.setdefault(triple.subject, set()).add(triple.object)
            yield ox.Triple(triple.object, RDF_TYPE, expand_curie("dcterms:LicenseDocument"))
    part_licenses = [
        licenses_by_dataset.get(triple.object, set())
        for triple in dcat_triples
        if triple.predicate == DCTERMS_HAS_PART
    ]
    licenses_by_dataset[catalog.dataset] = set().union(*part_licenses) if all(part_licenses) else set()
    for triple in dcat_triples:
        licenses = licenses_by_dataset.get(triple.subject, set())
        if (
            triple.predicate == DISTRIBUTION_PROPERTY
            and isinstance(triple.object, ox.NamedNode)
            and len(licenses) == 1
        ):
            yield ox.Triple(triple.object, DCTERMS_LICENSE, *licenses)


def iter_dump_triples(dump: DumpFile, catalog: DcatCatalog) -> Iterator[ox.Triple]:
    """The size of a dump in bytes, and its SHA-256 digest (SPDX)."""
    distribution = catalog.distribution_node(dump.name)
    yield from iter_file_triples(distribution, dump.path.stat().st_size, dump.digest.hex())


def iter_file_triples(distribution: ox.NamedNode, size: int, digest: str) -> Iterator[ox.Triple]:
    """The size of a file in bytes, and its SHA-256 digest in hexadecimal."""
    checksum = ox.NamedNode(f"{distribution.value}-checksum")
    yield ox.Triple(
        distribution, expand_curie("dcat:byteSize"), build_typed_literal(str(size), "nonNegativeInteger")
    )
    yield ox.Triple(distribution, expand_curie("spdx:checksum"), checksum)
    yield ox.Triple(checksum, RDF_TYPE, expand_curie("spdx:Checksum"))
    yield ox.Triple(checksum, expand_curie("spdx:algorithm"), SPDX_SHA256)
    yield ox.Triple(checksum, expand_curie("spdx:checksumValue"), build_typed_literal(digest, "hexBinary"))
    yield ox.Triple(SPDX_SHA256, RDF_TYPE, expand_curie("spdx:ChecksumAlgorithm"))


def iter_release_triples(release: Release, catalog: DcatCatalog) -> Iterator[ox.Triple]:
    """A release as a version of the dataset, with its files as distributions."""
    record = release.record
    node = ox.NamedNode(record["iri"])
    yield ox.Triple(catalog.node, DATASET_PROPERTY, node)
    yield ox.Triple(catalog.dataset, expand_curie("dcat:hasVersion"), node)
    yield ox.Triple(node, RDF_TYPE, expand_curie("dcat:Dataset"))
    yield ox.Triple(node, DCTERMS_TITLE, english_literal(f"{DATASET_TITLE}: release {release.name}"))
    yield ox.Triple(node, DCTERMS_DESCRIPTION, english_literal(RELEASE_ABSTRACT))
    yield ox.Triple(node, expand_curie("dcat:isVersionOf"), catalog.dataset)
    yield ox.Triple(node, expand_curie("dcat:version"), ox.Literal(release.name))
    yield ox.Triple(node, expand_curie("dcterms:issued"), build_typed_literal(record["released"], "dateTime"))
    yield ox.Triple(node, expand_curie("dcterms:accessRights"), EU_PUBLIC_ACCESS)
    if record["previous"]:
        previous = ox.NamedNode(build_release_iri(record["previous"], catalog.base))
        yield ox.Triple(node, expand_curie("dcat:previousVersion"), previous)
    for file in record["files"]:
        if file["name"] != DATACITE_FILE:
            distribution = ox.NamedNode(f"{record['iri']}/{file['name']}")
            yield from catalog.distribution_triples(node, distribution, distribution.value, file["mediaType"])
            yield ox.Triple(distribution, expand_curie("dcat:downloadURL"), distribution)
            yield ox.Triple(distribution, DCTERMS_TITLE, english_literal(file["name"]))
            if record["license"]:
                yield ox.Triple(distribution, DCTERMS_LICENSE, ox.NamedNode(record["license"]))
            yield from iter_file_triples(distribution, file["bytes"], file["sha256"])


def iter_contact_triples(address: str, number: int, catalog: DcatCatalog) -> Iterator[ox.Triple]:
    """A contact of the operator of the service, as vCard."""
    node = ox.NamedNode(f"{catalog.node.value}#contact-{number}")
    property_name = "vcard:hasEmail" if address.startswith("mailto:") else "vcard:hasURL"
    yield ox.Triple(catalog.dataset, expand_curie("dcat:contactPoint"), node)
    yield ox.Triple(node, RDF_TYPE, expand_curie("vcard:Kind"))
    yield ox.Triple(node, expand_curie(property_name), ox.NamedNode(address))

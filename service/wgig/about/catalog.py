"""/catalog: what there is to get, as DCAT 3: all that the graph dcat holds, and what does not stand in it.

Graphs speak of themselves, and whom to write to is a setting. A dump holds the graph dcat, which so cannot
hold size and digest of the dump: they are read from the files. No write makes those, but who asks for the
catalog does, once for each state of the store, as who asks for a dump.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

import pyoxigraph as ox
from anyio.to_thread import run_sync
from fastapi import Response

from ..graphs.dependencies import DumpsDep
from ..graphs.description.dcat import DCAT_DUMP_FORMATS, DcatCatalog, english_literal
from ..graphs.dumps import DumpFile, StoreDumps
from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS
from ..pages.dependencies import ContextDep, RequestContext
from ..rdf.formats import GRAPH_FORMATS, HTML
from ..rdf.literals import build_typed_literal
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DCTERMS_HAS_PART,
    DCTERMS_LICENSE,
    DCTERMS_MODIFIED,
    DCTERMS_NAMESPACE,
    DCTERMS_SOURCE,
    DCTERMS_TITLE,
    RDF_TYPE,
    SPDX_SHA256,
    expand_curie,
)
from ..resources.alternates import Resource
from ..resources.profile_negotiation import (
    LANGUAGE_NEUTRAL_HEADERS,
    Preferences,
    asks_for_profile,
    parse_format_preferences,
)
from ..resources.profiles import profiles_by_token
from ..resources.representation import respond_with_resource
from ..store.errors import StoreError
from .well_known import read_description_graph, redirect_to_graph_page, serialize_localized_triples

CATALOG_NAME = "dcat"  # the token of its profile, and the name of the graph that the catalog is kept in
CATALOG_DUMPS_TIMEOUT_SECONDS = 5  # seconds for the dumps
DATASET_PROPERTY, DISTRIBUTION_PROPERTY = (
    expand_curie(name) for name in ("dcat:dataset", "dcat:distribution")
)
DERIVED_FROM_PROPERTY = expand_curie("prov:wasDerivedFrom")

Triples = list[ox.Triple]


async def get_catalog(context: ContextDep, dumps: DumpsDep) -> Response:
    """The catalog of what there is to get. Raises Problem 400, 404, 406.

    Where the dumps are not made in time, or the disk fails, it comes without their sizes and digests, and is
    not kept.
    """
    request = context.request
    check_query_parameters(request, ("_mediatype", "_profile"))
    formats = GRAPH_FORMATS if asks_for_profile(request) else (*GRAPH_FORMATS, HTML)
    profile = replace(profiles_by_token(context.base)[CATALOG_NAME], formats=formats)
    asked = parse_format_preferences(
        context, formats, request.path_params.get("suffix", ""), {CATALOG_NAME: profile}
    )
    if asked.representations[0].format is HTML and not asked.wants_listing:
        return redirect_to_graph_page(CATALOG_NAME)
    stored = await run_sync(read_description_graph, context, CATALOG_NAME)
    return await run_sync(respond_with_catalog, context, asked, stored, await wait_for_dumps(dumps))


async def wait_for_dumps(dumps: StoreDumps) -> list[DumpFile]:
    """The dumps of what the store holds now, those that can be made and are made in time."""
    names = [f"{syntax.suffix}.{coding.suffix}" for syntax, coding in DCAT_DUMP_FORMATS]
    futures = [asyncio.wrap_future(dumps.get_current(name)) for name in names]
    done, _ = await asyncio.wait(futures, timeout=CATALOG_DUMPS_TIMEOUT_SECONDS)
    return [one.result() for one in done if not isinstance(one.exception(), StoreError)]


def respond_with_catalog(
    context: RequestContext, asked: Preferences, stored: Triples, dumps: list[DumpFile]
) -> Response:
    """The catalog with all that is said of what stands in it."""
    offered = DcatCatalog(context.base)
    told = list(iter_self_descriptions(context, stored))
    contacts = context.settings.contact.split()
    triples = [
        *stored,
        *(source_as_derivation(one) for one in told),
        *(
            ox.Triple(offered.node, DCTERMS_MODIFIED, one.object)
            for one in told
            if is_about_dataset(one, offered, DCTERMS_MODIFIED)
        ),
        *iter_default_descriptions(stored, told),
        *iter_license_triples(stored, told, offered),
        *chain.from_iterable(iter_dump_triples(one, offered) for one in dumps),
        *chain.from_iterable(
            iter_contact_triples(one, number, offered) for number, one in enumerate(contacts, 1)
        ),
    ]
    subject = Resource(
        offered.node.value,
        "/catalog",
        lambda: (),
        partial(serialize_localized_triples, context, triples),
        formats=GRAPH_FORMATS,
        own_profile=CATALOG_NAME,
    )
    kept = {} if len(dumps) == len(DCAT_DUMP_FORMATS) else NO_STORE_HEADERS
    return respond_with_resource(context, asked, subject, headers=LANGUAGE_NEUTRAL_HEADERS | kept)


def is_about_dataset(triple: ox.Triple, offered: DcatCatalog, property_: ox.NamedNode) -> bool:
    """Whether it tells this of the dataset of all graphs."""
    return triple.subject == offered.dataset and triple.predicate == property_


def iter_self_descriptions(context: RequestContext, stored: Triples) -> Iterator[ox.Triple]:
    """What other graphs say of the datasets of the catalog: title, license, sources, the last change."""
    store = context.store
    # It tells when a graph was shipped, which may have changed since.
    apart = ox.NamedNode(f"{context.base}graph/catalog")
    for listed in stored:
        if listed.predicate == DATASET_PROPERTY:
            for one in store.match(listed.object):  # type: ignore[arg-type]
                if one.predicate.value.startswith(DCTERMS_NAMESPACE) and one.graph_name != apart:
                    yield one.triple


def source_as_derivation(triple: ox.Triple) -> ox.Triple:
    """The same, but of a source that the dataset was derived from it (PROV-DC, section 3.1).

    In DCAT-AP a source is another dataset, and ours are pages.
    """
    return (
        ox.Triple(triple.subject, DERIVED_FROM_PROPERTY, triple.object)
        if triple.predicate == DCTERMS_SOURCE
        else triple
    )


def iter_default_descriptions(stored: Triples, told: Triples) -> Iterator[ox.Triple]:
    """A title and a description for each graph that has none, as every dataset must have them."""
    has = {(one.subject, one.predicate) for one in told}
    for one in stored:
        if one.predicate == DCTERMS_HAS_PART and isinstance(one.object, ox.NamedNode):
            if (one.object, DCTERMS_TITLE) not in has:
                yield ox.Triple(one.object, DCTERMS_TITLE, ox.Literal(one.object.value))
            if (one.object, DCTERMS_DESCRIPTION) not in has:
                yield ox.Triple(
                    one.object,
                    DCTERMS_DESCRIPTION,
                    english_literal("A graph that does not describe itself."),
                )


def iter_license_triples(stored: Triples, told: Triples, offered: DcatCatalog) -> Iterator[ox.Triple]:
    """The license of each file of which all that it holds has the same, as a file may have one at most."""
    of = dict[object, set[ox.NamedNode]]()
    for one in told:
        if one.predicate == DCTERMS_LICENSE and isinstance(one.object, ox.NamedNode):
            of.setdefault(one.subject, set()).add(one.object)
            yield ox.Triple(one.object, RDF_TYPE, expand_curie("dcterms:LicenseDocument"))
    parts = [of.get(one.object, set()) for one in stored if one.predicate == DCTERMS_HAS_PART]
    of[offered.dataset] = set().union(*parts) if all(parts) else set()
    for one in stored:
        found = of.get(one.subject, set())
        if (
            one.predicate == DISTRIBUTION_PROPERTY
            and isinstance(one.object, ox.NamedNode)
            and len(found) == 1
        ):
            yield ox.Triple(one.object, DCTERMS_LICENSE, *found)


def iter_dump_triples(dump: DumpFile, offered: DcatCatalog) -> Iterator[ox.Triple]:
    """How large a dump is, and its digest (SPDX)."""
    file = offered.distribution_node(dump.name)
    size, digest = str(dump.path.stat().st_size), ox.NamedNode(f"{file.value}-checksum")
    yield ox.Triple(file, expand_curie("dcat:byteSize"), build_typed_literal(size, "nonNegativeInteger"))
    yield ox.Triple(file, expand_curie("spdx:checksum"), digest)
    yield ox.Triple(digest, RDF_TYPE, expand_curie("spdx:Checksum"))
    yield ox.Triple(digest, expand_curie("spdx:algorithm"), SPDX_SHA256)
    yield ox.Triple(
        digest, expand_curie("spdx:checksumValue"), build_typed_literal(dump.digest.hex(), "hexBinary")
    )
    yield ox.Triple(SPDX_SHA256, RDF_TYPE, expand_curie("spdx:ChecksumAlgorithm"))


def iter_contact_triples(address: str, number: int, offered: DcatCatalog) -> Iterator[ox.Triple]:
    """Whom to write to, where the operator of the service names somebody."""
    node = ox.NamedNode(f"{offered.node.value}#contact-{number}")
    place = "vcard:hasEmail" if address.startswith("mailto:") else "vcard:hasURL"
    yield ox.Triple(offered.dataset, expand_curie("dcat:contactPoint"), node)
    yield ox.Triple(node, RDF_TYPE, expand_curie("vcard:Kind"))
    yield ox.Triple(node, expand_curie(place), ox.NamedNode(address))

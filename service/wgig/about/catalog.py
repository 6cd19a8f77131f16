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
from fastapi import Request, Response

from ..graphs.description.dcat import DUMPS, TYPE, Catalog, english
from ..graphs.dumps import Dump, Dumps
from ..http.parameters import only
from ..rdf.formats import GRAPHS, HTML
from ..rdf.namespaces import OUTSIDE
from ..rdf.serialization import term
from ..resources.alternates import Subject
from ..resources.negotiation import SAME_IN_ALL, Wish, asks_for_profile, wish_alone
from ..resources.profiles import profiles
from ..resources.representation import represent
from ..store.errors import StoreError
from ..store.store import Store
from .well_known import own, page_of, written

DCAT = "dcat"  # the token of its profile, and the name of the graph that the catalog is kept in
PATIENCE = 5  # seconds for the dumps
LISTED, PART, FILE = (term(name) for name in ("dcat:dataset", "dcterms:hasPart", "dcat:distribution"))
TITLED, DESCRIBED, LICENSE, MODIFIED, SOURCE, DERIVED = (
    term(name)
    for name in (
        "dcterms:title",
        "dcterms:description",
        "dcterms:license",
        "dcterms:modified",
        "dcterms:source",
        "prov:wasDerivedFrom",
    )
)
SHA256 = term("spdx:checksumAlgorithm_sha256")

Triples = list[ox.Triple]


async def catalog(request: Request) -> Response:
    """The catalog of what there is to get. Raises Problem 400, 404, 406.

    Where the dumps are not made in time, or the disk fails, it comes without their sizes and digests, and is
    not kept.
    """
    only(request, ("_mediatype", "_profile"))
    formats = GRAPHS if asks_for_profile(request) else (*GRAPHS, HTML)
    profile = replace(profiles(request.app.state.settings.base)[DCAT], formats=formats)
    asked = wish_alone(request, formats, request.path_params.get("suffix", ""), {DCAT: profile})
    if asked.choices[0].format is HTML and not asked.listing:
        return page_of(DCAT)
    stored = await run_sync(own, request, DCAT)
    dumps = await made(request.app.state.dumps)
    return await run_sync(whole, request, asked, stored, dumps)


async def made(dumps: Dumps) -> list[Dump]:
    """The dumps of what the store holds now, those that can be made and are made in time."""
    names = [f"{syntax.suffix}.{coding.suffix}" for syntax, coding in DUMPS]
    futures = [asyncio.wrap_future(dumps.current(name)) for name in names]
    done, _ = await asyncio.wait(futures, timeout=PATIENCE)
    return [one.result() for one in done if not isinstance(one.exception(), StoreError)]


def whole(request: Request, asked: Wish, stored: Triples, dumps: list[Dump]) -> Response:
    """The catalog with all that is said of what stands in it."""
    offered = Catalog(request.app.state.settings.base)
    told = list(of_themselves(request, stored))
    contacts = request.app.state.settings.contact.split()
    triples = [
        *stored,
        *(derived(one) for one in told),
        *(ox.Triple(offered.node, MODIFIED, one.object) for one in told if about(one, offered, MODIFIED)),
        *untold(stored, told),
        *licenses(stored, told, offered),
        *chain.from_iterable(measured(one, offered) for one in dumps),
        *chain.from_iterable(contact(one, number, offered) for number, one in enumerate(contacts, 1)),
    ]
    subject = Subject(
        offered.node.value,
        "/catalog",
        lambda: (),
        partial(written, request, triples),
        formats=GRAPHS,
        own=DCAT,
    )
    kept = {} if len(dumps) == len(DUMPS) else {"Cache-Control": "no-store"}
    return represent(request, asked, subject, headers=SAME_IN_ALL | kept)


def about(triple: ox.Triple, offered: Catalog, property_: ox.NamedNode) -> bool:
    """Whether it tells this of the dataset of all graphs."""
    return triple.subject == offered.dataset and triple.predicate == property_


def of_themselves(request: Request, stored: Triples) -> Iterator[ox.Triple]:
    """What other graphs say of the datasets of the catalog: title, license, sources, the last change."""
    store: Store = request.app.state.store
    # It tells when a graph was shipped, which may have changed since.
    apart = ox.NamedNode(f"{request.app.state.settings.base}graph/catalog")
    for listed in stored:
        if listed.predicate == LISTED:
            for one in store.match(listed.object):  # type: ignore[arg-type]
                if one.predicate.value.startswith(OUTSIDE["dcterms"]) and one.graph_name != apart:
                    yield one.triple


def derived(triple: ox.Triple) -> ox.Triple:
    """The same, but of a source that the dataset was derived from it (PROV-DC, section 3.1).

    In DCAT-AP a source is another dataset, and ours are pages.
    """
    return ox.Triple(triple.subject, DERIVED, triple.object) if triple.predicate == SOURCE else triple


def untold(stored: Triples, told: Triples) -> Iterator[ox.Triple]:
    """A title and a description for each graph that has none, as every dataset must have them."""
    has = {(one.subject, one.predicate) for one in told}
    for one in stored:
        if one.predicate == PART and isinstance(one.object, ox.NamedNode):
            if (one.object, TITLED) not in has:
                yield ox.Triple(one.object, TITLED, ox.Literal(one.object.value))
            if (one.object, DESCRIBED) not in has:
                yield ox.Triple(one.object, DESCRIBED, english("A graph that does not describe itself."))


def licenses(stored: Triples, told: Triples, offered: Catalog) -> Iterator[ox.Triple]:
    """The license of each file of which all that it holds has the same, as a file may have one at most."""
    of = dict[object, set[ox.NamedNode]]()
    for one in told:
        if one.predicate == LICENSE and isinstance(one.object, ox.NamedNode):
            of.setdefault(one.subject, set()).add(one.object)
            yield ox.Triple(one.object, TYPE, term("dcterms:LicenseDocument"))
    parts = [of.get(one.object, set()) for one in stored if one.predicate == PART]
    of[offered.dataset] = set().union(*parts) if all(parts) else set()
    for one in stored:
        found = of.get(one.subject, set())
        if one.predicate == FILE and isinstance(one.object, ox.NamedNode) and len(found) == 1:
            yield ox.Triple(one.object, LICENSE, *found)


def measured(dump: Dump, offered: Catalog) -> Iterator[ox.Triple]:
    """How large a dump is, and its digest (SPDX)."""
    file = offered.file(dump.name)
    size, digest = str(dump.path.stat().st_size), ox.NamedNode(f"{file.value}-checksum")
    yield ox.Triple(file, term("dcat:byteSize"), typed(size, "nonNegativeInteger"))
    yield ox.Triple(file, term("spdx:checksum"), digest)
    yield ox.Triple(digest, TYPE, term("spdx:Checksum"))
    yield ox.Triple(digest, term("spdx:algorithm"), SHA256)
    yield ox.Triple(digest, term("spdx:checksumValue"), typed(dump.digest.hex(), "hexBinary"))
    yield ox.Triple(SHA256, TYPE, term("spdx:ChecksumAlgorithm"))


def contact(address: str, number: int, offered: Catalog) -> Iterator[ox.Triple]:
    """Whom to write to, where the operator of the service names somebody."""
    node = ox.NamedNode(f"{offered.node.value}#contact-{number}")
    place = "vcard:hasEmail" if address.startswith("mailto:") else "vcard:hasURL"
    yield ox.Triple(offered.dataset, term("dcat:contactPoint"), node)
    yield ox.Triple(node, TYPE, term("vcard:Kind"))
    yield ox.Triple(node, term(place), ox.NamedNode(address))


def typed(text: str, datatype: str) -> ox.Literal:
    """A literal of a datatype of XML Schema."""
    return ox.Literal(text, datatype=term(f"xsd:{datatype}"))

"""Records of OAI-PMH 2.0: resources as XML, in the metadata formats `oai_dc` and `rdf`.

A record in `rdf` has the stated statements about its resource as of its datestamp. A record in `oai_dc` is
the profile `oai_dc` of the resource, which also has the names of the resources that it refers to, as of now.
In `rdf`, statements that XML cannot express are left out, and a comment says how many; in `oai_dc`, U+FFFD
replaces characters that XML does not allow.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from xml.sax.saxutils import escape

import pyoxigraph as ox

from ..pages.dependencies import RequestContext
from ..pages.rendering import build_static_path, find_href
from ..rdf.formats import RDF_XML
from ..rdf.namespaces import RDF_NAMESPACE, RDFS_LABEL
from ..rdf.serialization import UnserializableError, serialize_triples
from ..resources.mappings import (
    OAI_DC_NAMESPACE,
    OAI_DC_SCHEMA_URL,
    build_oai_dc_element,
    map_to_profile,
)
from ..resources.profiles import profiles_by_token
from ..store.labels import find_labels
from ..store.resource_versions.database import ResourceVersions, top_level_kind
from ..store.resource_versions.members import ACTIVITY_DELETE
from ..store.resource_versions.queries import LastChange, read_last_states
from ..text import clean_xml_text
from .oai_request import DATESTAMP_FORMAT_CHARACTERS, SET_NAME_PATTERN

XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance"
RDF_START_TAG = "<rdf:RDF "

# Writes the metadata of records: returns an XML element for each resource, by IRI.
MetadataWriter = Callable[[RequestContext, ResourceVersions, Sequence[str]], Mapping[str, str]]


class MetadataFormat(NamedTuple):
    """A metadata format: its namespace, the URL or path of its XML Schema, and its writer."""

    namespace: str
    schema: str
    write: MetadataWriter


def write_dublin_core(context: RequestContext, _: ResourceVersions, iris: Sequence[str]) -> Mapping[str, str]:
    """The resources as simple Dublin Core."""
    return {iri: build_dublin_core(context, iri) for iri in iris}


def build_dublin_core(context: RequestContext, iri: str) -> str:
    """A resource as an element of simple Dublin Core."""
    triples = [quad.triple for quad in context.store.match(ox.NamedNode(iri))]
    objects = {triple.object.value for triple in triples if isinstance(triple.object, ox.NamedNode)}
    labels = find_labels(context.store, objects - {iri})
    triples += (ox.Triple(ox.NamedNode(object_), RDFS_LABEL, label) for object_, label in labels.items())
    page = f"{str(context.request.base_url).rstrip('/')}{find_href(iri, context.base)}"
    mapped = map_to_profile(profiles_by_token(context.base)["oai_dc"], {iri: page}, triples)
    return clean_xml_text(build_oai_dc_element(mapped, iri))


def write_rdf_records(
    context: RequestContext, versions: ResourceVersions, iris: Sequence[str]
) -> Mapping[str, str]:
    """The stated statements about the resources as RDF/XML, each once, also if several graphs have it."""
    states = read_last_states(versions, iris)
    schema_url = absolute_schema_url(context, METADATA_FORMATS["rdf"])
    return {
        iri: build_rdf_element({quad.triple for quad in states.get(iri, ())}, context.base, schema_url)
        for iri in iris
    }


def build_rdf_element(triples: Iterable[ox.Triple], base: str, schema_url: str) -> str:
    """The triples as an element of RDF/XML, without those that it cannot express."""
    every = list(triples)
    expressed = every
    try:
        body = serialize_triples(every, RDF_XML, base)
    except UnserializableError:
        expressed = [triple for triple in every if is_expressible(triple, base)]
        body = serialize_triples(expressed, RDF_XML, base)
    location = f'xmlns:xsi="{XSI_NAMESPACE}" xsi:schemaLocation="{RDF_NAMESPACE} {schema_url}" '
    _, start, rest = body.decode().partition(RDF_START_TAG)
    left_out = len(every) - len(expressed)
    comment = f"<!-- Left out, as XML cannot express them: {left_out} statements. -->\n" if left_out else ""
    return f"{comment}{start}{location}{rest}"


def is_expressible(triple: ox.Triple, base: str) -> bool:
    """Whether RDF/XML can express a triple."""
    with suppress(UnserializableError):
        return bool(serialize_triples([triple], RDF_XML, base))
    return False


METADATA_FORMATS = {
    "oai_dc": MetadataFormat(OAI_DC_NAMESPACE, OAI_DC_SCHEMA_URL, write_dublin_core),
    "rdf": MetadataFormat(RDF_NAMESPACE, build_static_path("rdf.xsd"), write_rdf_records),
}


def absolute_schema_url(context: RequestContext, format_: MetadataFormat) -> str:
    """The URL of the XML Schema of a metadata format, on the host of the request if it is of this service."""
    host = str(context.request.base_url).rstrip("/")
    return f"{host}{format_.schema}" if format_.schema.startswith("/") else format_.schema


def build_header_element(change: LastChange, base: str) -> str:
    """The header of a record."""
    status = ' status="deleted"' if change.activity == ACTIVITY_DELETE else ""
    kind = top_level_kind(change.iri, base)
    set_element = f"<setSpec>{kind}</setSpec>" if SET_NAME_PATTERN.fullmatch(kind) else ""
    datestamp = f"{change.changed_at[:DATESTAMP_FORMAT_CHARACTERS]}Z"
    return (
        f"<header{status}><identifier>{escape(change.iri)}</identifier>"
        f"<datestamp>{datestamp}</datestamp>{set_element}</header>\n"
    )


def build_record_elements(
    context: RequestContext, versions: ResourceVersions, changes: Sequence[LastChange], prefix: str
) -> str:
    """The records of these changes in a metadata format; the record of a deleted resource has no metadata."""
    existing = [change.iri for change in changes if change.activity != ACTIVITY_DELETE]
    metadata = METADATA_FORMATS[prefix].write(context, versions, existing)
    metadata_elements = {iri: f"<metadata>\n{element}</metadata>\n" for iri, element in metadata.items()}
    records = (
        build_header_element(change, context.base) + metadata_elements.get(change.iri, "")
        for change in changes
    )
    return "".join(f"<record>\n{record}</record>\n" for record in records)

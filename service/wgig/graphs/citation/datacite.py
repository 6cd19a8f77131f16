"""The metadata of a release of the data in DataCite 4.5, with which a repository can register a DOI.

The record has no DOI: the repository adds it, with its prefix.
"""

from collections.abc import Mapping
from typing import Any

from ...rdf.formats import N_QUADS
from ...rdf.namespaces import LICENSE_IRI
from ...settings import SERVICE_TITLE
from ..description.dcat import DATASET_KEYWORDS, PUBLISHER_NAME
from ..description.void import DATASET_TITLE

DATACITE_MEDIA_TYPE = "application/vnd.datacite.datacite+json"
DATACITE_SCHEMA_IRI = "http://datacite.org/schema/kernel-4"
RELEASE_ABSTRACT = (
    "A knowledge graph of the Working Group on Internet Governance (2004-2005): the inventory of issues, "
    "papers, meetings, people, agreements and judgments, each with its source. All stated graphs as N-Quads."
)


def build_datacite_record(release: Mapping[str, Any], base: str) -> dict[str, Any]:
    """The metadata of a release with this record, whose files are described in it."""
    data_file, *_ = release["files"]
    related = [{"relatedIdentifier": base, "relatedIdentifierType": "URL", "relationType": "IsVersionOf"}]
    if release["previous"]:
        related.append(
            {
                "relatedIdentifier": f"{base}releases/{release['previous']}",
                "relatedIdentifierType": "URL",
                "relationType": "IsNewVersionOf",
            }
        )
    digests = "; ".join(f"{file['name']}: {file['sha256']}" for file in release["files"])
    date = release["released"][:10]
    return {
        "schemaVersion": DATACITE_SCHEMA_IRI,
        "types": {"resourceType": "Knowledge graph (RDF)", "resourceTypeGeneral": "Dataset"},
        "creators": [{"name": PUBLISHER_NAME, "nameType": "Organizational"}],
        "titles": [{"title": DATASET_TITLE, "lang": "en"}],
        "publisher": {"name": SERVICE_TITLE},
        "publicationYear": date[:4],
        "version": release["name"],
        "dates": [{"date": date, "dateType": "Issued"}],
        "language": "en",
        "subjects": [{"subject": keyword, "lang": "en"} for keyword in DATASET_KEYWORDS],
        "alternateIdentifiers": [{"alternateIdentifier": release["iri"], "alternateIdentifierType": "URL"}],
        "relatedIdentifiers": related,
        "sizes": [f"{data_file['bytes']} bytes", f"{release['statements']} statements"],
        "formats": [N_QUADS.media_type, data_file["mediaType"]],
        "rightsList": [build_rights(release["license"])] if release["license"] else [],
        "descriptions": [
            {"description": RELEASE_ABSTRACT, "descriptionType": "Abstract", "lang": "en"},
            {"description": f"SHA-256: {digests}", "descriptionType": "TechnicalInfo", "lang": "en"},
        ],
    }


def build_rights(license_: str) -> dict[str, str]:
    """A license by its IRI, with its identifier in SPDX if it is that of the project."""
    if license_ != LICENSE_IRI:
        return {"rights": license_, "rightsUri": license_}
    return {
        "rights": "Creative Commons Attribution 4.0 International",
        "rightsUri": license_,
        "rightsIdentifier": "CC-BY-4.0",
        "rightsIdentifierScheme": "SPDX",
        "schemeUri": "https://spdx.org/licenses/",
    }

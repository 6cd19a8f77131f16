"""Routes of the releases of the data: /releases, the page of each release, and its files."""

from collections.abc import Iterator
from pathlib import Path as FolderPath
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_media_type
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body, respond_with_json
from ..pages.dependencies import ContextDep, RequestContext, StoreDep
from ..pages.names import localized_kind_title
from ..problems import Problem
from ..rdf.formats import GZIP, HTML, JSON, PLAIN_TEXT, Format
from ..rdf.namespaces import LICENSE_IRI, SCHEMA_NAMESPACE
from ..resources.alternates import data_links
from ..resources.representation import render_site_page
from ..resources.signposting import LandingPage, TypedLink, iter_landing_links, list_linkset_links
from .citation.datacite import DATACITE_MEDIA_TYPE
from .description.dcat import PUBLISHER_NAME
from .description.void import DATASET_TITLE
from .dumps import CHECKSUM_SUFFIX, DumpFile
from .dumps_routes import respond_with_digest, respond_with_dump
from .releases import DATACITE_FILE, RELEASE_FILE_TYPES, Release, list_releases
from .schemas import ReleaseDocument, ReleaseList

RELEASES_PATH = "/releases"
PAGE_FORMATS = (JSON, HTML)
DATACITE_FORMAT = Format(DATACITE_MEDIA_TYPE, "json", "DataCite")


class ReleaseParameters(ParameterModel):
    """Query parameters of the list of releases, and of a release."""

    media_type: Text = describe_media_type(PAGE_FORMATS)


ReleaseName = Annotated[str, Path(description="The name of a release.", examples=["2026-12-01"])]
ReleaseFileName = Annotated[
    str, Path(description="The name of a file, or of its digest.", examples=["data.nq.gz"])
]
RELEASES_OPERATION = Operation(formats=PAGE_FORMATS, json=ReleaseList)
RELEASE_OPERATION = Operation(formats=PAGE_FORMATS, json=ReleaseDocument)
RELEASE_FILE_OPERATION = Operation(formats=(GZIP, DATACITE_FORMAT, JSON, PLAIN_TEXT), json=ReleaseDocument)


def get_releases(context: ContextDep, parameters: Annotated[ReleaseParameters, Query()]) -> Response:
    """The releases of the data, the newest first."""
    request = context.request
    format_ = choose_response_format(request, PAGE_FORMATS, parameters.media_type)
    records = [release.record for release in list_releases(context.store.folder)]
    if format_ is HTML:
        return respond_with_body(request, render_site_page(context, "releases.html", releases=records), HTML)
    members = ("name", "iri", "released", "previous", "statements", "graphs")
    return respond_with_json(
        request, {"releases": [{name: record[name] for name in members} for record in records]}
    )


def get_release(
    context: ContextDep, name: ReleaseName, parameters: Annotated[ReleaseParameters, Query()]
) -> Response:
    """A release of the data: its files, and what changed since the release before.

    Raises Problem 404 if there is no such release.
    """
    request = context.request
    format_ = choose_response_format(request, PAGE_FORMATS, parameters.media_type)
    release = find_release(context.store.folder, name)
    record = release.record
    links = [
        *(link.serialize() for link in iter_release_links(record)),
        *list_linkset_links(record["iri"]),
    ]
    if format_ is JSON:
        return respond_with_json(request, record, links=links)
    page = render_site_page(
        context,
        "release.html",
        release=record,
        citation=f"{PUBLISHER_NAME}. “{DATASET_TITLE}”. Release {release.name}. <{record['iri']}>",
        is_common_license=record["license"] == LICENSE_IRI,
        kind_titles={
            counts["kind"]: localized_kind_title(counts["kind"])
            for counts in (record["changes"] or {"kinds": []})["kinds"]
        },
        later=find_later_name(context, release),
    )
    return respond_with_body(request, page, HTML, links=links)


def get_release_file(request: Request, store: StoreDep, name: ReleaseName, file: ReleaseFileName) -> Response:
    """A file of a release, which never changes; with `.sha256`, its digest.

    Raises Problem 404 if there is no such file.
    """
    release = find_release(store.folder, name)
    file_name = file.removesuffix(CHECKSUM_SUFFIX)
    digest = release.digests.get(file_name)
    if digest is None:
        raise Problem(
            404, f"The release {name} has no file {file_name!r}. It has: {', '.join(release.digests)}."
        )
    dump = DumpFile(release.folder / file_name, name, digest)
    if file != file_name:
        return respond_with_digest(request, dump, file_name)
    return respond_with_dump(
        request,
        dump,
        {"Cache-Control": IMMUTABLE_CACHE_CONTROL},
        [f'<{RELEASES_PATH}/{name}>; rel="collection"', *data_links(release.record["license"] or "")],
        RELEASE_FILE_TYPES[file_name],
    )


def find_release(store_folder: FolderPath | None, name: str) -> Release:
    """The release with this name. Raises Problem 404 if there is none."""
    for release in list_releases(store_folder):
        if release.name == name:
            return release
    raise Problem(404, f"There is no release {name!r}. {RELEASES_PATH} lists all releases.")


def find_later_name(context: RequestContext, release: Release) -> str:
    """The name of the newest release if it is another one, else empty."""
    newest, *_ = list_releases(context.store.folder)
    return newest.name if newest.name != release.name else ""


def iter_release_links(record: dict[str, Any]) -> Iterator[TypedLink]:
    """The typed links of the page of a release with this record (FAIR Signposting)."""
    path = f"{RELEASES_PATH}/{record['name']}"
    files = [file for file in record["files"] if file["name"] != DATACITE_FILE]
    content = tuple(TypedLink("item", f"{path}/{file['name']}", file["mediaType"]) for file in files)
    landing = LandingPage(record["iri"], (f"{SCHEMA_NAMESPACE}Dataset",), (), content, RELEASES_PATH)
    yield from iter_landing_links(landing)
    yield TypedLink("describedby", f"{path}/{DATACITE_FILE}", DATACITE_MEDIA_TYPE)
    if record["previous"]:
        yield TypedLink("predecessor-version", f"{RELEASES_PATH}/{record['previous']}")
    if record["license"]:
        yield TypedLink("license", record["license"])

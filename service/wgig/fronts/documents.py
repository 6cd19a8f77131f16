"""Descriptions of resources in RDF formats, by a front process with a query worker.

The writer responds to all other requests for resources, such as those for pages.
"""

from collections.abc import Iterable
from functools import partial
from typing import cast

from fastapi import Request, Response

from ..http.jsonld_profiles import FRAMED_PROFILE, parse_jsonld_profiles
from ..pages.dependencies import RequestContext
from ..problems import Problem
from ..resources.alternates import Resource
from ..resources.profile_negotiation import parse_preferences
from ..resources.profiles import DEFAULT_PROFILE_FORMATS, DEFAULT_PROFILE_TOKEN
from ..resources.representation import SUFFIXED_PATH_PATTERN, respond_with_resource
from ..resources.routes import (
    NO_RESOURCE_PARAMETERS,
    doc_path,
    find_collection_path,
    list_document_links,
    parse_resource_path,
)
from ..resources.signposting import LandingPage, list_schema_types
from ..settings import Settings
from ..sparql.running import request_client_address
from ..sparql.workers.description import WORKER_FORMATS, SerializedDescription, make_description_job
from ..sparql.workers.protocol import QueryFault
from ..store.store import Store
from .workers import FrontWorkers

DOCUMENT_ROUTE = "/doc/{path:path}"


def build_data_landing(iri: str, types: Iterable[str], base: str) -> LandingPage:
    """The landing page of a resource, as far as responses with data need it."""
    return LandingPage(iri, list_schema_types(types, base), collection=find_collection_path(iri, base))


async def answer_front_document(
    request: Request, settings: Settings, workers: FrontWorkers
) -> Response | None:
    """The description of the resource at the path of a request without parameters.

    None if the writer must respond: in other formats and profiles, with a problem, for folders, and for
    resources with very many statements.
    """
    if FRAMED_PROFILE in parse_jsonld_profiles(request.headers.getlist("accept")):
        return None
    context = RequestContext(request, settings, cast(Store, None), None)
    path = request.scope["path"].removeprefix("/doc/")
    suffixed = SUFFIXED_PATH_PATTERN.fullmatch(path)
    path, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (path, "")
    try:
        preferences = parse_preferences(context, NO_RESOURCE_PARAMETERS, DEFAULT_PROFILE_FORMATS, suffix)
        first = preferences.representations[0]
        if first.profile.token != DEFAULT_PROFILE_TOKEN or first.format not in WORKER_FORMATS:
            return None
        iri = parse_resource_path(context, path)
        job = make_description_job(iri, first.format, preferences.languages.ranges, settings.base)
        result = await workers.start_query(job, request_client_address(request))
        try:
            packed = await result.read_all()
        except BaseException:
            result.close()
            raise
    except (Problem, QueryFault):  # the writer describes it, perhaps as a page
        return None
    if not packed:
        return None
    description = SerializedDescription.unpack(packed)
    resource = Resource(
        iri,
        doc_path(path),
        lambda: (),
        lambda _: description.body,
        frozenset(description.types),
        landing=partial(build_data_landing, iri, description.types, settings.base),
    )
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=list_document_links(iri),
        find_languages=lambda _: description.languages,
    )

"""Resources as linked data: /id/… redirects to the description /doc/….

A folder is a path of resources, such as /doc/issue, and lists them.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Annotated, Any
from urllib.parse import quote, unquote_to_bytes

import pyoxigraph as ox
from anyio import from_thread
from fastapi import Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from wgig_client.namespaces import EXTERNAL_NAMESPACES

from ..http import bodies, language
from ..http.jsonld_profiles import FRAMED_PROFILE, describe_jsonld_type, parse_jsonld_profiles
from ..http.language import StatementLike
from ..http.operations import Operation
from ..http.parameters import (
    add_url_parameters,
    check_query_parameters,
    request_base_url,
)
from ..i18n import gettext_noop
from ..pages import names, rendering
from ..pages.dependencies import ContextDep, RequestContext, get_context
from ..problems import Problem, build_sentence
from ..rdf import jsonld
from ..rdf.formats import HTML, JSON, JSON_LD, Format
from ..rdf.json_layout import serialize_json_body
from ..rdf.jsonld import FRAME_TYPES, FRAMES_BY_TYPE, compact_triples, embed_used_context
from ..rdf.namespaces import RDFS_LABEL, expand_curie
from ..sparql.examples import find_examples_by_keyword
from ..sparql.workers.description import find_document_iri, iter_document_triples
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.projection import ResourceVersionsProjection
from . import existence, plain_json
from .alternates import Resource
from .dependencies import ResourceVersionsDep, get_resource_versions
from .description import (
    ResourceDescription,
    describe_resource,
    is_known_iri,
    iter_type_triples,
    stated_types,
    statements_about,
)
from .mappings import resource_markup
from .parameters import (
    ACCEPT_PROFILE_HEADER,
    DESCRIPTION_FORMATS,
    INVERSE_PARAMETERS,
    NEGOTIATION_PARAMETERS,
    ResourceParameters,
    make_profile_operation,
)
from .profile_negotiation import (
    NEGOTIATION_VARY,
    Preferences,
    parse_preferences,
    requests_profile,
)
from .profiles import DEFAULT_PROFILE_FORMATS, DEFAULT_PROFILE_TOKEN, default_profile
from .representation import (
    CONTEXT_PATH,
    SUFFIXED_PATH_PATTERN,
    address_with_parameters,
    choose_representation,
    item_list_markup,
    ontology_context,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from .resource_page import render_inverse_page, render_resource_page
from .schemas import FramedDocument, GraphDocument, ResourceDocument
from .signposting import LandingPage, describe_landing_page

FOLDER_VERSIONS_TIMEOUT_SECONDS = 5  # how long a folder waits for the last commits
BIBTEX_MEDIA_TYPE = "application/x-bibtex"
CITATION_LINK_TEMPLATE = (
    f'</cite?iri={{}}&_mediatype={BIBTEX_MEDIA_TYPE}>; rel="describedby"; type="{BIBTEX_MEDIA_TYPE}"'
)
FRAMED_FORMATS = (JSON_LD, JSON)
INVERSE_FORMATS = (JSON, HTML)
NON_IRI_CHARACTERS = re.compile(r'[\x00-\x20<>"{}|^`\\%]')

FOAF_BASE_IRI = EXTERNAL_NAMESPACES["foaf"]


ResourcePath = Annotated[
    str, Path(description="The kind and the name of a resource, as in its IRI.", examples=["issue/spam"])
]
NO_RESOURCE_PARAMETERS = ResourceParameters()
RESOURCE_OPERATION = Operation(status=303, headers=(ACCEPT_PROFILE_HEADER,))
DOCUMENT_OPERATION = make_profile_operation(
    DESCRIPTION_FORMATS, ResourceDocument | GraphDocument | FramedDocument
)


def get_resource(
    context: ContextDep,
    resource_versions: ResourceVersionsDep,
    path: ResourcePath,
    parameters: Annotated[ResourceParameters, Query()],
) -> Response:
    """The IRI of a resource or folder: a 303 redirect to its description, in the requested profile.

    Raises Problem 400 for an invalid parameter, 404 if nothing is known about it, and 406 for a profile that
    does not apply to it.
    """
    request = context.request
    iri, document_path = parse_resource_path(context, path), doc_path(path)
    pairs = bodies.get_query_parameters(request)
    parse_frame_name(parameters.frame)
    has_profile = requests_profile(request, parameters)
    preferences = (
        parse_preferences(context, parameters, DEFAULT_PROFILE_FORMATS) if pairs or has_profile else None
    )
    store = context.store
    is_known = is_known_iri(store, iri)
    if not is_known and not existence.is_folder(wait_for_versions(resource_versions), iri):
        suffixed = SUFFIXED_PATH_PATTERN.fullmatch(path)
        if suffixed and is_known_iri(store, parse_resource_path(context, suffixed["path"])):
            location = add_url_parameters(document_path, pairs)
            return Response(status_code=303, headers={"Location": location, "Vary": NEGOTIATION_VARY})
        raise missing_resource_problem(context, resource_versions, iri)
    fields = {"Link": f'<{document_path}>; rel="describedby"', "Vary": NEGOTIATION_VARY}
    if preferences and has_profile:
        types = stated_types(statements_about(store, [iri])) if is_known else None
        # Only to choose a representation, so it has neither triples nor a body.
        resource = Resource(iri, document_path, lambda: (), lambda _: b"", types)
        representation = choose_representation(preferences, resource, context.base)
        fields["Content-Profile"] = f"<{representation.profile.iri}>"
        token = "all" if preferences.wants_listing else representation.profile.token
        pairs = [*(pair for pair in pairs if pair[0] != "_profile"), ("_profile", token)]
    location = add_url_parameters(document_path, pairs)
    return Response(status_code=303, headers={"Location": location, **fields})


async def get_plain_document(request: Request) -> Response:
    """The response of `get_resource_document` to a request without parameters.

    FastAPI needs 0.4 ms of CPU to find the route and to parse parameters, a third of the time of a response.
    """
    context, resource_versions = await get_context(request), await get_resource_versions(request)
    path = request.scope["path"].removeprefix("/doc/")
    return await run_in_threadpool(
        get_resource_document, context, resource_versions, path, NO_RESOURCE_PARAMETERS
    )


def get_resource_document(
    context: ContextDep,
    resource_versions: ResourceVersionsDep,
    path: ResourcePath,
    parameters: Annotated[ResourceParameters, Query()],
) -> Response:
    """The description of a resource, or the list of the resources in a folder.

    Raises Problem 400 for an invalid parameter, 404 if nothing is known about it, 406 without an acceptable
    format or profile.
    """
    request = context.request
    suffixed = SUFFIXED_PATH_PATTERN.fullmatch(path)
    path, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (path, "")
    frame = parse_frame_name(parameters.frame)
    if frame:
        return respond_with_frame(context, parameters, path, suffix, frame)
    pairs = [pair for pair in bodies.get_query_parameters(request) if pair[0] in INVERSE_PARAMETERS]
    preferences = (
        parse_inverse_preferences(context, parameters, suffix)
        if pairs
        else parse_preferences(context, parameters, DEFAULT_PROFILE_FORMATS, suffix)
    )
    iri = parse_resource_path(context, path)
    description = describe_resource(context.store, iri, preferences.languages)
    if description is None:
        if pairs and not existence.is_folder(wait_for_versions(resource_versions), iri):
            raise unknown_resource_problem(iri)
        check_query_parameters(request, (*NEGOTIATION_PARAMETERS, "after"))
        return respond_with_folder(context, resource_versions, preferences, iri, doc_path(path))
    frame = "" if pairs else find_requested_frame(context, preferences, description)
    if frame:
        return respond_with_frame(context, parameters, path, suffix, frame)
    if parameters.after is not None:
        raise Problem(400, "The parameter after is for a list of resources, and this is a single resource.")
    base, build_facts = context.base, cache(partial(build_resource_facts, context, description))

    def find_languages(format_: Format) -> Iterable[str]:
        if format_ is JSON:
            return plain_json.iter_json_languages(build_facts())
        return description_languages(description)

    resource = Resource(
        iri,
        doc_path(path),
        partial(profile_source_triples, context, description),
        partial(serialize_resource_body, context, preferences, description, build_facts),
        None if pairs else stated_types(description.statements),
        INVERSE_FORMATS if pairs else DEFAULT_PROFILE_FORMATS,
        pairs=pairs,
        landing=None if pairs else partial(describe_document_page, iri, description.statements, base),
    )
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=list_document_links(iri),
        find_languages=find_languages,
    )


def describe_document_page(iri: str, statements: Iterable[StatementLike], base: str) -> LandingPage:
    """The landing page of a resource."""
    return describe_landing_page(iri, statements, base, find_collection_path(iri, base))


def find_collection_path(iri: str, base: str) -> str:
    """The path of the list of the folder that a resource is in; empty if there is none."""
    folder = iri.removeprefix(f"{base}id/").rpartition("/")[0]
    return doc_path(folder) if folder else ""


def find_requested_frame(
    context: RequestContext, preferences: Preferences, description: ResourceDescription
) -> str:
    """The frame for the type of a resource, if a client prefers JSON-LD in a frame, by the profile in Accept.

    Empty for other clients and types.
    """
    first = preferences.representations[0]
    if first.format is not JSON_LD or first.profile.token != DEFAULT_PROFILE_TOKEN:
        return ""
    if FRAMED_PROFILE not in parse_jsonld_profiles(context.request.headers.getlist("accept")):
        return ""
    prefix, types = f"{context.base}ontology#", stated_types(description.statements)
    return max((FRAMES_BY_TYPE.get(type_.removeprefix(prefix), "") for type_ in types), default="")


def parse_frame_name(name: str | None) -> str:
    """The frame that `_frame` names, or empty. Raises Problem 400 if there is no such frame."""
    if name is not None and name not in FRAME_TYPES:
        raise Problem(400, f"There is no frame {name!r}. Set _frame to one of: {', '.join(FRAME_TYPES)}.")
    return name or ""


def parse_inverse_preferences(
    context: RequestContext, parameters: ResourceParameters, suffix: str
) -> Preferences:
    """The preferences of a request for a page of the resources that point to one (`?inverse=`).

    Raises Problem 400 for other parameters, such as `after`.
    """
    check_query_parameters(context.request, (*NEGOTIATION_PARAMETERS, *INVERSE_PARAMETERS))
    profiles = {DEFAULT_PROFILE_TOKEN: default_profile(context.base)}
    return parse_preferences(context, parameters, INVERSE_FORMATS, suffix, profiles)


def respond_with_frame(
    context: RequestContext, parameters: ResourceParameters, path: str, suffix: str, frame: str
) -> Response:
    """The description of a resource as JSON in a frame.

    Raises Problem 400 for other parameters such as `inverse`, 404 if nothing is known about the resource, 406
    if the frame is not for its type.
    """
    base = context.base
    check_query_parameters(context.request, (*NEGOTIATION_PARAMETERS, "_frame"))
    profiles = {DEFAULT_PROFILE_TOKEN: default_profile(base)}
    preferences = parse_preferences(context, parameters, FRAMED_FORMATS, suffix, profiles)
    iri = parse_resource_path(context, path)
    description = describe_resource(context.store, iri, preferences.languages)
    if description is None:
        raise unknown_resource_problem(iri)

    @cache
    def write(_: Format) -> bytes:
        jsonld_context = ontology_context(context)
        document = embed_used_context(
            compact_triples(description_triples(description, base), jsonld_context, CONTEXT_PATH),
            jsonld_context,
        )
        return serialize_json_body(jsonld.frame_document(document, iri, frame, jsonld_context))

    pairs = [("_frame", frame)]
    resource = Resource(iri, doc_path(path), lambda: (), write, formats=FRAMED_FORMATS, pairs=pairs)
    response = respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=[about_link(iri)],
        find_languages=lambda format_: language.list_statement_languages(
            ox.parse(write(format_), ox.RdfFormat.JSON_LD)
        ),
    )
    if parameters.frame is None and response.status_code == 200:  # by the profile in Accept
        response.headers["Content-Type"] = describe_jsonld_type([FRAMED_PROFILE])
    return response


def respond_with_folder(
    context: RequestContext,
    resource_versions: ResourceVersionsProjection,
    preferences: Preferences,
    iri: str,
    path: str,
) -> Response:
    """A page of the list of a folder; `?after=` names the last resource of the previous page.

    Raises Problem 404 for an empty page.
    """
    after = parse_after_parameter(context.request, iri)
    listing = existence.list_folder(
        wait_for_versions(resource_versions), context.store, iri, after, preferences.languages.ranges
    )
    if not listing.resources and not listing.folders:
        if after and existence.is_folder(wait_for_versions(resource_versions), iri):
            raise Problem(404, f"Nothing comes after {after} in this list. It begins at {path}.")
        raise missing_resource_problem(context, resource_versions, iri)
    labels = language.keep_requested_languages([*label_triples(listing.resources)], preferences.languages)
    next_address = (
        address_with_parameters(context.request, [("after", listing.after)]) if listing.after else ""
    )

    def write(format_: Format) -> bytes:
        if format_ is HTML:
            kind = iri.removeprefix(f"{context.base}id/")
            plain_labels = {
                member_iri: ox.Literal(label.value) for member_iri, label in listing.resources.items()
            }
            values = {
                "title": names.localized_kind_title(kind),
                "folder": iri,
                "listing": listing,
                "next_address": next_address,
                "markup": item_list_markup(context, names.kind_title(kind), plain_labels, len(plain_labels)),
                "examples": find_examples_by_keyword(f"{kind}s"),
            }
            return render_site_page(context, "kind.html", **values)
        member_triples = (
            ox.Triple(ox.NamedNode(iri), expand_curie("rdfs:member"), ox.NamedNode(member_iri))
            for member_iri in listing.resources
        )
        return serialize_graph_body(context, [*member_triples, *labels], format_)

    resource = Resource(iri, path, lambda: (), write, pairs=[("after", after)] if after else [])
    links = [about_link(iri), *([f'<{next_address}>; rel="next"'] if next_address else [])]
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=links,
        find_languages=lambda _: language.list_statement_languages(labels),
    )


def parse_after_parameter(request: Request, iri: str) -> str:
    """The name in `?after=`, after which the page of a list begins; empty for the first page.

    Raises Problem 400 if it is empty or has a slash.
    """
    values = bodies.parameter_values(bodies.get_query_parameters(request), "after")
    if values and (not values[0] or "/" in values[0]):
        raise Problem(
            400,
            f"after is {values[0]!r}, which names no resource of this list. Give the part of an IRI after "
            f'<{iri}/>, or follow the links with rel="next".',
        )
    return values[0] if values else ""


def wait_for_versions(resource_versions: ResourceVersionsProjection) -> ResourceVersions:
    """The versions of resources, with all commits. Call this from a worker thread.

    Raises Problem 503 after a timeout.
    """
    return from_thread.run(resource_versions.get_versions, FOLDER_VERSIONS_TIMEOUT_SECONDS)


def serialize_resource_body(
    context: RequestContext,
    preferences: Preferences,
    description: ResourceDescription,
    build_facts: Callable[[], dict[str, Any]],
    format_: Format,
) -> bytes:
    """A description in a format of the default profile; `build_facts` returns it as a JSON object."""
    base = context.base
    if format_ is JSON:
        return serialize_json_body(build_facts())
    if format_ is not HTML:
        return serialize_graph_body(context, description_triples(description, base), format_, description.iri)
    if any(key in INVERSE_PARAMETERS for key, _ in bodies.get_query_parameters(context.request)):
        return render_inverse_page(context, description, build_facts())
    iri = description.iri
    page_address = request_base_url(context.request).rstrip("/") + doc_path(iri.removeprefix(f"{base}id/"))
    markup = resource_markup(
        iri, page_address, outgoing_triples(context, description), preferences.languages.ranges, base
    )
    return render_resource_page(context, description, preferences.languages.ranges, markup)


def build_resource_facts(context: RequestContext, description: ResourceDescription) -> dict[str, Any]:
    """The JSON object of a resource, or of a page of those that point to it.

    Raises Problem like `build_resource_json`, and UnserializableError.
    """
    base = context.base
    path = rendering.find_href(description.iri, base) or ""
    return plain_json.build_resource_json(
        context.store, description, path, bodies.get_query_parameters(context.request), base
    )


def description_triples(description: ResourceDescription, base: str) -> Iterable[ox.Triple]:
    """The triples of a description: statements, labels of other resources, triples about the document."""
    subjects = {description.iri, *description.parts}
    for statement in description:
        yield statement.triple
    yield from label_triples({iri: label for iri, label in description.labels.items() if iri not in subjects})
    yield from iter_document_triples(description.iri, base)
    document = ox.NamedNode(find_document_iri(description.iri, base))
    for notice in description.cut_notices:
        yield ox.Triple(document, expand_curie("rdfs:comment"), ox.Literal(str(notice), language="en"))


def profile_source_triples(context: RequestContext, description: ResourceDescription) -> Iterable[ox.Triple]:
    """The triples from which other profiles are computed: statements in both directions, labels, types."""
    yield from outgoing_triples(context, description)
    yield from (statement.triple for statement in description.incoming)
    subject_iris = {statement.subject.value for statement in description.incoming}
    yield from label_triples({iri: label for iri, label in description.labels.items() if iri in subject_iris})


def outgoing_triples(context: RequestContext, description: ResourceDescription) -> Iterable[ox.Triple]:
    """The statements about a resource, with labels and types of the resources that they refer to."""
    object_iris = {
        statement.object.value
        for statement in description.statements
        if isinstance(statement.object, ox.NamedNode)
    }
    other_iris = object_iris - {description.iri}
    yield from (statement.triple for statement in description.statements)
    yield from label_triples({iri: label for iri, label in description.labels.items() if iri in other_iris})
    yield from iter_type_triples(context.store, sorted(object_iris), description.known_values)


def label_triples(labels: dict[str, ox.Literal]) -> Iterable[ox.Triple]:
    """Labels by IRI as rdfs:label triples."""
    return (ox.Triple(ox.NamedNode(iri), RDFS_LABEL, label) for iri, label in labels.items())


def description_languages(description: ResourceDescription) -> list[str]:
    """The language tags of the texts of a description, sorted."""
    terms = (*(statement.object for statement in description), *description.labels.values())
    return sorted({tag for term in terms if isinstance(term, ox.Literal) and (tag := term.language)})


def list_document_links(iri: str) -> list[str]:
    """The links from a description to its resource and to the citation of it."""
    return [about_link(iri), CITATION_LINK_TEMPLATE.format(quote(iri, safe=""))]


def about_link(iri: str) -> str:
    """The link from a description to its resource."""
    return f'<{iri}>; rel="about"'


def doc_path(path: str) -> str:
    """The path of the description of the resource whose IRI ends in `path`, such as `issue/spam`."""
    return f"/doc/{quote(path, safe=rendering.PATH_SAFE_CHARACTERS)}"


def parse_resource_path(context: RequestContext, path: str) -> str:
    """The IRI of the resource that a path below /id or /doc names.

    Raises Problem 400 for bytes that are not UTF-8, 404 for a path that is not part of a valid IRI (RFC 3987,
    section 2.2).
    """
    bodies.decode_utf8_text(unquote_to_bytes(context.request.scope["raw_path"]), "path")
    escaped_path = NON_IRI_CHARACTERS.sub(lambda match: quote(match[0]), path)
    iri = f"{context.base}id/{escaped_path}"
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise unknown_resource_problem(iri) from error
    return iri


def missing_resource_problem(
    context: RequestContext, resource_versions: ResourceVersionsProjection, iri: str
) -> Problem:
    """The 404 for a resource; suggests the same path below /id/document/ if it exists, or a similar name."""
    prefix = f"{context.base}id/"
    document_iri = iri.replace(prefix, f"{prefix}document/", 1)
    is_document = context.store.has_statement(ox.NamedNode(document_iri), None, None)
    return unknown_resource_problem(
        iri,
        document_iri if is_document else existence.find_near_iri(wait_for_versions(resource_versions), iri),
    )


def unknown_resource_problem(iri: str, suggestion: str = "") -> Problem:
    """The 404 for an unknown resource; `suggestion` is the IRI of a similar one, or empty."""
    unknown = build_sentence(gettext_noop("There is no resource <%(iri)s>."), iri=iri)
    if suggestion:
        question = build_sentence(gettext_noop("Did you mean <%(iri)s>?"), iri=suggestion)
        return Problem(404, [unknown, question], suggestion=suggestion)
    return Problem(404, [unknown, build_sentence(gettext_noop("Search for it by name."))])

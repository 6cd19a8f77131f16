"""Things as linked data: /id/… leads to /doc/…, where each is described, and each kind is listed."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pyoxigraph as ox
from anyio import from_thread
from fastapi import Request, Response

from ..http import bodies, language
from ..http.bodies import Pairs
from ..http.parameters import (
    add_url_parameters,
    check_query_parameters,
    request_base_url,
)
from ..pages import names, rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf import jsonld
from ..rdf.formats import HTML, JSON, JSON_LD, Format
from ..rdf.jsonld import FRAME_TYPES, compact_triples, embed_used_context
from ..rdf.namespaces import DCTERMS_LICENSE, EXTERNAL_NAMESPACES, LICENSE_IRI, RDFS_LABEL, expand_curie
from ..sparql.examples import find_examples_by_keyword
from ..store.changelog.log import ChangeLog
from ..store.changelog.sync import ChangeLogSync
from . import existence, plain_json
from .alternates import Resource
from .dependencies import StreamDep
from .description import (
    ResourceDescription,
    describe_resource,
    is_known_iri,
    iter_type_triples,
    stated_types,
    statements_about,
)
from .mappings import resource_markup
from .profile_negotiation import (
    NEGOTIATION_PARAMETERS,
    NEGOTIATION_VARY,
    Preferences,
    asks_for_profile,
    parse_preferences,
)
from .profiles import OWN_PROFILE_FORMATS, OWN_PROFILE_TOKEN, own_profile
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
    serialize_json_body,
)
from .thing_page import render_inverse_page, render_resource_page

FRAME_PARAMETERS = ("_frame",)
INVERSE_PARAMETERS = ("inverse", "page")
AFTER_PARAMETERS = ("after",)
RESOURCE_PARAMETERS = (*NEGOTIATION_PARAMETERS, *FRAME_PARAMETERS, *INVERSE_PARAMETERS, *AFTER_PARAMETERS)
FOLDER_LOG_TIMEOUT_SECONDS = 5  # seconds that a list waits for the log
CITATION_LINK_TEMPLATE = (
    '</cite?iri={}&_mediatype=application/x-bibtex>; rel="describedby"; type="application/x-bibtex"'
)
FRAMED_FORMATS = (JSON_LD, JSON)
INVERSE_FORMATS = (JSON, HTML)
NON_IRI_CHARACTERS = re.compile(r'[\x00-\x20<>"{}|^`\\%]')

FOAF_BASE_IRI = EXTERNAL_NAMESPACES["foaf"]


def get_resource(context: ContextDep, stream: StreamDep, path: str) -> Response:
    """The name of a thing: 303 to its description, by the profile that is asked for.

    Raises Problem 400, 404, and 406 for a profile that has nothing for it.
    """
    request = context.request
    iri, here = parse_resource_path(context, path), doc_path(path)
    parameters = check_query_parameters(request, RESOURCE_PARAMETERS)
    parse_frame_parameter(parameters)
    asked = (
        parse_preferences(context, OWN_PROFILE_FORMATS, others=RESOURCE_PARAMETERS)
        if parameters or asks_for_profile(request)
        else None
    )
    store = context.store
    is_thing = is_known_iri(store, iri)
    if not is_thing and not existence.is_folder(wait_for_log(stream), iri):
        suffixed = SUFFIXED_PATH_PATTERN.fullmatch(path)
        if suffixed and is_known_iri(store, parse_resource_path(context, suffixed["path"])):
            location = add_url_parameters(here, parameters)
            return Response(status_code=303, headers={"Location": location, "Vary": NEGOTIATION_VARY})
        raise missing_resource_problem(context, stream, iri)
    fields = {"Link": f'<{here}>; rel="describedby"', "Vary": NEGOTIATION_VARY}
    if asked and asks_for_profile(request):
        its_types = stated_types(statements_about(store, [iri])) if is_thing else None
        subject = Resource(iri, here, lambda: (), lambda _: b"", its_types)
        choice = choose_representation(asked, subject, context.base)
        fields["Content-Profile"] = f"<{choice.profile.iri}>"
        token = "all" if asked.wants_listing else choice.profile.token
        parameters = [*(pair for pair in parameters if pair[0] != "_profile"), ("_profile", token)]
    location = add_url_parameters(here, parameters)
    return Response(status_code=303, headers={"Location": location, **fields})


def get_resource_document(context: ContextDep, stream: StreamDep, path: str) -> Response:
    """The description of a thing, or the list of what is below a kind's path. Raises Problem 404 and 406."""
    request = context.request
    suffixed = SUFFIXED_PATH_PATTERN.fullmatch(path)
    path, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (path, "")
    parameters = check_query_parameters(request, RESOURCE_PARAMETERS)
    frame = parse_frame_parameter(parameters)
    if frame:
        return respond_with_frame(context, path, suffix, frame)
    pairs = [pair for pair in parameters if pair[0] in INVERSE_PARAMETERS]
    asked = (
        parse_inverse_preferences(context, suffix)
        if pairs
        else parse_preferences(context, OWN_PROFILE_FORMATS, suffix, AFTER_PARAMETERS)
    )
    iri = parse_resource_path(context, path)
    description = describe_resource(context.store, iri, asked.languages)
    if description is None:
        if pairs and not existence.is_folder(wait_for_log(stream), iri):
            raise unknown_resource_problem(iri)
        check_query_parameters(request, (*NEGOTIATION_PARAMETERS, *AFTER_PARAMETERS))  # of a list
        return respond_with_folder(context, stream, asked, iri, doc_path(path))
    if any(key in AFTER_PARAMETERS for key, _ in parameters):
        raise Problem(400, "The parameter after belongs to a list of things, and this is one thing.")
    subject = Resource(
        iri,
        doc_path(path),
        partial(profile_source_triples, context, description),
        partial(serialize_resource_body, context, asked, description),
        None if pairs else stated_types(description.statements),
        INVERSE_FORMATS if pairs else OWN_PROFILE_FORMATS,
        pairs=pairs,
    )
    more = [about_link(iri), CITATION_LINK_TEMPLATE.format(quote(iri, safe=""))]
    return respond_with_resource(
        context, asked, subject, more=more, languages=description_languages(description)
    )


def parse_frame_parameter(parameters: Pairs) -> str:
    """The frame that `?_frame=` names, or nothing. Raises Problem 400."""
    frame = dict(parameters).get("_frame")
    if frame is None:
        return ""
    if frame not in FRAME_TYPES:
        raise Problem(400, f"The parameter _frame names one of the frames: {', '.join(FRAME_TYPES)}.")
    return frame


def parse_inverse_preferences(context: RequestContext, suffix: str) -> Preferences:
    """What is asked for of a page of what points to a thing."""
    return parse_preferences(
        context, INVERSE_FORMATS, suffix, INVERSE_PARAMETERS, {OWN_PROFILE_TOKEN: own_profile(context.base)}
    )


def respond_with_frame(context: RequestContext, path: str, suffix: str, frame: str) -> Response:
    """The description of a thing as JSON in a frame. Raises Problem 404, 406."""
    base = context.base
    asked = parse_preferences(
        context, FRAMED_FORMATS, suffix, FRAME_PARAMETERS, {OWN_PROFILE_TOKEN: own_profile(base)}
    )
    iri = parse_resource_path(context, path)
    description = describe_resource(context.store, iri, asked.languages)
    if description is None:
        raise unknown_resource_problem(iri)

    def write(_: Format) -> bytes:
        terms = ontology_context(context)
        document = embed_used_context(
            compact_triples(description_triples(description, base), terms, CONTEXT_PATH), terms
        )
        return serialize_json_body(jsonld.frame_document(document, iri, frame, terms))

    pairs = [("_frame", frame)]
    subject = Resource(iri, doc_path(path), lambda: (), write, formats=FRAMED_FORMATS, pairs=pairs)
    return respond_with_resource(
        context, asked, subject, more=[about_link(iri)], languages=description_languages(description)
    )


def respond_with_folder(
    context: RequestContext, stream: ChangeLogSync, asked: Preferences, iri: str, path: str
) -> Response:
    """The list of what is below an IRI, so many things at once; `after` names that which comes before them.

    Raises Problem 404 when nothing is.
    """
    after = parse_after_parameter(context.request, iri)
    below = existence.list_folder(wait_for_log(stream), context.store, iri, after, asked.languages.ranges)
    if not below.things and not below.folders:
        if after and existence.is_folder(wait_for_log(stream), iri):
            raise Problem(404, f"Nothing comes after {after} in this list. It begins at {path}.")
        raise missing_resource_problem(context, stream, iri)
    labels = language.keep_requested_languages([*label_triples(below.things)], asked.languages)
    following = address_with_parameters(context.request, [("after", below.after)]) if below.after else ""

    def write(format_: Format) -> bytes:
        if format_ is HTML:
            kind = iri.removeprefix(f"{context.base}id/")
            called = {one: ox.Literal(text.value) for one, text in below.things.items()}
            given = {
                "title": names.localized_kind_title(kind),
                "folder": iri,
                "below": below,
                "following": following,
                "markup": item_list_markup(context, names.kind_title(kind), called, len(called)),
                "examples": find_examples_by_keyword(f"{kind}s"),
            }
            return render_site_page(context, "kind.html", **given)
        members = (
            ox.Triple(ox.NamedNode(iri), expand_curie("rdfs:member"), ox.NamedNode(one))
            for one in below.things
        )
        return serialize_graph_body(context, [*members, *labels], format_)

    subject = Resource(iri, path, lambda: (), write, pairs=[("after", after)] if after else [])
    more = [about_link(iri), *([f'<{following}>; rel="next"'] if following else [])]
    return respond_with_resource(
        context, asked, subject, more=more, languages=language.list_statement_languages(labels)
    )


def parse_after_parameter(request: Request, iri: str) -> str:
    """The name after which things are asked for; empty where all are. Raises Problem 400."""
    given = bodies.parameter_values(bodies.get_query_parameters(request), "after")
    if given and (not given[0] or "/" in given[0]):
        raise Problem(
            400,
            f"after is {given[0]!r}, which names no thing of this list. Give what stands behind <{iri}/> in "
            'the IRI of one, or follow the links rel="next".',
        )
    return given[0] if given else ""


def wait_for_log(stream: ChangeLogSync) -> ChangeLog:
    """The versions of things, in their order; for a thread. Raises Problem 503 while that is not known."""
    return from_thread.run(stream.get_current_log, FOLDER_LOG_TIMEOUT_SECONDS)


def serialize_resource_body(
    context: RequestContext, asked: Preferences, description: ResourceDescription, format_: Format
) -> bytes:
    """A description in a format of our own profile."""
    base = context.base
    if format_ is JSON:
        return serialize_resource_json(context, description)
    if format_ is not HTML:
        return serialize_graph_body(context, description_triples(description, base), format_)
    if any(key in INVERSE_PARAMETERS for key, _ in bodies.get_query_parameters(context.request)):
        return render_inverse_page(context, description, build_resource_facts(context, description))
    iri = description.iri
    here = request_base_url(context.request).rstrip("/") + doc_path(iri.removeprefix(f"{base}id/"))
    block = resource_markup(iri, here, outgoing_triples(context, description), asked.languages.ranges, base)
    return render_resource_page(context, description, asked.languages.ranges, block)


def serialize_resource_json(context: RequestContext, description: ResourceDescription) -> bytes:
    """A thing as plain JSON. Raises Problem 400 for what is not there, and UnserializableError."""
    return serialize_json_body(build_resource_facts(context, description))


def build_resource_facts(context: RequestContext, description: ResourceDescription) -> dict[str, Any]:
    """What is said of a thing, or a page of what points to it. Raises as `thing_json`."""
    base = context.base
    path = rendering.find_href(description.iri, base) or ""
    return plain_json.build_resource_json(
        context.store, description, path, bodies.get_query_parameters(context.request), base
    )


def description_triples(description: ResourceDescription, base: str) -> Iterable[ox.Triple]:
    """The triples of a description: its statements, the labels of what they name, and about the document."""
    subjects = {description.iri, *description.parts}
    for statement in description:
        yield statement.triple
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri not in subjects})
    document = ox.NamedNode(description.iri.replace(f"{base}id/", f"{base}doc/", 1))
    yield ox.Triple(document, ox.NamedNode(f"{FOAF_BASE_IRI}primaryTopic"), ox.NamedNode(description.iri))
    yield ox.Triple(document, DCTERMS_LICENSE, ox.NamedNode(LICENSE_IRI))
    for cut in description.cut_notices:
        yield ox.Triple(document, expand_curie("rdfs:comment"), ox.Literal(str(cut), language="en"))


def profile_source_triples(context: RequestContext, description: ResourceDescription) -> Iterable[ox.Triple]:
    """What other profiles are computed from: what is said of a thing, and of what is linked with it."""
    yield from outgoing_triples(context, description)
    yield from (one.triple for one in description.incoming)
    starts = {one.subject.value for one in description.incoming}
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri in starts})


def outgoing_triples(context: RequestContext, description: ResourceDescription) -> Iterable[ox.Triple]:
    """What is said of a thing, and what those are that it leads to."""
    ends = {one.object.value for one in description.statements if isinstance(one.object, ox.NamedNode)}
    others = ends - {description.iri}
    yield from (one.triple for one in description.statements)
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri in others})
    yield from iter_type_triples(context.store, sorted(ends))


def label_triples(labels: dict[str, ox.Literal]) -> Iterable[ox.Triple]:
    """The labels of things, each as an rdfs:label."""
    return (ox.Triple(ox.NamedNode(iri), RDFS_LABEL, text) for iri, text in labels.items())


def description_languages(description: ResourceDescription) -> list[str]:
    """The languages of the texts of a description."""
    texts = (*(one.object for one in description), *description.labels.values())
    return sorted({tag for one in texts if (tag := language.literal_language(one))})


def about_link(iri: str) -> str:
    """The link from a description to the thing."""
    return f'<{iri}>; rel="about"'


def doc_path(path: str) -> str:
    """Where the thing of this path is described."""
    return f"/doc/{quote(path, safe=rendering.PATH_SAFE_CHARACTERS)}"


def parse_resource_path(context: RequestContext, path: str) -> str:
    """The IRI of the thing that a path below /id or /doc names, whatever the host.

    Raises Problem 400, and 404 for a path with characters that no IRI has (RFC 3987, section 2.2).
    """
    bodies.decode_utf8_text(unquote_to_bytes(context.request.scope["raw_path"]), "path")
    escaped = NON_IRI_CHARACTERS.sub(lambda found: quote(found[0]), path)
    iri = f"{context.base}id/{escaped}"
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise unknown_resource_problem(iri) from error
    return iri


def missing_resource_problem(context: RequestContext, stream: ChangeLogSync, iri: str) -> Problem:
    """The 404 of a thing, with the part of a document that has this name, or a thing whose name is near."""
    things = f"{context.base}id/"
    part = iri.replace(things, f"{things}document/", 1)
    is_there = context.store.has_statement(ox.NamedNode(part), None, None)
    return unknown_resource_problem(
        iri, part if is_there else existence.find_near_iri(wait_for_log(stream), iri)
    )


def unknown_resource_problem(iri: str, meant: str = "") -> Problem:
    """The 404 of a thing, with that which was probably meant."""
    if meant:
        return Problem(404, f"Nothing is known about <{iri}>. Did you mean <{meant}>?", suggestion=meant)
    return Problem(404, f"Nothing is known about <{iri}>. Search for it by words of its name.")

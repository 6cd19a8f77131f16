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
from ..http.parameters import host, only, query, with_parameters
from ..pages import names, rendering
from ..problems import Problem
from ..rdf import jsonld
from ..rdf.formats import HTML, JSON, JSON_LD, Format
from ..rdf.jsonld import alone, compact
from ..rdf.namespaces import OUTSIDE
from ..sparql.examples import by_keyword
from ..store.changelog.log import Log
from ..store.changelog.sync import Stream
from . import existence, negotiation, plain_json
from .alternates import LICENSE, Subject
from .description import Description, about, describe, known, types, types_of
from .mappings import markup
from .negotiation import PARAMETERS, VARY, Wish, asks_for_profile, wish
from .profiles import OFFERED, OWN, own
from .representation import (
    CONTEXT,
    SUFFIXED,
    chosen,
    graph_body,
    item_list,
    json_body,
    ontology_context,
    represent,
    show,
    turned,
)
from .thing_page import inverse_sheet, thing_sheet

FRAME = ("_frame",)
INVERSE = ("inverse", "page")
AFTER = ("after",)
KNOWN = (*PARAMETERS, *FRAME, *INVERSE, *AFTER)
SOON = 5  # seconds that a list waits for the log
CITATION = '</cite?iri={}&_mediatype=application/x-bibtex>; rel="describedby"; type="application/x-bibtex"'
FRAMED = (JSON_LD, JSON)
INVERSES = (JSON, HTML)
NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\%]')

RDFS, FOAF, DCTERMS = OUTSIDE["rdfs"], OUTSIDE["foaf"], OUTSIDE["dcterms"]
LABEL = ox.NamedNode(f"{RDFS}label")


def thing(request: Request, path: str) -> Response:
    """The name of a thing: 303 to its description, by the profile that is asked for.

    Raises Problem 400, 404, and 406 for a profile that has nothing for it.
    """
    iri, here = iri_of(request, path), doc_path(path)
    parameters = only(request, KNOWN)
    negotiation.asked(request)
    asked = wish(request, OFFERED, others=KNOWN) if parameters or asks_for_profile(request) else None
    store = request.app.state.store
    is_thing = known(store, iri)
    if not is_thing and not existence.is_folder(log_of(request), iri):
        suffixed = SUFFIXED.fullmatch(path)
        if suffixed and known(store, iri_of(request, suffixed["path"])):
            location = with_parameters(here, query(parameters))
            return Response(status_code=303, headers={"Location": location, "Vary": VARY})
        raise missed(request, iri)
    fields = {"Link": f'<{here}>; rel="describedby"', "Vary": VARY}
    if asked and asks_for_profile(request):
        its_types = types_of(about(store, [iri])) if is_thing else None
        subject = Subject(iri, here, lambda: (), lambda _: b"", its_types)
        choice = chosen(asked, subject, request.app.state.settings.base)
        fields["Content-Profile"] = f"<{choice.profile.iri}>"
        token = "all" if asked.listing else choice.profile.token
        parameters = [*(pair for pair in parameters if pair[0] != "_profile"), ("_profile", token)]
    location = with_parameters(here, query(parameters))
    return Response(status_code=303, headers={"Location": location, **fields})


def doc(request: Request, path: str) -> Response:
    """The description of a thing, or the list of what is below a kind's path. Raises Problem 404 and 406."""
    suffixed = SUFFIXED.fullmatch(path)
    path, suffix = (suffixed["path"], suffixed["suffix"]) if suffixed else (path, "")
    parameters = only(request, KNOWN)
    frame = negotiation.asked(request)
    if frame:
        return framed(request, path, suffix, frame)
    pairs = [pair for pair in parameters if pair[0] in INVERSE]
    asked = inverse_wish(request, suffix) if pairs else wish(request, OFFERED, suffix, AFTER)
    iri = iri_of(request, path)
    description = describe(request.app.state.store, iri, asked.languages)
    if description is None:
        if pairs and not existence.is_folder(log_of(request), iri):
            raise unknown(iri)
        only(request, (*PARAMETERS, *AFTER))  # of a list
        return folder(request, asked, iri, doc_path(path))
    if any(key in AFTER for key, _ in parameters):
        raise Problem(400, "The parameter after belongs to a list of things, and this is one thing.")
    subject = Subject(
        iri,
        doc_path(path),
        partial(told, request, description),
        partial(thing_body, request, asked, description),
        None if pairs else types_of(description.statements),
        INVERSES if pairs else OFFERED,
        pairs=pairs,
    )
    more = [about_link(iri), CITATION.format(quote(iri, safe=""))]
    return represent(request, asked, subject, more=more, languages=tags(description))


def inverse_wish(request: Request, suffix: str) -> Wish:
    """What is asked for of a page of what points to a thing."""
    return wish(request, INVERSES, suffix, INVERSE, {OWN: own(request.app.state.settings.base)})


def framed(request: Request, path: str, suffix: str, frame: str) -> Response:
    """The description of a thing as JSON in a frame. Raises Problem 404, 406."""
    base: str = request.app.state.settings.base
    asked = wish(request, FRAMED, suffix, FRAME, {OWN: own(base)})
    iri = iri_of(request, path)
    description = describe(request.app.state.store, iri, asked.languages)
    if description is None:
        raise unknown(iri)

    def write(_: Format) -> bytes:
        context = ontology_context(request)
        document = alone(compact(described(description, base), context, CONTEXT), context)
        return json_body(jsonld.framed(document, iri, frame, context))

    pairs = [("_frame", frame)]
    subject = Subject(iri, doc_path(path), lambda: (), write, formats=FRAMED, pairs=pairs)
    return represent(request, asked, subject, more=[about_link(iri)], languages=tags(description))


def folder(request: Request, asked: Wish, iri: str, path: str) -> Response:
    """The list of what is below an IRI, so many things at once; `after` names that which comes before them.

    Raises Problem 404 when nothing is.
    """
    after = name_after(request, iri)
    below = existence.listing(log_of(request), request.app.state.store, iri, after, asked.languages.ranges)
    if not below.things and not below.folders:
        if after and existence.is_folder(log_of(request), iri):
            raise Problem(404, f"Nothing comes after {after} in this list. It begins at {path}.")
        raise missed(request, iri)
    labels = language.as_asked([*label_triples(below.things)], asked.languages)
    following = turned(request, [("after", below.after)]) if below.after else ""

    def write(format_: Format) -> bytes:
        if format_ is HTML:
            kind = iri.removeprefix(f"{request.app.state.settings.base}id/")
            called = {one: ox.Literal(text.value) for one, text in below.things.items()}
            given = {
                "title": names.called(kind),
                "folder": iri,
                "below": below,
                "following": following,
                "markup": item_list(request, names.title(kind), called, len(called)),
                "examples": by_keyword(f"{kind}s"),
            }
            return show(request, "kind.html", **given)
        members = (
            ox.Triple(ox.NamedNode(iri), ox.NamedNode(f"{RDFS}member"), ox.NamedNode(one))
            for one in below.things
        )
        return graph_body(request, [*members, *labels], format_)

    subject = Subject(iri, path, lambda: (), write, pairs=[("after", after)] if after else [])
    more = [about_link(iri), *([f'<{following}>; rel="next"'] if following else [])]
    return represent(request, asked, subject, more=more, languages=language.of(labels))


def name_after(request: Request, iri: str) -> str:
    """The name after which things are asked for; empty where all are. Raises Problem 400."""
    given = bodies.values(bodies.parameters(request), "after")
    if given and (not given[0] or "/" in given[0]):
        raise Problem(
            400,
            f"after is {given[0]!r}, which names no thing of this list. Give what stands behind <{iri}/> in "
            'the IRI of one, or follow the links rel="next".',
        )
    return given[0] if given else ""


def log_of(request: Request) -> Log:
    """The versions of things, in their order; for a thread. Raises Problem 503 while that is not known."""
    stream: Stream = request.app.state.stream
    return from_thread.run(stream.ready, SOON)


def thing_body(request: Request, asked: Wish, description: Description, format_: Format) -> bytes:
    """A description in a format of our own profile."""
    base: str = request.app.state.settings.base
    if format_ is JSON:
        return thing_json(request, description)
    if format_ is not HTML:
        return graph_body(request, described(description, base), format_)
    if any(key in INVERSE for key, _ in bodies.parameters(request)):
        return inverse_sheet(request, description, thing_facts(request, description))
    iri = description.iri
    here = host(request).rstrip("/") + doc_path(iri.removeprefix(f"{base}id/"))
    block = markup(iri, here, leading(request, description), asked.languages.ranges, base)
    return thing_sheet(request, description, asked.languages.ranges, block)


def thing_json(request: Request, description: Description) -> bytes:
    """A thing as plain JSON. Raises Problem 400 for what is not there, UnfitError as `plain_json.thing`."""
    return json_body(thing_facts(request, description))


def thing_facts(request: Request, description: Description) -> dict[str, Any]:
    """What is said of a thing, or a page of what points to it. Raises as `thing_json`."""
    base: str = request.app.state.settings.base
    path = rendering.href(description.iri, base) or ""
    return plain_json.thing(request.app.state.store, description, path, bodies.parameters(request), base)


def described(description: Description, base: str) -> Iterable[ox.Triple]:
    """The triples of a description: its statements, the labels of what they name, and about the document."""
    subjects = {description.iri, *description.parts}
    for statement in description:
        yield statement.triple
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri not in subjects})
    document = ox.NamedNode(description.iri.replace(f"{base}id/", f"{base}doc/", 1))
    yield ox.Triple(document, ox.NamedNode(f"{FOAF}primaryTopic"), ox.NamedNode(description.iri))
    yield ox.Triple(document, ox.NamedNode(f"{DCTERMS}license"), ox.NamedNode(LICENSE))
    for cut in description.cut:
        yield ox.Triple(document, ox.NamedNode(f"{RDFS}comment"), ox.Literal(str(cut), language="en"))


def told(request: Request, description: Description) -> Iterable[ox.Triple]:
    """What other profiles are computed from: what is said of a thing, and of what is linked with it."""
    yield from leading(request, description)
    yield from (one.triple for one in description.incoming)
    starts = {one.subject.value for one in description.incoming}
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri in starts})


def leading(request: Request, description: Description) -> Iterable[ox.Triple]:
    """What is said of a thing, and what those are that it leads to."""
    ends = {one.object.value for one in description.statements if isinstance(one.object, ox.NamedNode)}
    others = ends - {description.iri}
    yield from (one.triple for one in description.statements)
    yield from label_triples({iri: text for iri, text in description.labels.items() if iri in others})
    yield from types(request.app.state.store, sorted(ends))


def label_triples(labels: dict[str, ox.Literal]) -> Iterable[ox.Triple]:
    """The labels of things, each as an rdfs:label."""
    return (ox.Triple(ox.NamedNode(iri), LABEL, text) for iri, text in labels.items())


def tags(description: Description) -> list[str]:
    """The languages of the texts of a description."""
    texts = (*(one.object for one in description), *description.labels.values())
    return sorted({tag for one in texts if (tag := language.language_of(one))})


def about_link(iri: str) -> str:
    """The link from a description to the thing."""
    return f'<{iri}>; rel="about"'


def doc_path(path: str) -> str:
    """Where the thing of this path is described."""
    return f"/doc/{quote(path, safe=rendering.PATH)}"


def iri_of(request: Request, path: str) -> str:
    """The IRI of the thing that a path below /id or /doc names, whatever the host.

    Raises Problem 400, and 404 for a path with characters that no IRI has (RFC 3987, section 2.2).
    """
    bodies.text(unquote_to_bytes(request.scope["raw_path"]), "path")
    escaped = NOT_IN_IRI.sub(lambda found: quote(found[0]), path)
    iri = f"{request.app.state.settings.base}id/{escaped}"
    try:
        ox.NamedNode(iri)
    except ValueError as error:
        raise unknown(iri) from error
    return iri


def missed(request: Request, iri: str) -> Problem:
    """The 404 of a thing, with the part of a document that has this name, or a thing whose name is near."""
    things = f"{request.app.state.settings.base}id/"
    part = iri.replace(things, f"{things}document/", 1)
    is_there = request.app.state.store.knows(ox.NamedNode(part), None, None)
    return unknown(iri, part if is_there else existence.near(log_of(request), iri))


def unknown(iri: str, meant: str = "") -> Problem:
    """The 404 of a thing, with that which was probably meant."""
    if meant:
        return Problem(404, f"Nothing is known about <{iri}>. Did you mean <{meant}>?", suggestion=meant)
    return Problem(404, f"Nothing is known about <{iri}>. Search for it by words of its name.")

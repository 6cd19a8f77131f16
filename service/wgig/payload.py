"""The documents that a client sends to be written into a graph, and their triples."""

from codecs import BOM_UTF8
from collections.abc import Sequence
from urllib.parse import unquote

import pyoxigraph as ox
from fastapi import Request

from . import bodies
from .bearer import refuse_in_form
from .bodies import MULTIPART, Part
from .formats import JSON_LD, RDF_XML, Format, named
from .inlining import inlined
from .problems import Problem
from .rdf import read


async def payload(request: Request, offered: Sequence[Format], limit: int) -> list[Part]:
    """The documents of the body in `limit` bytes, each with its media type, which is one of those offered.

    Raises Problem 400, 413 and 415.
    """
    if "content-range" in request.headers:
        raise Problem(
            400, "A part of a graph cannot be written. Leave out Content-Range and send the whole graph."
        )
    if "content-type" not in request.headers:  # RDF/XML then, by section 5 of the Graph Store Protocol
        return [Part(file_name(request), RDF_XML.media_type, await bodies.read(request, limit))]
    given = bodies.content_type(request, (*types(offered), MULTIPART))
    body = await bodies.read(request, limit)
    if given.media_type != MULTIPART:
        return [Part(file_name(request), given.media_type, body)]
    parts = bodies.parse_multipart(body, given.parameters.get("boundary", ""))
    refuse_in_form([(part.field, "") for part in parts])
    return [part_type(part, offered) for part in parts]


def file_name(request: Request) -> str:
    """What the client calls its file, if anything: Content-Disposition, or Slug (RFC 5023)."""
    headers = request.headers
    return bodies.file_name(headers.get("content-disposition", "")) or unquote(headers.get("slug", ""))


def types(offered: Sequence[Format]) -> list[str]:
    """The media types of formats."""
    return [one.media_type for one in offered]


def part_type(part: Part, offered: Sequence[Format]) -> Part:
    """The part with its media type, or with that of the ending of its name. Raises Problem 415."""
    given = bodies.parse_content_type(part.content_type)
    for name in (given.media_type if given else "", part.name.rpartition(".")[2]):
        try:
            return Part(part.name, named(name, offered).media_type, part.body)
        except Problem:  # many programs give a type that says nothing
            continue
    raise bodies.unsupported(
        f"The part {part.name!r} is no RDF. Send one of: {', '.join(types(offered))}.", types(offered)
    )


def read_parts(parts: list[Part], graph: str | None) -> list[ox.Triple]:
    """The triples of all documents, relative IRIs resolved against the graph's. Raises Problem 400."""
    triples: list[ox.Triple] = []
    for part in parts:
        try:
            triples += read_part(part, graph)
        except SyntaxError as error:
            name = f"{part.name}: " if part.name else ""
            raise Problem(
                400,
                f"{name}The data does not parse, and nothing has changed: {error.msg}",
                line=error.lineno,
                column=error.offset,
            ) from error
    return triples


def read_part(part: Part, graph: str | None) -> list[ox.Triple]:
    """The triples of a document; JSON-LD may name the context of the ontology. Raises SyntaxError."""
    if part.content_type != JSON_LD.media_type:
        return read(part.body, part.content_type, graph)
    text = part.body.removeprefix(BOM_UTF8).decode("utf-8", "surrogateescape")  # the engine tells what is odd
    return inlined(text, lambda one: read(one.encode("utf-8", "surrogateescape"), part.content_type, graph))

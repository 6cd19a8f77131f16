"""The representation of a resource, graph, list, ontology or shape that content negotiation chose.

The one place where they are rendered, by profile and format. Our JSON and JSON-LD name the context of the
ontology. A profile that has nothing for the resource gets 406 with those that have. Links to other pages of a
list keep the format and parameters.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language
from ..http.bodies import Pairs, parameters
from ..http.language import Languages, field, narrowed, of, parameter
from ..http.parameters import host, query, with_parameters
from ..http.responses import answer
from ..pages import rendering
from ..pages.rendering import PATH
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, JSON, JSON_LD, PLAIN_XML, Format
from ..rdf.jsonld import alone, compact, context_of
from ..rdf.serialization import check, serialize
from ..store.projections import for_version
from ..store.store import Store
from . import alternates, mappings
from .alternates import MODEL, Subject, links
from .description import types
from .mappings import items, mapped
from .negotiation import PARAMETERS, VARY, Choice, Wish, no_format, no_profile
from .profiles import OFFERED


def turned(request: Request, pairs: Pairs) -> str:
    """The address of the page with these parameters, with what this one was asked for by: suffix and wish."""
    wished = [one for one in parameters(request) if one[0] in PARAMETERS and one[1] and one not in pairs]
    return with_parameters(quote(request.scope["path"], safe=PATH), query([*pairs, *wished]))


CONTEXT = "/context.jsonld"
MARKED = 100  # things of a list that its page tells search engines
SEPARATED = ",\n    "
SUFFIXED = re.compile(rf"(?P<path>.+)\.(?P<suffix>{'|'.join(one.suffix for one in (*OFFERED, PLAIN_XML))})")


def represent(  # noqa: PLR0913 - what a representation consists of
    request: Request,
    wish: Wish,
    subject: Subject,
    *,
    more: Iterable[str] = (),
    languages: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The representation of a subject that is wished for, or the list of them.

    `more` are further links, `languages` those of the texts in our own profile. Raises Problem 406.
    """
    base: str = request.app.state.settings.base
    fields = {"Vary": VARY, **(headers or {})}
    if wish.listing:
        format_ = wish.choices[0].format
        fields["Content-Profile"] = f"<{MODEL}>"
        body = list_body(request, subject, format_)
        return answer(request, body, format_, links=links(subject, None, base, more), headers=fields)
    choice = chosen(wish, subject, base)
    if subject.writes(choice.profile):
        body = subject.write(choice.format)
        languages = [*languages, language.language()] if choice.format is HTML else languages
    else:
        triples = computed(request, choice, subject, wish.languages)
        body, languages = written(request, choice, triples, subject.iri), of(triples)
    fields["Content-Profile"] = f"<{choice.profile.iri}>"
    # What Accept-Language moves has no address of its own.
    if wish.languages.only or not wish.languages.ranges:
        fields["Content-Location"] = with_parameters(subject.address(choice), parameter(wish.languages))
    fields |= field(languages)
    return answer(request, body, choice.format, links=links(subject, choice, base, more), headers=fields)


def chosen(wish: Wish, subject: Subject, base: str) -> Choice:
    """The first representation wished for that the subject has. Raises Problem 406 with those that it has."""
    found = next((one for one in wish.choices if subject.fits(one.profile)), None)
    if found:
        return found
    raise nothing(subject, wish.choices, base) if wish.by_profile else no_format(subject.choices(base))


def computed(request: Request, choice: Choice, subject: Subject, languages: Languages) -> list[ox.Triple]:
    """What a profile says of the subject. Raises Problem 406 where that is nothing."""
    page = host(request).rstrip("/") + subject.path
    triples = mapped(choice.profile, {subject.iri: page}, subject.triples())
    if not triples:
        raise nothing(subject, [choice], request.app.state.settings.base)
    return narrowed(triples, languages.ranges) if languages.only else triples


def nothing(subject: Subject, asked: Iterable[Choice], base: str) -> Problem:
    """The 406 for profiles that have nothing for the subject, with those that have."""
    missed = dict.fromkeys(one.profile for one in asked)
    there = dict.fromkeys(one.profile for one in subject.choices(base))
    tokens = " or ".join(one.token for one in missed)
    sentence = f"There is nothing to say of <{subject.iri}> by the profile {tokens}."
    return no_profile(sentence, [one for one in there if one not in missed])


def written(request: Request, choice: Choice, triples: list[ox.Triple], iri: str) -> bytes:
    """What a profile says of the thing `iri`, in a format. Raises UnfitError."""
    writer = WRITERS.get((choice.profile.token, choice.format))
    if writer is None:
        return graph_body(request, triples, choice.format)
    body = writer(triples, iri)
    check(body, choice.format.media_type)
    return body


def graph_body(request: Request, triples: Iterable[ox.Triple], format_: Format) -> bytes:
    """Triples in an RDF format, JSON-LD being compact; or as JSON, which names our context.

    Raises UnfitError.
    """
    if format_ in (JSON, JSON_LD):
        context = ontology_context(request)
        document = compact(dict.fromkeys(triples), context, CONTEXT)
        return json_body(document if format_ is JSON else alone(document, context))
    return serialize(triples, format_, request.app.state.settings.base)


def ontology_context(request: Request) -> dict[str, object]:
    """The JSON-LD context of the ontology as it stands in the store."""
    store: Store = request.app.state.store
    return context_at(store, store.version, request.app.state.settings.base)


@for_version(4)
def context_at(store: Store, version: int, base: str) -> dict[str, object]:
    """The JSON-LD context of the ontology in a version of the store."""
    del version  # which makes the cache forget
    return context_of(vocabulary.terms(store.triples(f"{base}graph/ontology")), base)


def json_body(document: Mapping[str, object]) -> bytes:
    """JSON that people can read: a line for each member, and for each item or member of what stands there.

    To break and indent all lines takes four times as long.
    """
    members = ",\n".join(f"  {in_line(name)}: {in_lines(value)}" for name, value in document.items())
    return f"{{\n{members}\n}}\n".encode()


def in_lines(value: object) -> str:
    """A value as JSON, each item of a list and each member of an object in a line of its own."""
    if isinstance(value, list) and value:
        return f"[\n    {SEPARATED.join(map(in_line, value))}\n  ]"
    if isinstance(value, dict) and value:
        members = (f"{in_line(name)}: {in_line(one)}" for name, one in value.items())
        return f"{{\n    {SEPARATED.join(members)}\n  }}"
    return in_line(value)


def in_line(value: object) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)


def show(request: Request, template: str, **values: object) -> bytes:
    """A page of this service, which knows where it is: the main page that its path begins with."""
    here = "/" + request.scope["path"].split("/")[1].partition(".")[0]
    return rendering.render(template, base=request.app.state.settings.base, here=here, **values)


def item_list(
    request: Request, title: str, names: Mapping[str, ox.Literal], total: int, first: int = 1
) -> dict[str, Any]:
    """What the page of a list tells search engines: the first of its things with kinds, names and pages."""
    return mappings.listed(title, named_things(request, dict(islice(names.items(), MARKED))), total, first)


def named_things(request: Request, names: Mapping[str, ox.Literal]) -> list[dict[str, Any]]:
    """Things with these names by their IRI, as objects of schema.org with their kinds and pages."""
    kinds = types(request.app.state.store, names)
    return items(names, kinds, host(request), request.app.state.settings.base)


def schema_json(triples: list[ox.Triple], iri: str) -> bytes:
    """schema.org as JSON-LD."""
    return json_body(mappings.document(triples, iri))


def list_body(request: Request, subject: Subject, format_: Format) -> bytes:
    """The list of the representations, in a format."""
    base: str = request.app.state.settings.base
    if format_ is HTML:
        return show(request, "profiles.html", subject=subject, rows=alternates.rows(subject, base))
    if format_ is JSON:
        return json_body(alternates.members(subject, base))
    return graph_body(request, alternates.triples(subject, base), format_)


# What a profile writes in a way of its own, by its token and the format.
WRITERS: dict[tuple[str, Format], Callable[[list[ox.Triple], str], bytes]] = {
    ("oai_dc", PLAIN_XML): mappings.xml,
    ("schema.org", JSON_LD): schema_json,
}

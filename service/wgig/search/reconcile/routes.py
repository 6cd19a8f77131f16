"""/reconcile: the Reconciliation Service API 0.2, by which OpenRefine matches tables to our things."""

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from ..._version import __version__
from ...http import bodies
from ...http.bodies import FORM, Pairs, parameters, parse_form, values
from ...http.language import ranges
from ...http.parameters import checked, only
from ...http.responses import answer, page_or, pick
from ...http.work_queue import Turns
from ...pages import rendering
from ...pages.names import TITLES
from ...problems import Problem
from ...rdf.formats import HTML, JSON
from ...resources.description import known
from ...resources.labels import labels
from ...resources.representation import show
from ..database import distinct, read
from ..entries import Key
from ..index import Index
from ..routes import packed, single
from .candidates import SUGGESTED, declared, description, proposed, result, things, types
from .extend import extended
from .request import MOST, batch, kinds, node, space

LARGEST = 1024 * 1024  # bytes of a batch
OPERATIONS = ("queries", "extend")
WIDTH, HEIGHT = 430, 260  # pixels of a preview
# A preview stands in the pages of others, and does no more than any page.
FRAMED = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors *"


async def reconcile(request: Request) -> Response:
    """What the service can do (the manifest), or the candidates of a batch of queries in the address."""
    return await in_turn(request, operated, request, given(request, *OPERATIONS))


async def reconcile_by_form(request: Request) -> Response:
    """The candidates of a batch of queries, or values of properties, asked for by a form."""
    bodies.content_type(request, (FORM,))
    only(request)
    pairs = parse_form(await bodies.read(request, LARGEST))
    refuse_callback(pairs)
    checked(pairs, OPERATIONS)
    if not pairs:
        raise Problem(400, f"The form is empty. Send {' or '.join(OPERATIONS)}.")
    return await in_turn(request, operated, request, dict(pairs))


async def suggest(request: Request, what: str) -> Response:
    """What somebody may mean who began to type: `entity`, `type` or `property`."""
    return await in_turn(request, suggested, request, what, given(request, "prefix", "cursor", "type"))


async def preview(request: Request) -> Response:
    """A thing in short, to stand in the page of a client."""
    asked = given(request, "id")
    pick(request, (HTML,))
    return await in_turn(request, previewed, request, asked)


async def propose(request: Request) -> Response:
    """The properties that things of a type have, for data extension."""
    return await in_turn(request, proposal, request, given(request, "type", "limit"))


def given(request: Request, *known: str) -> dict[str, str]:
    """The parameters of a request, of which these are known. Raises Problem 400."""
    refuse_callback(parameters(request))
    return single(request, known)


async def in_turn(request: Request, function: Callable[..., Response], *args: Any) -> Response:
    """Answer when it is the turn of the request. Raises Problem 503 where that does not come."""
    searches: Turns = request.app.state.searches
    return await searches.run(function, *args)


def operated(request: Request, given: dict[str, str]) -> Response:
    """The answer to a batch or data extension; without one, the manifest."""
    if len(given) > 1:
        raise Problem(400, "Both queries and extend were sent. Send one of them.")
    index: Index = request.app.state.index
    if "queries" in given:
        asked = batch(given["queries"], index.ask(distinct, "kind"), index.store, index.base)
        return json(request, {key: result(one, index) for key, one in asked.items()})
    if "extend" in given:
        return json(request, extended(given["extend"], index.store, index.base))
    told = manifest(str(request.base_url), index.ask(distinct, "kind"), index.base)
    return described(request, told) if page_or(request, JSON) is HTML else json(request, told)


def manifest(home: str, there: list[str], base: str) -> dict[str, Any]:
    """What the service can do (section 3 of the specification); `home` is its address."""
    service = f"{home}reconcile"
    return {
        "versions": ["0.2"],
        "name": "WGIG knowledge graph",
        "identifierSpace": space(base),
        "schemaSpace": space(base),
        "documentation": home,
        "serviceVersion": __version__,
        "logo": f"{home}{rendering.static_path('icon.svg').removeprefix('/')}",
        "batchSize": MOST,
        "defaultTypes": [one.document() for one in kinds(there)],
        "view": {"url": f"{home}doc/{{{{id}}}}"},
        "preview": {"url": f"{service}/preview?id={{{{id}}}}", "width": WIDTH, "height": HEIGHT},
        "suggest": {
            what: {"service_url": service, "service_path": f"/suggest/{what}"}
            for what in ("entity", "type", "property")
        },
        "extend": {
            "propose_properties": {"service_url": service, "service_path": "/properties"},
            "property_settings": [],
        },
    }


def described(request: Request, manifest: dict[str, Any]) -> Response:
    """The page of what the service can do, and how to use it."""
    page = show(
        request,
        "reconcile.html",
        service=f"{request.base_url}reconcile",
        kinds={one["id"]: one["name"] for one in manifest["defaultTypes"]},
        listed=TITLES,
        batch=manifest["batchSize"],
    )
    return answer(request, page, HTML)


def suggested(request: Request, what: str, given: dict[str, str]) -> Response:
    """The suggestions of a kind. Raises Problem 400 and 404."""
    index: Index = request.app.state.index
    if "prefix" not in given:
        raise Problem(400, "Nothing is typed yet. Give it as the parameter prefix.")
    prefix, start = given["prefix"], number(given, "cursor", 0, 10_000)
    of_kind = known_kind(given.get("type", ""), index) if what == "entity" else ""
    match what:
        case "entity":
            return json(request, {"result": things(prefix, of_kind, start, index)})
        case "type":
            return json(request, {"result": types(prefix, start, index.ask(distinct, "kind"))})
        case "property":
            return json(request, {"result": declared(prefix, start, index)})
    raise Problem(404, f"There are no suggestions of {what!r}. There are those of entity, type and property.")


def proposal(request: Request, given: dict[str, str]) -> Response:
    """The properties of a type. Raises Problem 400."""
    index: Index = request.app.state.index
    of_kind, limit = known_kind(given.get("type", ""), index), number(given, "limit", SUGGESTED, 100)
    if not of_kind:
        raise Problem(400, f"No type is given. Give one of: {', '.join(index.ask(distinct, 'kind'))}.")
    found = proposed(of_kind, limit, index)
    return json(request, {"type": of_kind, "limit": limit, "properties": found})


def previewed(request: Request, given: dict[str, str]) -> Response:
    """The page of a thing in short. Raises Problem 400 and 404."""
    index: Index = request.app.state.index
    iri = space(index.base) + given.get("id", "")
    if not given.get("id"):
        raise Problem(400, "No thing is named. Give its identifier as the parameter id, such as issue/spam.")
    if node(iri) is None or not known(index.store, iri):
        raise Problem(404, f"There is nothing with the identifier {given['id']!r}.")
    label = labels(index.store, [iri], ranges()).get(iri)
    language = (label.language or "").lower() if label else ""
    text = description(index.ask(read, Key(iri, language))[1])
    body = rendering.render("preview.html", base=index.base, iri=iri, label=label, text=text)
    return answer(request, body, HTML, headers={"Content-Security-Policy": FRAMED})


def json(request: Request, value: object) -> Response:
    """An answer as JSON."""
    return answer(request, packed(value), JSON)


def known_kind(id_: str, index: Index) -> str:
    """A kind by its identifier; empty for none. Raises Problem 400 where nothing is of it."""
    short = id_.removeprefix(space(index.base))
    if short and short not in index.ask(distinct, "kind"):
        raise Problem(400, f"There is no type {id_!r}. There are: {', '.join(index.ask(distinct, 'kind'))}.")
    return short


def number(given: dict[str, str], name: str, default: int, most: int) -> int:
    """A number that is given, up to `most`. Raises Problem 400."""
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > most:
        raise Problem(400, f"The parameter {name} is a number from 0 to {most}, not {text!r}.")
    return int(text)


def refuse_callback(pairs: Pairs) -> None:
    """Raises Problem 400 where a script is asked for."""
    if values(pairs, "callback"):
        raise Problem(
            400, "Answers are no scripts (JSONP): any page may read them as JSON. Leave out callback."
        )

"""/sparql: answer a query, whole or not at all (SPARQL 1.1 Protocol, section 2.1)."""

from dataclasses import dataclass

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from . import bodies
from .admission import admit
from .answers import Bounded, TooLargeError, answer, pick
from .bodies import FORM, Pairs, parameters, parse_form, values
from .describe import describe_service, is_description
from .diagnosis import diagnose
from .formats import BY_FORM, HTML
from .pages.results import results_page, source_format
from .problems import Problem
from .settings import Settings
from .sparql import absolute, form, names_dataset
from .store import Dataset, Store
from .turns import Turns

DIRECT = "application/sparql-query"


@dataclass(frozen=True)
class Question:
    """A query that may run: its text as the engine gets it, its form, and the dataset it runs over."""

    text: str
    form: str
    dataset: Dataset


async def ask(request: Request) -> Response:
    """Ask a query by its address, or get the description of the service when there is none."""
    pairs = parameters(request)
    if is_description(pairs):
        return await run_in_threadpool(describe_service, request)
    return await in_turn(request, pairs)


async def ask_by_body(request: Request) -> Response:
    """Ask a query by a form, or by its text as `application/sparql-query`."""
    given = bodies.content_type(request, (DIRECT, FORM))
    body = await bodies.read(request, request.app.state.settings.body_bytes)
    pairs = parameters(request)
    pairs += parse_form(body) if given.media_type == FORM else [("query", bodies.text(body, "query"))]
    return await in_turn(request, pairs)


async def in_turn(request: Request, pairs: Pairs) -> Response:
    """The reply to the query in the pairs, once a thread is free for it. Raises Problem 503."""
    turns: Turns = request.app.state.queries
    return await turns.run(reply, request, pairs)


def reply(request: Request, pairs: Pairs) -> Response:
    """The result of the query in the pairs, in the format that the client likes best."""
    settings: Settings = request.app.state.settings
    request.state.asked = pairs  # so that the page of a refusal can show them
    asked = question(pairs, settings)
    format_ = pick(request, (*BY_FORM[asked.form], HTML))
    written = source_format(asked.form) if format_ is HTML else format_
    body = evaluate(request.app.state.store, asked, written.media_type, settings)
    if format_ is HTML:
        body = results_page(body, asked.form, pairs, settings.base)
    return answer(request, body, format_, links=['</sparql>; rel="service-desc"'])


def question(pairs: Pairs, settings: Settings) -> Question:
    """The query of a request's pairs. Raises Problem 400, 403 and 413 before anything runs."""
    if values(pairs, "update"):
        raise Problem(400, "An update was sent to the query service. Send it by POST to /update.")
    texts = values(pairs, "query")
    if len(texts) != 1:
        raise Problem(
            400, f"Exactly one query is needed, and {len(texts)} were sent. Give the parameter query once."
        )
    text = texts[0]
    if len(text) > settings.query_length:
        raise Problem(
            413, f"The query is longer than {settings.query_length} characters. Ask in smaller parts."
        )
    dataset = Dataset(
        tuple(absolute(iri, "default-graph-uri") for iri in values(pairs, "default-graph-uri")),
        tuple(absolute(iri, "named-graph-uri") for iri in values(pairs, "named-graph-uri")),
        union=settings.default_graph == "union" and not names_dataset(text),
    )
    return Question(admit(text, settings), form(text), dataset)


def evaluate(store: Store, asked: Question, media_type: str, settings: Settings) -> bytes:
    """The whole result as bytes. Raises Problem 400, 422 and 503 where it cannot be had."""
    out = Bounded(settings.result_bytes)
    try:
        store.query(asked.text, media_type, out, asked.dataset, settings.base)
    except TooLargeError as error:
        raise Problem(
            503, f"The result is larger than {out.limit} bytes. Ask for less, for example with LIMIT."
        ) from error
    except SyntaxError as error:
        raise diagnose(asked.text, error) from error
    except (ValueError, RuntimeError) as error:
        raise Problem(422, f"The query is well written, but cannot be evaluated: {error}.") from error
    return out.getvalue()

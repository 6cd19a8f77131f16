"""What can be cited, as bytes that are the same where the data is the same: things, graphs, answers."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ...http.responses import while_there
from ...pages.rendering import words
from ...problems import Problem
from ...rdf.formats import BY_FORM, GRAPHS, JSON_RESULTS, N_TRIPLES, Format
from ...rdf.serialization import check, serialize
from ...rdf.sparql_lexer import tokens
from ...resources.description import about, describe
from ...resources.labels import labels
from ...resources.routes import described
from ...settings import MIB, Settings
from ...sparql.examples import examples
from ...sparql.federation import asks_others
from ...sparql.request import Question
from ...sparql.running import client_of
from ...sparql.service import Queried, considered, refusal
from ...sparql.workers.protocol import SIZE, Fault, Job
from ...store.store import Store
from ...store.view import result_format

MOST = 4 * MIB  # bytes of an answer that is cited
TRIPLES = 50_000  # of a graph that is cited
TABLES = ("SELECT", "ASK")
# What is digested stands first, so that who asks without a wish gets the very bytes of a citation.
TRIPLES_FIRST = (N_TRIPLES, *(one for one in GRAPHS if one is not N_TRIPLES))
BLANK = re.compile(rb"^_:|^<[^>]*> <[^>]*> _:", re.MULTILINE)
TERM = re.compile(r"(?:ontology|shapes)(?:#|$)")
PASSING = {"BNODE", "NOW", "RAND", "STRUUID", "UUID"}  # functions that give something else each time


@dataclass(frozen=True)
class Content:
    """What is cited: its bytes in the first format of those that are `offered`, and how to write it in any.

    `name` becomes its key, `iri` is its lasting name, empty for an answer. It is as it was in version
    `as_of`, or where that is empty as it is now.
    """

    name: str
    title: str
    iri: str
    body: bytes
    offered: Sequence[Format]
    write: Callable[[Format], bytes]
    as_of: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()


class Thing(NamedTuple):
    """What is known of a thing: its title, and its description as N-Triples."""

    title: str
    lines: bytes


def is_term(iri: str, base: str) -> bool:
    """Whether the IRI is that of the ontology, of the shapes, or of one of their terms and rules."""
    return bool(TERM.match(iri.removeprefix(base))) and iri.startswith(base)


def of_store(store: Store, iri: str, base: str) -> Thing | None:
    """A thing as a store knows it, described like at `/doc/….nt`; None where nothing is known.

    A term or rule is what is said of it, whatever uses it.
    """
    if is_term(iri, base):
        said = [one.triple for one in about(store, [iri])]
        return Thing(title_of(store, iri), serialize(said, N_TRIPLES, base)) if said else None
    description = describe(store, iri)
    if description is None:
        return None
    title = description.labels[iri].value if iri in description.labels else words(iri)
    return Thing(title, serialize(described(description, base), N_TRIPLES, base))


def of_thing(thing: Thing, iri: str, base: str) -> Content:
    """The description of a thing. Raises Problem 422 for a term or rule of which blank nodes are said."""
    content = of_triples(thing.lines, thing.title, iri, iri.removeprefix(base).removeprefix("id/"), base)
    if is_term(iri, base):
        refuse_blank(content, f"What is said of <{iri}>")
    return content


def of_graph(store: Store, iri: str, base: str) -> Content:
    """The triples of a graph. Raises Problem 404, 413 for a large one."""
    if not store.has(iri):
        raise Problem(404, f"There is no graph <{iri}>. The list of graphs is at /graphs.")
    triples = [*islice(store.triples(iri), TRIPLES + 1)]
    if len(triples) > TRIPLES:
        raise Problem(413, f"The graph has more than {TRIPLES} triples. Cite what you use of it by a query.")
    return of_triples(
        serialize(triples, N_TRIPLES, base), title_of(store, iri), iri, iri.removeprefix(base), base
    )


def title_of(store: Store, iri: str) -> str:
    """What a graph is called."""
    label = labels(store, [iri]).get(iri)
    return label.value if label else words(iri)


def of_triples(lines: bytes, title: str, iri: str, name: str, base: str) -> Content:
    """Triples, given as N-Triples in whatever order."""
    triples = [one.triple for one in ox.parse(lines, ox.RdfFormat.N_TRIPLES)]
    write = partial(written, triples, base)
    return Content(name, title, iri, write(N_TRIPLES), TRIPLES_FIRST, write)


def written(triples: Sequence[ox.Triple], base: str, format_: Format) -> bytes:
    """Triples in a format. Raises UnfitError where it has no way to write one of them."""
    return serialize(triples, format_, base)


async def question(request: Request, text: str) -> Question:
    """A query whose answer can be cited. Raises Problem as /sparql does, 422 for one that cannot."""
    asked = await considered(request, [("query", text)])
    await run_in_threadpool(refuse_passing, text)
    return asked


def job_of(asked: Question, settings: Settings) -> Job:
    """A query as it is evaluated."""
    format_ = JSON_RESULTS if asked.form in TABLES else N_TRIPLES
    return Job(asked.text, format_.media_type, asked.dataset, settings.base, MOST, settings.result_rows)


def of_answer(body: bytes, text: str, form: str, base: str) -> Content:
    """The answer to a query: rows in the order of ORDER BY, or else of their texts; triples in order.

    Raises Problem 422 where it would be another one the next time.
    """
    title = next((one.title for one in examples() if one.text.strip() == text.strip()), "Answer to a query")
    if form in TABLES:
        found = in_order(body, text)
        return Content("query", title, "", found, BY_FORM[form], partial(table, found))
    content = of_triples(body, title, "", "query", base)
    refuse_blank(content, "The answer")
    return content


def refuse_blank(content: Content, what: str) -> None:
    """Raises Problem 422 where the content would have other names the next time."""
    if BLANK.search(content.body):
        raise Problem(
            422, f"{what} has blank nodes, whose names are others each time. Cite a query without them."
        )


async def evaluated(request: Request, asked: Question) -> bytes:
    """The whole answer to a query. Raises Problem."""
    state = request.app.state
    queried = Queried(request, asked.text)
    async with while_there(request.receive):
        with queried.refusals():
            result = await state.answerers.ask(job_of(asked, state.settings), client_of(request))
        queried.follow(result)
        state.running.add(request, asked.text, result)
        try:
            return bytes(await result.whole())
        except Fault as fault:
            raise await problem(request, fault, asked) from fault
        except BaseException:
            result.close()
            raise


async def problem(request: Request, fault: Fault, asked: Question) -> Problem:
    """The Problem of a query whose answer is not whole."""
    if fault.kind == SIZE:
        return Problem(413, f"The answer has more than {MOST} bytes. Cite a query that asks for less.")
    return await refusal(request, fault, asked, BY_FORM[asked.form][0])


def refuse_passing(text: str) -> None:
    """Raises Problem 422 where the answer would be another one each time, whatever the data."""
    used = sorted({one.word for one in tokens(text)} & PASSING)
    if used:
        raise Problem(422, f"{used[0]} gives something else each time. Cite a query without it.")
    if asks_others(text):
        raise Problem(422, "What another service answers has no version here. Cite a query without SERVICE.")


def in_order(body: bytes, text: str) -> bytes:
    """The results in JSON, their rows by their texts unless the query orders them."""
    found: dict[str, Any] = json.loads(body)
    if "results" in found and not orders(text):
        found["results"]["bindings"].sort(key=lambda row: json.dumps(row, sort_keys=True))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def orders(text: str) -> bool:
    """Whether a query orders its rows: a subquery that does is in brackets."""
    depth = 0
    for token in tokens(text):
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.word == "ORDER" and not depth:
            return True
    return False


def table(body: bytes, format_: Format) -> bytes:
    """Results in JSON in another format. Raises UnfitError where that cannot hold them."""
    if format_ is JSON_RESULTS:
        return body
    found = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    assert isinstance(found, (ox.QuerySolutions, ox.QueryBoolean))
    written = found.serialize(format=result_format(format_.media_type)) or b""
    check(written, format_.media_type)
    return written

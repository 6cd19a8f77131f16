"""`wgig query` and `wgig queries`: run a query on the local store or an endpoint, list the example queries.

The result is a table on a terminal, and CSV or Turtle in a pipe. Exit code 1 means an empty or false result.
Warnings about probable mistakes go to standard error. Endpoints are queried over the SPARQL 1.1 Protocol
(section 2.1.2), and their problem documents (RFC 9457) are printed.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pyoxigraph as ox

from ..problems import Problem
from ..rdf.formats import (
    CSV,
    FORMATS_BY_FORM,
    GRAPH_FORMATS,
    JSON_RESULTS,
    N_TRIPLES,
    TSV,
    TURTLE,
    Format,
)
from ..rdf.namespaces import shorten_iri
from ..rdf.serialization import serialize_triples
from ..rdf.sparql_lexer import get_query_form, has_dataset_clause
from ..settings import Settings
from ..sparql.examples import ExampleQuery, list_example_queries, read_example_query
from ..sparql.language.parser import ParsedSparqlText
from ..text import flatten_untrusted_text, replace_control_characters
from .console import get_offered_format, print_message, print_table, run_on_thread
from .example_parameters import RowSelector, bind_parameter_arguments, describe_parameters

if TYPE_CHECKING:
    from ..sparql.language.hints import QueryHint


def run_queries(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the text of the named example query, or a list of all, which in a pipe is tab-separated.

    Exit code 0. Raises Problem 404 for an unknown name.
    """
    del settings
    if arguments.name:
        print(read_example_query(arguments.name).text, end="")
    elif not sys.stdout.isatty():
        for example in list_example_queries():
            print(example.name, example.question, sep="\t")
    else:
        print_table(
            ["name", "question"], ((example.name, example.question) for example in list_example_queries())
        )
    return 0


TABLE_FORMAT = "table"  # the value of --format for a table on a terminal


class QueryEvaluator(Protocol):
    """Evaluates a query on a store or an endpoint."""

    def __call__(self, query: ParsedSparqlText, format_: Format, *, warns: bool = True) -> bytes:
        """The result in the format; `warns`: print warnings about probable mistakes."""


def run_query(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the result of a query. Exit code 0, or 1 if it is false or empty.

    Raises Problem for a refused query, StoreError for the local store, OSError for a file or an endpoint.
    """
    example = read_example_query(arguments.name) if arguments.name else None
    if example is None and (arguments.param or arguments.help_params):
        option = "--param" if arguments.param else "--help-params"
        raise Problem(400, f"{option} is only for example queries. Give the name of one with --name.")
    query = ParsedSparqlText(example.text if example else read_query_text(arguments))
    query_form = get_query_form(query)
    format_ = choose_result_format(query_form, arguments.format)
    evaluate_query = make_remote_evaluator(arguments.url) if arguments.url else make_local_evaluator(settings)
    if example and arguments.help_params:
        return print_example_parameters(example, make_row_selector(evaluate_query), settings.base)
    if example and arguments.param:
        select_rows = make_row_selector(evaluate_query)
        query = ParsedSparqlText(
            bind_parameter_arguments(example, arguments.param, select_rows, settings.base)
        )
    if query_form in ("SELECT", "ASK"):
        return print_query_results(evaluate_query(query, format_ or JSON_RESULTS), format_, settings)
    triples = list(ox.parse(evaluate_query(query, N_TRIPLES), ox.RdfFormat.N_TRIPLES))
    sys.stdout.buffer.write(
        serialize_triples((quad.triple for quad in triples), format_ or TURTLE, settings.base)
    )
    return 0 if triples else 1


def read_query_text(arguments: argparse.Namespace) -> str:
    """The query: standard input, the content of a file, or the argument itself.

    An argument is the name of a file if it has a suffix, such as .rq, and no brace. Raises Problem 400 if
    there is no query.
    """
    argument: str | None = arguments.query
    if argument is None and sys.stdin.isatty():
        raise Problem(
            400,
            "No query was given. Give its text, a file that contains it, or the name of an example "
            "query with --name.",
        )
    if argument in (None, "-"):
        return sys.stdin.read()
    if "{" not in argument and Path(argument).suffix:
        return Path(argument).read_text("utf-8")
    return argument


def make_row_selector(evaluate_query: QueryEvaluator) -> RowSelector:
    """Make a function that returns the solutions of a SELECT, without warnings."""
    from ..store.view import parse_tsv_solutions  # noqa: PLC0415  loads the store, which is not always needed

    return lambda text: parse_tsv_solutions(evaluate_query(ParsedSparqlText(text), TSV, warns=False))


def print_example_parameters(example: ExampleQuery, select_rows: RowSelector, base: str) -> int:
    """Print the parameters of an example query and their values, tab-separated in a pipe. Exit code 0."""
    rows = describe_parameters(example, select_rows, base)
    if sys.stdout.isatty():
        print_table(
            ["parameter", "value", "label"],
            [[replace_control_characters(cell) for cell in row] for row in rows],
        )
    else:
        for row in rows:
            print(*map(flatten_untrusted_text, row), sep="\t")
    return 0


def choose_result_format(query_form: str, name: str | None) -> Format | None:
    """The format to print; None for a table. Raises Problem if results of this form have no such format."""
    if name is None:
        return {"SELECT": None if sys.stdout.isatty() else CSV, "ASK": None}.get(query_form, TURTLE)
    formats = FORMATS_BY_FORM[query_form]
    if name == TABLE_FORMAT and formats is not GRAPH_FORMATS:
        return None
    return get_offered_format(name, formats, f"The result of {query_form}")


def make_local_evaluator(settings: Settings) -> QueryEvaluator:
    """Make a function that evaluates a query on the local store."""
    import anyio  # noqa: PLC0415  these imports cost 50 ms, and only the local store needs them

    from ..http.work_queue import WorkQueue  # noqa: PLC0415
    from ..seed import open_store_snapshot  # noqa: PLC0415
    from ..sparql.admission import admit_sparql_text  # noqa: PLC0415
    from ..sparql.federation import resolve_federated_calls  # noqa: PLC0415
    from ..sparql.language.diagnosis import diagnose_syntax_error  # noqa: PLC0415
    from ..sparql.language.hints import find_query_hints  # noqa: PLC0415
    from ..store.view import QueryDataset  # noqa: PLC0415

    federation_queue = WorkQueue(max_running=1, max_waiting=1, timeout_seconds=1)  # for one query alone
    store = open_store_snapshot(settings, print_message)

    def evaluate_query(query: ParsedSparqlText, format_: Format, *, warns: bool = True) -> bytes:
        output = io.BytesIO()
        resolved_query = anyio.run(
            resolve_federated_calls, admit_sparql_text(query, settings), settings, federation_queue
        )
        dataset = QueryDataset(
            union=settings.default_graph == "union" and not has_dataset_clause(query.tokens)
        )
        try:
            run_on_thread(
                lambda: store.query(resolved_query.engine_text, format_.media_type, output, dataset)
            ).result()
        except SyntaxError as error:
            raise diagnose_syntax_error(query, error) from error
        except (ValueError, RuntimeError) as error:
            raise Problem(400, f"The query cannot be evaluated: {error}.") from error
        if warns:
            print_query_hints(find_query_hints(query, store, settings.base))
        return output.getvalue()

    return evaluate_query


def make_remote_evaluator(url: str) -> QueryEvaluator:
    """Make a function that sends a query to a SPARQL endpoint (SPARQL 1.1 Protocol, section 2.1.2)."""
    from wgig_client.connection import sparql_endpoint_url  # noqa: PLC0415  costs 35 ms, and is not needed for the local store

    from ..sparql.language.hints import WARNING_FIELD, parse_warning_field  # noqa: PLC0415

    if not url.startswith(("http://", "https://")):
        raise Problem(400, f"{url} is not the URL of an endpoint. It must start with http:// or https://.")

    url = sparql_endpoint_url(url)

    def evaluate_query(query: ParsedSparqlText, format_: Format, *, warns: bool = True) -> bytes:
        data = urlencode({"query": query.text} | ({"hints": ""} if warns else {})).encode()
        request = Request(url, data, {"Accept": format_.media_type})  # noqa: S310
        try:
            with urlopen(request) as response:  # noqa: S310  the scheme is checked above
                body: bytes = response.read()
                if response.headers.get_content_type() == "text/html":
                    raise OSError(f"{url} responded with a page instead of a result. Check the address.")
                if warns:
                    print_query_hints(parse_warning_field(response.headers.get(WARNING_FIELD) or ""))
                return body
        except HTTPError as error:
            raise build_endpoint_error(url, error) from error
        except URLError as error:
            raise OSError(
                f"{url} cannot be reached: {error.reason}. Check the address, and that the service is "
                "running."
            ) from error
        except HTTPException as error:
            raise OSError(f"The response from {url} is incomplete. Try again.") from error

    return evaluate_query


def print_query_hints(hints: Iterable["QueryHint"]) -> None:
    """Print hints on probable mistakes in a query to standard error."""
    for hint in hints:
        position = f"line {hint.line}, column {hint.column}: " if hint.line else ""
        print_message(f"Warning: {position}{hint.sentence}")


def build_endpoint_error(url: str, error: HTTPError) -> Exception:
    """The exception for an error response of an endpoint, with the detail of its problem document."""
    body = error.read()
    try:
        document = json.loads(body)
        detail, excerpt = document["detail"], document.get("excerpt")
    except (ValueError, KeyError, TypeError, AttributeError):
        detail, excerpt = f"{error.code} {error.reason}", None
    if 400 <= error.code < 500:
        return Problem(400, f"{url} refused the query: {detail}", excerpt=excerpt)
    return OSError(f"{url} failed: {detail}")


def print_query_results(body: bytes, format_: Format | None, settings: Settings) -> int:
    """Print the result of SELECT or ASK. Returns exit code 1 if it is empty or false, else 0."""
    if format_ is not None:
        sys.stdout.buffer.write(body)
        return 0 if has_any_result(body, format_) else 1
    results = ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON)
    if isinstance(results, ox.QueryBoolean):
        print("yes" if results else "no")
        return 0 if results else 1
    assert isinstance(results, ox.QuerySolutions)
    rows = [[format_terminal_term(term, settings.base) for term in solution] for solution in results]
    print_table([variable.value for variable in results.variables], rows)
    return 0 if rows else 1


def has_any_result(body: bytes, format_: Format) -> bool:
    """Whether the result of a SELECT has rows, or that of an ASK is true."""
    if format_ is CSV:
        return body.count(b"\n") > 1
    results = ox.parse_query_results(body, format=ox.QueryResultsFormat.from_media_type(format_.media_type))
    return bool(results) if isinstance(results, ox.QueryBoolean) else any(True for _ in results)


def format_terminal_term(term: object, base: str) -> str:
    """A term for a terminal: a prefixed name, IRI or text; empty for an unbound variable.

    Control characters are replaced, as terminals would execute them.
    """
    return replace_control_characters(shorten_printed_term(term, base))


def shorten_printed_term(term: object, base: str) -> str:
    """The shortest form of a term: a prefixed name, or the text of a literal without its datatype."""
    match term:
        case None:
            return ""
        case ox.NamedNode():
            return shorten_iri(term.value, base)
        case ox.Literal():
            return term.value
        case _:
            return str(term)

"""A table of results that another service sent, as VALUES of a query."""

import secrets
from collections.abc import Iterator, Sequence

import pyoxigraph as ox

from ..formats import JSON_RESULTS, TSV, XML_RESULTS
from .peers import Answer, PeerError

TABLES = (JSON_RESULTS, XML_RESULTS, TSV)


def as_values(answer: Answer, asked: set[str]) -> str:
    """A table of results as VALUES, with blank nodes of its own. Raises PeerError."""
    format_ = ox.QueryResultsFormat.from_media_type(answer.media_type)
    if format_ is None or format_ == ox.QueryResultsFormat.CSV:  # which loses what terms are
        raise PeerError("its answer is in no format for results that is read here")
    columns, rows = read(answer.body, format_)
    if not asked.issuperset(columns):
        raise PeerError("its answer has columns that were not asked for")
    return values(columns, rows)


def read(body: bytes, format_: ox.QueryResultsFormat) -> tuple[list[str], list[list[object]]]:
    """The columns and rows of a table of results. Raises PeerError."""
    rows: list[list[object]] = []
    results: object = None
    try:
        results = ox.parse_query_results(body, format=format_)
        if not isinstance(results, ox.QuerySolutions):
            raise PeerError("it answers yes or no, not with a table")
        columns = [variable.value for variable in results.variables]
        for row in results:
            rows.append(list(row))  # a comprehension would keep the results in a frame of its own
    except (SyntaxError, ValueError) as error:
        raise PeerError("its answer cannot be read") from error
    finally:
        results = None  # it must not leave this thread, not even in a traceback
    return columns, rows


def values(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The table as a group. VALUES holds no blank nodes: they are made from labels, the same by the same."""
    blank = [any(isinstance(row[number], ox.BlankNode) for row in rows) for number in range(len(columns))]
    salt = secrets.token_hex(8)
    longest = max(columns, key=len, default="")  # longer names than this are no columns
    given, bound = [], []
    for number, (column, is_blank) in enumerate(zip(columns, blank, strict=True)):
        if is_blank:
            known, label = f"?{longest}_term{number}", f"?{longest}_label{number}"
            given += [known, label]
            bound.append(f"BIND(COALESCE({known}, BNODE({label})) AS ?{column})")
        else:
            given.append(f"?{column}")
    lines = (f"({' '.join(cells(row, blank, salt))})" for row in rows)
    block = f"VALUES ({' '.join(given)}) {{ {' '.join(lines)} }}"
    if not bound:
        return f"{{ {block} }}"
    return f"{{ SELECT {' '.join(f'?{one}' for one in columns)} {{ {block} {' '.join(bound)} }} }}"


def cells(row: Sequence[object], blank: Sequence[bool], salt: str) -> Iterator[str]:
    """The terms of a row; in a column with blank nodes, each with the label that it has or has not."""
    for term, is_blank in zip(row, blank, strict=True):
        if isinstance(term, ox.BlankNode):
            yield f'UNDEF "{salt}{term.value}"'
        else:
            yield f"{written(term)} UNDEF" if is_blank else written(term)


def written(term: object) -> str:
    """A term as SPARQL writes it where no variable may stand. Raises PeerError for what it cannot."""
    match term:
        case None:
            return "UNDEF"
        case ox.Triple():
            return f"<<( {written(term.subject)} {written(term.predicate)} {written(term.object)} )>>"
        case ox.BlankNode():
            raise PeerError("its answer has a blank node within a triple, which is not taken here")
        case _:
            return str(term)

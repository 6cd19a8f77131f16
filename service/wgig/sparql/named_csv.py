"""The result of a SELECT as CSV in which resources have names instead of IRIs, as in the table on a page."""

from wgig_client.literals import term_text

from ..rdf.sparql_lexer import SparqlText
from ..store.store import Store
from ..text import serialize_csv_rows
from .result_page import PageResult, build_result_view
from .result_table import LIST_SEPARATOR, Cell, TableOptions, build_result_table


def write_named_csv(result: PageResult, query: SparqlText, store: Store) -> bytes:
    """The table of a result as CSV. A resource without a name is given by its IRI."""
    solutions = build_result_view(result)["solutions"]
    # A body has fewer resources than bytes.
    options = TableOptions(len(solutions.rows), max_labels=len(result.body), translates_labels=True)
    table = build_result_table(solutions, query, store, options)
    names = [column.name for column in table.columns]
    return serialize_csv_rows([names, *(map(format_cell, row) for row in table.rows)])


def format_cell(cell: Cell) -> str:
    """The text of a cell: the names of its resources, or else its value."""
    if cell.things:
        return LIST_SEPARATOR.join(thing.label.value if thing.label else thing.iri for thing in cell.things)
    return "" if cell.term is None else term_text(cell.term)

"""The values of the count fields of lists, from the projections that count papers and links.

A list is sorted and filtered by a count only when all are counted. Its page waits for a moment, and has
unknown counts while they are missing.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from .counts import CellCounts, CellKey
from .dependencies import CountSources
from .fields import ListDefinition, ListField
from .query import CountsByField, ListRequest

PAPERS_FIELD = "papers"
# The dimension of the counts of papers (`counts.DIMENSION_PATHS`), by the name of the list.
COUNT_DIMENSIONS = {"issues": "issue", "categories": "category"}


def find_field_counts(sources: CountSources, definition: ListDefinition, field: ListField) -> CellCounts:
    """The projection that has the values of a count field."""
    return sources.papers[COUNT_DIMENSIONS[definition.name]] if field.name == PAPERS_FIELD else sources.links


def select_field_counts(field: ListField, cells: dict[CellKey, int]) -> dict[str, int]:
    """The counts of a field by IRI, among the cells of its projection."""
    if field.name == PAPERS_FIELD:
        return {key[0]: count for key, count in cells.items() if len(key) == 1 and is_plain_iri(key[0])}
    return {iri: count for (name, iri), count in cells.items() if name == field.name}


def is_plain_iri(key: str) -> bool:
    """Whether the value of a dimension is an IRI, as literals are in SPARQL syntax."""
    return not key.startswith('"')


async def read_counts(
    sources: CountSources, definition: ListDefinition, fields: Iterable[ListField]
) -> CountsByField:
    """The counts of the fields. Raises Problem 503 if counting takes long."""
    return {
        field.name: select_field_counts(
            field, await find_field_counts(sources, definition, field).get_counts()
        )
        for field in fields
    }


async def read_counts_within(
    sources: CountSources, definition: ListDefinition, fields: Iterable[ListField], seconds: float
) -> CountsByField:
    """The counts of the fields that are available within `seconds`; counting of the others continues."""
    fields = list(fields)
    results = await asyncio.gather(
        *(find_field_counts(sources, definition, field).get_counts_within(seconds) for field in fields)
    )
    return {
        field.name: select_field_counts(field, cells)
        for field, cells in zip(fields, results, strict=True)
        if cells is not None
    }


async def add_selecting_counts(sources: CountSources, list_request: ListRequest) -> ListRequest:
    """The request with the counts that it is sorted or filtered by. Raises Problem 503 as `read_counts`."""
    fields = list_request.selecting_count_fields
    counts = await read_counts(sources, list_request.definition, fields)
    return replace(list_request, counts=counts) if fields else list_request

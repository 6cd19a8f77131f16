"""Paths of a list that differ from that of a request in one filter or in the order."""

from ..http.parameters import build_service_path
from .fields import LABEL_FIELD
from .query import ListRequest


def path_without_value(list_request: ListRequest, name: str, index: int) -> str:
    """The path of the list without a filter: the value with this index of the parameter `name`."""
    positions = [position for position, pair in enumerate(list_request.pairs) if pair[0] == name]
    pairs = [
        pair
        for position, pair in enumerate(list_request.pairs)
        if position != positions[index] and pair[0] != "page"
    ]
    return build_service_path(list_request.definition.name, pairs)


def path_with_sort(list_request: ListRequest, name: str, is_descending: bool) -> str:
    """The path of the first page of the list, sorted by the field with this name, then by label."""
    pairs = [pair for pair in list_request.pairs if pair[0] not in ("page", "sort")]
    order = f"-{name}" if is_descending else name
    if name != LABEL_FIELD.name:
        order = f"{order},{LABEL_FIELD.name}"
    return build_service_path(list_request.definition.name, [*pairs, ("sort", order)])

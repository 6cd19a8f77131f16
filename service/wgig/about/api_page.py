"""/api: the OpenAPI description as a page. RapiDoc shows it; without scripts, the page lists operations."""

from typing import Any, NamedTuple

from fastapi import Response

from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..rdf.formats import HTML
from ..resources.representation import render_site_page

API_PAGE_OPERATION = Operation(name="getApiPage", formats=(HTML,))


class ListedOperation(NamedTuple):
    """An operation of the API, with the summary of what it does."""

    method: str
    path: str
    summary: str


class OperationGroup(NamedTuple):
    """The operations with a tag."""

    name: str
    description: str
    operations: list[ListedOperation]


def get_api_page(context: ContextDep) -> Response:
    """The page with all operations of the API, their parameters and responses."""
    choose_response_format(context.request, (HTML,))
    description = context.request.app.openapi()
    page = render_site_page(
        context, "api.html", groups=group_operations(description), info=description["info"]
    )
    return respond_with_body(context.request, page, HTML)


def group_operations(description: dict[str, Any]) -> list[OperationGroup]:
    """The operations of an OpenAPI description by tag, in the order of the tags."""
    groups = {tag["name"]: OperationGroup(**tag, operations=[]) for tag in description["tags"]}
    for path, path_item in description["paths"].items():
        for method, operation in path_item.items():
            listed = ListedOperation(method.upper(), path, operation["summary"])
            groups[operation["tags"][0]].operations.append(listed)
    return list(groups.values())

"""/docs: the documentation as a site, which the build of the package makes from the folder `docs/`.

Its scripts and styles are files, so that the Content-Security-Policy of all pages applies to it unchanged.
"""

import re
from typing import Annotated

from fastapi import Path, Request, Response

from ..http.operations import Operation
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ..pages.docs_site import DOCS_START_PAGE, has_docs_site, read_docs_files
from ..problems import Problem
from ..rdf.formats import CSS, HTML, JAVASCRIPT, JSON, NOTEBOOK_FORMAT, PLAIN_TEXT, PNG_FORMAT, SVG
from .schemas import DocsSearchIndex

DOCS_FORMATS = {
    "html": HTML,
    "css": CSS,
    "js": JAVASCRIPT,
    "svg": SVG,
    "png": PNG_FORMAT,
    "json": JSON,  # the search index
    "ipynb": NOTEBOOK_FORMAT,
}
DIGEST_NAME_PATTERN = re.compile(r"\.[0-9a-f]{8}(?:\.min)?\.(?:css|js)$")
DOCS_OPERATION = Operation(status=303)
DOCS_FILE_OPERATION = Operation(formats=(*DOCS_FORMATS.values(), PLAIN_TEXT), json=DocsSearchIndex)
DocsFileName = Annotated[
    str,
    Path(
        description="The path of a page or file of the documentation.",
        examples=["index.html", "reference/settings.html"],
    ),
]


def get_docs() -> Response:
    """The documentation: a 303 redirect to its first page. Raises Problem 404 if it is not built."""
    check_docs_site()
    return Response(status_code=303, headers={"Location": f"/docs/{DOCS_START_PAGE}"})


def get_docs_file(request: Request, path: DocsFileName) -> Response:
    """A page or file of the documentation; without `.html`, a redirect to the page.

    Raises Problem 404 if there is none, or if it is not built.
    """
    check_docs_site()
    body = read_docs_files().get(path)
    if body is None and f"{path}.html" in read_docs_files():
        return Response(status_code=303, headers={"Location": f"/docs/{path}.html"})
    if body is None:
        raise Problem(404, f"The documentation has no page {request.url.path}. Its first page is /docs.")
    format_ = DOCS_FORMATS.get(path.rpartition(".")[2], PLAIN_TEXT)
    headers = {"Content-Language": "en"}
    if DIGEST_NAME_PATTERN.search(path):
        headers["Cache-Control"] = IMMUTABLE_CACHE_CONTROL
    return respond_with_body(request, body, format_, headers=headers)


def check_docs_site() -> None:
    """Raise Problem 404 with what to do if the documentation is not built."""
    if not has_docs_site():
        raise Problem(
            404,
            "This service was built without its documentation. Run `make docs` in a checkout and restart the "
            "service, or read the folder docs/ of the checkout.",
        )

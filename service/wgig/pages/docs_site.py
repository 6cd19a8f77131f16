"""The docs site, which the build of the package makes from `docs/` (`docs/site/build.py`).

A checkout in which it was not built, and a package built with BUILD_WITHOUT_DOCS, do not have it.
"""

from functools import cache
from pathlib import Path

DOCS_SITE_FOLDER = Path(__file__).parent / "static" / "docs"
DOCS_START_PAGE = "index.html"


@cache
def has_docs_site() -> bool:
    """Whether the docs site is built."""
    return (DOCS_SITE_FOLDER / DOCS_START_PAGE).is_file()


@cache
def read_docs_files() -> dict[str, bytes]:
    """The content of each file of the docs site by its path below /docs/; about 3.5 MB."""
    return {
        path.relative_to(DOCS_SITE_FOLDER).as_posix(): path.read_bytes()
        for path in DOCS_SITE_FOLDER.rglob("*")
        if path.is_file()
    }

"""Whether the built docs site is current: the digest of its sources, in a stamp next to the site.

Only the standard library is imported, because the build of the package asks before it installs anything.
"""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

SITE = "service/wgig/pages/static/docs"  # the built site, below the root of the checkout
STAMP = "sources.sha256"
ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
ICON = "service/wgig/pages/static/icon.svg"
CLIENT = "client/wgig_client"  # its docstrings are the reference of the Python client


def iter_site_sources(root: Path) -> Iterator[Path]:
    """The files from which the site is built."""
    yield from (root / name for name in (*ROOT_PAGES, ICON))
    for folder, patterns in (("docs", ("*",)), (CLIENT, ("*.py", "*.pyi"))):
        files = {path for pattern in patterns for path in (root / folder).rglob(pattern) if path.is_file()}
        yield from sorted(path for path in files if "__pycache__" not in path.parts)


def read_docs_requirements(root: Path) -> list[str]:
    """What builds the site: the dependency group `docs`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    requirements: list[str] = project["dependency-groups"]["docs"]
    return requirements


def compute_site_digest(root: Path) -> str:
    """The SHA-256 of the names and contents of all sources, and of the requirements of the build."""
    digest = hashlib.sha256(f"{read_docs_requirements(root)}\n".encode())
    for path in iter_site_sources(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def is_site_current(root: Path) -> bool:
    """Whether the site was built from the current sources."""
    stamp = root / SITE / STAMP
    return stamp.is_file() and stamp.read_text("ascii") == compute_site_digest(root)


def write_site_stamp(root: Path, site: Path) -> None:
    """Record in a built site from which sources it was built."""
    (site / STAMP).write_text(compute_site_digest(root), "ascii")

"""The Working Group on Internet Governance (2004-2005) as linked data.

`wgig.connect(url)` returns a client of a service. `__init__.pyi` lists the public names.
"""

from importlib import import_module

from ._version import __released__ as __released__
from ._version import __version__ as __version__

PUBLIC_NAMES = ("IRI", "Graph", "Report", "Rows", "ServiceError", "Text", "Triples", "connect")


def __getattr__(name: str) -> object:
    """A public name of the client, imported on first access, because most commands need none."""
    if name not in PUBLIC_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".client", __name__), name)


def __dir__() -> list[str]:
    """The names in this module, with the public ones that are imported on first access."""
    return sorted({*globals(), *PUBLIC_NAMES})

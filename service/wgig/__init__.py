"""The Working Group on Internet Governance (2004-2005) as linked data.

`wgig.connect(url)` gives a client of a service; what else is taken from here is listed in `__init__.pyi`.
"""

from importlib import import_module

from ._version import __released__ as __released__
from ._version import __version__ as __version__

PUBLIC_NAMES = ("IRI", "Graph", "Report", "Rows", "ServiceError", "Text", "Triples", "connect")


def __getattr__(name: str) -> object:
    """A part of the client, which is loaded when it is first asked for: most commands need none."""
    if name not in PUBLIC_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".client", __name__), name)


def __dir__() -> list[str]:
    """What can be taken from here."""
    return sorted({*globals(), *PUBLIC_NAMES})

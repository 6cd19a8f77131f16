"""The Python client of a service: query the graph, read it, check papers, write graphs.

Start with `connect` in `client`. The client does not need the package `wgig`, whose `wgig.connect` is the
same function. `__init__.pyi` lists the public names.
"""

from importlib import import_module

from ._version import __released__ as __released__
from ._version import __version__ as __version__

# The public names by the module that has them.
PUBLIC_NAMES = {
    "AsyncChanges": "client",
    "AsyncGraphClient": "client",
    "Change": "changes",
    "Changes": "client",
    "GraphClient": "client",
    "IRI": "values",
    "Report": "errors",
    "Rows": "values",
    "ServiceError": "errors",
    "Text": "values",
    "Triples": "values",
    "connect": "client",
    "connect_async": "client",
}


def __getattr__(name: str) -> object:
    """A public name, imported on first access, as the package `wgig` imports modules that need no httpx2."""
    if name not in PUBLIC_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{PUBLIC_NAMES[name]}", __name__), name)


def __dir__() -> list[str]:
    """The names in this module, with the public ones that are imported on first access."""
    return sorted({*globals(), *PUBLIC_NAMES})

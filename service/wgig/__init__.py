"""The Working Group on Internet Governance (2004-2005) as linked data.

`wgig.connect(url)` returns a client of a service. The client is the package `wgig_client`, whose public names
are also here.
"""

import wgig_client
from wgig_client import PUBLIC_NAMES

from ._version import __released__ as __released__
from ._version import __version__ as __version__


def __getattr__(name: str) -> object:
    """A public name of the client, imported on first access, because most commands need none."""
    if name not in PUBLIC_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(wgig_client, name)


def __dir__() -> list[str]:
    """The names in this module, with the public ones that are imported on first access."""
    return sorted({*globals(), *PUBLIC_NAMES})

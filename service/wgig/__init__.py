"""The Working Group on Internet Governance (2004-2005) as linked data.

`wgig.connect(url)` returns a client of a service. The client is the package `wgig_client`, whose public names
are also here. `wgig.check(path)` checks a paper without a service.
"""

from importlib import import_module

import wgig_client
from wgig_client import PUBLIC_NAMES as CLIENT_NAMES

from ._version import __released__ as __released__
from ._version import __version__ as __version__

PUBLIC_NAMES = (*CLIENT_NAMES, "check")


def __getattr__(name: str) -> object:
    """A public name, imported on first access, because most commands need none."""
    if name in CLIENT_NAMES:
        return getattr(wgig_client, name)
    if name == "check":
        return import_module(".cli.local_check", __name__).check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names in this module, with the public ones that are imported on first access."""
    return sorted({*globals(), *PUBLIC_NAMES})

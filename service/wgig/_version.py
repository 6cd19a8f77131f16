"""The version of the package and the day of its release, which are those of the client."""

from wgig_client._version import __released__, __version__

__all__ = ["__released__", "__version__"]

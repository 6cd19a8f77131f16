"""The version of the package and the day of its release."""

__version__ = "0.1.0"
__released__ = "2026-11-25"  # the release date in the changelog

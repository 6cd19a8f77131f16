"""The version of both packages, `wgig` and `wgig-client`, and the day of their release."""

__version__ = "0.1.0"
__released__ = "2026-11-25"  # the release date in the changelog

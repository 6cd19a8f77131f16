"""The Working Group on Internet Governance (2004-2005) as linked data."""

__version__ = "0.1.0"

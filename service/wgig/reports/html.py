"""The report as a page that stands alone: a file to keep, to send or to print, with its styles inside."""

from collections.abc import Sequence
from operator import attrgetter

from ..pages import render, static_files, static_path
from ..pages.report import Shown
from ..report import Outcome


def write(outcomes: Sequence[Outcome], language: str) -> bytes:
    """The page in UTF-8. Links lead to the web, not to a service."""
    shown = Shown(outcomes, language, rule_page=attrgetter("iri"))
    style = static_files()[static_path("style.css")].decode()
    return render("report-file.html", shown=shown, style=style)

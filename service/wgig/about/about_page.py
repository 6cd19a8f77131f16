"""/about: who makes this, how the facts were gathered, licenses, contact, accessibility, privacy."""

from fastapi import Response

from .._version import __released__, __version__
from ..graphs.dependencies import RecorderDep
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..rdf.formats import HTML
from ..resources.representation import render_site_page
from .dataset_citation import cite_dataset
from .feedback import build_contact_links

ABOUT_OPERATION = Operation(formats=(HTML,))


def get_about(context: ContextDep, recorder: RecorderDep) -> Response:
    """The page about this service: its makers and method, licenses, contact, accessibility, privacy."""
    settings = context.settings
    choose_response_format(context.request, (HTML,))
    page = render_site_page(
        context,
        "about.html",
        version=__version__,
        released=__released__,
        citation=cite_dataset(recorder, context.base),
        contacts=build_contact_links(settings.contact),
        access_log=settings.access_log,
        query_log=settings.query_log,
    )
    return respond_with_body(context.request, page, HTML)

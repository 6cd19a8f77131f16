"""/feedback: the text of a report that something in a page is wrong, ready to copy or to send by email.

The service stores and sends nothing: the text is in a field of the page, and the contacts of WGIG_CONTACT are
links. The path of the page comes from the address, so it is checked and escaped.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

import pyoxigraph as ox
from fastapi import Query, Response

from .._version import __version__
from ..graphs.citation.versions import current_version
from ..graphs.dependencies import RecorderDep
from ..http.language import gettext, label_languages
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_parameter
from ..http.parameters import request_base_url
from ..http.responses import respond_with_body
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import foreign_property_label
from ..problems import Problem, build_sentence
from ..rdf.formats import HTML
from ..resources.representation import render_site_page
from ..store.labels import find_labels
from ..store.store import Store
from ..text import flatten_untrusted_text, shorten_text

MAX_PAGE_PATH_CHARACTERS = 1_000
# A path of this service: not the address of another host, such as //example.org.
PAGE_PATH_PATTERN = re.compile(rf"/(?![/\\])[!-\[\]-~]{{0,{MAX_PAGE_PATH_CHARACTERS - 1}}}")
DESCRIBED_PATH_PATTERN = re.compile(r"/(?:id|doc)/(?P<name>[^?#]+)")
MAX_READ_STATEMENTS, MAX_STATED_LINES, MAX_LINE_CHARACTERS = 100, 20, 160
MAX_MAIL_CHARACTERS = 1_500  # of the text in a mailto link; mail programs refuse or cut longer ones

FEEDBACK_OPERATION = Operation(formats=(HTML,))


class FeedbackParameters(ParameterModel):
    """Query parameters of /feedback."""

    about: Text = describe_parameter(
        "The path of the page that the report is about.", examples=["/doc/issue/spam"]
    )


class ContactLink(NamedTuple):
    """A contact of the operator: the target of the link, its text, and whether it begins an email."""

    href: str
    text: str
    is_mail: bool


def get_feedback(
    context: ContextDep, recorder: RecorderDep, parameters: Annotated[FeedbackParameters, Query()]
) -> Response:
    """The page with the text of a report. Raises Problem 400 if `about` is not a path of this service."""
    request = context.request
    choose_response_format(request, (HTML,))
    path = parse_page_path(parameters.about or "/")
    report = build_report_text(context, path, current_version(recorder))
    page = render_site_page(
        context,
        "feedback.html",
        path=path,
        report=report,
        contacts=build_contact_links(context.settings.contact, report),
    )
    return respond_with_body(request, page, HTML)


def parse_page_path(text: str) -> str:
    """The path in the parameter `about`. Raises Problem 400 if it is not a path of this service."""
    if not PAGE_PATH_PATTERN.fullmatch(text):
        message = gettext_noop(
            "The parameter about must be the path of a page of this service, such as %(path)s."
        )
        raise Problem(400, [build_sentence(message, path="/doc/issue/spam")])
    return text


def build_report_text(context: RequestContext, path: str, version: str) -> str:
    """The text of a report about a page: its address, the versions, what it states, and space to fill in."""
    address = request_base_url(context.request).rstrip("/") + path
    stated = list_stated_lines(context.store, context.base, path)
    parts = [
        [f"{gettext('Page')}: {address}", f"{gettext('Version of the data')}: {version}"],
        [f"{gettext('Version of the software')}: {__version__}"],
        *([["", f"{gettext('What the page states')}:", *stated]] if stated else []),
        ["", f"{gettext('What is wrong')}:", "", ""],
        [f"{gettext('What is right, and which source says so')}:", "", ""],
    ]
    return "\n".join(line for part in parts for line in part)


def list_stated_lines(store: Store, base: str, path: str) -> list[str]:
    """The first statements about the resource of a page as lines of text; none for other pages.

    Inferred statements are left out, as they follow from others.
    """
    match = DESCRIBED_PATH_PATTERN.match(path)
    try:
        node = ox.NamedNode(f"{base}id/{unquote(match['name'], errors='strict')}") if match else None
    except ValueError:  # not an IRI
        node = None
    if node is None:
        return []
    inferred = ox.NamedNode(f"{base}graph/inferred")
    quads = islice((quad for quad in store.match(node) if quad.graph_name != inferred), MAX_READ_STATEMENTS)
    return list(islice(iter_statement_lines(store, list(quads)), MAX_STATED_LINES))


def iter_statement_lines(store: Store, quads: Sequence[ox.Quad]) -> Iterator[str]:
    """Each statement as a line with the labels of its property and value, without repeated lines."""
    terms: list[tuple[str, Any]] = [(quad.predicate.value, quad.object) for quad in quads]
    values = {value.value for _, value in terms if isinstance(value, ox.NamedNode)}
    labels = find_labels(store, values | {property_ for property_, _ in terms}, label_languages())
    for property_, value in dict.fromkeys(terms):
        name = labels.get(property_) or foreign_property_label(property_)
        text = str(value) if isinstance(value, ox.Triple) else value.value
        line = flatten_untrusted_text(f"- {name.value}: {labels[text].value if text in labels else text}")
        yield shorten_text(line, MAX_LINE_CHARACTERS)


def build_contact_links(contacts: str, report: str = "") -> list[ContactLink]:
    """The links to the contacts of WGIG_CONTACT; an email begins with the text of the report, if it fits."""
    return [build_contact_link(contact, report) for contact in contacts.split()]


def build_contact_link(contact: str, report: str) -> ContactLink:
    """The link to a contact, which is a `mailto:` or `https:` address."""
    address = contact.removeprefix("mailto:")
    if address == contact:
        return ContactLink(contact, urlsplit(contact).hostname or contact, is_mail=False)
    fields = [("subject", "WGIG knowledge graph"), ("body", report[:MAX_MAIL_CHARACTERS])]
    header_fields = urlencode([field for field in fields if report], quote_via=quote)
    separator = "&" if "?" in contact else "?"
    href = f"{contact}{separator}{header_fields}" if header_fields else contact
    return ContactLink(href, address.partition("?")[0], is_mail=True)

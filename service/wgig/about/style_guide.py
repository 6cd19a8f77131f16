"""The style guide: the components of the pages, made with the same style sheet and templates."""

import re

from fastapi import Response

from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..pages.rendering import build_static_path, read_static_files, render_template
from ..rdf.formats import HTML

STYLE_GUIDE_OPERATION = Operation(formats=(HTML,))
COLOR_PATTERN = re.compile(r"--([\w-]+): #[0-9a-f]{6};")
ROOT_RULE_PATTERN = re.compile(r":root \{([^}]*)\}")


def get_style_guide(context: ContextDep) -> Response:
    """The page with all components."""
    choose_response_format(context.request, (HTML,))
    page = render_template("style-guide.html", base=context.base, colors=list_style_colors())
    return respond_with_body(context.request, page, HTML)


def list_style_colors() -> list[str]:
    """The names of the colors of the style sheet, in its order."""
    style = read_static_files()[build_static_path("style.css")].decode()
    match = ROOT_RULE_PATTERN.search(style)
    return COLOR_PATTERN.findall(match[1]) if match else []

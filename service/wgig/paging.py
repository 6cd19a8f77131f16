"""Another page of a list, in the same representation as this one."""

from urllib.parse import quote

from fastapi import Request

from .bodies import Pairs, parameters
from .pages import PATH
from .profiles.subject import query, with_parameters
from .profiles.wish import PARAMETERS


def turned(request: Request, pairs: Pairs) -> str:
    """The address of the page with these parameters, with what this one was asked for by: suffix and wish."""
    wished = [one for one in parameters(request) if one[0] in PARAMETERS and one[1] and one not in pairs]
    return with_parameters(quote(request.scope["path"], safe=PATH), query([*pairs, *wished]))

# The public names of the package, for type checkers: `__init__.py` imports them lazily.
from wgig_client import IRI as IRI
from wgig_client import AsyncChanges as AsyncChanges
from wgig_client import AsyncGraphClient as AsyncGraphClient
from wgig_client import Change as Change
from wgig_client import Changes as Changes
from wgig_client import GraphClient as GraphClient
from wgig_client import Report as Report
from wgig_client import Rows as Rows
from wgig_client import ServiceError as ServiceError
from wgig_client import Text as Text
from wgig_client import Triples as Triples
from wgig_client import connect as connect
from wgig_client import connect_async as connect_async

from .cli.local_check import check as check

__version__: str
__released__: str
PUBLIC_NAMES: tuple[str, ...]

# The public names of the package, for type checkers: `__init__.py` imports them lazily.
from .changes import Change as Change
from .client import AsyncChanges as AsyncChanges
from .client import AsyncGraphClient as AsyncGraphClient
from .client import Changes as Changes
from .client import GraphClient as GraphClient
from .client import connect as connect
from .client import connect_async as connect_async
from .errors import Report as Report
from .errors import ServiceError as ServiceError
from .values import IRI as IRI
from .values import Rows as Rows
from .values import Text as Text
from .values import Triples as Triples

__version__: str
__released__: str
PUBLIC_NAMES: dict[str, str]

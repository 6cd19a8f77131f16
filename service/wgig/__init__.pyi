# The public names of the package, for type checkers: `__init__.py` imports them lazily.
from .client import IRI as IRI
from .client import Graph as Graph
from .client import Report as Report
from .client import Rows as Rows
from .client import ServiceError as ServiceError
from .client import Text as Text
from .client import Triples as Triples
from .client import connect as connect

__version__: str
__released__: str
PUBLIC_NAMES: tuple[str, ...]

# The public names of the package, for type checkers: `__init__.py` imports them lazily.
from .errors import Report as Report
from .errors import ServiceError as ServiceError
from .graph import Graph as Graph
from .graph import connect as connect
from .values import IRI as IRI
from .values import Rows as Rows
from .values import Text as Text
from .values import Triples as Triples

__version__: str
__released__: str
PUBLIC_NAMES: dict[str, str]

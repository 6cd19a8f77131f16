# The public names of the package, for type checkers: `__init__.py` imports them lazily.
from wgig_client import IRI as IRI
from wgig_client import Graph as Graph
from wgig_client import Report as Report
from wgig_client import Rows as Rows
from wgig_client import ServiceError as ServiceError
from wgig_client import Text as Text
from wgig_client import Triples as Triples
from wgig_client import connect as connect

__version__: str
__released__: str
PUBLIC_NAMES: dict[str, str]

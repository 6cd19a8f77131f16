"""What an instance needs to share a store: the service, its ledger, and the turn to write it."""

from ..settings import Settings
from .copying import Copying
from .engine import Engine
from .ground import Ground
from .ledger import Ledger
from .turn import Turn


class Sharing:
    """The shared store of the settings. Raises ValueError where they do not fit."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is asked yet."""
        self.engine = Engine(settings)
        self.ledger = Ledger(self.engine, settings.base)
        self.turn = Turn(self.ledger)
        self.ground = Ground(settings.base)
        self.copying = Copying(self.engine, self.ledger, self.ground)

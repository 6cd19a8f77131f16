"""The position of the engine in the change log: how far the quads on disk certainly include the commits.

The engine does not sync each commit, as the log does. The position is written after the engine was flushed,
so it is never ahead of what is on disk. When the store is opened, the commits after it are applied again.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from ..files import open_durable_file

POSITION_FILE = "position.json"

logger = logging.getLogger("wgig")


@dataclass(frozen=True)
class EnginePosition:
    """The version up to which the quads on disk include the commits of the log with the ID `log_id`.

    `rules` is the digest of the rules of the derived graphs in them. `is_described` tells whether the
    descriptions (graphs about the store) include that version, too. `shared` is the position of the copy of a
    shared store, which several services write to over HTTP.
    """

    log_id: str
    version: int
    rules: str
    is_described: bool
    shared: str = ""

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The position of the store in a folder; None if there is none, or it is damaged. Raises OSError."""
        try:
            return cls(**json.loads((folder / POSITION_FILE).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            logger.warning("%s is damaged (%s): replaying the change log", folder / POSITION_FILE, error)
            return None

    def write(self, folder: Path) -> None:
        """Write the position durably. Call it after the engine was flushed. Raises OSError."""
        with open_durable_file(folder / POSITION_FILE) as file:
            file.write(json.dumps(asdict(self)).encode())

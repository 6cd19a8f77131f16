"""A projection in memory that is saved when the service stops, as it takes long to build.

The next start uses it if the store is as it was: the same version of the same log, with the same rules. The
first line of the file describes this state; each further line has a part of the content as JSON. A file of
another state, or one that is damaged, is not used at all.
"""

import json
import logging
import threading
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..files import make_private_folder, open_durable_file
from .errors import StoreError
from .files import ASIDE_FOLDER
from .position import EnginePosition
from .projection import Projection, ProjectionState
from .store import Store

SAVED_FOLDER = "saved"  # in `aside`
# What parsing damaged parts raises; StopIteration, if parts are missing.
DAMAGE_ERRORS = (ValueError, TypeError, LookupError, OverflowError, StopIteration)

ContentT = TypeVar("ContentT")

logger = logging.getLogger("wgig")


class SavedProjection(Projection, Generic[ContentT]):
    """A projection whose content is saved."""

    saved_name: str  # of its file, without suffix

    def __init__(self, store: Store) -> None:
        """Take the store. The file is read when the projection is opened."""
        super().__init__(store)
        self.included_version = 0  # of the change log
        self.open_lock = threading.Lock()
        # From the file: its state, and the content until the projection is opened.
        self.saved_state: Any = None
        self.saved_content: ContentT | None = None

    @property
    @abstractmethod
    def saved_format(self) -> Any:
        """A JSON value that differs if the content of the file would have another meaning."""

    @abstractmethod
    def dump_parts(self) -> Iterable[Any]:
        """The content, which includes all commits, as JSON values. Raises StoreError."""

    @abstractmethod
    def parse_parts(self, parts: Iterator[Any]) -> ContentT:
        """The content from all of its parts. Raises DAMAGE_ERRORS."""

    @abstractmethod
    def use_content(self, content: ContentT) -> None:
        """Use the content of the file."""

    @property
    def saved_file(self) -> Path | None:
        """The file for the time when the service does not run; None for a store in memory."""
        folder = self.store.folder
        return folder and folder / ASIDE_FOLDER / SAVED_FOLDER / f"{self.saved_name}.jsonl"

    def describe_state(self, version: int) -> list[Any]:
        """What the content depends on: its format, the version of the store, and its inference rules."""
        position = EnginePosition.read(self.store.folder) if self.store.folder else None
        return [self.saved_format, self.store.log.epoch, version, position and position.rules]

    def open(self) -> None:
        """Follow the commits from now on. The file is read before, so that no commit waits for that."""
        if self.state is not ProjectionState.CLOSED:
            return
        with self.open_lock:
            if self.state is ProjectionState.CLOSED:
                self.read_file()
                super().open()
                self.saved_content = None

    def read_file(self) -> None:
        """Read the content from the file, if it has that of the store as it is."""
        if self.saved_file is None:
            return
        expected_state = self.describe_state(self.store.log_version)
        try:
            with self.saved_file.open("rb") as file:
                if json.loads(file.readline()) == expected_state:
                    self.saved_content = self.parse_parts(map(json.loads, file))
                    self.saved_state = expected_state
        except FileNotFoundError:
            return
        except (OSError, *DAMAGE_ERRORS) as error:
            logger.info("the saved content of %s is not used: %s", self.name, error)

    def load_position(self) -> int | None:
        """Use the content that was read. Returns the version of the store if it is that of the content."""
        version = self.store.log_version
        if self.saved_content is None or self.describe_state(version) != self.saved_state:
            return None
        self.use_content(self.saved_content)
        self.included_version = version
        return version

    def save(self) -> None:
        """Save the content, unless the file has it. The store must be closed for writing."""
        with self.lock:
            state = self.describe_state(self.included_version)
            is_complete = self.follows_commits and not self.store.has_outdated_descriptions
            if not is_complete or self.saved_file is None or state == self.saved_state:
                return
            try:
                make_private_folder(self.saved_file.parent)
                with open_durable_file(self.saved_file) as file:
                    for part in (state, *self.dump_parts()):
                        file.write(json.dumps(part).encode() + b"\n")
            except (OSError, StoreError) as error:
                logger.info("%s is not saved: %s", self.name, error)

"""The citation of the whole dataset, for the pages of /catalog and /about."""

from .._version import __released__, __version__
from ..graphs.citation.versions import current_version, version_date
from ..graphs.description.dcat import PUBLISHER_NAME
from ..graphs.description.void import DATASET_TITLE
from ..graphs.provenance import ProvenanceRecorder


def cite_dataset(recorder: ProvenanceRecorder | None, base: str) -> str:
    """The citation in English: the release, and the last write if there was one since."""
    version = current_version(recorder)
    state = f"Version {__version__}, {__released__}"
    if version != __version__:
        state += f", changed {version_date(version)} ({version})"
    return f"{PUBLISHER_NAME}. “{DATASET_TITLE}”. {state}. <{base}>"

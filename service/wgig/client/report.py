"""What a service says of papers that it checked."""

from typing import Any


class Report(dict[str, Any]):
    """The report as the service gives it in JSON: `files`, in them `papers`, in them `findings`."""

    @property
    def conforms(self) -> bool:
        """Whether all that was sent conforms to the profile."""
        return bool(self["conforms"])

    @property
    def papers(self) -> list[dict[str, Any]]:
        """What was found of each paper of all files."""
        return [paper for file in self["files"] for paper in file["papers"]]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What each paper lacks: `code`, `severity`, `message`, `line`, `mend` and more."""
        return [finding for paper in self.papers for finding in paper["findings"]]

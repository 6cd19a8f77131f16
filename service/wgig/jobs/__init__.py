"""Papers by the million, checked or counted: on Apache Spark, or on the processes of one machine.

Both write the same folder. The mark `_SUCCESS` is in it as soon as all is: without it, the rest is a part.

- `reports/part-*`, of a check: a line of JSON for each paper, in no order
- `unread/part-*`, of a description: such a line for each file that cannot be read
- `lost/part-*`, only where there are such: lines about files that Spark did not give, as they are too large,
  without content, or unreadable
- `summary.json`: how many there are of what
- `void.ttl`, of a description: the figures as VoID
"""

import json
import re
from typing import Any, NamedTuple

from ..documents import SUFFIXES
from ..files import NOT_SOUGHT
from ..problems import Problem
from ..workers import Task

REPORTS, UNREAD, LOST = "reports", "unread", "lost"  # folders of lines
SUMMARY, VOID, MARK = "summary.json", "void.ttl", "_SUCCESS"
ENDINGS = sorted({*SUFFIXES} - {NOT_SOUGHT})  # of the files that are read
FAR = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


class Job(NamedTuple):
    """What to do: the paths, the folder to write, how a file is checked, and the processes of this machine.

    Messages are in the language, and `base` begins the IRIs that count as ours.
    """

    paths: tuple[str, ...]
    out: str
    task: Task
    language: str
    base: str
    jobs: int


def in_json(summary: dict[str, Any]) -> bytes:
    """A summary as it is written."""
    return f"{json.dumps(summary, indent=2, ensure_ascii=False)}\n".encode()


def taken(out: str) -> Problem:
    """The 400 for a folder that is there."""
    return Problem(400, f"There is a {out} already, and nothing is written over. Name another --out.")


def nothing(paths: tuple[str, ...]) -> Problem:
    """The 400 for paths at which there is nothing to read."""
    endings = ", ".join(f".{one}" for one in ENDINGS)
    return Problem(400, f"There is no paper at {', '.join(paths)}. Papers end in {endings}.")

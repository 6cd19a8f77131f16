"""Verification of a store: each block of each index is read, and its checksum compared by the engine.

The engine compares the checksum of a block whenever it reads it. But a dump reads only one of nine indexes,
and reading the others quad by quad takes nine times as long. A compaction reads all blocks of the files that
it replaces. So quads whose keys span the keys of all files are added to a copy, and the copy is compacted.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
from wgig_client.namespaces import XSD_NAMESPACE

from ..errors import DAMAGED_FILE_PATTERN, is_engine_damage
from ..folder import QUADS_FOLDER, find_damaged_log
from .manifest import DamagedBackupError

# IRIs are stored by a hash. The first of n files of an index is missed if none of 5,000 random keys is in its
# range: with a probability of 5 in 100,000 for 500 files (32 GB).
PROBE_COUNT = 5_000
TABLE_SUFFIX = ".sst"  # the engine never changes these files in place


def link_quads(folder: Path, target: Path) -> None:
    """Copy the quads of a closed store to a new folder, by hard links of the files that are never changed."""
    target.mkdir(parents=True)
    for path in folder.iterdir():
        if path.suffix == TABLE_SUFFIX:
            os.link(path, target / path.name)
        elif path.name != "LOCK":
            shutil.copy2(path, target / path.name)


def verify_quads(copy: Path) -> None:
    """Read all blocks of the quads in a folder, which is changed. Raises DamagedBackupError, OSError.

    The copy must be disposable; its files may be hard links.
    """
    try:
        quads = ox.Store(str(copy))
        if damaged_log := find_damaged_log(copy):
            raise DamagedBackupError(f"the file {QUADS_FOLDER}/{damaged_log} is damaged")
        for _ in quads.named_graphs():  # the names of the graphs are not compacted
            pass
        quads.extend(iter_probe_quads())
        quads.flush()
        quads.optimize()
        # The error of a compaction in the background is reported by one of the next writes.
        for number in range(3):
            node = ox.NamedNode(f"wgig:probe:{number}")
            quads.add(ox.Quad(node, node, node))
            quads.flush()
    except DamagedBackupError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        if not is_engine_damage(error):
            raise
        file = DAMAGED_FILE_PATTERN.search(str(error))
        raise DamagedBackupError(
            f"the file {QUADS_FOLDER}/{file[1]} is damaged" if file else f"its quads are damaged ({error})"
        ) from error


def iter_probe_quads() -> Iterator[ox.Quad]:
    """Quads with random IRIs and with terms of each type, in the unnamed graph and in named graphs."""
    objects: list[ox.BlankNode | ox.Literal | ox.Triple] = [
        ox.BlankNode("b"),
        ox.BlankNode("b" * 40),
        ox.Literal("text"),
        ox.Literal("text" * 10),
        ox.Literal("text", language="en"),
        *(
            ox.Literal(value, datatype=ox.NamedNode(XSD_NAMESPACE + name))
            for name, value in (
                *(("integer", "1"), ("decimal", "1.5"), ("double", "1e0"), ("boolean", "true")),
                *(("date", "2004-11-23"), ("dateTime", "2004-11-23T09:00:00Z"), ("duration", "P1Y")),
                ("dayTimeDuration", "P1D"),
            )
        ),
    ]
    for number in range(PROBE_COUNT):
        subject, predicate, object_, graph = (
            ox.NamedNode(f"wgig:probe:{role}:{number}") for role in ("s", "p", "o", "g")
        )
        values = (object_, objects[number % len(objects)], ox.Triple(subject, predicate, object_))
        subjects = (subject, ox.BlankNode(), ox.BlankNode(f"b{number}"))
        for name in (ox.DefaultGraph(), graph):
            yield ox.Quad(subjects[number % 3], predicate, values[number // 3 % 3], name)

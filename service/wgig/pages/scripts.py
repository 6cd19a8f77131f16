"""The browser code as Vite built it from `service/web`: what pages load, each by a name that holds a digest.

A checkout that was installed where the registry of npm cannot be reached has none; then pages go without.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

BUILT = Path(__file__).parent / "static" / "built"


@cache
def script(name: str) -> str | None:
    """The path of a script, by the name of its source in `service/web/src`; None where it is not built."""
    manifest = BUILT / "manifest.json"
    if not manifest.is_file():
        return None
    known: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    return static_path(known[f"src/{name}.ts"]["file"])


def built_files() -> dict[str, bytes]:
    """The content of each file that browsers load, by its path; Vite puts a digest into each name."""
    return {static_path(file.name): file.read_bytes() for file in BUILT.glob("*.js")}


def static_path(file: str) -> str:
    """The path of a file by its name."""
    return f"/static/{file}"

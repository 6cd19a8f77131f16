"""Builds the docs site into the package, which serves it at /docs: `make docs`, or the build of the wheel.

Zensical renders the pages and fails at a broken link. Afterwards the pages are made to run under the
Content-Security-Policy of the service, which allows neither inline scripts nor inline styles: each inline
script becomes a file, and the styles of the search dialog, which a script inserts, a style sheet object.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .checks import iter_site_faults
from .pages import DOCS, SiteError, read_nav, write_pages
from .stamp import SITE, is_site_current, write_site_stamp

ROOT = Path(__file__).parents[2]
WORK = "build/docs"
# Files of Zensical that the site does not need: the service has its own error pages and sitemap, and the
# other variant of the theme is not used.
UNUSED = ("404.html", "sitemap.xml", "sitemap.xml.gz", "objects.inv", "assets/stylesheets/classic")
INLINE_SCRIPT_PATTERN = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# `root.appendChild(h("style", {}, css.toString()))` in the shadow root of the search dialog.
INSERTED_STYLE_PATTERN = re.compile(r'(\w+)\.appendChild\(\w+\("style",\{\},(\w+)\.toString\(\)\)\)')
STYLE_SHEET_OBJECT = r"\1.adoptedStyleSheets=[(s=>(s.replaceSync(\2),s))(new CSSStyleSheet)]"


def build_site(root: Path) -> Path:
    """Build the site in a work folder, check it, and return its folder. Raises SiteError."""
    work = root / WORK
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_pages(root, work / "pages")
    index = (root / DOCS / "README.md").read_text(encoding="utf-8")
    nav = ", ".join(write_toml_value(entry) for entry in read_nav(index))
    config = (root / DOCS / "site" / "zensical.toml").read_text(encoding="utf-8")
    (work / "zensical.toml").write_text(
        config.replace("[project]\n", f"[project]\nnav = [{nav}]\n", 1), "utf-8"
    )
    run_zensical(work)
    site = work / "site"
    remove_unused_files(site)
    move_inline_scripts(site)
    insert_styles_as_objects(site)
    if faults := [*iter_site_faults(site)]:
        raise SiteError("\n".join(faults))
    write_site_stamp(root, site)
    return site


def write_toml_value(value: object) -> str:
    """A text, or tables and arrays of texts, as TOML on one line; texts are written as in JSON."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {write_toml_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(write_toml_value, value))}]"
    return json.dumps(value)


def run_zensical(work: Path) -> None:
    """Render the pages. Raises SiteError with the warnings of Zensical, if there are any."""
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"],
        cwd=work,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        output = re.sub(r"\x1b\[[0-9;]*m", "", f"{done.stdout}\n{done.stderr}")
        raise SiteError(output.partition("Traceback")[0].strip() if "issue" in output else output)


def remove_unused_files(site: Path) -> None:
    """Remove what the site does not need."""
    for name in UNUSED:
        path = site / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def move_inline_scripts(site: Path) -> None:
    """Move each inline script of the pages into a file that is named by its digest."""
    folder = site / "assets" / "javascripts"
    for path in site.rglob("*.html"):
        prefix = os.path.relpath(folder, path.parent)

        def move(match: re.Match[str], prefix: str = prefix) -> str:
            name = f"inline.{hashlib.sha256(match[1].encode()).hexdigest()[:8]}.js"
            (folder / name).write_text(match[1], encoding="utf-8")
            return f'<script src="{prefix}/{name}"></script>'

        path.write_text(INLINE_SCRIPT_PATTERN.sub(move, path.read_text("utf-8")), encoding="utf-8")


def insert_styles_as_objects(site: Path) -> None:
    """Let the script of the theme insert the styles of the search dialog as an object. Raises SiteError."""
    (bundle,) = (site / "assets" / "javascripts").glob("bundle.*.js")
    script, number = INSERTED_STYLE_PATTERN.subn(STYLE_SHEET_OBJECT, bundle.read_text(encoding="utf-8"))
    if number != 1:
        raise SiteError(f"{bundle.name} inserts {number} styles; another version of Zensical needs a review.")
    # The name has a digest, so that browsers cache the file forever: of the changed content.
    name = f"bundle.{hashlib.sha256(script.encode()).hexdigest()[:8]}.min.js"
    for path in site.rglob("*.html"):
        path.write_text(path.read_text("utf-8").replace(bundle.name, name), encoding="utf-8")
    bundle.unlink()
    bundle.with_name(name).write_text(script, encoding="utf-8")


def install_site(root: Path, site: Path) -> None:
    """Replace the site in the package by a new one."""
    target = root / SITE
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(site, target)


def main() -> None:
    """Build the site, unless it is current."""
    if is_site_current(ROOT):
        return
    try:
        install_site(ROOT, build_site(ROOT))
    except SiteError as error:
        sys.exit(f"The docs site cannot be built:\n{error}")


if __name__ == "__main__":
    main()

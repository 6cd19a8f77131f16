"""The bill of materials (CycloneDX) of an environment, and of the packages of npm that the pages carry.

`sbom.py PYTHON` prints it; PYTHON is that of an environment that holds the wheel and what it needs, and no
more. What was only needed to build the browser code is not in it.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "service" / "web" / "package-lock.json"
OURS = "wgig"


def bill(python: str) -> dict[str, Any]:
    """The bill of materials of an environment and of the browser code."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--short-PURLs"]
    done = subprocess.run([*command, "--sv", "1.6", python], check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    ours = next(one for one in found["components"] if one["name"] == OURS)
    found["components"].remove(ours)
    for one in ours["externalReferences"]:  # where the wheel lay when it was installed is nobody's business
        one["url"] = one["url"].rpartition("/")[2] if one["url"].startswith("file:") else one["url"]
    found["metadata"]["component"] = ours | {"type": "application"}
    theirs = list(in_browser(json.loads(LOCK.read_text(encoding="utf-8"))))
    found["components"] += theirs
    needs = next(one for one in found["dependencies"] if one["ref"] == ours["bom-ref"])
    needs["dependsOn"] += [one["bom-ref"] for one in theirs]
    return found


def in_browser(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The packages of npm that are part of the browser code."""
    for path, one in lock["packages"].items():
        if not path or one.get("dev"):
            continue
        package = path.rpartition("node_modules/")[2]
        group, _, name = package.rpartition("/")
        purl = f"pkg:npm/{package.replace('@', '%40')}@{one['version']}"
        digest = base64.b64decode(one["integrity"].removeprefix("sha512-")).hex()
        yield {
            "type": "library",
            "bom-ref": purl,
            **({"group": group} if group else {}),
            "name": name,
            "version": one["version"],
            "purl": purl,
            "hashes": [{"alg": "SHA-512", "content": digest}],
            "licenses": [{"license": {"id": one["license"]}}],
        }


def main() -> None:
    """Print it. Ends with exit code 1 where it does not conform to the schema of CycloneDX."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415  it is there only where bills are made
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    text = json.dumps(bill(sys.argv[1]), indent=1)
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(str(wrong))
    print(text)


if __name__ == "__main__":
    main()

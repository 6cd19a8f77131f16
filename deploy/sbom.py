"""Print the bill of materials (CycloneDX) of an environment and of the npm packages in the browser code.

Call it as `sbom.py PYTHON`, with the interpreter of an environment that contains only the wheel and its
dependencies. npm packages that are only needed to build the browser code are left out.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "service" / "web" / "package-lock.json"
PACKAGE, CLIENT = "wgig", "wgig-client"


def build_bill(python: str) -> dict[str, Any]:
    """The bill of materials of an environment and of the browser code."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--short-PURLs"]
    process = subprocess.run([*command, "--sv", "1.6", python], check=True, capture_output=True)
    bill: dict[str, Any] = json.loads(process.stdout)
    service = next(component for component in bill["components"] if component["name"] == PACKAGE)
    bill["components"].remove(service)
    client = next(component for component in bill["components"] if component["name"] == CLIENT)
    for reference in (*service["externalReferences"], *client["externalReferences"]):
        if reference["url"].startswith("file:"):  # do not publish the folder of the wheel on this machine
            reference["url"] = reference["url"].rpartition("/")[2]
    bill["metadata"]["component"] = service | {"type": "application"}
    npm_components = list(iter_browser_components(json.loads(LOCK.read_text(encoding="utf-8"))))
    bill["components"] += npm_components
    dependencies = next(entry for entry in bill["dependencies"] if entry["ref"] == service["bom-ref"])
    dependencies["dependsOn"] += [component["bom-ref"] for component in npm_components]
    return bill


def iter_browser_components(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The components of the npm packages that are part of the browser code."""
    for path, entry in lock["packages"].items():
        if not path or entry.get("dev") or "name" in entry:  # an alias is also there under its own name
            continue
        package = path.rpartition("node_modules/")[2]
        group, _, name = package.rpartition("/")
        purl = f"pkg:npm/{package.replace('@', '%40')}@{entry['version']}"
        digest = base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex()
        yield {
            "type": "library",
            "bom-ref": purl,
            **({"group": group} if group else {}),
            "name": name,
            "version": entry["version"],
            "purl": purl,
            "hashes": [{"alg": "SHA-512", "content": digest}],
            "licenses": [{"license": {"id": entry["license"]}}],
        }


def main() -> None:
    """Print the bill of materials. Exits with code 1 if it does not conform to the schema of CycloneDX."""
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415  in the group `lock`
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    text = json.dumps(build_bill(sys.argv[1]), indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(str(error))
    print(text)


if __name__ == "__main__":
    main()

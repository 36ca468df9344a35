"""Write what is in a system as a CycloneDX 1.6 document: every Debian package and every wheel, with its version."""

import json
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

SITE = "opt/bot4-edge/lib/python3.13/site-packages"


def debian(system: Path) -> Iterator[dict[str, Any]]:
    """Yield a component for each Debian package that is installed."""
    for paragraph in (system / "var/lib/dpkg/status").read_text().split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if fields.get("Status") == "install ok installed":
            name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
            purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}&distro=trixie"
            yield component(name, version, purl) | {"supplier": {"name": "Debian"}}


def wheels(system: Path) -> Iterator[dict[str, Any]]:
    """Yield a component for each Python package, ours among them."""
    for one in distributions(path=[str(system / SITE)]):
        name = one.metadata["Name"].lower().replace("_", "-")
        yield component(name, one.version, f"pkg:pypi/{name}@{quote(one.version, safe='')}")


def component(name: str, version: str, purl: str) -> dict[str, Any]:
    """Return one component as the format has it."""
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def document(system: Path, version: str, made_s: int) -> dict[str, Any]:
    """Return the whole document; the same system gives the same one."""
    found = sorted([*debian(system), *wheels(system)], key=lambda one: str(one["purl"]))
    product = {"type": "operating-system", "bom-ref": "bot4-edge-image", "name": "Bot4 Edge", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(found))}",
        "version": 1,
        "metadata": {"timestamp": datetime.fromtimestamp(made_s, UTC).isoformat(), "component": product},
        "components": found,
        "dependencies": [{"ref": "bot4-edge-image", "dependsOn": [one["bom-ref"] for one in found]}],
    }


if __name__ == "__main__":
    print(json.dumps(document(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])), indent=1))

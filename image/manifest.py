"""Write the list that Raspberry Pi Imager reads with `--repo`: one system, with the hashes it checks while writing."""

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# The Imager's own names of the boards; the Pi 5 only as far as Debian's kernel goes.
DEVICES = ("pi5-64bit", "pi4-64bit", "pi3-64bit")
DESCRIPTION = "A trading appliance with a lamp and a stop button. Settings are on the card's first partition."


def sha256(path: Path) -> str:
    """Return the hash of a file that may not fit in memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(image: Path, packed: Path, made_s: int) -> dict[str, Any]:
    """Return the list for one image and its packed form."""
    return {
        "os_list": [
            {
                "name": "Bot4 Edge",
                "description": DESCRIPTION,
                "url": packed.absolute().as_uri(),
                "extract_size": image.stat().st_size,
                "extract_sha256": sha256(image),
                "image_download_size": packed.stat().st_size,
                "image_download_sha256": sha256(packed),
                "release_date": datetime.fromtimestamp(made_s, UTC).date().isoformat(),
                "init_format": "none",
                "devices": list(DEVICES),
            }
        ]
    }


if __name__ == "__main__":
    print(json.dumps(manifest(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])), indent=1))

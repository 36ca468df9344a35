"""The guardian's audit log as one more question of `verify`; it stands on its own, whatever the journal is."""

from pathlib import Path

from appliance.core.errors import StoreFailure
from appliance.safety.audit_chain import Damage, Head
from appliance.store import audit_files
from appliance.store.verify import Finding

CHECK_NAME = "audit"


def check_audit(state: Path, published: Head | None) -> tuple[Finding, Head | None] | None:
    """Return what was found and the last entry; nothing where no guardian ever wrote and none was published."""
    folder = audit_files.audit_folder(state)
    if published is None and not any(folder.glob("audit*")):
        return None
    try:
        found = audit_files.verify(folder, published=published)
    except (OSError, StoreFailure) as error:
        return Finding(CHECK_NAME, f"could not be read to the end: {error}"), None
    if isinstance(found, Damage):
        return Finding(CHECK_NAME, found.explanation), None
    return Finding(CHECK_NAME, None), found

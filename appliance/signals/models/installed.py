"""Where this installation keeps its models, and whose signature they must bear.

The folder stands beside the package, in a checkout as on the image. The key is inside the package, so who can change
the models cannot also change who may sign them; where a configuration is sealed, its seal covers the manifest as well.
"""

from pathlib import Path
from typing import Final

from appliance.core import seal

TRUSTED_KEY: Final = Path(__file__).with_name("trusted.pub")
MODELS: Final = Path(__file__).resolve().parents[3] / "models"


def models_folder() -> Path:
    """Return the folder of the installed models."""
    return MODELS


def trusted_key() -> bytes:
    """Return the public key that signs models."""
    return seal.read_public_key(TRUSTED_KEY)

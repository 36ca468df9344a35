"""Kinds of fault that came into the world later.

Each is planned with dice of its own, in one of so many worlds, so that the faults of a seed stay what they were before
there was another kind. Those of the models strike in every world that has models.
"""

from appliance.world.case_faults import CASE_KINDS
from appliance.world.clock_faults import CLOCK_KINDS
from appliance.world.faults import Kind
from appliance.world.model_faults import MODEL_KINDS

LATER_KINDS: tuple[Kind, ...] = (*CASE_KINDS, *CLOCK_KINDS, *MODEL_KINDS)
LATER_NAMES = tuple(kind.name for kind in LATER_KINDS)

"""The way out that what bars draw needs as well: a figure may never be answered by another one."""

from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance


def left_below(features: Features) -> Opinion:
    """Leave on a close below the channel of the bars before; NaN compares false and so waits."""
    bottom, _ = features.channel_before
    if features.close < bottom:
        return Opinion(Stance.LEAVE, f"close is {bottom - features.close:.1f} ticks below its channel")
    return WAIT

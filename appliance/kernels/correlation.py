"""Pearson's correlation of two instruments over the bars that both have, straight from their rings of returns.

Each row is one instrument: the starts of its last bars, rising, and the return of each. A ring is walked from its
oldest entry, and two rings are merged by start, so a bar that one of them lacks is left out of both.
"""

import math

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@kernel
def side_by_side(starts: Integers, counts: Integers, one: int, other: int) -> bool:
    """Tell whether two rings hold the same bars in the same places, as those of busy markets do."""
    same = counts[one] == counts[other]
    for place in range(min(counts[one], starts.shape[1]) if same else 0):
        same &= starts[one, place] == starts[other, place]
    return bool(same)


@part
def unmerged(returns: Floats, counts: Integers, one: int, other: int) -> float:
    """Return the correlation of two rings that stand side by side: the same sums in the same order, no bar compared."""
    window, count = returns.shape[1], counts[one]
    length, oldest = min(count, window), count % window if count > window else 0
    mean_one = mean_other = 0.0
    for step in range(length):
        place = oldest + step - (window if oldest + step >= window else 0)
        mean_one += returns[one, place]
        mean_other += returns[other, place]
    mean_one /= length
    mean_other /= length
    covariance = variance_one = variance_other = 0.0
    for step in range(length):
        place = oldest + step - (window if oldest + step >= window else 0)
        ours, theirs = returns[one, place] - mean_one, returns[other, place] - mean_other
        covariance += ours * theirs
        variance_one += ours**2
        variance_other += theirs**2
    if variance_one == 0.0 or variance_other == 0.0:
        return np.nan
    return covariance / math.sqrt(variance_one * variance_other)


@kernel
def pearson(starts: Integers, returns: Floats, counts: Integers, one: int, other: int, samples_min: int) -> float:
    """Return the correlation, or NaN while the common bars are too few or one of them never moved."""
    window = starts.shape[1]
    length_one, length_other = min(counts[one], window), min(counts[other], window)
    if length_one >= samples_min and side_by_side(starts, counts, one, other):
        return unmerged(returns, counts, one, other)
    # Where each ring's oldest entry lies; a place is stepped on and wrapped, for a remainder costs more than the rest.
    oldest_one = counts[one] % window if counts[one] > window else 0
    oldest_other = counts[other] % window if counts[other] > window else 0
    total_one = total_other = 0.0
    samples = 0
    mean_one = mean_other = 0.0
    covariance = variance_one = variance_other = 0.0
    for walk in range(2):
        seen_one = seen_other = 0
        left, right = oldest_one, oldest_other
        while seen_one < length_one and seen_other < length_other:
            start_left, start_right = starts[one, left], starts[other, right]
            if start_left == start_right:
                ours, theirs = returns[one, left], returns[other, right]
                if walk == 0:
                    total_one += ours
                    total_other += theirs
                    samples += 1
                else:
                    covariance += (ours - mean_one) * (theirs - mean_other)
                    variance_one += (ours - mean_one) ** 2
                    variance_other += (theirs - mean_other) ** 2
            if start_left <= start_right:
                seen_one += 1
                left = left + 1 if left + 1 < window else 0
            if start_right <= start_left:
                seen_other += 1
                right = right + 1 if right + 1 < window else 0
        if samples < samples_min:
            return np.nan
        mean_one = total_one / samples
        mean_other = total_other / samples
    if variance_one == 0.0 or variance_other == 0.0:
        return np.nan
    return covariance / math.sqrt(variance_one * variance_other)


@kernel
def highest(starts: Integers, returns: Floats, counts: Integers, one: int, others: Integers, samples_min: int) -> float:
    """Return the largest correlation, of either sign, with any of the others, or NaN when one of them is unknown."""
    largest = 0.0
    for place in range(others.shape[0]):
        found = pearson(starts, returns, counts, one, others[place], samples_min)
        if math.isnan(found):
            return np.nan
        largest = max(largest, abs(found))
    return largest

"""Ehlers' instructions: the Hilbert transformer's period and phase, MESA's adaptive averages, the Laguerre filter.

Every transformer is the same four-weight filter over seven values, once on the smoothed price and three times on what
comes of it; until it has run for a while its outputs tell more of its zeros at the start than of the market, so they
are shown only after as many rows as TA-Lib lets pass.
"""

from typing import Final

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators.layout import OUT, A, Floats, Integers, M, N, Rows

# State: the last four prices, the delay lines of four transformers, then single numbers, then two rings of prices.
PRICES, LINES, I2, Q2, RE, IM, PERIOD, SMOOTH, SEEN, PHASE, WAVE, AHEAD, DAYS = 0, 4, *range(32, 43)
TRENDS, AT, PREVIOUS, SMOOTHED, RAW = 44, 47, 48, 49, 99
RING: Final = 50
STATE_LENGTH: Final = RAW + RING
RIGHT_ANGLE: Final = 90.0
OUTPUTS: Final = 8


@part
def degrees(ratio: float) -> float:
    """Return the angle of a slope."""
    return float(np.arctan(ratio)) * (180.0 / np.pi)


@part
def transformed(s: Floats, at: int, value: float, scale: float) -> float:
    """Push a value into a delay line and return what the transformer makes of it."""
    for k in range(at + 6, at, -1):
        s[k] = s[k - 1]
    s[at] = value
    return float(0.0962 * s[at] + 0.5769 * s[at + 2] - 0.5769 * s[at + 4] - 0.0962 * s[at + 6]) * scale


@part
def smoothed(s: Floats, value: float) -> float:
    """Weigh the last four prices linearly."""
    s[3], s[2], s[1], s[0] = s[2], s[1], s[0], value
    return float(4.0 * s[0] + 3.0 * s[1] + 2.0 * s[2] + s[3]) * 0.1


@part
def phasor(s: Floats, smooth: float) -> tuple[float, float]:
    """Take one smoothed price in, renew the period by how far the phasor turned, and return the phasor."""
    scale = 0.075 * s[PERIOD] + 0.54
    quadrature = transformed(s, LINES + 7, transformed(s, LINES, smooth, scale), scale)
    in_phase = s[LINES + 10]
    i2 = 0.8 * s[I2] - 0.2 * transformed(s, LINES + 21, quadrature, scale) + 0.2 * in_phase
    q2 = 0.8 * s[Q2] + 0.2 * transformed(s, LINES + 14, in_phase, scale) + 0.2 * quadrature
    s[RE] = 0.2 * (i2 * s[I2] + q2 * s[Q2]) + 0.8 * s[RE]
    s[IM] = 0.2 * (i2 * s[Q2] - q2 * s[I2]) + 0.8 * s[IM]
    s[I2], s[Q2] = i2, q2
    last = s[PERIOD]
    period = 360.0 / degrees(s[IM] / s[RE]) if s[IM] != 0.0 and s[RE] != 0.0 else last
    period = max(min(period, 1.5 * last), 0.67 * last)
    s[PERIOD] = 0.2 * min(max(period, 6.0), 50.0) + 0.8 * last
    return in_phase, quadrature


@part
def turn(s: Floats) -> float:
    """Return the phase of the dominant cycle in the ring of smoothed prices, and keep it."""
    length = int(s[SMOOTH] + 0.5)
    real, imaginary, at = 0.0, 0.0, int(s[AT])
    for k in range(length):
        angle = k * 2.0 * np.pi / length
        real += np.sin(angle) * s[SMOOTHED + at]
        imaginary += np.cos(angle) * s[SMOOTHED + at]
        at = at - 1 if at > 0 else RING - 1
    phase = s[PHASE]
    if abs(imaginary) > 0.0:
        phase = degrees(real / imaginary)
    elif real < 0.0:
        phase -= RIGHT_ANGLE
    elif real > 0.0:
        phase += RIGHT_ANGLE
    phase += RIGHT_ANGLE + 360.0 / s[SMOOTH]
    if imaginary < 0.0:
        phase += 180.0
    s[PHASE] = phase - 360.0 if phase > 315.0 else phase
    return float(s[PHASE])


@part
def trend_line(s: Floats) -> float:
    """Average the prices of one dominant cycle, and smooth the averages."""
    length = int(s[SMOOTH] + 0.5)
    total, at = 0.0, int(s[AT])
    for _ in range(length):
        total += s[RAW + at]
        at = at - 1 if at > 0 else RING - 1
    mean = total / length if length > 0 else 0.0
    line = 0.1 * (4.0 * mean + 3.0 * s[TRENDS] + 2.0 * s[TRENDS + 1] + s[TRENDS + 2])
    s[TRENDS + 2], s[TRENDS + 1], s[TRENDS] = s[TRENDS + 1], s[TRENDS], mean
    return float(line)


@part
def in_trend(s: Floats, wave: float, ahead: float, turned: float, line: float, smooth: float) -> float:
    """Tell (1 or 0) whether the market trends rather than cycles."""
    trending = 1.0
    if (wave > ahead and s[WAVE] <= s[AHEAD]) or (wave < ahead and s[WAVE] >= s[AHEAD]):
        s[DAYS] = trending = 0.0
    s[DAYS] += 1.0
    if s[DAYS] < 0.5 * s[SMOOTH]:
        trending = 0.0
    pace = 360.0 / s[SMOOTH] if s[SMOOTH] != 0.0 else 0.0
    if pace > 0.0 and 0.67 * pace < turned < 1.5 * pace:
        trending = 0.0
    if line != 0.0 and abs((smooth - line) / line) >= 0.015:
        trending = 1.0
    s[WAVE], s[AHEAD] = wave, ahead
    return trending


@part
def hilbert(regs: Rows, rows: int, s: Floats, code: Integers) -> None:
    """Return dominant period, phasor, phase, sine, leading sine, trend line and trend mode, after N rows.

    The transformers begin after M rows.
    """
    x, at = regs[code[A]], code[OUT]
    for i in range(rows):
        v = x[i]
        for k in range(OUTPUTS):
            regs[at + k, i] = np.nan
        if v != v:
            continue
        smooth = smoothed(s, v)
        s[SEEN] += 1.0
        s[AT] = s[AT] + 1.0 if s[AT] + 1.0 < RING else 0.0
        s[RAW + int(s[AT])] = v
        if s[SEEN] <= code[M]:
            continue
        s[SMOOTHED + int(s[AT])] = smooth
        in_phase, quadrature = phasor(s, smooth)
        s[SMOOTH] = 0.33 * s[PERIOD] + 0.67 * s[SMOOTH]
        before = s[PHASE]
        phase = turn(s)
        wave, ahead = np.sin(phase * np.pi / 180.0), np.sin((phase + 45.0) * np.pi / 180.0)
        line = trend_line(s)
        mode = in_trend(s, wave, ahead, phase - before, line, smooth)
        if s[SEEN] > code[N]:
            s[SEEN] = code[N] + 1.0
            regs[at, i], regs[at + 1, i], regs[at + 2, i], regs[at + 3, i] = s[SMOOTH], in_phase, quadrature, phase
            regs[at + 4, i], regs[at + 5, i], regs[at + 6, i], regs[at + 7, i] = wave, ahead, line, mode


@part
def mesa(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return MESA's adaptive average and the average that follows it, after N rows, the transformers' start being M."""
    x, following, slower = regs[code[A]], regs[code[OUT]], regs[code[OUT] + 1]
    for i in range(rows):
        v = x[i]
        following[i] = slower[i] = np.nan
        if v != v:
            continue
        smooth = smoothed(s, v)
        s[SEEN] += 1.0
        if s[SEEN] <= code[M]:
            continue
        in_phase, quadrature = phasor(s, smooth)
        phase = degrees(quadrature / in_phase) if in_phase != 0.0 else 0.0
        turned = max(s[PHASE] - phase, 1.0)
        s[PHASE] = phase
        weight = max(par[0] / turned, par[1]) if turned > 1.0 else par[0]
        s[WAVE] += weight * (v - s[WAVE])
        s[AHEAD] += 0.5 * weight * (s[WAVE] - s[AHEAD])
        if s[SEEN] > code[N]:
            s[SEEN] = code[N] + 1.0
            following[i], slower[i] = s[WAVE], s[AHEAD]


@part
def laguerre(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Return the Laguerre filter and the relative strength of its four stages."""
    x, line, strength, damping = regs[code[A]], regs[code[OUT]], regs[code[OUT] + 1], par[0]
    for i in range(rows):
        v = x[i]
        line[i] = strength[i] = np.nan
        if v != v:
            continue
        if s[4] == 0.0:
            s[0] = s[1] = s[2] = s[3] = v
            s[4] = 1.0
        l0, l1, l2 = s[0], s[1], s[2]
        s[0] = (1.0 - damping) * v + damping * l0
        s[1] = -damping * s[0] + l0 + damping * l1
        s[2] = -damping * s[1] + l1 + damping * l2
        s[3] = -damping * s[2] + l2 + damping * s[3]
        line[i] = (s[0] + 2.0 * s[1] + 2.0 * s[2] + s[3]) / 6.0
        up = max(s[0] - s[1], 0.0) + max(s[1] - s[2], 0.0) + max(s[2] - s[3], 0.0)
        down = max(s[1] - s[0], 0.0) + max(s[2] - s[1], 0.0) + max(s[3] - s[2], 0.0)
        strength[i] = 100.0 * up / (up + down) if up + down > 0.0 else 0.0

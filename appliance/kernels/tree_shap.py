"""Exact contributions of features to boosted trees: TreeSHAP, path-dependent (Lundberg et al. 2018, algorithm 2).

Each tree is walked once, down both sides of every split. The path carries for every feature on it the share of training
rows that would go this way without knowing it (zero) and with knowing it (one), and the weights of all subsets of the
path by size. A path is copied before it is changed, into the same flat table behind its parent's.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels.compiling import kernel, part

FEATURE, ZERO, ONE, WEIGHT = range(4)
DEPTH_MAX: Final = 16
PATH_ROWS: Final = (DEPTH_MAX + 2) * (DEPTH_MAX + 3) // 2

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


class TreeNodes(NamedTuple):
    """Hold every node of every tree in flat arrays; children are places in the same arrays, -1 at a leaf."""

    roots: Integers
    feature: Integers
    threshold: Singles
    left: Integers
    right: Integers
    value: Floats
    cover: Floats


@part
def extend(path: Floats, begin: int, depth: int, zero: float, one: float, feature: int) -> None:
    """Add a split to a path."""
    path[begin + depth, FEATURE], path[begin + depth, ZERO], path[begin + depth, ONE] = feature, zero, one
    path[begin + depth, WEIGHT] = 1.0 if depth == 0 else 0.0
    for place in range(depth - 1, -1, -1):
        row = begin + place
        path[row + 1, WEIGHT] += one * path[row, WEIGHT] * (place + 1) / (depth + 1)
        path[row, WEIGHT] = zero * path[row, WEIGHT] * (depth - place) / (depth + 1)


@part
def unwind(path: Floats, begin: int, depth: int, which: int) -> None:
    """Take a split out of a path again."""
    one, zero = path[begin + which, ONE], path[begin + which, ZERO]
    following = path[begin + depth, WEIGHT]
    for place in range(depth - 1, -1, -1):
        row = begin + place
        if one != 0.0:
            before = path[row, WEIGHT]
            path[row, WEIGHT] = following * (depth + 1) / ((place + 1) * one)
            following = before - path[row, WEIGHT] * zero * (depth - place) / (depth + 1)
        else:
            path[row, WEIGHT] = path[row, WEIGHT] * (depth + 1) / (zero * (depth - place))
    for place in range(which, depth):
        row = begin + place
        path[row, FEATURE], path[row, ZERO], path[row, ONE] = (
            path[row + 1, FEATURE],
            path[row + 1, ZERO],
            path[row + 1, ONE],
        )


@part
def unwound_sum(path: Floats, begin: int, depth: int, which: int) -> float:
    """Return the sum of weights a path would have without one split."""
    one, zero = path[begin + which, ONE], path[begin + which, ZERO]
    following, total = path[begin + depth, WEIGHT], 0.0
    for place in range(depth - 1, -1, -1):
        if one != 0.0:
            share = following / ((place + 1) * one)
            total += share
            following = path[begin + place, WEIGHT] - share * zero * (depth - place)
        else:
            total += path[begin + place, WEIGHT] / (zero * (depth - place))
    return total * (depth + 1)


@kernel
def contribute(root: int, trees: TreeNodes, row: Singles, path: Floats, out: Floats) -> None:
    """Add one tree's contributions; a stack of pending nodes takes the place of recursion."""
    nodes = np.empty(2 * DEPTH_MAX + 2, np.int64)
    places = np.empty((2 * DEPTH_MAX + 2, 3), np.int64)  # parent's begin, depth, feature
    shares = np.empty((2 * DEPTH_MAX + 2, 2))
    nodes[0] = root
    places[0, 0], places[0, 1], places[0, 2] = 0, 0, -1
    shares[0, 0], shares[0, 1] = 1.0, 1.0
    waiting = 1
    while waiting > 0:
        waiting -= 1
        node, parent, depth = nodes[waiting], places[waiting, 0], places[waiting, 1]
        begin = parent + depth + 1
        path[begin : begin + depth + 1] = path[parent : parent + depth + 1]
        extend(path, begin, depth, shares[waiting, 0], shares[waiting, 1], places[waiting, 2])
        if trees.left[node] < 0:
            for which in range(1, depth + 1):
                weight = unwound_sum(path, begin, depth, which)
                gap = path[begin + which, ONE] - path[begin + which, ZERO]
                out[int(path[begin + which, FEATURE])] += weight * gap * trees.value[node]
            continue
        goes_left = row[trees.feature[node]] <= trees.threshold[node]
        hot, cold = (trees.left[node], trees.right[node]) if goes_left else (trees.right[node], trees.left[node])
        zero, one = 1.0, 1.0
        for which in range(1, depth + 1):
            if int(path[begin + which, FEATURE]) == trees.feature[node]:
                zero, one = path[begin + which, ZERO], path[begin + which, ONE]
                unwind(path, begin, depth, which)
                depth -= 1
                break
        for turn in range(2):
            child = cold if turn == 0 else hot
            nodes[waiting] = child
            places[waiting, 0], places[waiting, 1], places[waiting, 2] = begin, depth + 1, trees.feature[node]
            shares[waiting, 0] = zero * trees.cover[child] / trees.cover[node]
            shares[waiting, 1] = one if turn == 1 else 0.0
            waiting += 1


@kernel
def contributions(trees: TreeNodes, row: Singles, out: Floats) -> None:
    """Write what each feature adds to the sum of all trees for one row, against the trees' mean answer."""
    path = np.zeros((PATH_ROWS, 4))
    out[:] = 0.0
    for tree in range(trees.roots.size):
        contribute(trees.roots[tree], trees, row, path, out)

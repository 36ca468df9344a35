"""The nodes of trees as the explanations need them, from a file that is checked before a kernel walks over it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from appliance.kernels.tree_shap import DEPTH_MAX, TreeNodes

NODES_MAX = 1_000_000


def nodes_from(arrays: Mapping[str, Any]) -> TreeNodes:
    """Return the nodes in an archive of arrays."""
    return TreeNodes(
        np.ascontiguousarray(arrays["roots"], np.int32),
        np.ascontiguousarray(arrays["feature"], np.int32),
        np.ascontiguousarray(arrays["threshold"], np.float32),
        np.ascontiguousarray(arrays["left"], np.int32),
        np.ascontiguousarray(arrays["right"], np.int32),
        np.ascontiguousarray(arrays["value"], np.float64),
        np.ascontiguousarray(arrays["cover"], np.float64),
    )


def well_formed(nodes: TreeNodes, columns: int) -> bool:
    """Tell whether every walk from a root ends at a leaf within the depth the kernel has room for.

    Children stand behind their parents, so no walk goes in circles; a kernel checks no bounds, so this does.
    """
    count = nodes.feature.size
    sizes = {part.size for part in nodes[1:]}
    if sizes != {count} or not 1 <= count <= NODES_MAX or not _within(nodes.roots, 0, count):
        return False
    inner = np.flatnonzero(nodes.left >= 0)
    children = np.concatenate([nodes.left[inner], nodes.right[inner]])
    parents = np.concatenate([inner, inner])
    forward = bool((children > parents).all()) and _within(children, 0, count)
    if not forward or not _within(nodes.feature[inner], 0, columns) or not bool((nodes.cover > 0.0).all()):
        return False
    depth = np.zeros(count, np.int64)
    for parent in inner:
        depth[nodes.left[parent]] = depth[nodes.right[parent]] = depth[parent] + 1
    return bool((depth <= DEPTH_MAX).all()) and bool(np.isfinite(nodes.value).all())


def _within(places: npt.NDArray[np.integer[Any]], low: int, high: int) -> bool:
    return bool(((places >= low) & (places < high)).all())

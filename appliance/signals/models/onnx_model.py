"""One model in onnxruntime: one thread, buffers bound once, nothing but its own bytes.

A single row, the usual case, goes through buffers that were bound when the model was loaded; several rows at once go
through an ordinary call. The answer is checked before anybody sees it: a chance is a number from 0 to 1.
"""

from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from appliance.signals.models.inputs import STEPS

Singles = npt.NDArray[np.float32]
ROWS_MAX: Final = 64
WARM_RUNS: Final = 3


class ModelRefused(Exception):
    """Report a model that cannot be used, with the reason."""


class Model(Protocol):
    """Turn rows of input into rows of chances."""

    def infer(self, rows: Singles) -> Singles:
        """Return the chances of each row."""
        ...


class OnnxModel:
    """Hold one session."""

    __slots__ = ("_binding", "_input", "_output", "_session", "_shape", "outputs")

    def __init__(self, data: bytes, kind: str, columns: int, outputs: int) -> None:
        """Load from bytes that somebody has vouched for, check what they take and give, and warm up."""
        self._shape = (columns,) if kind == "vector" else (STEPS, columns)
        self.outputs = outputs
        self._session = _session(data)
        _check(self._session.get_inputs(), "input", self._shape)
        _check(self._session.get_outputs(), "output", (outputs,))
        self._input = np.zeros((1, *self._shape), np.float32)
        self._output = np.zeros((1, outputs), np.float32)
        self._binding = self._session.io_binding()
        for bind, array, name in (
            (self._binding.bind_input, self._input, "input"),
            (self._binding.bind_output, self._output, "output"),
        ):
            bind(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for _ in range(WARM_RUNS):
            self.infer(self._input)

    def infer(self, rows: Singles) -> Singles:
        """Return the chances of each row; the input must be of the right shape and type."""
        if rows.dtype != np.float32 or rows.shape[1:] != self._shape or not 1 <= len(rows) <= ROWS_MAX:
            raise ModelRefused(f"the input is {rows.shape} of {rows.dtype}, not up to {ROWS_MAX} rows of {self._shape}")
        if len(rows) == 1:
            self._input[:] = rows
            self._session.run_with_iobinding(self._binding)
            return self._output.copy()
        return np.asarray(self._session.run(["output"], {"input": rows})[0])


def _session(data: bytes) -> Any:  # noqa: ANN401 - onnxruntime publishes no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # Reproducible to the bit on one machine, also after an update of the graph optimizer.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # noqa: BLE001 - the runtime raises many kinds; each refuses this model with its words
        text = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ModelRefused(f"onnxruntime cannot read it: {text[:200]}") from None


def _check(ports: list[Any], name: str, shape: tuple[int, ...]) -> None:
    if len(ports) != 1 or ports[0].name != name or ports[0].type != "tensor(float)":
        raise ModelRefused(f"it must have one {name} of singles named {name!r}")
    found = tuple(ports[0].shape[1:])
    if found != shape and not (name == "output" and len(found) == 1 and not isinstance(found[0], int)):
        raise ModelRefused(f"its {name} is of shape {found}, not {shape}")

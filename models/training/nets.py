"""The models of a sequence: LSTM with attention, GRU, temporal convolutions, a small transformer; torch to ONNX.

Each standardises its own input inside the graph, so the appliance feeds raw features and cannot forget to.
"""

import io
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from appliance.signals.models.inputs import STEPS
from models.training import plan

BATCH: Final = 256
OPSET: Final = 17
REACH: Final = 5.0
RATE: Final = 1e-3
DECAY: Final = 1e-3
JUDGED_AT_ONCE: Final = 2048
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class Standard(nn.Module):
    """Bring each column to mean zero and deviation one, and hold outliers at five."""

    def __init__(self, sample: Singles) -> None:
        """Measure the training data."""
        super().__init__()
        flat = sample.reshape(-1, sample.shape[-1]).astype(np.float64)
        self.register_buffer("mean", torch.tensor(flat.mean(axis=0), dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(1.0 / np.maximum(flat.std(axis=0), 1e-9), dtype=torch.float32))

    def forward(self, values: Tensor) -> Tensor:
        """Standardise."""
        return torch.clamp((values - self.mean) * self.scale, -REACH, REACH)


class Recurrent(nn.Module):
    """Read the sequence with an LSTM or GRU; attend over all steps, or take the last."""

    def __init__(self, kind: str, columns: int, hidden: int, layers: int, *, attention: bool) -> None:
        """Build the layers."""
        super().__init__()
        cell = nn.LSTM if kind == "lstm" else nn.GRU
        self.cell = cell(columns, hidden, layers, batch_first=True)
        self.attention = nn.Linear(hidden, 1) if attention else None

    def forward(self, values: Tensor) -> Tensor:
        """Return one vector a sequence."""
        states, _ = self.cell(values)
        if self.attention is None:
            return states[:, -1]
        weights = torch.softmax(self.attention(torch.tanh(states)), dim=1)
        return (weights * states).sum(dim=1)


class Convolutions(nn.Module):
    """Read the sequence with dilated causal convolutions that add to what they read."""

    def __init__(self, columns: int, channels: int) -> None:
        """Build the layers: dilations 1, 2, 4 reach back fifteen steps."""
        super().__init__()
        self.first = nn.Conv1d(columns, channels, 1)
        self.steps = nn.ModuleList(nn.Conv1d(channels, channels, 3, dilation=d) for d in (1, 2, 4))
        self.reaches = (2, 4, 8)

    def forward(self, values: Tensor) -> Tensor:
        """Return one vector a sequence."""
        found = self.first(values.transpose(1, 2))
        for step, reach in zip(self.steps, self.reaches, strict=True):
            found = found + torch.relu(step(nn.functional.pad(found, (reach, 0))))
        return found[:, :, -1]


class Transformer(nn.Module):
    """Read the sequence with two layers of two-headed attention."""

    def __init__(self, columns: int, width: int, heads: int = 2, layers: int = 2) -> None:
        """Build the layers."""
        super().__init__()
        self.enter = nn.Linear(columns, width)
        self.place = nn.Parameter(torch.zeros(1, STEPS, width))
        self.mix = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(layers))
        self.after = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.think = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)) for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2 * layers))
        self.heads, self.size = heads, width // heads

    def attend(self, values: Tensor, layer: int) -> Tensor:
        """Mix every step with every other."""
        parts = self.mix[layer](values).reshape(-1, STEPS, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(parts[0] @ parts[1].transpose(-1, -2) / self.size**0.5, dim=-1)
        mixed = (weights @ parts[2]).permute(0, 2, 1, 3).reshape(-1, STEPS, self.heads * self.size)
        return self.after[layer](mixed)

    def forward(self, values: Tensor) -> Tensor:
        """Return one vector a sequence."""
        found = self.enter(values) + self.place
        for layer in range(len(self.mix)):
            found = found + self.attend(self.norms[2 * layer](found), layer)
            found = found + self.think[layer](self.norms[2 * layer + 1](found))
        return found.mean(dim=1)


class Chance(nn.Module):
    """Standardise, read, and answer with chances."""

    def __init__(self, standard: Standard, body: nn.Module, width: int, classes: int) -> None:
        """Join the parts."""
        super().__init__()
        self.standard, self.body = standard, body
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(width, classes)

    def raw(self, values: Tensor) -> Tensor:
        """Return what the chances are made from."""
        return self.last(self.drop(self.body(self.standard(values))))

    def forward(self, values: Tensor) -> Tensor:
        """Return chances."""
        raw = self.raw(values)
        return torch.sigmoid(raw) if raw.shape[1] == 1 else torch.softmax(raw, dim=1)


def build(kind: str, sample: Singles, classes: int = 1) -> Chance:
    """Return an untrained net of a kind."""
    columns = sample.shape[-1]
    bodies: dict[str, tuple[nn.Module, int]] = {}
    match kind:
        case "lstm":
            bodies[kind] = Recurrent("lstm", columns, 128, 2, attention=True), 128
        case "gru":
            bodies[kind] = Recurrent("gru", columns, 64, 1, attention=False), 64
        case "tcn":
            bodies[kind] = Convolutions(columns, 48), 48
        case _:
            bodies[kind] = Transformer(columns, 32), 32
    body, width = bodies[kind]
    return Chance(Standard(sample), body, width, classes)


def train(kind: str, sequences: Singles, target: Floats, size: plan.Size, classes: int = 1) -> Chance:
    """Return a net trained on at most so many samples, drawn by seed."""
    torch.manual_seed(plan.SEED)
    torch.set_num_threads(1)
    draw = np.random.default_rng(plan.SEED)
    if target.size > size.rows_max:
        chosen = np.sort(draw.choice(target.size, size.rows_max, replace=False))
        sequences, target = sequences[chosen], target[chosen]
    net = build(kind, sequences, classes)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    loss = nn.BCEWithLogitsLoss() if classes == 1 else nn.CrossEntropyLoss()
    inputs = torch.from_numpy(sequences)
    goal = torch.tensor(target, dtype=torch.float32)[:, None] if classes == 1 else torch.tensor(target.astype(np.int64))
    net.train()
    for _ in range(size.epochs):
        order = draw.permutation(target.size)
        for begin in range(0, order.size, BATCH):
            rows = order[begin : begin + BATCH]
            optimizer.zero_grad(set_to_none=True)
            loss(net.raw(inputs[rows]), goal[rows]).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    return net.eval()


def predict(net: Chance, sequences: Singles) -> Floats:
    """Return the chances of many sequences."""
    with torch.no_grad():
        parts = [
            net(torch.from_numpy(sequences[begin : begin + JUDGED_AT_ONCE])).numpy()
            for begin in range(0, len(sequences), JUDGED_AT_ONCE)
        ]
    found = np.concatenate(parts).astype(np.float64)
    return found[:, 0] if found.shape[1] == 1 else found


def to_onnx(net: nn.Module, columns: int) -> bytes:
    """Return a net as an ONNX file: `input` of singles, `output` of chances, any number of rows."""
    file = io.BytesIO()
    torch.onnx.export(
        net,
        (torch.zeros(2, STEPS, columns),),
        file,
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "rows"}, "output": {0: "rows"}},
        opset_version=OPSET,
        dynamo=False,
    )
    return file.getvalue()

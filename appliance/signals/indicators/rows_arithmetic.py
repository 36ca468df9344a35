"""Arithmetic: prices of a row, and functions of one or two numbers."""

from typing import Final

from appliance.kernels.indicators import layout
from appliance.signals.indicators.program import Series
from appliance.signals.indicators.steps import mapped
from appliance.signals.indicators.table import Row

_FUNCTIONS: Final = (
    ("acos", "Arc cosine", layout.ARC_COSINE),
    ("asin", "Arc sine", layout.ARC_SINE),
    ("atan", "Arc tangent", layout.ARC_TANGENT),
    ("ceil", "Ceiling", layout.CEILING),
    ("cos", "Cosine", layout.COSINE),
    ("cosh", "Hyperbolic cosine", layout.COSINE_HYPERBOLIC),
    ("exp", "Exponential", layout.EXPONENTIAL),
    ("floor", "Floor", layout.FLOOR),
    ("ln", "Natural logarithm", layout.LOGARITHM),
    ("log10", "Logarithm to base ten", layout.LOGARITHM_10),
    ("sin", "Sine", layout.SINE),
    ("sinh", "Hyperbolic sine", layout.SINE_HYPERBOLIC),
    ("sqrt", "Square root", layout.SQUARE_ROOT),
    ("tan", "Tangent", layout.TANGENT),
    ("tanh", "Hyperbolic tangent", layout.TANGENT_HYPERBOLIC),
)


def _function(name: str, title: str, which: int) -> Row:
    def formula(x: Series) -> Series:
        return mapped(x, which)

    sentence = f"{title}, not a number where it has none; TA-Lib {name.upper()}"
    return Row(name, "arithmetic", "close", (), name, sentence, formula, name.upper())


ROWS: Final = (
    Row("avgprice", "arithmetic", "open high low close", (), "avgprice", "Mean of four prices; TA-Lib AVGPRICE", lambda o, h, w, c: (o + h + w + c) * 0.25, "AVGPRICE"),
    Row("medprice", "arithmetic", "high low", (), "medprice", "Middle of the row; TA-Lib MEDPRICE", lambda h, w: (h + w) * 0.5, "MEDPRICE"),
    Row("typprice", "arithmetic", "high low close", (), "typprice", "Typical price; TA-Lib TYPPRICE", lambda h, w, c: (h + w + c) / 3.0, "TYPPRICE"),
    Row("wclprice", "arithmetic", "high low close", (), "wclprice", "The close weighing twice; TA-Lib WCLPRICE", lambda h, w, c: (h + w + 2.0 * c) * 0.25, "WCLPRICE"),
    Row("add", "arithmetic", "close other", (), "add", "Sum; TA-Lib ADD", lambda x, y: x + y, "ADD"),
    Row("sub", "arithmetic", "close other", (), "sub", "Difference; TA-Lib SUB", lambda x, y: x - y, "SUB"),
    Row("mult", "arithmetic", "close other", (), "mult", "Product; TA-Lib MULT", lambda x, y: x * y, "MULT"),
    Row("div", "arithmetic", "close other", (), "div", "Quotient, not a number by zero; TA-Lib DIV", lambda x, y: x / y, "DIV"),
    *(_function(*entry) for entry in _FUNCTIONS),
)  # fmt: skip

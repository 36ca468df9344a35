"""Check Ed25519 signatures (RFC 8032) in plain Python, in steps, for a process that may neither load much nor pause.

The guardian holds no library but gpiozero, and none of its turns may take long. This checks only: it holds no secret,
so it need not hide how long it takes. Tests hold every answer against OpenSSL's.

Theory of operation. A signature (R, s) of a message fits a key A when R = s B - h A, with h the SHA-512 of R, A and the
message; B is the base point. Both products are computed at once, bit by bit from the top, and `step` does as many bits
as it is told. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and x y = T/Z (RFC 8032, 5.1.4); the result is written out
and compared byte by byte, as OpenSSL does.
"""

import hashlib
from typing import Final

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_PRIME: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_CURVE: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
_ROOT: Final = pow(2, (_PRIME - 1) // 4, _PRIME)
_BITS: Final = _ORDER.bit_length()
_COFACTOR_DOUBLINGS: Final = 3
_SIGN_BIT: Final = 255

Point = tuple[int, int, int, int]
_NEUTRAL: Final[Point] = (0, 1, 1, 0)


class PublicKey:
    """Hold a public key that can be used."""

    __slots__ = ("_encoded", "table")

    def __init__(self, encoded: bytes) -> None:
        """Refuse, with ValueError, what is no point, is not in its one spelling, or lets anybody sign."""
        point = _decoded(encoded)
        if point is None or _is_small(point):
            raise ValueError("this is no public key that can be used")
        x, y, z, t = point
        negative = (_PRIME - x, y, z, _PRIME - t)
        self._encoded = encoded
        self.table = (None, _BASE, negative, _sum(_BASE, negative))

    def begin(self, signature: bytes, message: bytes) -> "Check":
        """Return the check of a signature, not yet done."""
        digest = hashlib.sha512(signature[:KEY_BYTES] + self._encoded + message).digest()
        return Check(self, signature, int.from_bytes(digest, "little") % _ORDER)


class Check:
    """Hold a check that is under way."""

    __slots__ = ("_bit", "_hash", "_key", "_point", "_scalar", "_wanted", "good")

    def __init__(self, key: PublicKey, signature: bytes, digest: int) -> None:
        """Begin; what cannot be a signature is answered at once."""
        self._key = key
        self._wanted = signature[:KEY_BYTES]
        self._scalar = int.from_bytes(signature[KEY_BYTES:], "little")
        self._hash = digest
        self._point = _NEUTRAL
        self._bit = _BITS
        self.good: bool | None = None
        # A scalar of the order or more would be a second signature for the same message, RFC 8032, 5.1.7.
        if len(signature) != SIGNATURE_BYTES or self._scalar >= _ORDER:
            self.good = False

    def step(self, bits_count: int = _BITS) -> bool | None:
        """Do so many bits of the 253 and return whether the signature fits, once that is known."""
        table, point = self._key.table, self._point
        while self.good is None and bits_count > 0:
            bits_count -= 1
            self._bit -= 1
            point = _doubled(point)
            addend = table[(self._scalar >> self._bit & 1) | (self._hash >> self._bit & 1) << 1]
            if addend is not None:
                point = _sum(point, addend)
            if self._bit == 0:
                self.good = _encoded(point) == self._wanted
        self._point = point
        return self.good


def is_usable(encoded: bytes) -> bool:
    """Tell whether bytes are a public key that can be used."""
    try:
        PublicKey(encoded)
    except ValueError:
        return False
    return True


def _sum(one: Point, other: Point) -> Point:
    """Add two points, equal ones and the neutral one too (RFC 8032, 5.1.4)."""
    x1, y1, z1, t1 = one
    x2, y2, z2, t2 = other
    a = (y1 - x1) * (y2 - x2) % _PRIME
    b = (y1 + x1) * (y2 + x2) % _PRIME
    c = 2 * _CURVE * t1 * t2 % _PRIME
    d = 2 * z1 * z2 % _PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _PRIME, g * h % _PRIME, f * g % _PRIME, e * h % _PRIME


def _doubled(point: Point) -> Point:
    x, y, z, _ = point
    a, b = x * x % _PRIME, y * y % _PRIME
    h = a + b
    e = h - (x + y) * (x + y) % _PRIME
    g = a - b
    f = 2 * z * z % _PRIME + g
    return e * f % _PRIME, g * h % _PRIME, f * g % _PRIME, e * h % _PRIME


def _encoded(point: Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, _PRIME)
    return (y * inverse % _PRIME | (x * inverse % _PRIME & 1) << _SIGN_BIT).to_bytes(KEY_BYTES, "little")


def _decoded(encoded: bytes) -> Point | None:
    """Return the point that bytes spell, RFC 8032, 5.1.3."""
    if len(encoded) != KEY_BYTES:
        return None
    number = int.from_bytes(encoded, "little")
    sign, y = number >> _SIGN_BIT, number & ((1 << _SIGN_BIT) - 1)
    if y >= _PRIME:
        return None
    square = (y * y - 1) * pow(_CURVE * y * y + 1, -1, _PRIME) % _PRIME
    x = pow(square, (_PRIME + 3) // 8, _PRIME)
    if x * x % _PRIME != square:
        x = x * _ROOT % _PRIME
    if x * x % _PRIME != square or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _PRIME - x
    return x, y, 1, x * y % _PRIME


def _is_small(point: Point) -> bool:
    """Tell whether a point is one of the eight for which signatures fit whatever they sign."""
    for _ in range(_COFACTOR_DOUBLINGS):
        point = _doubled(point)
    return _encoded(point) == _encoded(_NEUTRAL)


_BASE: Final = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
    1,
    46827403850823179245072216630277197565144205554125654976674165829533817101731,
)

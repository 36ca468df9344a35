"""How deep a JSON text nests, found before anything is parsed: a parser would recurse that deep."""

from appliance.kernels.compiling import kernel

_QUOTE, _ESCAPE, _OPEN_LIST, _CLOSE_LIST, _OPEN_OBJECT, _CLOSE_OBJECT = 34, 92, 91, 93, 123, 125


@kernel
def nesting(text: bytes) -> int:
    """Return the greatest number of brackets open at once, outside of strings."""
    depth = 0
    deepest = 0
    quoted = False
    escaped = False
    for index in range(len(text)):
        byte = text[index]
        if quoted:
            if escaped:
                escaped = False
            elif byte == _ESCAPE:
                escaped = True
            elif byte == _QUOTE:
                quoted = False
        elif byte == _QUOTE:
            quoted = True
        elif byte in (_OPEN_LIST, _OPEN_OBJECT):
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (_CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
    return deepest

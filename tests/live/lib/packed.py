"""Compressed bytes that Python's own library cannot make."""


def zstd(body, log=17, repeated=None):
    """A frame of Zstandard (RFC 8878) with a window of 2**log bytes, in which runs of a byte are repeated blocks and all else is as it was."""
    piece, blocks = 1 << 17, []
    for i in range(0, len(body), piece):
        part = body[i:i + piece]
        same = repeated and part == repeated * len(part)
        last = i + piece >= len(body)
        blocks.append((last | (2 if same else 0) | len(part) << 3).to_bytes(3, "little") + (repeated if same else part))
    return b"\x28\xb5\x2f\xfd\0" + bytes([log - 10 << 3]) + b"".join(blocks)

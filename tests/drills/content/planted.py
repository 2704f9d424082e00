"""A parser with a mistake in it, which only someone led by coverage finds by chance."""


def read(raw: bytes) -> int:
    """Fail for one word of five letters."""
    if raw[:1] == b"h":
        if raw[1:2] == b"y":
            if raw[2:3] == b"m":
                if raw[3:4] == b"i":
                    if raw[4:5] == b"o":
                        raise RuntimeError("planted")
                    return 4
                return 3
            return 2
        return 1
    return 0

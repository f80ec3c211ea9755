"""Free ports that stay free while a server is down."""

import random
import socket

# Below what Linux (32768) and macOS (49152) give to outgoing connections, so that none of those takes the port of a server that
# was killed and will start again.
FIRST, LAST = 20_000, 31_999
TRIES = 200


def free_port():
    """A port of 127.0.0.1 on which nothing listens."""
    # Other runs look in other places: not by the seed of a survey.
    draw = random.SystemRandom()
    for _ in range(TRIES):
        port = draw.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port of 127.0.0.1 between {FIRST} and {LAST}")

"""What can go wrong in a survey, and when it does."""

import contextlib
import random

from nats_client import Nats

SERVICES = ("ec2", "iam", "inspector2")
# The answers of AWS that say: slower.
THROTTLED = {"ec2": (503, "RequestLimitExceeded"), "iam": (400, "Throttling"), "inspector2": (429, "ThrottlingException")}
# Within this time, counted from the survey's beginning, in seconds: about as long as it takes undisturbed, once Neo4j has
# planned its statements.
WINDOW = 2
FEWEST, MOST = 3, 8


def plan(draw):
    """Some disturbances in the order of their moments, each with a source of chance of its own."""
    kinds = [disturb for disturb, weight in WEIGHTS.items() for _ in range(weight)]
    count = draw.randint(FEWEST, MOST)
    chosen = [(draw.uniform(0.2, WINDOW), draw.choice(kinds), random.Random(draw.random())) for _ in range(count)]
    return sorted(chosen, key=lambda disturbance: disturbance[0])


def kill_a_collector(system, draw):
    system.kill(draw.choice([name for name in system.roles if name.startswith("collector")]), draw.uniform(0, 2))


def kill_a_writer(system, draw):
    system.kill(draw.choice([name for name in system.roles if name.startswith("graph-writer")]), draw.uniform(0, 2))


def kill_the_broker(system, draw):
    system.kill("broker", draw.uniform(0, 2))


def kill_the_scheduler(system, draw):
    system.kill("scheduler", draw.uniform(0, 1))


def kill_nats(system, draw):
    system.kill("nats", draw.uniform(0, 1))


def kill_neo4j(system, draw):
    system.kill("neo4j", draw.uniform(0, 1))


def server_errors(system, draw):
    fault(system, draw, {"status": draw.choice((500, 502, 503)), "code": "InternalError"}, draw.randint(1, 12))


def throttling(system, draw):
    service = draw.choice(SERVICES)
    status, code = THROTTLED[service]
    fault(system, draw, {"status": status, "code": code}, draw.randint(5, 30), service)


def resets(system, draw):
    fault(system, draw, {"reset": True}, draw.randint(1, 8))


def a_hung_call(system, draw):
    fault(system, draw, {"delay_seconds": draw.choice((5, 120))}, 1)


def a_denied_service(system, draw):
    """For as long as this survey takes: it must end with something unseen."""
    fault(system, draw, {"status": 403, "code": "UnauthorizedOperation" if draw.random() < 0.5 else "AccessDenied"}, 10_000)


def fault(system, draw, answer, times, service=None):
    rule = {"service": service or draw.choice(SERVICES), "skip": draw.randint(0, 5), "times": times, **answer}
    system.aws.control("faults", [rule], method="POST")


def repeats(system, draw):
    """Puts messages of the stream into it once more, out of order, as if they had never been there."""
    # A server that is down at this moment is another disturbance.
    with contextlib.suppress(OSError):
        with Nats(system.nats_port) as nats:
            last = nats.last_sequence("GROMA_ASSETS")
            sequences = draw.sample(range(1, last + 1), min(last, draw.randint(1, 40)))
            for message in filter(None, [nats.stored("GROMA_ASSETS", sequence) for sequence in sequences]):
                nats.publish(*message)


WEIGHTS = {
    kill_a_collector: 5,
    kill_a_writer: 5,
    kill_the_broker: 3,
    kill_the_scheduler: 1,
    kill_nats: 2,
    kill_neo4j: 1,
    server_errors: 3,
    throttling: 2,
    resets: 2,
    a_hung_call: 1,
    a_denied_service: 1,
    repeats: 3,
}

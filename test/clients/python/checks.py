"""How the programs in Python report, and how they compare what they see with what they want."""

import json
import time
from contextlib import contextmanager
from importlib.metadata import version


class Wrong(Exception):
    """What was seen is not what was wanted."""


def say(**line):
    print(json.dumps(line), flush=True)


def say_library(name):
    """Prints the line that stands before all checks."""
    say(library=name, version=version(name))


@contextmanager
def check(name):
    """Prints how its block came out. What breaks there is a failed check: the next ones still run."""
    try:
        yield
    except Exception as error:
        say(check=name, ok=False, detail=f'{type(error).__name__}: {error}')
    else:
        say(check=name, ok=True)


def want(seen, wanted, what):
    if seen != wanted:
        raise Wrong(f'{what}: saw {seen!r}, wanted {wanted!r}')


def eventually(read, wanted, what, seconds=5):
    """Reads until it is what is wanted: counts of a cluster may be a moment late."""
    deadline = time.monotonic() + seconds
    while (seen := read()) != wanted:
        if time.monotonic() > deadline:
            raise Wrong(f'{what}: saw {seen!r}, wanted {wanted!r} within {seconds} s')
        time.sleep(0.1)

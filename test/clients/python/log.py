"""What a library of WebSocket clients calls back with."""

import threading

from checks import Wrong

SUCCEEDED = 'pusher_internal:subscription_succeeded'
REFUSED = 'pusher:subscription_error'
ADDED = 'pusher_internal:member_added'
REMOVED = 'pusher_internal:member_removed'


class Log:
    """The data by name, as ('connected',) or (channel, event). The library adds it in whatever thread it has."""

    def __init__(self):
        self.data = {}
        self.changed = threading.Condition()

    def add(self, data, *name):
        with self.changed:
            self.data.setdefault(name, []).append(data)
            self.changed.notify_all()

    def all(self, *name):
        return list(self.data.get(name, ()))

    def wait(self, *name, number=1, seconds=5):
        """The data that came as the number-th under this name."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.all(*name)) >= number, seconds):
                came = str(self.data)[:600]
                raise Wrong(f'no {" ".join(name)}, number {number}, within {seconds} s; what came: {came}')
            return self.all(*name)[number - 1]

"""The other side of every check: what the harness does when a program asks for it."""

import json
import os
import urllib.error
import urllib.request

from checks import want

DATA = {'text': 'héllo "quoted"', 'number': 1.5, 'list': [1, None, True]}
DIGITS = '42'

# The stage is on this machine: a proxy that the environment names is not for it.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(action, **body):
    return post(os.environ['STAGE_URL'] + action, body)


def trigger(channel, event, data):
    """Publishes the JSON of `data`."""
    ask('/trigger', channel=channel, event=event, data=data)


def authorize(socket_id, channel, user):
    """What the application's auth endpoint answers to this user."""
    return post(f'{os.environ["AUTH_URL"]}?user={user}', {'socket_id': socket_id, 'channel_name': channel})


class Observer:
    """A raw client of the harness, subscribed to the channels, and signed in when there is a user."""

    def __init__(self, *channels, user=None):
        answer = ask('/observe', channels=channels, user=user)
        # Also its user id on presence channels.
        self.name, self.socket_id = answer['observer'], answer['socketId']

    def ask(self, action, **body):
        return ask(action, observer=self.name, **body)

    def leave(self):
        self.ask('/leave')

    def seen(self, channel, event, **rest):
        """The data of these events as the frames have it, as soon as there is one."""
        return [item['data'] for item in self.ask('/seen', channel=channel, event=event, **rest)['events']]

    def want_seen(self, channel, event, wanted):
        """One such event, and its data is the JSON text of what is wanted."""
        want([json.loads(data) for data in self.seen(channel, event)], [wanted], f'{event} on {channel}')

    def want_subscribed(self, channel, made):
        """The server takes the authorization that a library made."""
        answer = self.ask('/subscribe', channel=channel, **made)
        want(answer['ok'], True, f'subscribed {answer}')


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {'Content-Type': 'application/json'})
    try:
        with opener.open(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f'{url} answered {error.code}: {error.read().decode()}') from None

"""Checks of the WebSocket client `pysher` for Python.

The program subscribes as the library's README says to: in a handler of
pusher:connection_established. The library calls it on every connection, so
that is also what brings the subscriptions back. Its own way, `auto_sub`, is
not used: it subscribes again without `auth`, so only to public channels.

Left out, because the library cannot do it:
  encrypted  it does not open encrypted channels

What it does otherwise than the specification:
  * it acts on the code of a pusher:error event and never looks at the code of
    a close: only the event before a close with 4001 keeps it from coming back
    every `reconnect_interval` seconds
  * after 4200 it tries again without any pause until a connection is refused
    no more
  * it ignores activity_timeout and pings every 120 s; what keeps a silent
    connection is that it answers the server's pings
  * `data` of every event is handed over as the text of the frame
  * `subscribe` knows the channel only after it has sent: called in another
    thread than the one that reads, it can lose the answer and early events
"""

import json
import logging
import os
import time

import pysher
from checks import check, say_library, want
from log import ADDED, REFUSED, REMOVED, SUCCEEDED, Log
from stage import DATA, DIGITS, Observer, ask, authorize, trigger

KEY = os.environ['BELFRY_APP_KEY']
PUBLIC = 'pysher'
PRIVATE = 'private-pysher'
EVENTS = ('greeting', 'digits', 'client-typing', 'after-silence', 'after-restart')


class Client:
    """Subscribes to its channels on every connection, and logs what it is called back with."""

    def __init__(self, *channels, key=KEY, token=None, user=None):
        self.log = Log()
        self.channels = channels
        self.token = token
        self.pusher = pysher.Pusher(
            key,
            secure=False,
            secret=os.environ['BELFRY_APP_SECRET'],
            user_data=user,
            custom_host=os.environ['BELFRY_HOST'],
            port=int(os.environ['BELFRY_PORT']),
            reconnect_interval=1,
            log_level=logging.ERROR,
        )
        self.pusher.connection.bind('pusher:connection_established', self.connected)
        self.pusher.connection.bind('pusher:error', self.log.add, 'error')
        self.pusher.connect()

    def connected(self, _):
        # In the thread that reads: from another one, the answer could be there before the library knows the channel.
        socket_id = self.pusher.connection.socket_id
        self.log.add(socket_id, 'connected')
        for name in self.channels:
            token = self.token
            if token is None and name.startswith('private-'):
                token = authorize(socket_id, name, user='pysher')['auth']
            # Without a token the library signs, with the secret.
            channel = self.pusher.subscribe(name, token)
            for event in (SUCCEEDED, REFUSED, ADDED, REMOVED, *EVENTS):
                channel.bind(event, self.log.add, name, event)

    def want_event(self, channel, event, wanted):
        text = self.log.wait(channel, event)
        want(type(text), str, f'type of the data of {event}')
        want(json.loads(text), wanted, event)


say_library('pysher')
client = Client(PUBLIC, PRIVATE)

with check('connect'):
    socket_id = client.log.wait('connected')
    want(client.pusher.connection.state, 'connected', 'state')
    want(socket_id.replace('.', '', 1).isdigit(), True, f'socket id {socket_id} in digits')

with check('public'):
    client.log.wait(PUBLIC, SUCCEEDED)
    trigger(PUBLIC, 'greeting', DATA)
    client.want_event(PUBLIC, 'greeting', DATA)
    trigger(PUBLIC, 'digits', DIGITS)
    want(client.log.wait(PUBLIC, 'digits'), f'"{DIGITS}"', 'a string of digits')

with check('private'):
    client.log.wait(PRIVATE, SUCCEEDED)
    trigger(PRIVATE, 'greeting', DATA)
    client.want_event(PRIVATE, 'greeting', DATA)

with check('presence'):
    channel = 'presence-pysher'
    first = Observer(channel)
    member = Client(channel, user={'user_id': 'member', 'user_info': {'name': 'Änn'}})
    here = json.loads(member.log.wait(channel, SUCCEEDED))['presence']
    want(here['count'], 2, 'count')
    want(sorted(here['ids']), ['member', first.name], 'ids')
    want(sorted(here['hash']), ['member', first.name], 'hash')
    want(here['hash']['member'], {'name': 'Änn'}, 'own user_info')
    second = Observer(channel)
    want(json.loads(member.log.wait(channel, ADDED))['user_id'], second.name, 'added')
    second.leave()
    want(json.loads(member.log.wait(channel, REMOVED))['user_id'], second.name, 'removed')
    member.pusher.disconnect(timeout=5)

with check('client-event'):
    observer = Observer(PRIVATE)
    client.pusher.channel(PRIVATE).trigger('client-typing', DATA)
    observer.want_seen(PRIVATE, 'client-typing', DATA)
    observer.ask('/whisper', channel=PRIVATE, event='client-typing', data={'by': 'observer'})
    client.want_event(PRIVATE, 'client-typing', {'by': 'observer'})
    want(len(client.log.all(PRIVATE, 'client-typing')), 1, 'events, none of the own')

with check('unsubscribe'):
    # The server's side of it: the others on a presence channel see the member go.
    left, stayed = 'presence-pysher-left', 'pysher-stayed'
    observer = Observer(left)
    leaver = Client(left, stayed, user={'user_id': 'leaver'})
    leaver.log.wait(left, SUCCEEDED)
    leaver.log.wait(stayed, SUCCEEDED)
    leaver.pusher.unsubscribe(left)
    observer.want_seen(left, REMOVED, {'user_id': 'leaver'})
    trigger(left, 'greeting', DATA)
    trigger(stayed, 'greeting', DATA)
    leaver.want_event(stayed, 'greeting', DATA)
    want(leaver.log.all(left, 'greeting'), [], 'events after it')
    leaver.pusher.disconnect(timeout=5)

with check('refused'):
    channel = 'private-pysher-refused'
    forger = Client(channel, token=f'{KEY}:{"0" * 64}')
    want(json.loads(forger.log.wait(channel, REFUSED))['status'], 401, 'status')
    error = forger.log.wait('error')
    want(error['code'], None, 'code')
    want('Invalid signature' in error['message'], True, f'message {error["message"]}')
    want(forger.pusher.connection.state, 'connected', 'state after it')
    forger.pusher.disconnect(timeout=5)

with check('wrong-key'):
    stranger = Client(key='no-such-key')
    want(stranger.log.wait('error')['code'], 4001, 'code')
    stranger.pusher.connection.join(5)
    want(stranger.pusher.connection.is_alive(), False, 'the thread that would reconnect')
    want(len(stranger.log.all('error')), 1, 'attempts')

with check('silence'):
    time.sleep(ask('/heartbeat')['activityTimeoutSeconds'] * 2 + 2)
    want(client.pusher.connection.state, 'connected', 'state')
    trigger(PRIVATE, 'after-silence', DATA)
    client.want_event(PRIVATE, 'after-silence', DATA)
    want(len(client.log.all('connected')), 1, 'connections')

with check('restart'):
    ask('/restart')
    client.log.wait(PRIVATE, SUCCEEDED, number=2, seconds=20)
    trigger(PRIVATE, 'after-restart', DATA)
    client.want_event(PRIVATE, 'after-restart', DATA)

client.pusher.disconnect(timeout=5)

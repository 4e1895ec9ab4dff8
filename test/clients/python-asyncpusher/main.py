"""Checks of the WebSocket client `asyncpusher` for Python.

Left out, because the library cannot do it:
  encrypted  it does not open encrypted channels

What it does otherwise than the specification:
  * an event whose data is a text that is no JSON ends its task: from then on
    it is silent and does not connect again
  * it does not answer pusher:ping events; it is the WebSocket's pings that it
    answers, and sends
  * `connect` never returns when the server refuses for good
"""

import asyncio
import logging
import os
import sys
from asyncio import to_thread

from asyncpusher.pusher import Pusher
from checks import check, say_library, want
from log import ADDED, REFUSED, REMOVED, SUCCEEDED, Log
from stage import DATA, DIGITS, Observer, ask, authorize, trigger

KEY = os.environ['BELFRY_APP_KEY']
USER = 'asyncpusher'


class Client:
    """Asks the application's auth endpoint, and logs what it is called back with."""

    def __init__(self, key=KEY):
        self.log = Log()
        self.pusher = Pusher(
            key,
            secure=False,
            custom_host=os.environ['BELFRY_HOST'],
            custom_port=int(os.environ['BELFRY_PORT']),
            channel_authenticator=self.authenticate,
            auto_sub=True,
        )
        self.connection = self.pusher.connection
        self.connection.bind('pusher:connection_established', self.hear, 'connected')
        self.connection.bind('pusher:error', self.hear, 'error')

    async def authenticate(self, data):
        if 'refused' in data['channel_name']:
            return {'auth': f'{KEY}:{"0" * 64}'}
        return await to_thread(authorize, data['socket_id'], data['channel_name'], USER)

    async def hear(self, data, *name):
        self.log.add(data, *name)

    async def heard(self, *name, **options):
        return await to_thread(self.log.wait, *name, **options)

    async def send(self, name, *events):
        channel = await self.pusher.subscribe(name)
        for event in (SUCCEEDED, REFUSED, *events):
            channel.bind(event, self.hear, name, event)
        return channel

    async def subscribe(self, name, *events):
        channel = await self.send(name, *events)
        await self.heard(name, SUCCEEDED)
        return channel

    async def want_greeting(self, channel):
        await to_thread(trigger, channel, 'greeting', DATA)
        want(await self.heard(channel, 'greeting'), DATA, 'greeting')


async def connect(client):
    await asyncio.wait_for(client.pusher.connect(), 10)
    established = await client.heard('connected')
    want(client.connection.is_connected(), True, 'connected')
    want(client.connection.socket_id, established['socket_id'], 'socket id')


async def public(client):
    channel = 'asyncpusher-public'
    await client.subscribe(channel, 'greeting', 'digits')
    await client.want_greeting(channel)
    await to_thread(trigger, channel, 'digits', DIGITS)
    want(await client.heard(channel, 'digits'), DIGITS, 'a string of digits')


async def private(client):
    channel = 'private-asyncpusher'
    await client.subscribe(channel, 'greeting')
    await client.want_greeting(channel)


async def presence(client):
    channel = 'presence-asyncpusher'
    first = await to_thread(Observer, channel)
    await client.subscribe(channel, ADDED, REMOVED)
    here = (await client.heard(channel, SUCCEEDED))['presence']
    want(here['count'], 2, 'count')
    want(sorted(here['ids']), [USER, first.name], 'ids')
    want(sorted(here['hash']), [USER, first.name], 'hash')
    second = await to_thread(Observer, channel)
    want((await client.heard(channel, ADDED))['user_id'], second.name, 'added')
    await to_thread(second.leave)
    want((await client.heard(channel, REMOVED))['user_id'], second.name, 'removed')


async def client_event(client):
    channel = 'private-asyncpusher-whispers'
    observer = await to_thread(Observer, channel)
    joined = await client.subscribe(channel, 'client-typing')
    await joined.trigger({'event': 'client-typing', 'data': DATA})
    await to_thread(observer.want_seen, channel, 'client-typing', DATA)
    answer = {'by': 'observer'}
    await to_thread(observer.ask, '/whisper', channel=channel, event='client-typing', data=answer)
    want(await client.heard(channel, 'client-typing'), answer, 'received')
    want(len(client.log.all(channel, 'client-typing')), 1, 'events, none of the own')


async def unsubscribe(client):
    # The server's side of it: the others on a presence channel see the member go.
    channel = 'presence-asyncpusher-left'
    observer = await to_thread(Observer, channel)
    await client.subscribe(channel, 'greeting')
    await client.pusher.unsubscribe(channel)
    await to_thread(observer.want_seen, channel, REMOVED, {'user_id': USER})
    await to_thread(trigger, channel, 'greeting', DATA)
    await client.subscribe('asyncpusher-after')
    want(client.log.all(channel, 'greeting'), [], 'events after it')


async def refused(client):
    channel = 'private-asyncpusher-refused'
    await client.send(channel)
    want((await client.heard(channel, REFUSED))['status'], 401, 'status')
    error = await client.heard('error')
    want(error['code'], None, 'code')
    want('Invalid signature' in error['message'], True, f'message {error["message"]}')
    want(client.connection.is_connected(), True, 'connected after it')
    del client.pusher.channels[channel]  # or it would be asked for again after the restart


async def wrong_key(_):
    stranger = Client(key='no-such-key')
    # `connect` of the library waits for ever for a connection that never is.
    waiting = asyncio.create_task(stranger.pusher.connect())
    want((await stranger.heard('error'))['code'], 4001, 'code')
    await asyncio.sleep(3)
    want(len(stranger.log.all('error')), 1, 'attempts')
    waiting.cancel()


async def silence(client):
    channel = 'asyncpusher-silent'
    await client.subscribe(channel, 'greeting')
    await asyncio.sleep((await to_thread(ask, '/heartbeat'))['activityTimeoutSeconds'] * 2 + 2)
    await client.want_greeting(channel)
    want(len(client.log.all('connected')), 1, 'connections')


async def restart(client):
    channel = 'private-asyncpusher-restart'
    await client.subscribe(channel, 'greeting')
    await to_thread(ask, '/restart')
    await client.heard(channel, SUCCEEDED, number=2, seconds=20)
    await client.want_greeting(channel)


async def main():
    say_library('asyncpusher')
    client = Client()
    for body in (
        connect,
        public,
        private,
        presence,
        client_event,
        unsubscribe,
        refused,
        wrong_key,
        silence,
        restart,
    ):
        with check(body.__name__.replace('_', '-')):
            await body(client)
    await asyncio.wait_for(client.pusher.disconnect(), 5)


logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
asyncio.run(main())

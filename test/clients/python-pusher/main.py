"""Checks of the HTTP library `pusher` for Python.

Left out, because the library cannot do it:
  trigger-info  `trigger` has no `info` parameter

What it does otherwise than the specification:
  * terminate_user_connections posts to /users/ID/terminate_connections, without
    /apps/APP_ID in front; the server finds the app by the key of the signature
  * every GET carries the body_md5 of an empty body
  * `shared_secret` of `authenticate` is bytes, which json.dumps refuses: a
    backend has to decode it
"""

import base64
import hashlib
import json
import os
import time

import nacl.secret
import pusher
from checks import Wrong, check, eventually, say_library, want
from pusher.errors import PusherBadAuth
from stage import DATA, Observer, ask

HOST = os.environ['BELFRY_HOST']
ENCRYPTION_KEY = os.environ['BELFRY_ENCRYPTION_KEY']

# The library would go through a proxy that the environment names.
os.environ.setdefault('NO_PROXY', HOST)


def make(secret):
    return pusher.Pusher(
        app_id=os.environ['BELFRY_APP_ID'],
        key=os.environ['BELFRY_APP_KEY'],
        secret=secret,
        ssl=False,
        host=HOST,
        port=int(os.environ['BELFRY_PORT']),
        encryption_master_key_base64=ENCRYPTION_KEY,
    )


def shared_secret(channel):
    return hashlib.sha256(channel.encode() + base64.b64decode(ENCRYPTION_KEY)).digest()


say_library('pusher')
client = make(secret=os.environ['BELFRY_APP_SECRET'])

with check('trigger'):
    channel = 'py-trigger'
    observer = Observer(channel)
    want(client.trigger(channel, 'greeting', DATA), {}, 'answer')
    observer.want_seen(channel, 'greeting', DATA)

with check('trigger-multi'):
    channels = ['py-multi-1', 'py-multi-2', 'py-multi-3']
    observers = [Observer(channel) for channel in channels]
    client.trigger(channels, 'greeting', DATA)
    for observer, channel in zip(observers, channels):
        observer.want_seen(channel, 'greeting', DATA)

with check('trigger-exclude'):
    channel = 'py-exclude'
    left_out, other = Observer(channel), Observer(channel)
    client.trigger(channel, 'greeting', DATA, left_out.socket_id)
    client.trigger(channel, 'marker', {})
    other.want_seen(channel, 'greeting', DATA)
    left_out.want_seen(channel, 'marker', {})
    want(left_out.seen(channel, 'greeting', waitMs=100), [], 'greeting at the excluded connection')

with check('trigger-batch'):
    first, second = 'py-batch-1', 'py-batch-2'
    observer = Observer(first, second)
    client.trigger_batch(
        [
            {'channel': first, 'name': 'greeting', 'data': {'number': 1}},
            {'channel': second, 'name': 'greeting', 'data': {'number': 2}},
        ]
    )
    observer.want_seen(first, 'greeting', {'number': 1})
    observer.want_seen(second, 'greeting', {'number': 2})

with check('channels'):
    first, second = 'presence-py-channels-1', 'presence-py-channels-2'
    Observer(first)
    Observer(first, second)
    wanted = {'channels': {first: {'user_count': 2}, second: {'user_count': 1}}}
    eventually(lambda: client.channels_info('presence-py-channels-', ['user_count']), wanted, 'channels')
    want(client.channels_info('py-nobody'), {'channels': {}}, 'no channel')

with check('channel'):
    channel = 'presence-py-channel'
    Observer(channel)
    Observer(channel)
    attributes = ['user_count', 'subscription_count']
    wanted = {'occupied': True, 'user_count': 2, 'subscription_count': 2}
    eventually(lambda: client.channel_info(channel, attributes), wanted, 'channel')
    want(client.channel_info('py-nobody'), {'occupied': False}, 'an empty channel')

with check('users'):
    channel = 'presence-py-users'
    wanted = {Observer(channel).name, Observer(channel).name}
    eventually(lambda: {user['id'] for user in client.users_info(channel)['users']}, wanted, 'users')

with check('auth-private'):
    channel = 'private-py-auth'
    observer = Observer()
    made = client.authenticate(channel, observer.socket_id)
    want(sorted(made), ['auth'], 'keys')
    observer.want_subscribed(channel, made)
    client.trigger(channel, 'greeting', DATA)
    observer.want_seen(channel, 'greeting', DATA)

with check('auth-presence'):
    channel = 'presence-py-auth'
    observer = Observer()
    made = client.authenticate(channel, observer.socket_id, {'user_id': 'ünn', 'user_info': {'name': 'Änn'}})
    want(sorted(made), ['auth', 'channel_data'], 'keys')
    observer.want_subscribed(channel, made)
    eventually(lambda: client.users_info(channel), {'users': [{'id': 'ünn'}]}, 'users')

with check('auth-encrypted'):
    channel = 'private-encrypted-py-auth'
    observer = Observer()
    made = client.authenticate(channel, observer.socket_id)
    want(sorted(made), ['auth', 'shared_secret'], 'keys')
    made['shared_secret'] = made['shared_secret'].decode()  # bytes, which json.dumps does not take
    want(made['shared_secret'], base64.b64encode(shared_secret(channel)).decode(), 'shared secret')
    observer.want_subscribed(channel, made)

with check('auth-user'):
    observer = Observer()
    made = client.authenticate_user(observer.socket_id, {'id': 'py-signed-in', 'user_info': {'name': 'Änn'}})
    answer = observer.ask('/signin', **made)
    want(answer['ok'], True, f'signed in {answer}')

with check('terminate'):
    gone, stays = Observer(user='py-gone'), Observer(user='py-stays')
    client.terminate_user_connections('py-gone')
    answer = gone.ask('/alive', waitMs=3000)
    want((answer['open'], answer.get('code')), (False, 4009), 'the terminated connection')
    want(stays.ask('/alive', waitMs=100)['open'], True, 'the connection of another user')

with check('user-event'):
    observer = Observer(user='py-user')
    client.send_to_user('py-user', 'greeting', DATA)
    observer.want_seen('#server-to-user-py-user', 'greeting', DATA)

with check('encrypted-trigger'):
    channel = 'private-encrypted-py'
    observer = Observer(channel)
    client.trigger(channel, 'greeting', DATA)
    got = observer.seen(channel, 'greeting')
    want(len(got), 1, 'events')
    want('héllo' in got[0] or 'quoted' in got[0], False, 'clear text on the wire')
    sealed = json.loads(got[0])
    box = nacl.secret.SecretBox(shared_secret(channel))
    opened = box.decrypt(base64.b64decode(sealed['ciphertext']), base64.b64decode(sealed['nonce']))
    want(json.loads(opened), DATA, 'opened')

with check('webhook'):
    channel = 'py-webhook'
    Observer(channel).leave()
    deadline = time.monotonic() + 15
    while True:  # the checks above left webhooks of their own channels behind
        hook = ask('/webhook', name='channel_vacated', waitMs=6000)
        headers = {name.lower(): value for name, value in hook['headers'].items()}
        key, signature = headers['x-pusher-key'], headers['x-pusher-signature']
        parsed = client.validate_webhook(key, signature, hook['body'])
        want(parsed is None, False, f'refused by the library: {hook}')
        if any(event['channel'] == channel for event in parsed['events']):
            break
        if time.monotonic() > deadline:
            raise Wrong(f'no channel_vacated of {channel}, the last was {parsed}')
    forged = hook['body'].replace(channel, channel.upper())
    want(client.validate_webhook(key, signature, forged), None, 'a forged body')

with check('wrong-secret'):
    try:
        answer = make(secret='0' * 20).trigger('py-wrong', 'greeting', DATA)
    except PusherBadAuth as error:
        want('Invalid signature' in str(error), True, f'text of the error {error}')
    else:
        raise Wrong(f'saw the answer {answer!r}, wanted PusherBadAuth')

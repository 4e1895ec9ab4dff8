/** The vectors of 3.1: channel, channel_data and digest, for socket 1234.1234 with `credentials` of test-server.ts. */
export const channelVectors: readonly (readonly [channel: string, channelData: string | undefined, digest: string])[] =
  [
    ['private-foobar', undefined, '58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4'],
    ['private-foobar', '{"user_id":"u1"}', 'e307391c8e8e9253874a38e3a02b657cea6bc4be825f9da02357cffdfd618d6d'],
    ['private-encrypted-foobar', undefined, 'e6a18892d037c5d5e76a2265df4f086ffc38631605530dfd214aa5bff495f533'],
    ['private-cache-foobar', undefined, '395f4a03f06e17b74af8d9c58386cf386e70176f58452420f042b6e1bddefa43'],
    [
      'presence-foobar',
      '{"user_id":10,"user_info":{"name":"Mr. Channels"}}',
      '31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80',
    ],
    [
      'presence-foobar',
      '{"user_id":10,"user_info":{"name":"Mr. Pusher"}}',
      'afaed3695da2ffd16931f457e338e6c9f2921fa133ce7dac49f529792be6304c',
    ],
    [
      'presence-foobar',
      '{"user_id":"ü-1","user_info":{"name":"Ωmega"}}',
      'bf600402a912cbcd9d58abd2c5cb602ce27333e8a4cae8604894b25adfd5f58a',
    ],
  ]

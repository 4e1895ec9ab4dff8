-- How many connections of all nodes are subscribed to some channels of an app, as long as the store has everything.
-- KEYS: 1 nodes, 2 awaited, 3 occupied channels of the app
-- ARGV: 1 deadline, 2 node, from 3 on: channels, some hundreds at most
-- Returns 'late', 'lost', 'awaited', or the counts in the order of the channels (nothing for 0)
if late then return 'late' end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'lost' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'awaited' end
return redis.call('HMGET', KEYS[3], unpack(ARGV, 3))

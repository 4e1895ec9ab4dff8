-- Who is in a topic, as long as the store has everything.
-- KEYS: 1 nodes, 2 awaited, 3 changed, 4 roster
-- ARGV: 1 deadline, 2 node, 3 the version the node has (empty = none)
-- Returns 'late', 'lost', 'awaited', { version } if that is still the version, or { version, roster as field, value … }
if late then return 'late' end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'lost' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'awaited' end
local version = redis.call('GET', KEYS[3]) or '0'
if version == ARGV[3] then return { version } end
return { version, redis.call('HGETALL', KEYS[4]) }

-- Who is in a topic.
-- KEYS: 1 changed, 2 roster
-- ARGV: 1 the version the node has (empty = none)
-- Returns { version } if that is still the version, else { version, roster as field, value … }
local version = redis.call('GET', KEYS[1]) or '0'
if version == ARGV[1] then return { version } end
return { version, redis.call('HGETALL', KEYS[2]) }

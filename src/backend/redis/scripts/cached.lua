-- The last event of a topic.
-- KEYS: 1 cached event
-- Returns { "VERSION\nFRAME", ms until it is forgotten }, or nothing
local cached = redis.call('GET', KEYS[1])
if not cached then return false end
return { cached, redis.call('PTTL', KEYS[1]) }

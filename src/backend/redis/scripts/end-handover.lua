-- A user was held for a handover and the time is over: gone, unless a connection is back.
-- KEYS, ARGV 1 to 9: see lib-members.lua
-- ARGV: 10 user
-- Returns 'late', or 1 if the user is gone, else 0
if late then return 'late' end
local user = ARGV[10]
local entry = ARGV[3] .. '\n' .. user
local due = redis.call('ZSCORE', KEYS[8], entry)
if not due or tonumber(due) > nowMs then return 0 end
redis.call('ZREM', KEYS[8], entry)
if redis.call('HEXISTS', KEYS[6], user) == 1 then return 0 end
vanish(user)
return 1

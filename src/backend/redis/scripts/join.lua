-- Adds one connection of a user to a topic (PresenceStore.join, UserStore.signIn).
-- KEYS, ARGV 1 to 9: see lib-members.lua
-- ARGV: 10 socket, 11 user, 12 info (':' and JSON, or empty), 13 most users (0 = no limit), 14 whether the roster is wanted (1 or 0)
-- Returns 'late', 'lost', 'awaited', 'full', or { 1 if the user was not in it else 0, version before, version,
--   roster before as field, value …, or nothing }
local refused = refusal()
if refused then return refused end
local socket, user, info = ARGV[10], ARGV[11], ARGV[12]
local first = redis.call('HEXISTS', KEYS[5], user) == 0
local roster = ARGV[14] == '1' and redis.call('HGETALL', KEYS[5]) or nil
local before, version
if redis.call('HEXISTS', KEYS[11], socket) == 1 then
  first = false
else
  local most = tonumber(ARGV[13])
  if first and most > 0 and redis.call('HLEN', KEYS[5]) >= most then return 'full' end
  redis.call('HSET', KEYS[11], socket, user)
  redis.call('SADD', KEYS[12], ARGV[3])
  local connections = redis.call('HINCRBY', KEYS[6], user, 1)
  if first then
    before, version = appear(user, info)
  elseif connections == 1 then
    redis.call('ZREM', KEYS[8], ARGV[3] .. '\n' .. user)
  end
end
version = version or redis.call('GET', KEYS[4]) or '0'
return { first and 1 or 0, before or version, version, roster }

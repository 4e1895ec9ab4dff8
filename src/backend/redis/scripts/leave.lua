-- Takes one connection of a user out of a topic (PresenceStore.leave, UserStore.signOut).
-- KEYS, ARGV 1 to 9: see lib-members.lua
-- ARGV: 10 socket, 11 user, 12 how long the user is held when this was the last connection, in ms (0 = not at all)
-- Returns 'late', 'lost', 'awaited', or 1 if the user is gone, else 0
local refused = refusal()
if refused then return refused end
local socket, user, holdMs = ARGV[10], ARGV[11], tonumber(ARGV[12])
if redis.call('HGET', KEYS[11], socket) ~= user then return 0 end
redis.call('HDEL', KEYS[11], socket)
if redis.call('EXISTS', KEYS[11]) == 0 then redis.call('SREM', KEYS[12], ARGV[3]) end
if not release(user) then return 0 end
if holdMs > 0 then
  redis.call('ZADD', KEYS[8], whole(nowMs + holdMs), ARGV[3] .. '\n' .. user)
  return 0
end
vanish(user)
return 1

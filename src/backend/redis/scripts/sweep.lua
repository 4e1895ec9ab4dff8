-- Gives up connections of a dead node in one topic, a bounded number per call. Safe to repeat, and to race.
-- KEYS, ARGV 1 to 9: see lib-members.lua; the node is the dead one
-- ARGV: 10 most connections given up in one call
-- Returns 'late', 'alive' when the node has a lease again, or 1 if there are more, else 0
if late then return 'late' end
local lease = redis.call('HGET', KEYS[1], ARGV[2])
if lease and tonumber(string.match(lease, '^%d+')) > nowMs then return 'alive' end
local most = tonumber(ARGV[10])
local found = redis.call('HSCAN', KEYS[11], '0', 'COUNT', ARGV[10])[2]
for index = 1, math.min(#found, 2 * most), 2 do
  redis.call('HDEL', KEYS[11], found[index])
  if release(found[index + 1]) then vanish(found[index + 1]) end
end
if redis.call('EXISTS', KEYS[11]) == 1 then return 1 end
redis.call('SREM', KEYS[12], ARGV[3])
return 0

-- Gives up a dead node's counts of some channels of one app. Safe to repeat, and to race.
-- KEYS, ARGV 1 to 7: see lib-counts.lua; the node is the dead one
-- ARGV: from 8 on: topic, channel, …
-- Returns 'late', 'alive' when the node has a lease again, or 1
if late then return 'late' end
local lease = redis.call('HGET', KEYS[1], ARGV[2])
if lease and tonumber(string.match(lease, '^%d+')) > nowMs then return 'alive' end
for index = 8, #ARGV, 2 do
  local before, total = setCount(ARGV[index], ARGV[index + 1], 0)
  note(ARGV[index + 1], KEYS[7 + (index - 8) / 2], before, total)
end
return 1

-- Says how many subscriptions a node has in one channel (OccupancyStore.set).
-- KEYS, ARGV 1 to 7: see lib-counts.lua
-- ARGV: 8 topic, 9 channel, 10 count
-- Returns 'late', 'lost', 'awaited', or { count of all nodes before, and after }
if late then return 'late' end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'lost' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'awaited' end
local before, total = setCount(ARGV[8], ARGV[9], tonumber(ARGV[10]))
note(ARGV[9], KEYS[7], before, total)
return { before, total }

-- Says how many subscriptions a node has in one channel (OccupancyStore.set).
-- KEYS, ARGV 1 to 6: see lib-counts.lua
-- ARGV: 7 topic, 8 channel, 9 count
-- Returns 'late', 'lost', 'awaited', or { count of all nodes before, and after }
if late then return 'late' end
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'lost' end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'awaited' end
local before, total = setCount(ARGV[7], ARGV[8], tonumber(ARGV[9]))
note(ARGV[8], before, total)
return { before, total }

-- Notes how far the outbox has been dealt with, and drops what nobody needs any more (Outbox.done).
-- KEYS: 1 sender, 2 progress, 3 outbox
-- ARGV: 1 deadline, 2 node, 3 its term, 4 the first id to keep (empty = all), from 5 on: field, value … of the progress
-- Returns 'late', 'noted', 'another' (another node is the sender now), or 'nobody' (nothing is noted; the next beat tells more)
if late then return 'late' end
local term, _, owner = senderOf(KEYS[1])
if owner ~= ARGV[2] or term ~= tonumber(ARGV[3]) then
  return (owner == '-' or owner == ARGV[2]) and 'nobody' or 'another'
end
redis.call('DEL', KEYS[2])
-- Lua takes some thousands of arguments at once.
for index = 5, #ARGV, 1000 do
  redis.call('HSET', KEYS[2], unpack(ARGV, index, math.min(index + 999, #ARGV)))
end
if ARGV[4] ~= '' then redis.call('XTRIM', KEYS[3], 'MINID', ARGV[4]) end
return 'noted'

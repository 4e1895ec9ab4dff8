-- A node takes part in sending no longer: others need not wait for its lease to end.
-- KEYS: 1 nodes, 2 sender
-- ARGV: 1 deadline, 2 node
-- Returns 'late' or 1
if late then return 'late' end
local lease = redis.call('HGET', KEYS[1], ARGV[2])
if lease then redis.call('HSET', KEYS[1], ARGV[2], (string.gsub(lease, 's', ''))) end
local term, _, owner = senderOf(KEYS[2])
if owner == ARGV[2] then setSender(KEYS[2], term, 0, '-') end
return 1

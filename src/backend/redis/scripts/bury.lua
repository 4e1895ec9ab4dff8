-- Forgets a dead node of which nothing is left, or a node that has given everything back (ARGV[3] = 1).
-- KEYS: 1 nodes, 2 topics of the node, 3 counts of the node, 4 awaited
-- ARGV: 1 deadline, 2 node, 3 whether the node itself asks (1 or 0)
-- Returns 'late', or 1 if it was forgotten, else 0
if late then return 'late' end
local lease = redis.call('HGET', KEYS[1], ARGV[2])
if not lease or redis.call('EXISTS', KEYS[2]) == 1 or redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
if ARGV[3] == '0' and tonumber(string.match(lease, '^%d+')) > nowMs then return 0 end
redis.call('SREM', KEYS[4], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[2])

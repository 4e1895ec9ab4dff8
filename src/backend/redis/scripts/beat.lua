-- Renews a node's lease in one partition and tells it what has to be done there.
-- KEYS: 1 nodes, 2 generation, 3 awaited, 4 grace, 5 reaper, 6 version, 7 handovers
-- ARGV: 1 deadline, 2 node, 3 lease in ms, 4 generation the node has written its truth in (empty = none), 5 id for a new generation,
--       6 gap between two beats above which nobody is declared dead, in ms, 7 whether it has just done so again (1 or 0),
--       8 whether it is the first since this server was connected (1 or 0), 9 how long a reaper has, in ms, from 10 on: other nodes it knows
-- Returns 'late', or { state, generation, nodes awaited, { all nodes }, { dead nodes to sweep }, { handovers that are over } }
--   state: 'held', 'new' (first beat), 'lost' (the lease was gone; it is held again), 'empty' (the data is gone: write again)
if late then return 'late' end
local node, leaseMs, known = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local pauseMs = leaseMs + 5000
local generation = redis.call('GET', KEYS[2])
if not generation then
  generation = ARGV[5]
  redis.call('SET', KEYS[2], generation)
end

-- A server that took over, or lost its data, may be behind what nodes have seen: no version is ever given twice.
local floor = time[1] * 1000000 + time[2]
if ARGV[8] == '1' and tonumber(redis.call('GET', KEYS[6]) or '0') < floor then redis.call('SET', KEYS[6], whole(floor)) end

-- A lease is END_MS and whether its node has written its truth (r) or is still writing (w).
local lease = redis.call('HGET', KEYS[1], node)
local empty = known ~= '' and known ~= generation
local wrote = not empty and ARGV[7] == '1'
redis.call('HSET', KEYS[1], node, whole(nowMs + leaseMs) .. (empty and 'w' or 'r'))
local state = 'held'
if empty then
  state = 'empty'
  redis.call('SADD', KEYS[3], node)
  for index = 10, #ARGV do
    local other = redis.call('HGET', KEYS[1], ARGV[index])
    if not other or string.sub(other, -1) == 'w' then redis.call('SADD', KEYS[3], ARGV[index]) end
  end
  if redis.call('PTTL', KEYS[3]) < 0 then redis.call('PEXPIRE', KEYS[3], whole(pauseMs)) end
  redis.call('SET', KEYS[4], '1', 'PX', whole(pauseMs))
elseif not lease then
  state = known == '' and 'new' or 'lost'
end
if wrote then redis.call('SREM', KEYS[3], node) end

local nodes, dead = {}, {}
local leases = redis.call('HGETALL', KEYS[1])
for index = 1, #leases, 2 do nodes[#nodes + 1] = leases[index] end

-- Who could not renew its own lease must assume that nobody could.
local renewedMs = lease and tonumber(string.match(lease, '^%d+')) - leaseMs
if renewedMs and nowMs - renewedMs > tonumber(ARGV[6]) then redis.call('SET', KEYS[4], '1', 'PX', whole(pauseMs)) end
if state == 'held' and lease and redis.call('EXISTS', KEYS[4]) == 0 then
  for index = 1, #leases, 2 do
    if tonumber(string.match(leases[index + 1], '^%d+')) + 500 < nowMs then dead[#dead + 1] = leases[index] end
  end
  if #dead > 0 and not redis.call('SET', KEYS[5], node, 'NX', 'PX', ARGV[9]) then dead = {} end
end
local over = redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', whole(nowMs), 'LIMIT', '0', '200')
return { state, generation, redis.call('SCARD', KEYS[3]), nodes, dead, over }

-- Renews a node's lease in one partition and tells it what has to be done there.
-- KEYS: 1 nodes, 2 generation, 3 awaited, 4 grace, 5 reaper, 6 version, 7 handovers, 8 sender, 9 progress, 10 outbox
-- ARGV: 1 deadline, 2 node, 3 lease in ms, 4 generation the node has written its truth in (empty = none), 5 id for a new generation,
--       6 gap between two beats above which nobody is declared dead, in ms, 7 whether it has just done so again (1 or 0),
--       8 whether it is the first since this server was connected (1 or 0), 9 how long a reaper has, in ms,
--       10 its term as sender (0 = it is not, -1 = it was before the data was lost; empty = it takes no part in sending),
--       11 whether it found nobody sending at its last beat (1 or 0), from 12 on: other nodes it knows
-- Returns 'late', or { state, generation, nodes awaited, { all nodes }, { dead nodes to sweep }, { handovers that are over }, sender }
--   state: 'held', 'new' (first beat), 'lost' (the lease was gone; it is held again), 'empty' (the data is gone: write again)
--   sender: { 'this', term, newest id of the outbox or empty, { progress as field, value …, when the term is not ARGV[10] } },
--     { 'another' }, { 'nobody' }, or { '' } when it was not asked for
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
redis.call('HSET', KEYS[1], node, whole(nowMs + leaseMs) .. (ARGV[10] == '' and '' or 's') .. (empty and 'w' or 'r'))
local state = 'held'
if empty then
  state = 'empty'
  redis.call('SADD', KEYS[3], node)
  for index = 12, #ARGV do
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

-- The node that should send: another one for each partition, so that they share the work. Who has not renewed for half a lease may be
-- dead, and a node without the mark takes no part.
local function preferred()
  local best, chosen = '', nil
  for index = 1, #leases, 2 do
    local endMs, sends = string.match(leases[index + 1], '^(%d+)(s?)')
    local score = redis.sha1hex(KEYS[8] .. leases[index])
    if sends == 's' and tonumber(endMs) > nowMs + leaseMs / 2 and score > best then
      best, chosen = score, leases[index]
    end
  end
  return chosen
end

-- After a loss of the data the node that sent before sends on; others wait for it as long as for its truth. Any other lease that nobody
-- holds is taken by the node that should send, or by whoever finds it free at two beats. One that works is left to its node until there
-- is nothing to send.
local function lead()
  local term, endMs, owner = senderOf(KEYS[8])
  local held = tonumber(ARGV[10])
  local newest = redis.call('XREVRANGE', KEYS[10], '+', '-', 'COUNT', '1')[1]
  if owner ~= node then
    if endMs > nowMs then return { 'another' } end
    if held >= 0 and (redis.call('EXISTS', KEYS[3]) == 1 or ARGV[11] == '0' and preferred() ~= node) then return { 'nobody' } end
    term = term + 1
  elseif not newest and preferred() ~= node then
    setSender(KEYS[8], term, 0, '-')
    return { 'another' }
  end
  setSender(KEYS[8], term, nowMs + leaseMs, node)
  return { 'this', term, newest and newest[1] or '', term == held and {} or redis.call('HGETALL', KEYS[9]) }
end

local sender = { '' }
if ARGV[10] ~= '' and not empty then sender = lead() end
local over = redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', whole(nowMs), 'LIMIT', '0', '200')
return { state, generation, redis.call('SCARD', KEYS[3]), nodes, dead, over, sender }

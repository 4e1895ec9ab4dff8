-- Tells how many connections a node has of some apps of one partition, and reserves places for the next ones.
-- KEYS: 1 nodes, from 2 on: the apps' connections (hash: node -> USED:RESERVED:LEASE_END_MS; what a node has reserved is what it
--       uses and what it may admit without asking)
-- ARGV: 1 node, 2 lease in ms, then for each app: connections of the node, free places wanted, limit (0 = none)
-- Returns { nodes, then for each app: reserved by this node, used by all nodes, reserved by all nodes }
local node, leaseMs = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local nodes = math.max(1, redis.call('HLEN', KEYS[1]))

-- What the other nodes use and have reserved, and how many they are. Ended leases are removed, and so are those that a server
-- with another clock gave out: a live node tells again.
local function others(key)
  local entries = redis.call('HGETALL', key)
  local used, reserved, count = 0, 0, 0
  for index = 1, #entries, 2 do
    if entries[index] ~= node then
      local itsUsed, itsReserved, ends = string.match(entries[index + 1], '^(%d+):(%d+):(%d+)$')
      ends = tonumber(ends)
      if ends and ends > now and ends <= now + 2 * leaseMs then
        used, reserved, count = used + tonumber(itsUsed), reserved + tonumber(itsReserved), count + 1
      else
        redis.call('HDEL', key, entries[index])
      end
    end
  end
  return used, reserved, count
end

local reply = { nodes }
for index = 2, #KEYS do
  local key, first = KEYS[index], 3 * index - 3
  local used, want, limit = tonumber(ARGV[first]), tonumber(ARGV[first + 1]), tonumber(ARGV[first + 2])
  local othersUsed, othersReserved, count = others(key)
  local reserved = used
  local free = limit - othersReserved - used
  -- The fewer are left, the fewer one node gets: the last places go one by one.
  if limit > 0 and free > 0 then
    reserved = used + math.min(want, math.ceil(free / (2 * math.max(nodes, count + 1))))
  end
  if reserved > 0 then
    redis.call('HSET', key, node, string.format('%.0f:%.0f:%.0f', used, reserved, now + leaseMs))
    redis.call('PEXPIRE', key, string.format('%.0f', leaseMs))
  else
    redis.call('HDEL', key, node)
  end
  reply[#reply + 1] = reserved
  reply[#reply + 1] = othersUsed + used
  reply[#reply + 1] = othersReserved + reserved
end
return reply

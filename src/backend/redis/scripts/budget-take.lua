-- Settles what a node has used of one rate of an app, and grants what it must have in advance.
-- The bucket holds one second's worth and may owe: nodes answer at once and settle afterwards.
-- KEYS: 1 bucket (hash: level, at, full, rate, offered), 2 nodes
-- ARGV: 1 rate per second, 2 tokens used since the last call (negative: granted ones given back),
--       3 tokens asked for since the last call, answered with yes or no, 4 tokens wanted in advance, all or none (0 = none)
-- Returns { granted, level in thousandths, filling per second in thousandths, tokens asked for on all nodes, nodes }
local rate, used, offered, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A second's worth at once and then the full rate would be 11 seconds' worth in 10. After a rest the bucket fills a little slower,
-- until 10 s have passed since it was full; a low rate has no tokens to spare for that.
local function filling(perSecond, fullAt)
  if perSecond >= 10 and now - fullAt < 10000 then return perSecond * 0.95 end
  return perSecond
end

local stored = redis.call('HMGET', KEYS[1], 'level', 'at', 'full', 'rate')
local level, at, full, before = tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3]), tonumber(stored[4])
if not (level and at and full and before) then
  level, at, full, before = rate, now, now, rate
end
-- A server that took over may have an earlier clock.
if full > now then full = now end
if now > at then level = level + (now - at) * filling(before, full) / 1000 end
if level >= rate then level, full = rate, now end

level = math.min(level - used, rate)
local granted = 0
if want > 0 and level >= math.min(want, math.max(1, rate)) then
  granted = want
  level = level - want
end
-- More than a minute's debt is nobody's honest use.
level = math.max(level, -60 * math.max(1, rate))

redis.call('HSET', KEYS[1], 'level', string.format('%.3f', level), 'at', string.format('%.0f', now),
  'full', string.format('%.0f', full), 'rate', ARGV[1])
local total = redis.call('HINCRBY', KEYS[1], 'offered', string.format('%.0f', offered))
-- Gone means full, so it stays until it is full, and as long as it remembers that it was.
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', 15000 + math.max(0, (rate - level) / math.max(1, rate)) * 1000))
return { granted, math.floor(level * 1000), math.floor(filling(rate, full) * 1000), total, redis.call('HLEN', KEYS[2]) }

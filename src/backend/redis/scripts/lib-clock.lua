-- Part of every script that changes or publishes something.
-- ARGV[1]: deadline, ms of this server's clock; a call that comes later does nothing and answers 'late'.

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local late = nowMs > tonumber(ARGV[1])

-- A whole number as text: Lua would write large ones with an exponent.
local function whole(number)
  return string.format('%.0f', number)
end

-- The partition's next version. Starts at the time in microseconds, so that it goes on counting when the data was lost.
local function nextVersion(key)
  local version = redis.call('INCR', key)
  if version == 1 then
    version = time[1] * 1000000 + time[2]
    redis.call('SET', key, whole(version))
  end
  return whole(version)
end

-- Publishes a message and keeps its frame as the topic's last event, with one version.
-- KEYS: 1 bus channel, 2 sequence, 3 cached event, 4 version
-- ARGV: 1 deadline, 2 message up to its numbers, 3 message after them: a line break and the frame, 4 how long it is kept, in ms,
--       5 whether the publisher itself is subscribed (1 or 0)
-- Returns 'late', 'unheard' (as publish.lua: nothing is kept), or 1
if late then return 'late' end
local version = nextVersion(KEYS[4])
local number = redis.call('INCR', KEYS[2])
if number < 64 or number % 64 == 1 then redis.call('PEXPIRE', KEYS[2], '3600000') end
if publish(KEYS[1], ARGV[2] .. number .. ' ' .. version .. ARGV[3]) == 0 and ARGV[5] == '1' then
  redis.call('SET', KEYS[2], number - 1, 'KEEPTTL')
  return 'unheard'
end
redis.call('SET', KEYS[3], version .. ARGV[3], 'PX', ARGV[4])
return 1

-- Publishes a message and keeps its frame as the topic's last event, with one version.
-- KEYS: 1 bus channel, 2 sequence, 3 cached event, 4 version
-- ARGV: 1 deadline, 2 message up to its numbers, 3 message after them: a line break and the frame, 4 how long it is kept, in ms
-- Returns 'late' or 1
if late then return 'late' end
local version = nextVersion(KEYS[4])
local number = redis.call('INCR', KEYS[2])
if number % 64 == 1 then redis.call('PEXPIRE', KEYS[2], '3600000') end
redis.call('SET', KEYS[3], version .. ARGV[3], 'PX', ARGV[4])
publish(KEYS[1], ARGV[2] .. number .. ' ' .. version .. ARGV[3])
return 1

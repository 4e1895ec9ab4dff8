-- Publishes a message, with the topic's next sequence number.
-- KEYS: 1 bus channel, 2 sequence
-- ARGV: 1 deadline, 2 message up to the number, 3 message after it
-- Returns 'late' or 1
if late then return 'late' end
local number = redis.call('INCR', KEYS[2])
-- Renewed now and then only. A sequence that begins again is no gap.
if number % 64 == 1 then redis.call('PEXPIRE', KEYS[2], '3600000') end
publish(KEYS[1], ARGV[2] .. number .. ARGV[3])
return 1

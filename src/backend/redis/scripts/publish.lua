-- Publishes a message, with the topic's next sequence number.
-- KEYS: 1 bus channel, 2 sequence
-- ARGV: 1 deadline, 2 message up to the number, 3 message after it, 4 whether the publisher itself is subscribed (1 or 0)
-- Returns 'late', 'unheard' (nobody got it, so its publisher's subscriptions are gone: the number is given to the next one), or 1
if late then return 'late' end
local number = redis.call('INCR', KEYS[2])
-- Renewed now and then only, for a busy channel. A sequence that begins again is no gap.
if number < 64 or number % 64 == 1 then redis.call('PEXPIRE', KEYS[2], '3600000') end
if publish(KEYS[1], ARGV[2] .. number .. ARGV[3]) == 0 and ARGV[4] == '1' then
  redis.call('SET', KEYS[2], number - 1, 'KEEPTTL')
  return 'unheard'
end
return 1

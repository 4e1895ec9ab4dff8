-- The proof of the bus: publishes a message to the node that runs it, and tells this server's time.
-- The write command changes nothing; it makes a demoted master, or one that may not write, refuse instead of looking healthy.
-- KEYS[1]  the node's own proof channel, which is never a key with a value
-- ARGV[1]  the message
-- Returns  { seconds, microseconds } as TIME gives them
redis.call('DEL', KEYS[1])
publish(KEYS[1], ARGV[1])
return redis.call('TIME')

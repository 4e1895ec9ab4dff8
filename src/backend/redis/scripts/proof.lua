-- The proof of the bus: publishes a message to the node that runs it, and tells this server's time.
-- The write makes a demoted master, one that may not write, or a full one refuse instead of looking healthy.
-- KEYS[1]  the node's own proof channel, and a key of the same name that expires
-- ARGV[1]  the message
-- Returns  { seconds, microseconds } as TIME gives them
redis.call('SET', KEYS[1], ARGV[1], 'PX', '10000')
publish(KEYS[1], ARGV[1])
return redis.call('TIME')

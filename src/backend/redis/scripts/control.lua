-- Publishes a message to all nodes.
-- KEYS: 1 bus channel
-- ARGV: 1 deadline, 2 message
-- Returns 'late' or 1
if late then return 'late' end
publish(KEYS[1], ARGV[2])
return 1

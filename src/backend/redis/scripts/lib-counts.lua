-- Part of every script that changes how many connections are subscribed.
-- KEYS: 1 nodes, 2 awaited, 3 counts of the node, 4 occupied channels of the app, 5 outbox, 6 bus channel of the outbox, from 7 on:
--       the bus channels of the channels, in their order
-- ARGV: 1 deadline, 2 node, 3 app, 4 whether the app wants channel_occupied (1 or 0), 5 the same for channel_vacated,
--       6 the same for subscription_count, 7 a message up to the count, or empty when the app's subscribers are not told

-- Sets the node's count of one channel. Returns the count of all nodes before and after.
local function setCount(topic, channel, count)
  local change = count - tonumber(redis.call('HGET', KEYS[3], topic) or '0')
  if count > 0 then redis.call('HSET', KEYS[3], topic, whole(count)) else redis.call('HDEL', KEYS[3], topic) end
  if change == 0 then
    local same = tonumber(redis.call('HGET', KEYS[4], channel) or '0')
    return same, same
  end
  local total = redis.call('HINCRBY', KEYS[4], channel, whole(change))
  if total <= 0 then redis.call('HDEL', KEYS[4], channel) end
  return math.max(0, total - change), math.max(0, total)
end

-- Notes a change for webhooks, and tells every node that has subscribers.
local function note(channel, bus, before, total)
  if before == 0 and total > 0 and ARGV[4] == '1' then append(KEYS[5], KEYS[6], 'channel_occupied', ARGV[3], channel) end
  if before > 0 and total == 0 and ARGV[5] == '1' then append(KEYS[5], KEYS[6], 'channel_vacated', ARGV[3], channel) end
  if before == total or string.sub(channel, 1, 9) == 'presence-' or string.sub(channel, 1, 1) == '#' then return end
  if ARGV[6] == '1' then append(KEYS[5], KEYS[6], 'subscription_count', ARGV[3], channel, 'count', whole(total)) end
  if ARGV[7] ~= '' then publish(bus, ARGV[7] .. whole(total) .. '\n') end
end

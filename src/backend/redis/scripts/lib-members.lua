-- Part of every script that changes who is in a topic.
-- KEYS: 1 nodes, 2 awaited, 3 version, 4 changed, 5 roster, 6 users, 7 user counts, 8 handovers, 9 outbox, 10 bus channel,
--       11 sockets of the node, 12 topics of the node, 13 bus channel of the outbox
-- ARGV: 1 deadline, 2 node, 3 topic, 4 app, 5 channel, 6 whether the channel is listed (1 or 0), 7 origin of the message,
--       8 whether the app wants member_added (1 or 0), 9 the same for member_removed

-- Why this node may not change anything now, or nil: its lease is gone, or nodes are writing lost data again.
local function refusal()
  if late then return 'late' end
  if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 'lost' end
  if redis.call('EXISTS', KEYS[2]) == 1 then return 'awaited' end
  return nil
end

-- Puts a user who is not in it into the roster. Returns the version before and the new one.
local function enter(user, info)
  local before = redis.call('GET', KEYS[4]) or '0'
  local version = nextVersion(KEYS[3])
  redis.call('HSET', KEYS[5], user, version .. info)
  redis.call('SET', KEYS[4], version)
  if ARGV[6] == '1' then redis.call('HINCRBY', KEYS[7], ARGV[5], 1) end
  return before, version
end

local function tell(kind, before, version, user, info)
  publish(KEYS[10], '1' .. kind .. ' ' .. ARGV[7] .. ' ' .. before .. ' ' .. version .. '\n' .. cjson.encode(user) .. '\n' .. info)
end

-- The user's first connection: told, and noted for webhooks. Returns the version before and the new one.
local function appear(user, info)
  local before, version = enter(user, info)
  tell('a', before, version, user, info)
  if ARGV[8] == '1' then append(KEYS[9], KEYS[13], 'member_added', ARGV[4], ARGV[5], 'user', user) end
  return before, version
end

-- The user's last connection is gone: told, and noted for webhooks.
local function vanish(user)
  if redis.call('HDEL', KEYS[5], user) == 0 then return end
  local before = redis.call('GET', KEYS[4]) or '0'
  local version = nextVersion(KEYS[3])
  if redis.call('EXISTS', KEYS[5]) == 1 then redis.call('SET', KEYS[4], version) else redis.call('DEL', KEYS[4]) end
  if ARGV[6] == '1' and redis.call('HINCRBY', KEYS[7], ARGV[5], -1) <= 0 then redis.call('HDEL', KEYS[7], ARGV[5]) end
  tell('d', before, version, user, '')
  if ARGV[9] == '1' then append(KEYS[9], KEYS[13], 'member_removed', ARGV[4], ARGV[5], 'user', user) end
end

-- One connection of a user less. Returns whether it was the last.
local function release(user)
  if redis.call('HINCRBY', KEYS[6], user, -1) > 0 then return false end
  redis.call('HDEL', KEYS[6], user)
  return true
end

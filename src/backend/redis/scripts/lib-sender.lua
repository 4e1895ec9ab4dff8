-- Part of every script that asks which node sends what is in the outbox.

-- Its term, when its lease ends, and the node: `-` when nobody has taken it since it was given up, or ever.
local function senderOf(key)
  local term, endMs, owner = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (.+)$')
  if not term then return 0, 0, '-' end
  return tonumber(term), tonumber(endMs), owner
end

local function setSender(key, term, endMs, owner)
  redis.call('SET', key, whole(term) .. ' ' .. whole(endMs) .. ' ' .. owner)
end

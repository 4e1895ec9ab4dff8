-- The node that sends is told of an entry only when there was none for so long, at most once per call: it goes on reading meanwhile
-- (OutboxListener.appended).
local quietMs = 30
local told = false

-- Appends a transition to the partition's outbox; the oldest are dropped above the bound.
local function append(outbox, bus, kind, app, channel, field, value)
  local newest = not told and redis.call('XREVRANGE', outbox, '+', '-', 'COUNT', '1')[1]
  local id
  if field then
    id = redis.call('XADD', outbox, 'MAXLEN', '~', '100000', '*', 'type', kind, 'app', app, 'channel', channel, 'time', whole(nowMs), field, value)
  else
    id = redis.call('XADD', outbox, 'MAXLEN', '~', '100000', '*', 'type', kind, 'app', app, 'channel', channel, 'time', whole(nowMs))
  end
  if told then return end
  told = true
  -- Below 0 this server's clock was set back.
  local ageMs = newest and nowMs - tonumber(string.match(newest[1], '^%d+'))
  if not ageMs or ageMs < 0 or ageMs > quietMs then publish(bus, '1o ' .. id .. '\n') end
end

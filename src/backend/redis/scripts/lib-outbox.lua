-- Appends a transition to the partition's outbox; the oldest are dropped above the bound.
local function append(outbox, kind, app, channel, field, value)
  if field then
    redis.call('XADD', outbox, 'MAXLEN', '~', '100000', '*', 'type', kind, 'app', app, 'channel', channel, 'time', whole(nowMs), field, value)
  else
    redis.call('XADD', outbox, 'MAXLEN', '~', '100000', '*', 'type', kind, 'app', app, 'channel', channel, 'time', whole(nowMs))
  end
end

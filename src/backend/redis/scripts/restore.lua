-- Writes connections again after the data was lost. Nothing is noted for webhooks. Nodes that know a user tell nobody; a node that
-- has given him up, because this one was away for too long, tells that he is back.
-- KEYS, ARGV 1 to 9: see lib-members.lua
-- ARGV: 10 whether the connections are still there (1 or 0: they have left since), from 11 on: socket, user, info (as in join.lua), …
-- Returns 'late' or 1
if late then return 'late' end
for index = 11, #ARGV, 3 do
  local socket, user, info = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  if redis.call('HSETNX', KEYS[11], socket, user) == 1 then
    redis.call('HINCRBY', KEYS[6], user, 1)
    if redis.call('HEXISTS', KEYS[5], user) == 0 then
      local before, version = enter(user, info)
      if ARGV[10] == '1' then tell('a', before, version, user, info) end
    end
  end
end
redis.call('SADD', KEYS[12], ARGV[3])
return 1

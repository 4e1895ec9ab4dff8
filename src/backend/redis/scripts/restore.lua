-- Writes connections again after the data was lost: nobody is told, nothing is noted.
-- KEYS, ARGV 1 to 9: see lib-members.lua
-- ARGV: from 10 on: socket, user, info (as in join.lua), …
-- Returns 'late' or 1
if late then return 'late' end
for index = 10, #ARGV, 3 do
  local socket, user, info = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  if redis.call('HSETNX', KEYS[11], socket, user) == 1 then
    redis.call('HINCRBY', KEYS[6], user, 1)
    if redis.call('HEXISTS', KEYS[5], user) == 0 then enter(user, info) end
  end
end
redis.call('SADD', KEYS[12], ARGV[3])
return 1

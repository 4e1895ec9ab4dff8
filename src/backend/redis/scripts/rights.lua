-- Tries every command that the other scripts and the reads use, on one key of its own, and leaves nothing behind.
-- KEYS[1]  a key that nobody else uses
-- Returns  a command and the server's error in turn, for each command that was refused
local key = KEYS[1]
local refused = {}
local function try(command, reply)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = command
    refused[#refused + 1] = reply.err
  end
end
-- First, because a full server lets a script that has written once write on.
try('SET', redis.pcall('SET', key, '0', 'PX', '10000'))
local del = redis.pcall('DEL', key)
try('DEL', del)
-- What could not be removed again is not written.
if type(del) == 'table' and del.err then return refused end
try('EXISTS', redis.pcall('EXISTS', key))
try('GET', redis.pcall('GET', key))
try('INCR', redis.pcall('INCR', key))
try('PEXPIRE', redis.pcall('PEXPIRE', key, '10000'))
try('PTTL', redis.pcall('PTTL', key))
redis.call('DEL', key)
try('HSET', redis.pcall('HSET', key, 'f', '0'))
try('HSETNX', redis.pcall('HSETNX', key, 'g', '0'))
try('HINCRBY', redis.pcall('HINCRBY', key, 'f', '1'))
try('HGET', redis.pcall('HGET', key, 'f'))
try('HMGET', redis.pcall('HMGET', key, 'f'))
try('HGETALL', redis.pcall('HGETALL', key))
try('HEXISTS', redis.pcall('HEXISTS', key, 'f'))
try('HLEN', redis.pcall('HLEN', key))
try('HSCAN', redis.pcall('HSCAN', key, '0'))
try('HDEL', redis.pcall('HDEL', key, 'f'))
redis.call('DEL', key)
try('SADD', redis.pcall('SADD', key, 'm'))
try('SCARD', redis.pcall('SCARD', key))
try('SMEMBERS', redis.pcall('SMEMBERS', key))
try('SREM', redis.pcall('SREM', key, 'm'))
redis.call('DEL', key)
try('ZADD', redis.pcall('ZADD', key, '1', 'm'))
try('ZSCORE', redis.pcall('ZSCORE', key, 'm'))
try('ZRANGEBYSCORE', redis.pcall('ZRANGEBYSCORE', key, '0', '1'))
try('ZREM', redis.pcall('ZREM', key, 'm'))
redis.call('DEL', key)
try('XADD', redis.pcall('XADD', key, '*', 'f', 'v'))
try('XRANGE', redis.pcall('XRANGE', key, '-', '+', 'COUNT', '1'))
try('XREVRANGE', redis.pcall('XREVRANGE', key, '+', '-', 'COUNT', '1'))
try('XTRIM', redis.pcall('XTRIM', key, 'MAXLEN', '0'))
redis.call('DEL', key)
try('TIME', redis.pcall('TIME'))
return refused

-- Writes counts again after the data was lost: nothing is noted, nobody is told.
-- KEYS, ARGV 1 to 7: see lib-counts.lua
-- ARGV: from 8 on: topic, channel, count, …
-- Returns 'late' or 1
if late then return 'late' end
for index = 8, #ARGV, 3 do
  setCount(ARGV[index], ARGV[index + 1], tonumber(ARGV[index + 2]))
end
return 1

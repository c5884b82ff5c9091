-- Charges one call to every bucket, or to none if one of them is used up. core/limits/buckets.py says how.
-- KEYS: the buckets. ARGV: for each its interval and its window, in microseconds.
-- Returns 1 or 0, then for each bucket how far ahead of now it is full again.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local stored = redis.call('MGET', unpack(KEYS))
local ahead, charged = {}, 1
for i = 1, #KEYS do
  local interval, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  -- A clock that was set back must not shut anybody out for longer than a window.
  ahead[i] = math.min(math.max((tonumber(stored[i]) or 0) - now, 0), window)
  if ahead[i] + interval > window then charged = 0 end
end
if charged == 1 then
  for i = 1, #KEYS do
    ahead[i] = ahead[i] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', KEYS[i], string.format('%d', now + ahead[i]), 'PX', string.format('%d', math.ceil(ahead[i] / 1000)))
  end
end
return {charged, unpack(ahead)}

-- Take the lease, if nobody has it.
-- ARGV: the new token; how long a lease is kept, how long it holds without being renewed, and after
-- how long without a leader webhooks may have been missed, all in milliseconds.
-- Returns 1 and the age of the lease before or -1, or 0, the age of the lease that holds, its holder.
local mine, keep_ms, holds_ms, missed_ms = take(), take_number(), take_number(), take_number()
local holder = redis.call('GET', leader_key)
local age_ms = -1
if holder then
  local left_ms = redis.call('PTTL', lease_key(holder))
  if left_ms >= 0 then
    age_ms = keep_ms - left_ms
    if age_ms < holds_ms then
      return {0, age_ms, holder}
    end
  end
end
-- DEL comes first: a full server lets a script go on that has begun to write.
redis.call('DEL', lease_key(holder or mine))
redis.call('SET', leader_key, mine)
redis.call('SET', lease_key(mine), '0', 'PX', keep_ms)
if age_ms > missed_ms then
  -- A gap that was not made up for yet began earlier.
  local since = string.format('%.6f', tonumber(now) - age_ms / 1000)
  redis.call('SET', prefix .. 'value:cursor:webhooks_missed_since', since, 'NX')
end
return {1, age_ms}

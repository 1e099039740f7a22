-- Take the lease, if nobody has it.
-- ARGV: the new token; how long a lease is kept, how long it holds without being renewed, and after
-- how long without a leader webhooks may have been missed, all in milliseconds.
-- Returns 1 and the age of the lease before or -1, or 0, the age of the lease that holds, its holder.
local mine, keep_ms, holds_ms, missed_ms = take(), take_number(), take_number(), take_number()

-- The age of a lease or -1, and whether it was given up: then it has twice the time to live.
local function examine(holder)
  local left_ms = redis.call('PTTL', lease_key(holder))
  if left_ms < 0 then
    return -1, false
  end
  local is_given_up = left_ms > keep_ms
  return (is_given_up and 2 or 1) * keep_ms - left_ms, is_given_up
end

-- Keep in mind that nobody led. A short gap loses nothing, but a webhook may meet one short gap after
-- the other: those that are parted by less than its retries take count as one.
local function note_gap(age_ms)
  local key, missed_s = prefix .. 'value:cursor:webhook_gap', missed_ms / 1000
  local began = tonumber(now) - age_ms / 1000
  local first, last = string.match(redis.call('GET', key) or '', '^(%S+) (%S+)$')
  if last and began - tonumber(last) < missed_s then
    began = math.min(began, tonumber(first))
  end
  redis.call('SET', key, string.format('%.6f %s', began, now), 'EX', 600)
  if tonumber(now) - began > missed_s then
    -- A gap that was not made up for yet began earlier.
    local since = string.format('%.6f', began)
    redis.call('SET', prefix .. 'value:cursor:webhooks_missed_since', since, 'NX', 'EX', longest_keep_s)
  end
end

local holder = redis.call('GET', leader_key)
local age_ms, is_given_up = -1, false
if holder then
  age_ms, is_given_up = examine(holder)
  if age_ms >= 0 and age_ms < holds_ms and not is_given_up then
    return {0, age_ms, holder}
  end
end
-- DEL comes first: a full server lets a script go on that has begun to write.
redis.call('DEL', lease_key(holder or mine))
redis.call('SET', leader_key, mine, 'EX', longest_keep_s)
redis.call('SET', lease_key(mine), '0', 'PX', keep_ms)
if age_ms >= 0 then
  note_gap(age_ms)
end
return {1, age_ms}

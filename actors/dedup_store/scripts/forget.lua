-- Take an entry out of its queue, unless it may be in somebody's hands.
-- ARGV: its destination, conversation, sequence and the whole element; how long a lease holds and how
-- long it is kept, in milliseconds; how far clocks may be apart, in seconds; items that come in its
-- place.
-- Returns 1; 0 if it is not there any more, or not so; -1 if it may be in hand.
local destination, conversation, sequence, element = take(), take(), take(), take()
local holds_ms, keep_ms, apart_s = take_number(), take_number(), take_number()
local queue = queue_key(destination, conversation)

-- A lease that was given up has more time to live than any that is held.
local function is_led()
  local holder = redis.call('GET', leader_key)
  local left_ms = holder and redis.call('PTTL', lease_key(holder)) or -1
  return left_ms >= 0 and left_ms <= keep_ms and keep_ms - left_ms < holds_ms
end

-- What is to be tried again later is in nobody's hands until then.
local function waits()
  local due = redis.call('ZSCORE', later_key(destination), conversation)
  return due and tonumber(due) > tonumber(now) + apart_s
end

local heads = redis.call('LINDEX', queue, 0) == element
if heads and is_led() and not waits() then
  return -1
end
-- LREM comes first: a full server lets a script go on that has begun to write.
if redis.call('LREM', queue, 1, element) == 0 then
  return 0
end
redis.call('ZREM', journal_key, sequence)
if heads then
  show_head(destination, conversation)
end
append_items()
wake_leader()
return 1

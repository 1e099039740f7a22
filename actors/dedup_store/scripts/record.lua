-- Append what was never seen, and keep what goes with it.
-- ARGV: "1" to forget old marks, how long and how many activities are kept; items, dead letters, ids
-- to mark, values, references, activities.
-- Returns the places of the new items, counted from 1.
if is_deposed() then
  return depose()
end
local forget_old, active_keep_s, active_most = take() == '1', take_number(), take_number()
local new = append_items()
-- Before the marks: a letter may have the id of a thing that is to be marked as seen.
for _ = 1, take_number() do
  local letter = {
    letter_id = take(),
    source = take(),
    code = take(),
    why = take(),
    payload = take(),
    attempts = take(),
    conversation = '',
    recorded_at = now,
  }
  if mark_new(letter.letter_id) then
    bury(letter)
  end
end
mark_seen()
keep_values()
keep_references()
mark_active()
if forget_old then
  redis.call('ZREMRANGEBYSCORE', seen_key, '-inf', string.format('%.6f', tonumber(now) - seen_keep_s))
  local oldest = string.format('%.6f', tonumber(now) - active_keep_s)
  redis.call('ZREMRANGEBYSCORE', active_key, '-inf', oldest)
  redis.call('ZREMRANGEBYRANK', active_key, 0, -1 - active_most)
end
if #new > 0 then
  wake_leader()
end
return new

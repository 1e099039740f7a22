-- Append what was never seen, and keep what goes with it.
-- ARGV: "1" to forget old marks; items, dead letters, ids to mark, values, references, activities,
-- posts.
-- Returns the places of the new items, counted from 1.
if is_deposed() then
  return depose()
end
local forget_old = take() == '1'

-- Drops from a set what is older than so long, and what is more than so many.
local function forget(key, keep_s, most)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.6f', tonumber(now) - keep_s))
  redis.call('ZREMRANGEBYRANK', key, 0, -1 - most)
end

local new, count = append_items()
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
-- What comes again, as often as anybody sends it, is no news.
mark_active(#new > 0 or count == 0)
keep_posts()
if forget_old then
  redis.call('ZREMRANGEBYSCORE', seen_key, '-inf', string.format('%.6f', tonumber(now) - seen_keep_s))
  forget(active_key, active_keep_s, active_most)
  forget(posts_key, posts_keep_s, posts_most)
end
if #new > 0 then
  wake_leader()
end
return new

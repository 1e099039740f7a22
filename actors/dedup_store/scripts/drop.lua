-- Remove a dead letter for good.
-- ARGV: the letter's id.
-- Returns 1, or 0 if there is none.
local letter_id = take()
local there = redis.call('EXISTS', dead_letter_key(letter_id))
drop_dead_letters({letter_id})
wake_leader()
return there

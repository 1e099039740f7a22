-- Give the lease up, if it is ours: it gets twice the time to live, and so keeps its age.
-- ARGV: how long a lease is kept, in milliseconds.
-- Returns 1, or 0 if it was somebody else's.
local keep_ms = take_number()
if not is_leader() then
  return 0
end
redis.call('PEXPIRE', lease_key(token), redis.call('PTTL', lease_key(token)) + keep_ms)
redis.call('PUBLISH', prefix .. 'bell', 'released')
return 1

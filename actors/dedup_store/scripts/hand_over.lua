-- Give the lease up, if it is ours: it looks as if it had not been renewed for long enough.
-- ARGV: the time to live that such a lease has, in milliseconds.
-- Returns 1, or 0 if it was somebody else's.
local left_ms = take_number()
if not is_leader() then
  return 0
end
redis.call('PEXPIRE', lease_key(token), left_ms)
redis.call('PUBLISH', prefix .. 'bell', 'released')
return 1

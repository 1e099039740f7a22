-- Keep or lift the pause of an actor, and tell all processes of it: at once those that listen, and
-- the leader when it next renews its lease.
-- ARGV: the actor's name; 1 to pause it, 0 to let it go on.
-- Returns 1 if that changed anything, else 0.
local actor, is_on = take(), take() == '1'
local paused = prefix .. 'paused'
local changed = redis.call(is_on and 'SADD' or 'SREM', paused, actor)
keep(paused, longest_keep_s)
wake_leader()
redis.call('PUBLISH', prefix .. 'bell', 'paused')
return changed

-- What may be handed over now, and how much there is in all. Takes nothing away but what only
-- another program or a person can have written.
-- ARGV: for each destination its name, the room it has, and the conversations it has in hand.
-- Returns {{destination, conversation, head}, ...}, {when each destination is due next or "", ...},
-- entries in the journal, when the oldest of them was recorded or "", dead letters.
if is_deposed() then
  return depose()
end
local heads, dues = {}, {}

-- The conversations of one sorted set with their scores, as a queue to take from.
local function waiting(members)
  local at = 1
  return {
    score = function() return tonumber(members[at + 1]) end,
    take = function() at = at + 2 return members[at - 2] end,
  }
end

-- The first element of a queue. What is none becomes a dead letter, and stops nothing behind it.
local function find_head(destination, conversation)
  local queue = queue_key(destination, conversation)
  local element = redis.call('LINDEX', queue, 0)
  while element and not parse_element(element) do
    bury({
      letter_id = 'element:' .. next_sequence(),
      source = destination,
      conversation = conversation,
      code = 'Unreadable',
      why = 'this is no entry of the journal',
      attempts = '0',
      recorded_at = now,
      payload = element,
    })
    redis.call('LPOP', queue)
    redis.call('ZREM', journal_key, string.match(element, '^%d+') or '')
    element = redis.call('LINDEX', queue, 0)
  end
  return element
end

-- Both sets are read only as far as is surely enough: the room, and what is to be skipped.
local function deliver(destination, room, held, held_count)
  local ready, later = ready_key(destination), later_key(destination)
  local enough = room + held_count
  local fresh = waiting(redis.call('ZRANGE', ready, 0, enough - 1, 'WITHSCORES'))
  local again = waiting(
    redis.call('ZRANGEBYSCORE', later, '-inf', now, 'WITHSCORES', 'LIMIT', 0, enough))
  while room > 0 and (fresh.score() or again.score()) do
    local first = fresh
    if not fresh.score() or (again.score() and again.score() < fresh.score()) then
      first = again
    end
    local conversation = first.take()
    local head = not held[conversation] and find_head(destination, conversation)
    if head then
      heads[#heads + 1] = {destination, conversation, head}
      room = room - 1
    elseif not held[conversation] then
      -- The queue itself is gone, which only an evicting server or a person does.
      redis.call('ZREM', ready, conversation)
      redis.call('ZREM', later, conversation)
    end
  end
  local coming = redis.call('ZRANGEBYSCORE', later, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  return coming[2] or ''
end

for _ = 1, take_number() do
  local destination, room, held_count = take(), take_number(), take_number()
  local held = {}
  for _ = 1, held_count do
    held[take()] = true
  end
  dues[#dues + 1] = deliver(destination, room, held, held_count)
end

local oldest = redis.call('ZRANGE', journal_key, 0, 0, 'WITHSCORES')
local fresh_since = string.format('%.6f', tonumber(now) - dead_keep_s)
return {
  heads,
  dues,
  redis.call('ZCARD', journal_key),
  oldest[2] or '',
  redis.call('ZCOUNT', dead_key, fresh_since, '+inf'),
}

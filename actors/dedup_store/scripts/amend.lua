-- Replace the payload of an entry in hand, which keeps its place, and take those right behind it away.
-- ARGV: the entry's sequence, attempts, destination and conversation; the payload; the sequences of
-- the entries that it answers for from now on, in their order.
-- Returns 1, or 0 if that delivery was settled before; then nothing happens.
if is_deposed() then
  return depose()
end
local sequence, attempts, destination, conversation = take(), take(), take(), take()
local queue = queue_key(destination, conversation)
local head = read_head_in_hand(queue, sequence, attempts)
if not head then
  return 0
end
-- LSET comes first: a full server refuses it, and so the whole, but lets a script go on that has
-- begun to write.
head.payload = take()
redis.call('LSET', queue, 0, make_element(head))
for _ = 1, take_number() do
  local absorbed = take()
  local behind = redis.call('LINDEX', queue, 1)
  -- A repeat finds them gone.
  if behind and string.match(behind, '^(%d+) ') == absorbed then
    redis.call('LREM', queue, 1, behind)
    redis.call('ZREM', journal_key, absorbed)
  end
end
return 1

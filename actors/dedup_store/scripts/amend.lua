-- Replace the payload of an entry in hand, which keeps its place.
-- ARGV: the entry's sequence, attempts, destination and conversation; the payload.
-- Returns 1, or 0 if that delivery was settled before.
if is_deposed() then
  return depose()
end
local sequence, attempts, destination, conversation = take(), take(), take(), take()
local queue = queue_key(destination, conversation)
local head = read_head_in_hand(queue, sequence, attempts)
if head then
  head.payload = take()
  redis.call('LSET', queue, 0, make_element(head))
end
return head and 1 or 0

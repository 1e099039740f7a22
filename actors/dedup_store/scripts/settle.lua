-- Close one delivery of one entry, and append what it caused.
-- ARGV: the entry's sequence, attempts, destination and conversation; "done", "retry" or "refused";
-- when it is due again; code and reason of a refusal; how often it was tried since it was delivered;
-- items, values, references, activities, posts.
-- Returns 1, or 0 if that delivery was settled before, and the places of the new items, counted from 1.
if is_deposed() then
  return depose()
end
local sequence, attempts, destination, conversation = take(), take(), take(), take()
local outcome, due, code, why, tries = take(), take(), take(), take(), take_number()
local queue = queue_key(destination, conversation)
local head = read_head_in_hand(queue, sequence, attempts)

if head and outcome == 'retry' then
  -- ZREM comes first: a full server lets a script go on that has begun to write.
  redis.call('ZREM', ready_key(destination), conversation)
  head.attempts = string.format('%.0f', tonumber(attempts) + 1)
  redis.call('LSET', queue, 0, make_element(head))
  redis.call('ZADD', later_key(destination), due, conversation)
  keep(later_key(destination), entry_keep_s)
elseif head then
  redis.call('LPOP', queue)
  redis.call('ZREM', journal_key, sequence)
  show_head(destination, conversation)
  if outcome == 'refused' then
    bury({
      letter_id = head.item_id,
      source = destination,
      conversation = conversation,
      code = code,
      why = why,
      attempts = string.format('%.0f', tonumber(attempts) + tries),
      recorded_at = head.recorded_at,
      payload = head.payload,
    })
  end
end

-- Items are appended in any case: each is seen once, and if the store lost the entry itself, the
-- effect that it had is still to be answered for.
local new = append_items()
if head then
  keep_values()
  keep_references()
  mark_active(true)
  keep_posts()
end
table.insert(new, 1, head and 1 or 0)
return new

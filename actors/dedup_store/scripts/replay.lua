-- Put a dead letter back into the journal: the letter goes and the entry comes, or nothing happens.
-- ARGV: the letter's id; an id that must not be seen, or ""; the item as a list of one, or an empty
-- list for the entry that died; references.
-- Returns "appended"; "known" if the item was taken in another way; "told" if what must not be seen
-- was; "gone" if there is no such letter.
local letter_id, unless_seen = take(), take()
local destination, conversation, payload =
  unpack(redis.call('HMGET', dead_letter_key(letter_id), 'source', 'conversation', 'payload'))
if not destination then
  return 'gone'
end
if unless_seen ~= '' and redis.call('ZSCORE', seen_key, unless_seen) then
  return 'told'
end

local item_id = letter_id
if take_number() == 1 then
  item_id, destination, conversation, payload = take(), take(), take(), take()
end
-- Where both ids are one, the mark is the letter's own. It is renewed, and written first: a full
-- server refuses that, and so the whole, but would let a script go on that has begun to write.
local known = item_id ~= letter_id and redis.call('ZSCORE', seen_key, item_id)
redis.call('ZADD', seen_key, now, item_id)
keep(seen_key, seen_keep_s)
if not known then
  append(item_id, destination, conversation, payload)
end
keep_references()
drop_dead_letters({letter_id})
if not known then
  wake_leader()
end
return known and 'known' or 'appended'

-- Read what is known of dead letters, without their content.
-- ARGV: a list of letters' ids; a list of the fields to read.
-- Returns the fields of each that is still kept.
local letter_ids, fields, found = {}, {}, {}
for place = 1, take_number() do
  letter_ids[place] = take()
end
for place = 1, take_number() do
  fields[place] = take()
end
for _, letter_id in ipairs(letter_ids) do
  local envelope = redis.call('HMGET', dead_letter_key(letter_id), unpack(fields))
  if envelope[1] then
    found[#found + 1] = envelope
  end
end
return found

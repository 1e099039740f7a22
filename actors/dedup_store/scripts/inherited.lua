-- Which of these posts the predecessor took in.
-- ARGV: a list of the posts' addresses.
-- Returns their places in the list.
local found = {}
for place = 1, take_number() do
  if read_predecessor(take()) ~= '' then
    found[#found + 1] = place
  end
end
return found

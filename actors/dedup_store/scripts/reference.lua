-- Read what a reply to a post must name.
-- ARGV: the post's address.
-- Returns our own reference; without one, '' and what the predecessor kept of the post and of the
-- root that this names, '' each if there is nothing.
local uri = take()
local own = redis.call('GET', prefix .. 'reference:' .. uri)
if own then
  return { own }
end
local old = read_predecessor(uri)
local root = string.match(old, '"rootUri"%s*:%s*"([^"]+)"')
return { '', old, root and read_predecessor(root) or '' }

-- What every script begins with, behind the limits: how long and how many are kept, which are numbers
-- (see load_scripts in __init__.py). KEYS[1] is the prefix of all keys. ARGV begins with what is common
-- to all scripts (see Commands._call in commands.py) and goes on with the script's own arguments,
-- which are taken one after the other. Lists are preceded by their length.
local prefix = KEYS[1]
local position = 0

local function take()
  position = position + 1
  return ARGV[position]
end

local function take_number()
  return tonumber(take())
end

local now = take()
local token = take()
local fenced = take() == '1'

local seen_key = prefix .. 'seen'
local journal_key = prefix .. 'journal'
local dead_key = prefix .. 'dead'
local active_key = prefix .. 'active'
local posts_key = prefix .. 'posts'
local leader_key = prefix .. 'leader'

-- A set or list is gone when the last that was put into it has had its time: a connector that is
-- never started again leaves nothing behind. Once for each key is enough: time stands still while a
-- script runs, and none takes away again all that it has put into one.
local kept = {}
local function keep(key, keep_s)
  if not kept[key] then
    kept[key] = true
    redis.call('EXPIRE', key, keep_s)
  end
end

local function queue_key(destination, conversation)
  return prefix .. 'queue:' .. destination .. ':' .. conversation
end

local function ready_key(destination)
  return prefix .. 'ready:' .. destination
end

local function later_key(destination)
  return prefix .. 'later:' .. destination
end

-- The time to live of a lease counts from its last renewal: what is gone of it is its age, by the
-- server's own clock.
local function lease_key(holder)
  return prefix .. 'lease:' .. holder
end

local function is_leader()
  return redis.call('GET', leader_key) == token
end

-- Whether this request is the leader's to make, and who sends it is not the leader any more.
local function is_deposed()
  return fenced and not is_leader()
end

local function depose()
  return redis.error_reply('DEPOSED another process has taken the lease')
end

-- Tell the leader that another process has recorded something: at once if it listens, and else
-- when it next renews its lease.
local function wake_leader()
  local leader = redis.call('GET', leader_key)
  if leader == token then
    return
  end
  if leader and redis.call('EXISTS', lease_key(leader)) == 1 then
    redis.call('INCR', lease_key(leader))
  end
  redis.call('PUBLISH', prefix .. 'bell', 'recorded')
end

-- An element of a queue: "sequence attempts recorded_at", the payload, the item id, each on a line.
-- The payload is JSON without line breaks; the item id comes last because it may be any text.
local function make_element(entry)
  local header = entry.sequence .. ' ' .. entry.attempts .. ' ' .. entry.recorded_at
  return header .. '\n' .. entry.payload .. '\n' .. entry.item_id
end

-- Nothing if it is no such element. The lines are looked for as plain text: a pattern would go through
-- the whole of a payload byte by byte.
local function parse_element(element)
  local header_end = string.find(element, '\n', 1, true)
  local payload_end = header_end and string.find(element, '\n', header_end + 1, true)
  if not payload_end then
    return nil
  end
  local header = string.sub(element, 1, header_end - 1)
  local sequence, attempts, recorded_at = string.match(header, '^(%d+) (%d+) (%d+%.?%d*)$')
  if not sequence or #sequence > 18 or #attempts > 18 or #recorded_at > 32 then
    return nil
  end
  return {
    sequence = sequence,
    attempts = attempts,
    recorded_at = recorded_at,
    payload = string.sub(element, header_end + 1, payload_end - 1),
    item_id = string.sub(element, payload_end + 1),
  }
end

-- The head of the queue, if it is this very delivery of it.
local function read_head_in_hand(queue, sequence, attempts)
  local element = redis.call('LINDEX', queue, 0)
  local head = element and parse_element(element)
  if head and head.sequence == sequence and head.attempts == attempts then
    return head
  end
  return nil
end

-- A conversation is in ready (by the time its head was recorded) or in later (by the time its head
-- is due again), or its queue is empty.
local function show_head(destination, conversation)
  redis.call('ZREM', later_key(destination), conversation)
  local element = redis.call('LINDEX', queue_key(destination, conversation), 0)
  if element then
    local head = parse_element(element)
    -- What is no element is dealt with when it is to be handed over.
    redis.call('ZADD', ready_key(destination), head and head.recorded_at or now, conversation)
    keep(ready_key(destination), entry_keep_s)
  else
    redis.call('ZREM', ready_key(destination), conversation)
  end
end

-- Whether this id was never seen before; now it is.
local function mark_new(id)
  local is_new = redis.call('ZADD', seen_key, 'NX', now, id) == 1
  if is_new then
    keep(seen_key, seen_keep_s)
  end
  return is_new
end

-- The time from which on items are recorded, a microsecond each: so no two are recorded at the same
-- time, and ready keeps their order. The newest entry is passed over if it is far ahead: then
-- somebody's clock went back.
local function find_start()
  local start = tonumber(now)
  local newest = tonumber(redis.call('ZRANGE', journal_key, -1, -1, 'WITHSCORES')[2])
  if newest and newest > start and newest < start + 1 then
    return newest
  end
  return start
end

local start, appended = nil, 0

local function next_sequence()
  local sequence = redis.call('INCR', prefix .. 'sequence')
  keep(prefix .. 'sequence', longest_keep_s)
  return string.format('%.0f', sequence)
end

-- Appends an entry that is new: recorded now, and not yet tried.
local function append(item_id, destination, conversation, payload)
  start = start or find_start()
  appended = appended + 1
  local sequence = next_sequence()
  local entry = {
    sequence = sequence,
    attempts = '0',
    recorded_at = string.format('%.6f', start + appended / 1000000),
    payload = payload,
    item_id = item_id,
  }
  redis.call('ZADD', journal_key, entry.recorded_at, sequence)
  keep(journal_key, entry_keep_s)
  local queue = queue_key(destination, conversation)
  if redis.call('RPUSH', queue, make_element(entry)) == 1 then
    redis.call('ZADD', ready_key(destination), entry.recorded_at, conversation)
  end
  keep(queue, entry_keep_s)
  keep(ready_key(destination), entry_keep_s)
end

-- Appends the items that were never seen and returns their places in the request, counted from 1,
-- and how many items there were.
local function append_items()
  local new, count = {}, take_number()
  for place = 1, count do
    local item_id, destination, conversation, payload = take(), take(), take(), take()
    if mark_new(item_id) then
      new[#new + 1] = place
      append(item_id, destination, conversation, payload)
    end
  end
  return new, count
end

local function mark_seen()
  local marks, count = {}, take_number()
  for _ = 1, count do
    marks[#marks + 1] = now
    marks[#marks + 1] = take()
    if #marks >= 1000 then
      redis.call('ZADD', seen_key, unpack(marks))
      marks = {}
    end
  end
  if #marks > 0 then
    redis.call('ZADD', seen_key, unpack(marks))
  end
  if count > 0 then
    keep(seen_key, seen_keep_s)
  end
end

local function keeps_smaller(key, number)
  local kept = tonumber(redis.call('GET', key) or '')
  return kept ~= nil and kept <= tonumber(number)
end

-- A value is deleted if its time is '0'. Of an earliest one the smaller number stays.
local function keep_values()
  for _ = 1, take_number() do
    local key = prefix .. 'value:' .. take()
    local text, keep_ms = take(), take()
    local stays = take() == '1' and keeps_smaller(key, text)
    if keep_ms == '0' then
      redis.call('DEL', key)
    elseif not stays then
      redis.call('SET', key, text, 'PX', keep_ms)
    end
  end
end

-- In which conversations something happens, and how to ask about them. If nothing happened nothing is
-- written: a server that makes each write durable takes its time for one.
local function mark_active(happened)
  for _ = 1, take_number() do
    local activity = take()
    if happened then
      redis.call('ZADD', active_key, now, activity)
      keep(active_key, active_keep_s)
    end
  end
end

local function keep_references()
  for _ = 1, take_number() do
    local uri, reference = take(), take()
    redis.call('SET', prefix .. 'reference:' .. uri, reference, 'EX', reference_keep_s)
  end
end

-- Which threads are alive. The time is that of the first recording: a repeat does not renew it.
local function keep_posts()
  for _ = 1, take_number() do
    redis.call('ZADD', posts_key, 'NX', now, take())
    keep(posts_key, posts_keep_s)
  end
end

local function dead_letter_key(letter_id)
  return prefix .. 'dead:' .. letter_id
end

local function drop_dead_letters(letter_ids)
  for _, letter_id in ipairs(letter_ids) do
    redis.call('DEL', dead_letter_key(letter_id))
    redis.call('ZREM', dead_key, letter_id)
  end
end

local function bury(letter)
  local key = dead_letter_key(letter.letter_id)
  redis.call('HSET', key, 'letter_id', letter.letter_id, 'source', letter.source,
    'conversation', letter.conversation, 'code', letter.code, 'why', letter.why,
    'attempts', letter.attempts, 'recorded_at', letter.recorded_at, 'died_at', now,
    'payload', letter.payload)
  redis.call('EXPIRE', key, dead_keep_s)
  redis.call('ZADD', dead_key, now, letter.letter_id)
  keep(dead_key, dead_keep_s)
  local oldest = string.format('%.6f', tonumber(now) - dead_keep_s)
  drop_dead_letters(redis.call('ZRANGEBYSCORE', dead_key, '-inf', oldest, 'LIMIT', 0, 100))
  local surplus = redis.call('ZCARD', dead_key) - dead_most
  if surplus > 0 then
    drop_dead_letters(redis.call('ZRANGE', dead_key, 0, surplus - 1))
  end
end

-- What the connector before this one kept of a post, or ''. These are another program's keys: where
-- they may not be read, or hold something else, there is nothing.
local function read_predecessor(uri)
  local kept = redis.pcall('GET', 'bluesky:post:' .. uri)
  return type(kept) == 'string' and kept or ''
end

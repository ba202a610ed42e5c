--- `sys.feed` over the made-up logs of a world.

local json = require 'pact.base.json'

local M = {}

local STREAMS = { 'stdout', 'stderr', 'pactlua' }

local function log_named(world, name)
  for _, log in pairs(world.logs) do
    if log.name == name then return log end
  end
end

local function passes(world, feed, line)
  return (not feed.stream or line.stream == feed.stream) and (not feed.since or line.at >= feed.since)
    and (not feed.grep or world.matches(feed.grep, line.text))
end

-- Where the window of a log begins.
local function window(world, feed, log)
  local place = #log.lines
  local wanted = feed.lines or math.huge
  while place > 0 and wanted > 0 do
    if passes(world, feed, log.lines[place]) then wanted = wanted - 1 end
    place = place - 1
  end
  return place
end

local function give(world, feed, source, out)
  local log = log_named(world, source.name)
  if not log then return end
  if not source.place then source.place = source.whole and 0 or window(world, feed, log) end
  for i = source.place + 1, #log.lines do
    local line = log.lines[i]
    if passes(world, feed, line) then
      out[#out + 1] = {
        line.at, ('%s"at":%d,"stream":"%s","epoch":%d,"text":%s%s'):format(source.head, line.at, STREAMS[line.stream],
          line.epoch, json.encode(line.text), source.tail),
      }
    end
  end
  source.place = #log.lines
end

---@param world world
---@return table feed, table state `open`: how many are
function M.new(world)
  local state = { open = 0 }
  local M_feed = {}

  function M_feed.open(opts)
    if type(opts.grep) == 'table' and opts.grep.regex == '(' then return nil, "'(' can't be searched for", 'EINVAL' end
    state.open = state.open + 1
    local feed = { sources = {} }
    for key, value in pairs(opts) do feed[key] = value end
    return feed
  end

  function M_feed.add(feed, source)
    local log = log_named(world, source.name)
    feed.sources[#feed.sources + 1] = {
      name = source.name, head = source.head, tail = source.tail, whole = source.whole, awake = true,
      place = not log and 0 or nil,
    }
    return #feed.sources
  end

  function M_feed.wake(feed, number) feed.sources[number].awake = true end

  -- `state.pieces`: so many pulls say 'more' first.
  function M_feed.pull(feed)
    if (state.pieces or 0) > 0 then
      state.pieces = state.pieces - 1
      return '', 'more', 1000
    end
    local out = {}
    for _, source in ipairs(feed.sources) do
      if source.awake then give(world, feed, source, out) end
      source.awake = false
    end
    for i, item in ipairs(out) do item[3] = i end
    table.sort(out, function(a, b)
      if a[1] ~= b[1] then return a[1] < b[1] end
      return a[3] < b[3]
    end)
    for i, item in ipairs(out) do out[i] = item[2] end
    return table.concat(out), feed.follow and 'idle' or 'done', 10
  end

  function M_feed.finish() return '' end

  function M_feed.close(feed)
    assert(not feed.closed, 'closed twice')
    feed.closed = true
    state.open = state.open - 1
  end

  return M_feed, state
end

return M

--- `pactlua logs` by a feed of lines: as JSON, and what is searched for as it comes.

local following = require 'pact.control.verbs.following'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local log_requests = require 'pact.control.api.log_requests'

local M = {}

local PIECE, SOON_MS = 64 * 1024, 20

local function add(sys, feed, dir, id, whole)
  return sys.feed.add(feed, {
    dir = dir, name = id, head = ('{"service":%s,'):format(json.encode(id)), tail = '}\n', whole = whole,
  })
end

-- A line for people. One that hasn't ended has come to an end here.
local function told(line, prefix_of)
  local prefix = prefix_of(line.service)
  local before = prefix[line.stream == 'stderr' and 2 or 1]
  if line.missed then return ('%s(%d bytes are gone: their files were deleted)\n'):format(before, line.missed) end
  return before .. line.text .. '\n'
end

local function written(options, bytes, prefix_of)
  if options.json then return bytes end
  local out = {}
  for line in bytes:gmatch '[^\n]+' do out[#out + 1] = told(json.decode(line), prefix_of) end
  return table.concat(out)
end

---@param context main_context
---@param dir string of the run
---@param ids string[]
---@param prefix_of fun(id: string): string[] of standard output and standard error
---@return integer? status
function M.run(context, dir, ids, prefix_of)
  local sys, options = context.sys, context.invocation.options
  local feed, message = sys.feed.open {
    lines = following.count(options), since = options.since, grep = options.grep, follow = options.follow,
  }
  if not feed then
    context.err(('pactlua: logs: %s\n'):format(message))
    return 1
  end
  local numbers, everything = {}, #context.invocation.ids == 0
  for _, id in ipairs(ids) do numbers[id] = add(sys, feed, dir, id) end
  -- Until there is nothing for now.
  local function pull()
    while true do
      local bytes, state = sys.feed.pull(feed, PIECE)
      if bytes ~= '' then context.out(written(options, bytes, prefix_of)) end
      if state ~= 'more' then return state end
    end
  end
  local function finish(loop)
    if pull() == 'soon' then return loop:after(SOON_MS, function() finish(loop) end) end
    context.out(written(options, sys.feed.finish(feed), prefix_of))
    sys.stop(0)
  end
  if not options.follow then
    finish(require('pact.base.sched').new(sys))
    return nil
  end
  following.while_live(context, dir, function(all)
    for _, id in ipairs(everything and all and log_requests.services_in(sys, dir) or {}) do
      if not numbers[id] then numbers[id] = add(sys, feed, dir, id, true) end
    end
    for _, number in list.sorted(numbers) do sys.feed.wake(feed, number) end
    pull()
  end, finish)
end

return M

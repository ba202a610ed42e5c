--- `pactlua logs [ID…]`: what services wrote, read from the run's files: a window of them, or as it comes.

local following = require 'pact.control.verbs.following'
local list = require 'pact.base.list'
local log_requests = require 'pact.control.api.log_requests'
local runs = require 'pact.control.client.runs'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}
local services_in, instances = log_requests.services_in, log_requests.instances

local ALL_LINES, LONGEST_LINE = 1000000, 64 << 20

-- Also services of the run that have not written yet.
local function known_in(sys, dir)
  local known = list.set(services_in(sys, dir))
  for _, service in ipairs(require('pact.observe.timeline.read').plan(sys.fs, dir, { unreadable = 0 }).services) do
    known[service.id] = true
  end
  return list.keys(known)
end

local function chosen(sys, dir, ids)
  if #ids == 0 then return services_in(sys, dir) end
  local known = known_in(sys, dir)
  local there, out = list.set(known), {}
  there.pactlua = true
  for _, id in ipairs(ids) do
    local members = there[id] and { id } or instances(known, id)
    table.move(members, 1, #members, #out + 1, out)
    if #members == 0 then return nil, ("no log of '%s' in %s%s"):format(id, dir, text.suggest(id, known)) end
  end
  return out
end

-- An index that is damaged, gone, or of another version: the lines are there, but what is known of them is guessed.
local function warn_of_guesses(context, id, lines)
  if id == 'pactlua' or not lines[1] then return end
  for _, line in ipairs(lines) do
    if line.mono_us > 0 then return end
  end
  context.err(("pactlua: logs: %s.idx can't be read: times and order of its lines are guesses\n"):format(id))
end

-- The windows of all, up to where they are followed from.
local function gather(context, dir, ids, tails)
  local options, all = context.invocation.options, {}
  for place, id in ipairs(ids) do
    local lines, message, code = context.sys.tail.lines(dir, id, {
      count = following.count(options) or ALL_LINES, longest = LONGEST_LINE, since = options.since, grep = options.grep,
      before = tails[id] and tails[id].from,
    })
    if code == 'ENOENT' then lines = {} end -- it has not written yet
    if not lines then return nil, message end
    warn_of_guesses(context, id, lines)
    local last = 0
    for i, line in ipairs(lines) do
      last = math.max(last, line.mono_us)
      line.order, line.place, line.number, line.id = last, place, i, id
      all[#all + 1] = line
    end
  end
  table.sort(all, function(a, b)
    if a.order ~= b.order then return a.order < b.order end
    if a.place ~= b.place then return a.place < b.place end
    return a.number < b.number
  end)
  return all
end

---What stands before the lines of each; of one alone nothing.
local function prefixes(ids, paint)
  local width, out = 0, {}
  if #ids == 1 then return { [ids[1]] = { '', '' } } end
  for _, id in ipairs(ids) do width = math.max(width, #id) end
  for i, id in ipairs(ids) do
    out[id] = { [1] = paint:prefix(i, id, width, false), [2] = paint:prefix(i, id, width, true) }
  end
  return out
end

-- Services that have begun to write since: they are followed, too, from their first line.
local function newcomers(sys, dir, ids, prefix, paint)
  for _, id in ipairs(services_in(sys, dir)) do
    if not prefix[id] then
      ids[#ids + 1] = id
      prefix[id] = { paint:prefix(#ids, id, #id, false), paint:prefix(#ids, id, #id, true) }
    end
  end
end

local function open_tail(sys, dir, id, prefix, from)
  local tail, offset = sys.tail.open { dir = dir, name = id, prefix = prefix[1], err_prefix = prefix[2], from = from }
  return tail and { id = tail, from = offset }
end

-- Before the windows are read: what comes behind their ends is the tails', nothing is lost or doubled between.
local function open_tails(sys, dir, ids, prefix)
  local tails = {}
  for _, id in ipairs(ids) do tails[id] = open_tail(sys, dir, id, prefix[id], 'end') end
  return tails
end

---Goes on with what comes, until the network or who reads our output is gone, or Ctrl-C.
local function follow(context, dir, ids, prefix, paint, tails)
  local sys, everything = context.sys, #context.invocation.ids == 0
  sys.tail.style { escape = sys.os.isatty(1) }
  following.while_live(context, dir, function(all)
    if everything and all then newcomers(sys, dir, ids, prefix, paint) end
    for _, id in ipairs(ids) do
      tails[id] = tails[id] or open_tail(sys, dir, id, prefix[id], 'start')
      if tails[id] then sys.tail.wake(tails[id].id) end
    end
  end, function(loop)
    loop:on(sys.tail.drain(), function() sys.stop(0) end)
  end)
end

---@param context main_context
function M.run(context)
  local sys, options = context.sys, context.invocation.options
  local run, missing, status = runs.find(context)
  if not run then
    context.err(('pactlua: logs: %s\n'):format(missing))
    return status
  end
  local dir = run.path
  local ids, message = chosen(sys, dir, context.invocation.ids)
  if not ids then
    context.err(('pactlua: logs: %s\n'):format(message))
    return 1
  end
  local paint = style.new(style.wanted(sys.os, 1, context.env))
  local prefix = prefixes(ids, paint)
  if options.json or options.follow and options.grep then
    return require('pact.control.verbs.logs_feed').run(context, dir, ids, function(id)
      if not prefix[id] then newcomers(sys, dir, ids, prefix, paint) end
      return prefix[id]
    end)
  end
  local tails = options.follow and open_tails(sys, dir, ids, prefix) or {}
  local lines
  lines, message = gather(context, dir, ids, tails)
  if not lines then
    context.err(('pactlua: logs: %s\n'):format(message))
    return 1
  end
  local out = {}
  for _, line in ipairs(lines) do
    out[#out + 1] = (prefix[line.id][line.stream] or prefix[line.id][1]) .. line.text .. '\n'
  end
  context.out(table.concat(out))
  if not options.follow then return 0 end
  follow(context, dir, ids, prefix, paint, tails)
end

return M

--- `pactlua logs [ID…]`: what services wrote, read from the run's files: a window of them, or as it comes.

local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local runs = require 'pact.control.runs'
local sched = require 'pact.base.sched'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'

local M = {}

local DEFAULT_LINES, ALL_LINES, POLL_MS = 100, 1000000, 100
local LIST_EVERY = 5 -- looks

---@return string[] ids of services with a log in this run
local function services_in(sys, dir)
  local ids = {}
  for _, name in ipairs(sys.fs.list(dir) or {}) do
    local id = name:match '^(.+)%.log$'
    if id and id ~= 'pactlua' then ids[#ids + 1] = id end
  end
  return ids
end

-- logs of a group's instances: web-1, web-2 … of web
local function instances(known, group)
  local out = list.filter(known, function(id)
    return text.starts_with(id, group .. '-') and id:find('^%d+$', #group + 2) ~= nil
  end)
  table.sort(out, function(a, b) return tonumber(a:match '%d+$') < tonumber(b:match '%d+$') end)
  return out
end

local function chosen(sys, dir, ids)
  local known = services_in(sys, dir)
  if #ids == 0 then return known end
  local there, out = list.set(known), {}
  there.pactlua = true
  for _, id in ipairs(ids) do
    local members = there[id] and { id } or instances(known, id)
    table.move(members, 1, #members, #out + 1, out)
    if #members == 0 then return nil, ("no log of '%s' in %s%s"):format(id, dir, text.suggest(id, known)) end
  end
  return out
end

local function gather(context, dir, ids)
  local options, all = context.invocation.options, {}
  local count = options.lines or ((options.since or options.grep) and ALL_LINES) or DEFAULT_LINES
  for place, id in ipairs(ids) do
    local lines, message = context.sys.tail.lines(dir, id, {
      count = count, since = options.since, grep = options.grep,
    })
    if not lines then return nil, message end
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

---Goes on with what comes, until the network or who reads our output is gone, or Ctrl-C.
local function follow(context, dir, ids, prefix, paint)
  local sys, tails, looks, all = context.sys, {}, 0, #context.invocation.ids == 0
  local shown = list.set(ids)
  local loop = sched.new(sys)
  local socket = dir:match '^(.*)/runs/' .. '/control.sock'
  loop:on_kind('gone', function() sys.stop(256 + sys.os.signals.PIPE) end)
  local function look()
    local live_still = sys.fs.stat(socket)
    if all and looks % LIST_EVERY == 0 then newcomers(sys, dir, ids, prefix, paint) end
    looks = looks + 1
    for _, id in ipairs(ids) do
      tails[id] = tails[id] or sys.tail.open {
        dir = dir, name = id, prefix = prefix[id][1], err_prefix = prefix[id][2],
        from = shown[id] and 'end' or 'start',
      }
      if tails[id] then sys.tail.wake(tails[id]) end
    end
    if live_still then return loop:after(POLL_MS, look) end
    loop:on(sys.tail.drain(), function() sys.stop(0) end)
  end
  sys.tail.style { escape = sys.os.isatty(1) }
  look()
end

---@param context main_context
function M.run(context)
  local sys, options = context.sys, context.invocation.options
  local run, missing = runs.find(context)
  if not run then
    context.err(('pactlua: logs: %s\n'):format(missing))
    return live.NO_NETWORK
  end
  local dir = run.path
  local ids, message = chosen(sys, dir, context.invocation.ids)
  local lines
  if ids then lines, message = gather(context, dir, ids) end
  if not lines then
    context.err(('pactlua: logs: %s\n'):format(message))
    return 1
  end
  local paint = style.new(style.wanted(sys.os, 1, context.env))
  local prefix = prefixes(ids, paint)
  local out = {}
  for _, line in ipairs(lines) do
    out[#out + 1] = (prefix[line.id][line.stream] or prefix[line.id][1]) .. line.text .. '\n'
  end
  context.out(table.concat(out))
  if not options.follow then return 0 end
  follow(context, dir, ids, prefix, paint)
end

return M

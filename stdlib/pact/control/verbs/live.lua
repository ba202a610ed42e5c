--- The live network that a command is about: found from here upwards, or named by `--project`.

local client = require 'pact.control.client'
local find = require 'pact.control.client.find'
local list = require 'pact.base.list'
local paths = require 'pact.base.path'
local sched = require 'pact.base.sched'
local text = require 'pact.base.text'

local M = {}

M.NO_NETWORK = 4

M.AMBIGUOUS = 2

M.NOT_PERMITTED = 5

local SHOWN = 5

-- The nearest directory first.
local function by_distance(dirs)
  local order = {}
  for i, dir in ipairs(dirs) do order[dir] = i end
  table.sort(dirs, function(a, b)
    if #a.directory ~= #b.directory then return #a.directory > #b.directory end
    return order[a] < order[b]
  end)
  return dirs
end

---Somebody serves a network's control socket.
---@param sys sys
---@param loop? sched none: only to see whether somebody answers
---@param dir found_network
---@return client?
---@return integer? uid whose it is when it isn't ours
---@return string? code 'EPERM': it lives, and isn't ours; 'EAGAIN': too many wait for it already
function M.link(sys, loop, dir)
  local path = dir.path .. '/control.sock'
  if not sys.fs.stat(path) then return nil, require('pact.control.client.foreign').uid(sys, dir) end
  local link, _, code = client.connect(sys, loop, path)
  if not link then return nil, code == 'EACCES' and (sys.fs.stat(path) or {}).uid or nil, code end
  link.pid, link.uid = sys.ctl.peer(link.connection)
  if not link.pid or link.uid == sys.os.ids() then return link end
  sys.cancel(link.connection)
  return nil, link.uid, 'EPERM'
end

---The live networks that may be meant: those of the nearest directory that has any; elsewhere, all of a name.
---@param sys sys
---@param loop sched
---@param dirs found_network[]
---@param wanted? string a project's name
---@return { link: client, dir: found_network }[] live
---@return found_network[] dead those that are not
---@return { dir: found_network, uid?: integer, live?: boolean }[] closed those that somebody else, or nobody, can ask
function M.candidates(sys, loop, dirs, wanted)
  local live, dead, closed, here = {}, {}, {}, sys.fs.cwd()
  for _, dir in ipairs(by_distance(dirs)) do
    local further = live[1] and live[1].dir.directory ~= dir.directory and paths.inside(here, dir.directory)
    if not further and (not wanted or dir.project == wanted) then
      local link, uid, code = M.link(sys, loop, dir)
      if link then
        live[#live + 1] = { link = link, dir = dir }
      elseif uid or code == 'EAGAIN' then
        closed[#closed + 1] = { dir = dir, uid = uid, live = code == 'EPERM' }
      else
        dead[#dead + 1] = dir
      end
    end
  end
  return live, dead, closed
end

---@param live { dir: found_network }[]
---@param wanted? string
---@return string
function M.several(live, wanted)
  local names = list.map(live, function(it) return wanted and it.dir.directory or it.dir.project end)
  if not wanted then
    return ('several networks are live here: %s; --project NAME says which one'):format(text.enumerate(names, 'and'))
  end
  return ("several live networks are called '%s', in %s; go to the directory of the one that is meant"):format(wanted,
    text.enumerate(names, 'and'))
end

-- What else may be meant, for who finds nothing.
local function hints(context, loop, dead)
  local sys, out, names = context.sys, {}, {}
  for _, dir in ipairs(dead) do
    if sys.fs.stat(dir.path .. '/running') then
      out[#out + 1] = ("the last run of '%s' was killed: 'pactlua down' ends what it left"):format(dir.project)
    end
  end
  for _, dir in ipairs(find.elsewhere(sys, context.env)) do
    local link = M.link(sys, loop, dir)
    if link then
      sys.cancel(link.connection)
      names[#names + 1] = ('%s (in %s)'):format(dir.project, dir.directory)
    end
  end
  if #names > SHOWN then names = { table.concat(names, ', ', 1, SHOWN), ('%d more'):format(#names - SHOWN) } end
  if names[1] then
    out[#out + 1] = ('live elsewhere: %s; --project NAME means one of them'):format(table.concat(names, ', '))
  end
  return out[1] and '; ' .. table.concat(out, '; ') or ''
end

---Why there is nothing to connect to.
---@param context main_context
---@param loop sched
---@param dead found_network[]
---@return string
function M.nothing(context, loop, dead)
  local sys, wanted = context.sys, context.invocation.options.project
  if not wanted then return 'no live network here or above' .. hints(context, loop, dead) end
  local names = list.map(find.state_dirs(sys, context.env), function(dir) return dir.project end)
  return ("no live network '%s'%s%s"):format(wanted, text.suggest(wanted, names), hints(context, loop, dead))
end

---What is said where nothing but another user's network is.
---@param context main_context
---@param dirs found_network[]
---@return string?
function M.foreign(context, dirs)
  local _, _, closed = M.candidates(context.sys, nil, dirs, context.invocation.options.project)
  return require('pact.control.client.foreign').words(context.sys, closed)
end

-- Why networks that may live can't be asked: another user's, or one whose engine takes no more connections.
local function closed_to_us(sys, closed)
  local foreign = require('pact.control.client.foreign').words(sys, closed)
  if foreign then return foreign, M.NOT_PERMITTED end
  for _, it in ipairs(closed) do
    if not it.uid then return require('pact.control.client.silence').overrun(sys, it.dir), 1, it.dir end
  end
end

---Connects to the live network that is meant.
---@param context main_context
---@param loop sched
---@return client?, string? message, found_network? dir also of one that takes no connections
---@return integer? status when there is none
function M.connect(context, loop)
  local wanted, sys = context.invocation.options.project, context.sys
  local live, dead, closed = M.candidates(sys, loop, find.state_dirs(sys, context.env), wanted)
  if wanted and not live[1] then live = M.candidates(sys, loop, find.elsewhere(sys, context.env), wanted) end
  if #live == 1 then return live[1].link, nil, live[1].dir end
  if live[1] then return nil, M.several(live, wanted), nil, M.AMBIGUOUS end
  local message, status, dir = closed_to_us(sys, closed)
  if message then return nil, message, dir, status end
  return nil, M.nothing(context, loop, dead), nil, M.NO_NETWORK
end

---@class attended
---@field endless? boolean waits as long as it takes: for a person who sees what is told, or with a bound of its own
---@field status? integer when the engine never answers (1)
---@field patience? integer seconds until it counts as one that never does (15)
---@field tell? fun(words: string) where its own output must not be disturbed
---@field on_silent? fun(silence: silence): boolean? as of silence.watch

---Watches an engine that is being asked: when it doesn't answer this is said, and at some time given up.
---@param context main_context
---@param loop sched
---@param link client
---@param dir found_network
---@param opts? attended
---@return silence
function M.attend(context, loop, link, dir, opts)
  opts = opts or {}
  local function say(words) context.err(('pactlua: %s: %s\n'):format(context.invocation.verb, words)) end
  local tell = opts.tell or say
  return require('pact.control.client.silence').watch {
    sys = context.sys, sched = loop, link = link, project = dir.project, tell = tell, on_silent = opts.on_silent,
    named = context.invocation.options.project ~= nil, patience = opts.patience,
    give_up = not opts.endless and function(words)
      tell(words)
      context.sys.stop(opts.status or 1)
    end or nil,
  }
end

---Runs `fn(link, dir)` as a task once connected; what it returns is the process's status. Who is connected already
---(`context.live`) has it run in its own task.
---@param context main_context
---@param fn fun(link: client, dir: found_network, loop: sched, watch?: silence): integer?
---@param opts? attended
---@return integer? status at once when there is no network
function M.run(context, fn, opts)
  local sys, known = context.sys, context.live
  if known then return fn(known.link, known.dir, known.loop) end
  local loop = sched.new(sys, function(message)
    context.err(('pactlua: %s\n'):format(message))
    sys.stop(1)
  end)
  local link, message, dir, none = M.connect(context, loop)
  if not link then
    context.err(('pactlua: %s\n'):format(message))
    return none
  end
  local watch = M.attend(context, loop, link, dir, opts)
  loop:spawn(function()
    local status = fn(link, dir, loop, watch)
    if status then sys.stop(status) end
  end, { name = context.invocation.verb })
end

---Ends, the way a program does whose output nobody reads any more, as soon as that is so.
---@param sys sys
---@param loop sched
function M.watch_output(sys, loop)
  loop:on_kind('gone', function() sys.stop(256 + sys.os.signals.PIPE) end)
  sys.tail.watch()
end

---Tells what the network refused.
---@return integer status
function M.refused(context, status, body)
  local message = type(body) == 'table' and body.error or tostring(body or 'no answer')
  if not status then message = ('the network is gone: %s'):format(message) end
  context.err(('pactlua: %s: %s\n'):format(context.invocation.verb, message))
  return status and 1 or M.NO_NETWORK
end

return M

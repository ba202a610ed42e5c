--- Finds the run that a command is about, by the files of networks around here: none of them need be live.

local find = require 'pact.control.client.find'
local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local statedir = require 'pact.control.statedir'
local text = require 'pact.base.text'

local M = {}

local LISTED = 10

---@class found_run
---@field name string
---@field path string its directory
---@field project string
---@field live boolean its network has a control socket, and it is the network's last run
---@field socket string

---@class run_place a network's directory
---@field path string
---@field project string
---@field root string
---@field place integer the nearest first
---@field runs string[] oldest first
---@field live boolean

-- Live networks first, then the nearest directory's; of several networks of one directory what ran last.
local function before(a, b)
  if a.live ~= b.live then return a.live end
  if a.root == b.root then return a.runs[#a.runs] > b.runs[#b.runs] end
  return a.place < b.place
end

---@param dirs found_network[]
---@return run_place[] with a run, in the order in which they are meant
local function places(context, dirs)
  local sys, project, found = context.sys, context.invocation.options.project, {}
  for place, dir in ipairs(dirs) do
    local runs = statedir.runs(sys, dir.path)
    if runs[1] and (not project or dir.project == project) then
      found[#found + 1] = {
        path = dir.path, project = dir.project, root = dir.path:match '^(.*)/', place = place, runs = runs,
        live = sys.fs.stat(dir.path .. '/control.sock') ~= nil,
      }
    end
  end
  table.sort(found, before)
  return found
end

---@return found_run
local function described(place, name)
  return {
    name = name, path = ('%s/runs/%s'):format(place.path, name), project = place.project,
    live = place.live and name == place.runs[#place.runs], socket = place.path .. '/control.sock',
  }
end

-- The newest, or the one before it.
local function newest(found, previous)
  for _, place in ipairs(found) do
    local name = place.runs[#place.runs - (previous and 1 or 0)]
    if name then return described(place, name) end
  end
  return nil, previous and 'no run before this one' or 'no run of a network here or above'
end

-- The names that there are, newest first.
local function known(found)
  local names = {}
  for _, place in ipairs(found) do
    for i = #place.runs, 1, -1 do names[#names + 1] = place.runs[i] end
  end
  if #names == 0 then return 'there is none here or above' end
  local shown = table.move(names, 1, math.min(#names, LISTED), 1, {})
  local more = #names > #shown and (' and %d more'):format(#names - #shown) or ''
  return ('there are %s%s'):format(table.concat(shown, ', '), more)
end

local function named(found, name)
  local matching = {}
  for _, place in ipairs(found) do
    for _, each in ipairs(place.runs) do
      if each == name then return described(place, each) end
      if text.starts_with(each, name) then matching[#matching + 1] = described(place, each) end
    end
  end
  if #matching == 1 then return matching[1] end
  if #matching == 0 then return nil, ("no run '%s': %s"):format(name, known(found)) end
  local names = list.map(matching, function(run) return run.name end)
  return nil, ("several runs begin with '%s': %s"):format(name, table.concat(names, ', '))
end

-- Several that look alive: the one that answers comes first; who meets more of them has to say which is meant.
local function settle(context, dirs, found)
  local sys, project = context.sys, context.invocation.options.project
  local answering = live.candidates(sys, nil, dirs, project)
  for _, it in ipairs(answering) do sys.cancel(it.link.connection) end
  if #answering > 1 then return nil, live.several(answering, project), live.AMBIGUOUS end
  local path = answering[1] and answering[1].dir.path
  table.sort(found, function(a, b)
    if a.path ~= b.path and (a.path == path or b.path == path) then return a.path == path end
    return before(a, b)
  end)
  return found
end

---The runs that there are, those of the nearest directory and the newest first.
---@param context main_context
---@return found_run[]
function M.all(context)
  local dirs, out = find.state_dirs(context.sys, context.env, context.invocation.options.project), {}
  for _, place in ipairs(places(context, dirs)) do
    for i = #place.runs, 1, -1 do out[#out + 1] = described(place, place.runs[i]) end
  end
  return out
end

---The run that the options `--run`, `--previous` and `--project` mean; without them the newest. Of several live
---networks one has to be named, as for any command.
---@param context main_context
---@return found_run?, string? message, integer? status why there is none
function M.find(context)
  local options = context.invocation.options
  local dirs = find.state_dirs(context.sys, context.env, options.project)
  local found = places(context, dirs)
  if options.run then
    local run, message = named(found, options.run)
    return run, message, not run and 1 or nil
  end
  local one, message, status = found, nil, nil
  if found[2] and found[2].live and not context.live then one, message, status = settle(context, dirs, found) end
  if not one then return nil, message, status end
  local run, missing = newest(one, options.previous)
  if run then return run end
  local foreign = not found[1] and live.foreign(context, dirs)
  return nil, foreign or missing, foreign and live.NOT_PERMITTED or live.NO_NETWORK
end

return M

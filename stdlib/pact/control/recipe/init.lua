--- What a recipe can do besides declaring: the functions that read and act, a handle's methods, and
-- those of Lua's own functions that behave otherwise inside an engine.

local acting = require 'pact.control.recipe.acting'
local lines = require 'pact.control.recipe.lines'
local list = require 'pact.base.list'
local popen = require 'pact.control.recipe.popen'
local reading = require 'pact.control.recipe.reading'
local verdicts = require 'pact.control.hooks.verdicts'

local M = {}

---@class recipe_api
---@field globals table
---@field methods table<string, function>
---@field lines lines
local Api = {}
Api.__index = Api

---@param network network
---@param launch generation
---@return recipe_api
function M.new(network, launch)
  local context = { network = network, launch = launch, sys = network.sys, sched = network.sched }
  local globals, written = M.globals(context)
  return setmetatable({
    context = context, methods = acting.methods(context), globals = globals, lines = written,
  }, Api)
end

---@return table globals, lines written what is printed
function M.globals(context)
  local network = context.network
  local written = lines.new(network.sched, function(text) network:say(text) end)
  -- What is printed goes to people; inside a worker to its log.
  local function say(bytes)
    local task = context.sched:current()
    local owner = task and task.owner
    if owner and owner.output then return owner.output(bytes) end
    written:write(bytes)
  end
  local os_, io_ = list.copy(os), list.copy(io)
  function os_.exit(status)
    if status == nil or status == true then status = 0 end
    local task = context.sched:current()
    local leave = task and task.owner and task.owner.leave
    if leave then leave(acting.status_of(status or 1)) else acting.shutdown(context, status or 1) end
    context.sched:suspend(function() end) -- as the real one, this doesn't come back
  end
  function os_.execute(command)
    return popen.execute(context, command)
  end
  function io_.popen(command, mode)
    return popen.open(context, command, mode)
  end
  function io_.write(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    say(table.concat(parts))
    return io_.stdout
  end
  return {
    os = os_,
    io = io_,
    coroutine = context.sched.coroutine,
    print = function(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = tostring(parts[i]) end
      say(table.concat(parts, '\t') .. '\n')
    end,
  }, written
end

---@param api table behind `pact`
function Api:install(api)
  reading.install(api, self.context)
  acting.install(api, self.context)
  api.verdict = verdicts.api
end

return M

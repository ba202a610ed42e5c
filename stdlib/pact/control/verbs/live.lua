--- The live network that a command is about: found from here upwards, or named by `--project`.

local client = require 'pact.control.client'
local find = require 'pact.control.find'
local sched = require 'pact.base.sched'
local text = require 'pact.base.text'

local M = {}

M.NO_NETWORK = 4

---Connects to the nearest live network.
---@param context main_context
---@param loop sched
---@return client?, string? message, { path: string, project: string }? dir
function M.connect(context, loop)
  local sys, wanted = context.sys, context.invocation.options.project
  local names = {}
  for _, dir in ipairs(find.state_dirs(sys, context.env)) do
    if not wanted or dir.project == wanted then
      local link = sys.fs.stat(dir.path .. '/control.sock') and client.connect(sys, loop, dir.path .. '/control.sock')
      if link then return link, nil, dir end
    end
    names[#names + 1] = dir.project
  end
  if wanted then
    return nil, ("no live network '%s'%s"):format(wanted, text.suggest(wanted, names))
  end
  return nil, 'no live network here or above'
end

---Runs `fn(link, dir)` as a task once connected; what it returns is the process's status.
---@param context main_context
---@param fn fun(link: client, dir: { path: string, project: string }, loop: sched): integer?
---@return integer? status at once when there is no network
function M.run(context, fn)
  local sys = context.sys
  local loop = sched.new(sys, function(message)
    context.err(('pactlua: %s\n'):format(message))
    sys.stop(1)
  end)
  local link, message, dir = M.connect(context, loop)
  if not link then
    context.err(('pactlua: %s\n'):format(message))
    return M.NO_NETWORK
  end
  loop:spawn(function()
    local status = fn(link, dir, loop)
    if status then sys.stop(status) end
  end, { name = context.invocation.verb })
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

--- Functions of `pact` that look and wait but change no service.

local arguments = require 'pact.control.recipe.arguments'
local exec = require 'pact.control.recipe.exec'
local files = require 'pact.control.recipe.files'
local http = require 'pact.control.recipe.http'
local json = require 'pact.base.json'
local text = require 'pact.base.text'
local timers = require 'pact.control.recipe.timers'
local together = require 'pact.control.recipe.together'

local M = {}

-- The user's own events.
local function emit(context, name, fields)
  if type(name) ~= 'string' or not name:find(':', 1, true) then
    arguments.misuse("pact.emit: an event of your own has a colon, such as 'chain:block', got %s", text.show(name))
  end
  if fields ~= nil then arguments.typed(fields, 'table', 'pact.emit: the fields') end
  local event = { name = name }
  for key, value in pairs(fields or {}) do
    if event[key] == nil and type(key) == 'string' then event[key] = value end
  end
  context.network.bus:emit(event)
end

---@param api table behind `pact`
---@param context table network, launch, sys, sched
function M.install(api, context)
  local network = context.network
  for _, module in ipairs { files, http, timers, together } do module.install(api, context) end
  api.log = require('pact.observe.logapi').api(network.log.log)
  api.json = { encode = json.encode, decode = json.decode, array = json.array, null = json.null }
  function api.sleep(value) return context.sched:sleep(arguments.milliseconds(value, 'pact.sleep')) end
  function api.exec(spec, extra)
    if extra ~= nil then
      arguments.misuse "pact.exec takes one table, options beside the words: { 'npm', 'test', timeout = '5s' }"
    end
    return exec.run(context, spec)
  end
  function api.notify(message) network:notify(tostring(message)) end
  function api.now() return context.sys.time.now() end
  function api.emit(name, fields) emit(context, name, fields) end
end

return M

--- `pactlua open ID [ENDPOINT]`: the address of a service in a browser; where there is none, it is printed.

local environment = require 'pact.supervise.environment'
local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local text = require 'pact.base.text'

local M = {}

-- One of these says that somebody would see a window.
local SCREENS = { 'DISPLAY', 'WAYLAND_DISPLAY', 'BROWSER' }

local function is_web(address) return address:find '^https?://' ~= nil end

-- A password that isn't shown is asked for by who opens it.
local function without_password(address) return (address:gsub(':%*+@', '@', 1)) end

---The address that is meant: the named one, else the first for browsers, else any.
---@param service { id: string, endpoints?: table<string, string> }
---@param addresses table<string, string> of the network
---@param wanted? string
---@return string? address, string? message
function M.address(service, addresses, wanted)
  local endpoints = service.endpoints or {}
  if wanted then
    if endpoints[wanted] then return without_password(endpoints[wanted]) end
    local names = list.keys(endpoints)
    local hint = text.suggest(wanted, names)
    if hint == '' and names[1] then hint = ('; it has %s'):format(table.concat(names, ', ')) end
    return nil, ("'%s' has no endpoint '%s'%s"):format(service.id, wanted, hint)
  end
  local known = {}
  for _, name in ipairs(list.keys(endpoints)) do known[#known + 1] = endpoints[name] end
  known[#known + 1] = addresses[environment.variable(service.id) .. '_URL']
  if #known == 0 then
    return nil, ("'%s' has neither a port nor an endpoint: endpoints = { web = 'http://…' } says where it is")
      :format(service.id)
  end
  return without_password(list.filter(known, is_web)[1] or known[1])
end

-- The program that shows it, where there are a program and a screen.
local function opener(context)
  for _, name in ipairs(SCREENS) do
    if (context.env[name] or '') ~= '' then return context.sys.os.find_program('xdg-open', context.env.PATH) end
  end
end

local function open(context, loop, program, address)
  local sys = context.sys
  local id, message = sys.proc.spawn {
    argv = { program, address }, env = environment.list(environment.inherited(context.env)), cwd = sys.fs.cwd(),
    stdin = 'null', stdout = 'inherit', stderr = 'inherit', session = false,
  }
  if id then
    local _, exit = loop:await(id)
    if exit.code == 0 then return 0 end
    message = exit.code and ('ended with status %d'):format(exit.code) or 'was killed'
  end
  context.err(('pactlua: open: %s: %s\n'):format(program, message))
  context.out(address .. '\n')
  return 1
end

---@param context main_context
function M.run(context)
  local id, endpoint = table.unpack(context.invocation.ids)
  return live.run(context, function(link, _, loop, watch)
    local status, service = link:ask('GET', '/v1/services/' .. id)
    if status ~= 200 then return live.refused(context, status, service) end
    local all
    status, all = link:ask('GET', '/v1/addresses')
    if status ~= 200 then return live.refused(context, status, all) end
    if watch then watch:off() end
    local address, message = M.address(service, all.addresses, endpoint)
    if not address then return live.refused(context, 404, { error = message }) end
    local program = is_web(address) and opener(context)
    if program then return open(context, loop, program, address) end
    context.out(address .. '\n')
    return 0
  end)
end

return M

--- `pactlua init [FILE]`: a commented first recipe that runs as it is, and what an editor wants to know of
-- recipes. Nothing is overwritten.

local editor = require 'pact.control.verbs.editor'

local M = {}

local RECIPE = [==[
-- A network of processes. Start it:      pactlua %s
-- Look at it from another terminal:      pactlua ps, pactlua logs -f web, pactlua why web
-- End it: Ctrl-C, or                     pactlua down
local pact = require 'pact'

-- A service: `command` is a list, never a shell line. Here a small shell program stands for a server.
local store = pact.process 'store' {
  command = { 'sh', '-c', 'echo starting; sleep 1; echo open; while :; do sleep 1; done' },
  -- It is ready when its health check has succeeded. Other kinds: http, tcp, command, log, alive.
  health = { log = 'open' },
}

-- A task is ready when it has ended with success.
local migrate = pact.task 'migrate' {
  command = { 'sh', '-c', 'echo creating tables; sleep 0.5' },
  depends_on = { store },
}

pact.process 'web' {
  shell = 'echo listening; i=0; while :; do i=$((i+1)); echo "request $i"; sleep 2; done',
  depends_on = { store, migrate },
  env = { GREETING = 'hello', DEBUG = false },      -- false takes a variable away
  restart = { policy = 'on-failure', max_retries = 5, delay = '500ms' },
  stop = { timeout = '5s' },
}

-- Hooks are functions of the service and what has happened.
pact.on('crashed', function(service, event)
  print(service .. ' crashed: ' .. event.reason)
end)
]==]

---@param context main_context
---@return integer
function M.run(context)
  local name = context.invocation.ids[1] or 'pact.lua'
  local sys = context.sys
  if not name:find '%.lua$' then name = name .. '.lua' end
  local directory = name:match '^(.*/)[^/]*$' or ''
  if context.invocation.options.editor then return editor.write(context, directory) and 0 or 1 end
  if sys.fs.stat(name) then
    context.err(("pactlua: init: '%s' is there already; it stays as it is\n"):format(name))
    return 1
  end
  local ok, message = sys.fs.write(name, M.text(name))
  if not ok then
    context.err(('pactlua: init: %s\n'):format(message))
    return 1
  end
  context.out(("%s written; start it with: pactlua %s\n"):format(name, name))
  if not sys.fs.stat(directory .. '.luarc.json') and editor.write(context, directory) then
    local told = "%s.luarc.json written: editors with a Lua language server know what recipes can say\n"
    context.out(told:format(directory))
  end
  return 0
end

---@param name string of the file
---@return string
function M.text(name)
  return (RECIPE:gsub('%%s', function() return name end))
end

return M

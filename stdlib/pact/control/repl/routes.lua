--- What a REPL asks of a running network, besides `eval`: rows of the table of routes.

local json = require 'pact.base.json'

local M = {}

-- Of what is typed; to read it takes time that others wait for.
local TEXT_MOST = 64 * 1024

local BUSY = { error = 'nothing runs yet', code = 'busy' }

local function complete(network, request)
  if not network.supervisor then return 409, BUSY end
  local repl, given = require 'pact.control.repl.server', request.given
  local env = require('pact.control.repl.eval').environment(network)
  local found = repl.complete(network, given.text, env, repl.of(network, given.session))
  json.array(found.candidates)
  if found.also then json.array(found.also) end
  return 200, found
end

---@type route[]
M.rows = {
  { 'GET', '/v1/repl', function(network, request)
    if not network.supervisor then return 409, BUSY end
    if request.head then return 200, nil, 'application/x-ndjson' end
    require('pact.control.repl.server').open(network, request.id)
  end, summary = 'A REPL: a session for eval, whose lines print into this answer, also later',
    answer = 'hello with session, then output, at last end', type = 'application/x-ndjson' },
  { 'POST', '/v1/complete', complete, summary = 'What may stand next in Lua text; nothing is run',
    answer = 'from: the byte that candidates begin at; candidates: text and label', body = {
      { 'text', 'text', 'Lua text up to the cursor', required = true, most = TEXT_MOST },
      { 'session', 'count', 'of the REPL that asks' },
    } },
  { 'GET', '/v1/hooks', function(network)
    if not network.hooks then return 409, BUSY end
    local rows = require('pact.control.hooks.list').rows(network.hooks, network.sys.time.now())
    return 200, { hooks = json.array(rows) }
  end, summary = 'The hooks there are', answer = 'hooks: event, service, file, line, runs, ran_ago' },
}

return M

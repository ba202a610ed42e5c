--- What `pactlua help repl` says below its options.

local M = {}

local TEXT = [[
Lines are Lua, run in the network's own state: svc is the table of its services,
pact what recipes have. An expression needs no 'return'; _ is the last value.
Globals are shared with eval and other REPLs until the network ends; locals are
the session's, until you leave. At a terminal lines are edited and completed
(Tab), and kept for the next time in $XDG_STATE_HOME/pactlua/history, but for
those that begin with a blank; :help shows the commands. Ctrl-C ends a call,
Ctrl-D leaves; the network goes on.

From a pipe or a file it is a script: values go to the output, errors to the
standard error, and the first error ends it with status 1. When the network ends
before the script does the status is 4.

A network that is to end with its last lease ('help up') stays as long as a REPL
is open.

With RECIPE it is loaded and checked and nothing is started: svc.ID:start()
starts a service and what it needs. Leaving ends all of it.
]]

---@return string
function M.help() return TEXT end

return M

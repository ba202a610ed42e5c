--- What `pactlua help up` says below its options.

local M = {}

local TEXT = [[
--detach returns when all is ready, with 0; the network runs on without a terminal until 'pactlua down', also when
all of it has ended (with --exit it then ends, too), and services write to their logs only. When something wanted
fails first, or isn't ready within 5 minutes (--timeout), or on Ctrl-C, it is shut down and the status says so: after
anything but 0 nothing runs. With --no-wait it returns at once; then 'pactlua wait' waits, and what fails is left.

A program may hold such a network by a lease, a connection that stays open:
  curl -sN --unix-socket .pactlua/NAME/control.sock http://localhost/v1/lease
When the last lease has gone, however its holder ended, the network ends: at once, or after --linger, if nobody takes
another one meanwhile. Without any lease it stays.
]]

---@return string
function M.help() return TEXT end

return M

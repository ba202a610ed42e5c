--- What `pactlua help up` says below its options.

local M = {}

local TEXT = [[
--detach returns when all is ready, with 0; the network runs on without a
terminal until 'pactlua down', also when all of it has ended (with --exit it
then ends, too), and services write to their logs only. A service without a
check must have lived for a second before it counts, so that one that dies at
once is not taken for ready. When something wanted fails first, or isn't ready
within 5 minutes (--timeout), or on Ctrl-C, it is shut down and the status says
so: after anything but 0 nothing runs. With --no-wait it returns at once; then
'pactlua wait' waits, and what fails is left.

A program may hold such a network by a lease, a connection that stays open:
  curl -sN --unix-socket .pactlua/NAME/control.sock http://localhost/v1/lease
When the last lease has gone, however its holder ended, the network ends: at
once, or after --linger, if nobody takes another one meanwhile. It waits for
REPLs to be left, too. Without any lease it stays.

With --listen programs that can't open the control socket ask over TCP. Each
start makes a new token, unless PACTLUA_TOKEN gives one; it is in
.pactlua/NAME/token, a file for you alone, and belongs into a header:
  curl -H "Authorization: Bearer $(cat .pactlua/NAME/token)" \
    http://127.0.0.1:4000/v1/services
Who has it can do what you can: also run programs, by eval. Web pages are
refused, but those of --allow-origin; a page follows /v1/events by fetch with
that header (EventSource can't send one; in an address or a cookie, which all
ports of a host share, the token would get about). Secrets as they are stay
with the control socket.
]]

---@return string
function M.help() return TEXT end

return M

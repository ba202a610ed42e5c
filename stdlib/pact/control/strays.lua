--- Processes that a dead run of this network left behind: known by a variable that all of its
-- offspring carries, ended with TERM and CONT, then KILL.

local M = {}

local GRACE_MS, ROUND_MS, ROUNDS = 500, 50, 40

---The value that every process of this network has in its environment, whichever run it is of.
---@param socket string path of the control socket
---@return string
function M.tag(socket)
  return 'PACTLUA_SOCKET=' .. socket
end

---@param sys sys
---@param tag string
---@return { pid: integer, start: integer, name: string }[] those that live
function M.found(sys, tag)
  local own, strays = sys.os.pid(), {}
  for _, stray in ipairs(sys.proc.tagged(tag)) do
    if stray.pid ~= own then strays[#strays + 1] = stray end
  end
  return strays
end

local function signal_all(sys, strays, name)
  for _, stray in ipairs(strays) do
    sys.proc.kill_stray(stray.pid, stray.start, sys.os.signals[name])
  end
end

---@return string[]
function M.names(strays)
  local names = {}
  for i, stray in ipairs(strays) do names[i] = ('%s (pid %d)'):format(stray.name, stray.pid) end
  return names
end

---Ends them all; `done(names)` when none is left, or after two seconds of trying.
---@param sys sys
---@param sched sched
---@param tag string
---@param done fun(names: string[])
function M.end_all(sys, sched, tag, done)
  local strays = M.found(sys, tag)
  if #strays == 0 then return done {} end
  local names = M.names(strays)
  signal_all(sys, strays, 'TERM')
  signal_all(sys, strays, 'CONT')
  local waited = 0
  local function look()
    waited = waited + 1
    local left = M.found(sys, tag)
    if #left == 0 or waited > ROUNDS then return done(names) end
    if waited * ROUND_MS >= GRACE_MS then signal_all(sys, left, 'KILL') end
    sched:after(ROUND_MS, look)
  end
  sched:after(ROUND_MS, look)
end

---Before a run: looks only when the run before has not ended in order. A process that carries the tag
---itself was started from within such a network and can't tell its own family from strays.
---@param network network
---@param done fun(names: string[])
function M.finish(network, done)
  local sys, dir = network.sys, network.dir
  local mark = dir.path .. '/running'
  local unclean = sys.fs.stat(mark) ~= nil
  sys.fs.write(mark, network.run.id .. '\n')
  if not unclean or network.env.PACTLUA_SOCKET == dir.socket then return done {} end
  M.end_all(sys, network.sched, M.tag(dir.socket), done)
end

---After a run that has ended in order.
function M.ended(sys, dir)
  sys.fs.remove(dir.path .. '/running')
end

return M

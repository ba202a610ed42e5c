--- The marked yield by which waiting passes through a user's own coroutines out to the scheduler.

local M = {}

-- A yield that carries MARK is not the user's: every resume on the way hands it outward. REFUSED goes
-- back in where Lua can't yield further out, and becomes an error at the call that wanted to wait.
local MARK, REFUSED = {}, {}

M.REFUSAL = "can't wait here: this code runs inside a C call (sort, gsub, a metamethod, require) "
  .. 'or outside a task'

---Raises the refusal with the place of the caller outside this library.
function M.refuse()
  local level, info = 2, debug.getinfo(2, 'S')
  while info and (info.what == 'C' or info.short_src:find 'stdlib/pact/') do
    level = level + 1
    info = debug.getinfo(level, 'S')
  end
  error(M.REFUSAL, info and level or 2)
end

local function back(first, ...)
  if first == REFUSED then
    return false
  end
  return true, first, ...
end

---Leaves the running coroutine until the scheduler resumes it.
---@return boolean resumed false: Lua can't yield somewhere further out
---@return any ... what it was resumed with
function M.pause()
  return back(coroutine.yield(MARK))
end

---@param value any the first value that a coroutine yielded
---@return boolean it is a pause, not a value of the user's
function M.is_pause(value)
  return value == MARK
end

local function pass(thread, ok, first, ...)
  if not (ok and first == MARK) then
    return ok, first, ...
  end
  if coroutine.isyieldable() then
    return pass(thread, coroutine.resume(thread, coroutine.yield(MARK)))
  end
  return pass(thread, coroutine.resume(thread, REFUSED))
end

local function resume(thread, ...)
  return pass(thread, coroutine.resume(thread, ...))
end

local function unwrap(thread, ok, ...)
  if ok then
    return ...
  end
  if coroutine.status(thread) == 'dead' then
    coroutine.close(thread)
  end
  error((...), 0)
end

local function wrap(fn)
  local thread = coroutine.create(fn)
  return function(...)
    return unwrap(thread, resume(thread, ...))
  end
end

---The coroutine library as recipes see it.
M.coroutine = {
  create = coroutine.create,
  close = coroutine.close,
  isyieldable = coroutine.isyieldable,
  resume = resume,
  running = coroutine.running,
  status = coroutine.status,
  wrap = wrap,
  yield = coroutine.yield,
}

return M

--- The words for people that stand beside every change: why a service is what it is.

local M = {}

local COUNTS = { 'once', 'twice', 'three times' }

local ACTORS = {
  person = 'by hand',
  recipe = 'by the recipe',
  hook = 'by a hook',
  dependency = 'with a dependency',
  watch = 'because a watched file changed',
  schedule = 'by its schedule',
  reload = 'by a reload',
  shutdown = 'by the shutdown',
}

---@param what string such as `stopped`
---@param by? actor
---@return string such as `stopped by hand`
function M.by(what, by)
  local words = ACTORS[by or 'person'] or ('by ' .. by)
  return what .. ' ' .. words
end

---@param exit { code?: integer, signal?: string, core?: boolean, why?: string }
---@return string
function M.exit(exit)
  if exit.why then
    return exit.why
  elseif exit.signal then
    return 'killed by SIG' .. exit.signal .. (exit.core and ' (core dumped)' or '')
  elseif exit.code then
    return 'exit code ' .. exit.code
  end
  return 'ended'
end

---@param grace integer ms
---@return string of one that did not end when it was asked to
function M.overdue(grace)
  return 'killed after ' .. M.duration(grace) .. ' of grace'
end

---@param count integer
---@return string `once`, `twice`, `three times`, `4 times`
function M.times(count)
  return COUNTS[count] or count .. ' times'
end

---@param ms integer
---@return string such as `500 ms`, `3 s`, `1m30s`
function M.duration(ms)
  if ms < 1000 then
    return ms .. ' ms'
  elseif ms < 10000 and ms % 1000 >= 100 then
    return ('%.1f s'):format(ms / 1000)
  end
  local seconds = (ms + 500) // 1000
  if seconds < 60 then
    return seconds .. ' s'
  end
  local minutes = seconds // 60
  if minutes < 60 then
    return seconds % 60 == 0 and minutes .. 'm' or ('%dm%ds'):format(minutes, seconds % 60)
  end
  return minutes % 60 == 0 and minutes // 60 .. 'h' or ('%dh%dm'):format(minutes // 60, minutes % 60)
end

---@param ms integer
---@return string as it is written in recipes: `60s`, `500ms`
function M.span(ms)
  if ms % 1000 == 0 then
    return ms // 1000 .. 's'
  end
  return ms .. 'ms'
end

---@param text string
---@return string its last line that says something, cut to 200 bytes
function M.last_line(text)
  local found = ''
  for line in text:gmatch '[^\r\n]+' do
    if line:find '%S' then
      found = line
    end
  end
  found = found:gsub('^%s+', ''):gsub('%s+$', ''):gsub('%c', '?')
  return #found > 200 and found:sub(1, 197) .. '...' or found
end

return M

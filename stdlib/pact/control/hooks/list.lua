--- The hooks of a running network as they can be told: what they hear, where they are written, how often they ran.

local M = {}

local function row(hook, service, now)
  local off = hook.gone or hook.declared and hook.declared.off
  return {
    event = hook.event, service = service, file = hook.at.file, line = hook.at.line, once = hook.once,
    off = off or nil, runs = hook.runs or 0, ran_ago = hook.ran_at and now - hook.ran_at,
  }
end

local function before(a, b)
  if a.file ~= b.file then return a.file < b.file end
  if a.line ~= b.line then return a.line < b.line end
  if a.event ~= b.event then return a.event < b.event end
  return (a.service or '') < (b.service or '')
end

---@param hooks hooks
---@param now integer monotonic ms
---@return { event: string, service?: string, file: string, line: integer, runs: integer, ran_ago?: integer }[]
function M.rows(hooks, now)
  local out = {}
  local function add(of_events, service)
    for _, list in pairs(of_events) do
      for _, hook in ipairs(list) do out[#out + 1] = row(hook, service, now) end
    end
  end
  add(hooks.global)
  for service, own in pairs(hooks.own) do add(own, service) end
  table.sort(out, before)
  return out
end

return M

--- Texts for parsers that must never raise: made by a grammar's pieces and by small changes to good ones, the same for
--- the same seed.

local plans = require 'schedule_plan'

local M = {}

local ODD = {
  '\0', '\255', '\239\187\191', '\r\n', '\n', '"', "'", '\\', '$', '${', '}', '{', '[', ']', ',', ':', '-', '+',
  '.', 'e', '0', '9', '99999999999999999999', '1e400', '-0', '\\u', '\\ud800', '\u{10FFFF}', '\237\160\128', ' ',
  '\t', '=', '#', '--', '%s', 'ms', 'h', 'kib', 'nan', 'inf', '0x10', 'null', 'true',
}

local CHANGES = {
  function(d, text, at) return text:sub(1, at - 1) .. d:of(ODD) .. text:sub(at) end,
  function(d, text, at) return text:sub(1, at - 1) .. text:sub(at + d:pick(4)) end,
  function(d, text, at) return text:sub(1, at - 1) .. string.char(d:pick(256) - 1) .. text:sub(at + 1) end,
  function(d, text, at) return text:sub(at) .. text:sub(1, d:pick(#text + 1)) end,
  function(d, text, at) return text:sub(1, at) .. text:sub(at):rep(d:pick(4)) end,
  function(_, text, at) return text:sub(1, at - 1) end,
}

---@param seed integer
---@param good string[] texts to begin with
---@param extra? string[] pieces to put in, beside odd ones
---@return string
function M.text(seed, good, extra)
  local d = plans.draw(seed, 31)
  local text = d:of(good)
  for _ = 1, d:pick(6) - 1 do
    local at = d:pick(#text + 1)
    if extra and d:chance(0.3) then
      text = text:sub(1, at - 1) .. d:of(extra) .. text:sub(at)
    else
      text = d:of(CHANGES)(d, text, at)
    end
    if #text > 4096 then text = text:sub(1, 4096) end
  end
  return text
end

---Tries many texts; what `check` raises is told with the text that did it.
---@param count integer
---@param good string[]
---@param extra string[]?
---@param check fun(text: string)
function M.try(count, good, extra, check)
  local first = tonumber(os.getenv 'PACTLUA_SEED') or 1
  for seed = first, first + count - 1 do
    local text = M.text(seed, good, extra)
    local ok, message = pcall(check, text)
    if not ok then error(('seed %d, %q: %s'):format(seed, text, tostring(message)), 0) end
  end
end

return M

--- What a REPL does about Tab: asks for what may stand next and puts it into the line. Methods of `repl`.

local commands = require 'pact.control.repl.commands'
local tab = require 'pact.control.repl.tab'

---@class repl
local Repl = {}

---Tab was typed.
---@param line string
---@param cursor integer bytes before the cursor
function Repl:tab(line, cursor)
  local before = line:sub(1, cursor)
  if before:find '^%s*$' then
    self.sys.edit.complete(before, 0, '  ')
    return
  end
  local found, ids_from = nil, nil
  if not self.chunk:begun() then found, ids_from = commands.complete(before) end
  if found then return self:completed(before, found.from, found.candidates) end
  if before:find '^%s*:[^:]' and not self.chunk:begun() and not ids_from then return end
  local above = ids_from and '' or table.concat(self.chunk.lines, '\n') .. (self.chunk:begun() and '\n' or '')
  local asked = ids_from and "svc['" .. before:sub(ids_from) or above .. before
  self.link:call('POST', '/v1/complete', { text = asked, session = self.session }, function(status, body)
    if status ~= 200 or type(body) ~= 'table' or self.left then return end
    if ids_from then
      for _, one in ipairs(body.candidates) do one.text = one.label end
      return self:completed(before, ids_from, body.candidates)
    end
    local from = math.tointeger(body.from) - #above
    if from >= 1 then self:completed(before, from, body.candidates, body.also) end
  end)
end

function Repl:completed(before, from, candidates, also)
  local change = tab.change(before, from, candidates)
  if change.insert then
    self.sys.edit.complete(before, change.back, change.insert)
  elseif change.list then
    for _, label in ipairs(also or {}) do change.list[#change.list + 1] = label end
    self:say(tab.columns(change.list, self.terminal:width()))
  end
end

return Repl

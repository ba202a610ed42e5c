--- Plans are shared by all layers: adding to one by accident is an error.
local M = {}

local function refuse(_, key) error(("a plan is frozen: '%s' cannot be added"):format(tostring(key)), 2) end

local Frozen = { __newindex = refuse }

---@generic T: table
---@param t T
---@return T the same table, which takes no new keys
function M.table(t) return setmetatable(t, Frozen) end

---An empty map, shared by all who need one.
M.empty = setmetatable({}, Frozen)

---An empty list, shared by all who need one; JSON shows it as one.
M.none = setmetatable({}, { __newindex = refuse, __json = 'array' })

---A metatable that freezes, and gives what a table itself doesn't have.
---@param usual table
---@return table
function M.over(usual) return { __index = usual, __newindex = refuse } end

return M

--- Graphs of names: order, levels and cycles, in one pass over nodes and edges each and without recursion.
local list = require 'pact.base.list'

local M = {}

---@alias graph.edges table<string, string[]> from a node to those it needs

---Every node behind those it needs; otherwise in the given order. Nodes on a cycle come somewhere.
---@param nodes string[]
---@param needs graph.edges
---@return string[]
---@return boolean cyclic whether there is a cycle anywhere
function M.order(nodes, needs)
  local out, state, cyclic = {}, {}, false
  local path, at, depth = {}, {}, 0
  for _, root in ipairs(nodes) do
    if not state[root] then
      depth, path[1], at[1], state[root] = 1, root, 0, 'open'
    end
    while depth > 0 do
      local node = path[depth]
      local i = at[depth] + 1
      local next_node = needs[node] and needs[node][i]
      at[depth] = i
      if not next_node then
        out[#out + 1], state[node] = node, 'done'
        depth = depth - 1
      elseif not state[next_node] then
        depth = depth + 1
        path[depth], at[depth], state[next_node] = next_node, 0, 'open'
      elseif state[next_node] == 'open' then
        cyclic = true
      end
    end
  end
  return out, cyclic
end

---Groups that may go together: a node's group is one behind the last of those it needs.
---@param order string[] of `M.order`
---@param needs graph.edges
---@return string[][]
function M.levels(order, needs)
  local level, out = {}, {}
  for _, node in ipairs(order) do
    local own = 1
    for _, needed in ipairs(needs[node] or {}) do own = math.max(own, (level[needed] or 0) + 1) end
    level[node] = own
    for i = #out + 1, own do out[i] = {} end
    local group = out[own]
    group[#group + 1] = node
  end
  return out
end

---@param from string[]
---@param needs graph.edges
---@return table<string, true> those nodes and all they need
function M.closure(from, needs)
  local out, stack = {}, {}
  for i, node in ipairs(from) do stack[i] = node end
  while #stack > 0 do
    local node = table.remove(stack)
    if not out[node] then
      out[node] = true
      for _, needed in ipairs(needs[node] or {}) do stack[#stack + 1] = needed end
    end
  end
  return out
end

-- Tarjan's strongly connected components, with a stack of our own
local function components(nodes, needs)
  local number, low, on_stack, stack, out, count = {}, {}, {}, {}, {}, 0
  local path, at = {}, {}
  local function open(node)
    count = count + 1
    number[node], low[node], on_stack[node] = count, count, true
    stack[#stack + 1], path[#path + 1], at[#at + 1] = node, node, 0
  end
  local function close(node)
    path[#path], at[#at] = nil, nil
    local parent = path[#path]
    if parent then low[parent] = math.min(low[parent], low[node]) end
    if low[node] ~= number[node] then return end
    local members = {}
    repeat
      local member = table.remove(stack)
      on_stack[member] = false
      members[member] = true
    until member == node
    out[#out + 1] = members
  end
  for _, root in ipairs(nodes) do
    if not number[root] then open(root) end
    while #path > 0 do
      local node = path[#path]
      at[#at] = at[#at] + 1
      local needed = needs[node] and needs[node][at[#at]]
      if not needed then
        close(node)
      elseif not number[needed] then
        open(needed)
      elseif on_stack[needed] then
        low[node] = math.min(low[node], number[needed])
      end
    end
  end
  return out
end

-- the shortest way from a node back to it within a component
local function shortest(start, members, needs)
  local came, queue, head = {}, { start }, 1
  while queue[head] do
    local node = queue[head]
    head = head + 1
    for _, needed in ipairs(needs[node] or {}) do
      if needed == start then
        local back = {}
        while node ~= start do
          back[#back + 1] = node
          node = came[node]
        end
        back[#back + 1] = start
        return list.reverse(back)
      end
      if members[needed] and needed ~= start and not came[needed] then
        came[needed] = node
        queue[#queue + 1] = needed
      end
    end
  end
end

---One cycle of each knot, the shortest through its first node in the given order.
---@param nodes string[]
---@param needs graph.edges
---@return string[][] each without its first node again at the end
function M.cycles(nodes, needs)
  local home, out = {}, {}
  for _, members in ipairs(components(nodes, needs)) do
    for member in pairs(members) do home[member] = members end
  end
  for _, node in ipairs(nodes) do
    local members = home[node]
    local knot = members and not members.told and next(members, next(members))
    if knot then
      members.told = true
      out[#out + 1] = shortest(node, members, needs)
    end
  end
  return out
end

return M

--- `pact.start { id = … }` of a service that has ended: it is declared anew, in its place.

local fail = require 'pact.base.fail'
local list = require 'pact.base.list'

local M = {}

local AT_REST = list.set { 'idle', 'stopped', 'completed', 'failed', 'skipped' }

-- A service of its own that has no process and won't have one by itself.
local function ended(launch, id)
  local known = launch.begun and not launch.over and launch.recipe.declared[id]
  if not known or known.group or known.fields.replicas then return nil end
  local snapshot = launch.network.supervisor and launch.network.supervisor:snapshot(id)
  return snapshot and AT_REST[snapshot.status] and not snapshot.pid and known or nil
end

---@class withdrawn a declaration that has been taken back
---@field known declaration
---@field place? integer among the recipe's declarations

---Makes room for another declaration of a service that has ended; nil where there is none.
---@param launch generation
---@param id any
---@return withdrawn?
function M.withdraw(launch, id)
  local known = ended(launch, id)
  if not known then return nil end
  local recipe = launch.recipe
  local place = list.index(recipe.declarations, known)
  if place then
    table.remove(recipe.declarations, place)
    recipe.planned = recipe.planned - 1
  end
  recipe.declared[known.id] = nil
  return { known = known, place = place }
end

-- In the place of the other one.
local function insert(recipe, declaration, place)
  table.insert(recipe.declarations, place or #recipe.declarations + 1, declaration)
  recipe.planned = recipe.planned + 1
end

---The declaration was refused: all is as it was.
---@param launch generation
---@param withdrawn withdrawn
function M.put_back(launch, withdrawn)
  local recipe, known = launch.recipe, withdrawn.known
  recipe.declared[known.id] = known
  if withdrawn.place then insert(recipe, known, withdrawn.place) end
end

---The network goes over to the declaration that has come since.
---@param launch generation
---@param withdrawn withdrawn
---@return true?, string? message, string? code
function M.settle(launch, withdrawn)
  local network, recipe = launch.network, launch.recipe
  local declaration = table.remove(recipe.declarations)
  local service, problems = require('pact.plan').replace(network.plan, recipe, declaration)
  if not service then
    M.put_back(launch, withdrawn)
    return nil, (fail.render(problems):gsub('\n$', '')), 'recipe'
  end
  insert(recipe, declaration, withdrawn.place)
  network:replace(service)
  return true
end

return M

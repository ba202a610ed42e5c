--- `pact.start { id = … }` of a service that has ended: it is declared anew, in its place.

local fail = require 'pact.base.fail'
local list = require 'pact.base.list'

local M = {}

local AT_REST = list.set { 'idle', 'stopped', 'completed', 'failed', 'skipped' }

---Whether a service has no process and won't have one by itself.
---@param network network
---@param id string
---@return boolean
function M.resting(network, id)
  local snapshot = network.supervisor and network.supervisor:snapshot(id)
  return snapshot ~= nil and AT_REST[snapshot.status] ~= nil and not snapshot.pid
end

-- A service that has ended and is no instance of a group.
local function ended(launch, id)
  local known = launch.begun and not launch.over and launch.recipe.declared[id]
  if not known or known.group or known.fields.replicas then return nil end
  return M.resting(launch.network, id) and known or nil
end

---The same as a question, for plans.
---@param network network
---@return fun(id: string): boolean
function M.of(network)
  return function(id) return M.resting(network, id) end
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
  local service, problems = require('pact.plan').replace(network.plan, recipe, declaration, M.of(network))
  if not service then
    M.put_back(launch, withdrawn)
    return nil, (fail.render(problems):gsub('\n$', '')), 'recipe'
  end
  insert(recipe, declaration, withdrawn.place)
  network:replace(service)
  return true
end

return M

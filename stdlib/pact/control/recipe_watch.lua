--- `up --watch-recipe`: reloads when the recipe, a module of it or a script of its hooks has been saved.

local list = require 'pact.base.list'
local paths = require 'pact.base.path'

local M = {}

local DEBOUNCE_MS = 200

---A few files by their whole paths, in the place of patterns.
---@param files table<string, true>
local function exactly(files)
  local directories = {}
  for path in pairs(files) do directories[paths.parent(path)] = true end
  local set = {}
  function set.bases() return list.keys(directories) end
  function set:may_hold(path) return self and directories[path] ~= nil end
  function set:match(path) return self and files[path] ~= nil end
  return set
end

-- Whoever names a file means it, whatever .gitignore says.
local NOTHING_HIDDEN = { hides = function() return false end, forget = function() end }

---@class recipe_watch
---@field network network
local Watch = {}
Watch.__index = Watch

---What the recipe consists of, and what it was looking for: a module that isn't there yet may come.
---@param network network
---@return table<string, true>
local function files_of(network)
  local files = list.copy(network.recipe.paths)
  for path in pairs(network.read_paths or {}) do files[path] = true end
  local function script(fn)
    if type(fn) == 'string' then files[fn] = true end
  end
  for _, hook in ipairs(network.plan.hooks) do script(hook.fn) end
  for _, service in pairs(network.plan.services) do
    for _, fn in pairs(service.on) do script(fn) end
  end
  return files
end

local function key_of(files) return table.concat(list.keys(files), '\0') end

---@param network network that runs
---@return recipe_watch
function M.new(network)
  local self = setmetatable({ network = network }, Watch)
  self:look()
  return self
end

---The files may be others now.
function Watch:look()
  local network = self.network
  if self.closed then return end
  local files = files_of(network)
  local key = key_of(files)
  if key == self.key then return end
  self.key = key
  if self.tree then self.tree:close() end
  self.tree = require('pact.supervise.watch.tree').new {
    sys = network.sys, sched = network.sched, directory = network.plan.directory, paths = exactly(files), ignore = {},
    hidden = NOTHING_HIDDEN,
    changed = function(path) self:changed(path) end,
    trouble = function(message) network:say(('pactlua: --watch-recipe: %s\n'):format(message)) end,
  }
end

function Watch:changed()
  local sched = self.network.sched
  sched:cancel(self.timer)
  self.timer = sched:after(DEBOUNCE_MS, function()
    self.timer = nil
    sched:spawn(function() self:reload() end, { name = 'reload' })
  end)
end

function Watch:reload()
  local network = self.network
  local answer, message, code = require('pact.control.reload').run(network)
  if answer and answer.stopped_at then
    network:say(('pactlua: %s\n'):format(require('pact.observe.reload_words').stopped(answer)))
  elseif code == 'recipe' then
    network:say(('%s\npactlua: the recipe does not load, nothing has changed\n'):format(message))
  end
end

function Watch:close()
  self.closed = true
  self.network.sched:cancel(self.timer)
  self.tree:close()
end

return M

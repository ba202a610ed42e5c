--- Puts a simulation together: finds the recipe, reads the faults, begins the play.

local chance = require 'pact.sim.chance'
local fail = require 'pact.base.fail'
local play = require 'pact.sim.play'
local rows = require 'pact.sim.rows'
local script = require 'pact.sim.script'

local M = {}

local function absolute(host, path)
  if path:sub(1, 1) == '/' then return path end
  return host.cwd():gsub('/$', '') .. '/' .. path:gsub('^%./+', '')
end

---@param host sim_host
---@param recipe string|function a recipe's path, or a function that declares with `pact`
---@param directory? string of a function's recipe
---@return found_recipe
function M.find(host, recipe, directory)
  if type(recipe) == 'function' then
    local place = absolute(host, directory or '.'):gsub('/%.$', '')
    return { path = place .. '/recipe', name = 'recipe', directory = place == '' and '/' or place }
  end
  local path = absolute(host, recipe)
  return { path = path, name = recipe, directory = path:match '^(.*)/[^/]*$' }
end

---@param host sim_host
---@param faults? string|table a file's path or rows
---@param directory string the recipe's
---@return table? rows, string? message
function M.rows(host, faults, directory)
  local checked, problems
  if type(faults) == 'string' then
    checked, problems = script.read(host, absolute(host, faults), faults, directory)
  else
    checked, problems = rows.check(faults or {}, { name = 'faults', directory = directory })
  end
  if not checked then return nil, fail.render(problems) end
  return checked
end

---@class sim_options
---@field faults? string|table rows, or the path of a file that returns them
---@field random? false|{ every?: integer } faults at random
---@field seed? integer of chance: jitter, random faults
---@field wall? integer what the clock says at the beginning, ms since 1970
---@field env? table<string, string>
---@field args? string[] the recipe's
---@field options? table of the command line: only, except, …
---@field ids? string[]
---@field body? fun(pact: table) instead of the recipe's file

---@param host sim_host
---@param found found_recipe
---@param opts sim_options
---@param on_entry fun(entry: table)
---@return play? play, string? message
function M.play(host, found, opts, on_entry)
  local checked, message = M.rows(host, opts.faults, found.directory)
  if not checked then return nil, message end
  local seed = opts.seed or checked.seed or 1
  local random = opts.random
  if random == nil then random = checked.random end
  local where = type(opts.faults) == 'string' and ('a row in %s answers it'):format(opts.faults)
    or 'a row of the faults answers it'
  return play.new {
    host = host, recipe = found, body = opts.body, rows = checked, seed = seed,
    wall = opts.wall, env = opts.env, args = opts.args, options = opts.options, ids = opts.ids, script = where,
    on_entry = on_entry,
    random = random and function(begun)
      chance.begin(begun, { seed = seed, every = random.every })
    end or nil,
  }
end

return M

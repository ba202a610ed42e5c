--- Runs the text of a recipe up to its plan, over files that exist only here.
local fail = require 'pact.base.fail'
local planner = require 'pact.plan'
local recipes = require 'pact.declare.recipe'

local M = {}

-- the part of sys.fs that declaring needs, over a map of absolute paths to contents; false is a directory
function M.fs(files)
  local fs = {}
  function fs.read(path)
    if files[path] == nil then return nil, 'No such file or directory', 'ENOENT' end
    return files[path]
  end
  function fs.stat(path)
    if files[path] == nil then return nil, 'No such file or directory', 'ENOENT' end
    return { type = files[path] and 'file' or 'directory' }
  end
  function fs.list(path)
    local names = {}
    for file in pairs(files) do
      if file:match '^(.*)/' == path then names[#names + 1] = file:match '[^/]*$' end
    end
    table.sort(names)
    return names
  end
  return fs
end

---@param source string? nil: no such file
---@param opts? { files?: table<string, any>, env?: table, args?: string[], name?: string, context?: table }
function M.recipe(source, opts)
  opts = opts or {}
  local files = { ['/net/devnet.lua'] = source }
  for path, content in pairs(opts.files or {}) do files['/net/' .. path] = content end
  local ports = 40000
  local context = {
    path = '/net/devnet.lua', name = opts.name or 'devnet.lua', directory = '/net', args = opts.args or {},
    env = opts.env or {},
    sys = {
      join = function(a, b) return tostring(a) .. tostring(b) end,
      fs = M.fs(files),
      text = { check = function(p) return p.regex ~= '(', 'unmatched (' end },
      net = { free_port = function()
        ports = ports + 1
        return ports
      end },
    },
  }
  for key, value in pairs(opts.context or {}) do context[key] = value end
  return recipes.new(context)
end

-- runs the body as the engine does: as a coroutine, an error kept with its traceback
function M.run(recipe)
  local body, problem = recipe:compile()
  if not body then return nil, { problem } end
  local thread = coroutine.create(body)
  local ok, err = coroutine.resume(thread, table.unpack(recipe.context.args))
  if not ok then recipe:failed(err, debug.traceback(thread)) end
  return planner.build(recipe)
end

---@return plan? plan, string text of the problems, recipe recipe
function M.plan(source, opts)
  local recipe = M.recipe(source, opts)
  local plan, problems = M.run(recipe)
  return plan, fail.render(problems), recipe
end

-- the body of a recipe that has `pact` already, so that its line 1 is the first of `source`
function M.declare(source, opts)
  return M.plan("local pact = require 'pact'; " .. source, opts)
end

return M

--- `pact.file`: files and directories, from the recipe's own on. What the disk refuses is nil, message, code.

local arguments = require 'pact.control.recipe.arguments'
local text = require 'pact.base.text'

local M = {}

local TREE = { tree = 'boolean' }

-- What is to be written: text, or what has a text.
local function bytes_of(value, what)
  if type(value) == 'string' or type(value) == 'number' then return tostring(value) end
  arguments.misuse('%s: text expected, got %s', what, text.show(value))
end

---@param api table behind `pact`
---@param context table launch, sys
function M.install(api, context)
  local fs = context.sys.fs
  local function at(path, what)
    if type(path) ~= 'string' or path == '' then
      arguments.misuse('pact.file.%s: a path expected, got %s', what, text.show(path))
    end
    return path:sub(1, 1) == '/' and path or context.launch.found.directory .. '/' .. path
  end
  api.file = {
    read = function(path) return fs.read(at(path, 'read')) end,
    write = function(path, bytes)
      return fs.write(at(path, 'write'), bytes_of(bytes, 'pact.file.write'), { atomic = true })
    end,
    append = function(path, bytes)
      return fs.write(at(path, 'append'), bytes_of(bytes, 'pact.file.append'), { append = true })
    end,
    exists = function(path) return fs.stat(at(path, 'exists')) ~= nil end,
    stat = function(path) return fs.stat(at(path, 'stat')) end,
    list = function(path) return fs.list(at(path or '.', 'list')) end,
    mkdir = function(path) return fs.mkdir(at(path, 'mkdir')) end,
    remove = function(path, opts)
      return fs.remove(at(path, 'remove'), arguments.options(opts, TREE, 'pact.file.remove'))
    end,
    rename = function(from, to) return fs.rename(at(from, 'rename'), at(to, 'rename')) end,
    absolute = function(path) return at(path, 'absolute') end,
  }
end

return M

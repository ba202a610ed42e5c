--- Routes of an HTTP server: `['GET /items/:id'] = function(request) … end`, found by method and path.

local list = require 'pact.base.list'
local text = require 'pact.base.text'

local M = {}

---@class router
---@field routes route[] the more particular first
local Router = {}
Router.__index = Router

---@class route
---@field method? string nil: any
---@field parts string[] of the path; ':name' and a last '*' or '*name' stand for what is there
---@field value any what answers

local function parts_of(path)
  local parts = {}
  for part in path:gmatch '[^/]+' do parts[#parts + 1] = part end
  return parts
end

-- How particular a part is: a word before a name before all the rest.
local function rank(part)
  local first = part and part:sub(1, 1)
  return not part and 3 or first == ':' and 2 or first == '*' and 4 or 1
end

local function before(a, b)
  for i = 1, math.max(#a.parts, #b.parts) do
    local x, y = rank(a.parts[i]), rank(b.parts[i])
    if x ~= y then return x < y end
  end
  if (a.method == nil) ~= (b.method == nil) then return a.method ~= nil end
  return a.key < b.key
end

local function parse(key, value)
  local method, path = key:match '^(%u+)%s+(/%S*)$'
  path = path or key:match '^/%S*$'
  if not path then
    return nil, ("%s must be 'METHOD /path' or '/path', such as 'GET /items/:id'"):format(text.show(key))
  end
  local parts = parts_of(path)
  for i, part in ipairs(parts) do
    if part:sub(1, 1) == '*' and i < #parts then
      return nil, ("%s has something behind '*', which takes all the rest"):format(text.show(key))
    elseif part == ':' then
      return nil, ("%s has a ':' without a name"):format(text.show(key))
    end
  end
  return { key = key, method = method, parts = parts, value = value }
end

---@param given table<string, any>
---@return router? router, string? message what is wrong with a key
function M.new(given)
  local routes = {}
  for key, value in list.sorted(given) do
    local route, message = parse(key, value)
    if not route then return nil, message end
    routes[#routes + 1] = route
  end
  table.sort(routes, before)
  return setmetatable({ routes = routes }, Router)
end

-- What the route's names stand for in this path; nil: it is another path.
local function params_of(route, parts)
  local params = {}
  for i, part in ipairs(route.parts) do
    local first = part:sub(1, 1)
    if first == '*' then
      params[#part > 1 and part:sub(2) or '*'] = table.concat(parts, '/', i)
      return params
    elseif not parts[i] or first ~= ':' and part ~= parts[i] then
      return nil
    elseif first == ':' then
      params[part:sub(2)] = parts[i]
    end
  end
  return #parts == #route.parts and params or nil
end

local function takes(route, method)
  return not route.method or route.method == method or route.method == 'GET' and method == 'HEAD'
end

---@param method string
---@param path string decoded
---@return route? route, table<string, string>? params
---@return string[]? methods nil route: those that this path has, sorted; nil: there is no such path
function Router:find(method, path)
  local parts, methods = parts_of(path), nil
  for _, route in ipairs(self.routes) do
    local params = params_of(route, parts)
    if params and takes(route, method) then return route, params end
    if params then
      methods = methods or {}
      methods[route.method] = true
      if route.method == 'GET' then methods.HEAD = true end
    end
  end
  return nil, nil, methods and list.keys(methods)
end

return M

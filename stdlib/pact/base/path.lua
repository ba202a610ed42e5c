--- Absolute paths: one below another, the one above, whether one is within another. The root is '/'.

local M = {}

---@param directory string
---@param name string
---@return string
function M.join(directory, name) return (directory == '/' and '' or directory) .. '/' .. name end

---@param path string
---@return string the root is its own
function M.parent(path)
  local up = path:match '^(.*)/[^/]*$'
  return up ~= '' and up or '/'
end

---@param path string
---@param directory string
---@return boolean it is the directory, or below it
function M.inside(path, directory)
  return path == directory or directory == '/' or path:sub(1, #directory + 1) == directory .. '/'
end

return M

-- lua5.4 tools/reference.lua stubs|markdown [FILE]: writes the editor stubs or the reference of recipes, from the
-- tables that check recipes; without FILE to the standard output.
local root = arg[0]:match '^(.*)/tools/[^/]*$' or '.'
package.path = ('%s/stdlib/?.lua;%s/stdlib/?/init.lua;'):format(root, root) .. package.path

local what, path = arg[1], arg[2]
if what ~= 'stubs' and what ~= 'markdown' then
  io.stderr:write 'usage: tools/reference.lua stubs|markdown [FILE]\n'
  os.exit(2)
end

local file = path and assert(io.open(path, 'wb')) or io.stdout
assert(file:write(require('pact.declare.reference')[what]()))
if path then assert(file:close()) end

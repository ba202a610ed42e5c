-- lua5.4 tools/reference.lua stubs|sim|markdown|man|bash|zsh|fish [FILE]: writes the editor stubs or the reference of
-- recipes from the tables that check recipes, the manual page or a shell's completion from those of the command
-- line; without FILE to the standard output.
local root = arg[0]:match '^(.*)/tools/[^/]*$' or '.'
package.path = ('%s/stdlib/?.lua;%s/stdlib/?/init.lua;'):format(root, root) .. package.path

local what, path = arg[1], arg[2]
local writers = {
  stubs = function() return require('pact.declare.reference').stubs() end,
  sim = function() return require('pact.declare.stubs').sim() end,
  markdown = function() return require('pact.declare.reference').markdown() end,
  man = function() return require('pact.control.cli.manual').page() end,
}
for _, shell in ipairs(require('pact.control.cli.completion').shells) do
  writers[shell] = function() return require('pact.control.cli.completion').script(shell) end
end

if not writers[what] then
  io.stderr:write 'usage: tools/reference.lua stubs|sim|markdown|man|bash|zsh|fish [FILE]\n'
  os.exit(2)
end

local file = path and assert(io.open(path, 'wb')) or io.stdout
assert(file:write(writers[what]()))
if path then assert(file:close()) end

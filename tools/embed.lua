--- Writes every module below DIR/pact as a C string: `lua5.4 embed.lua DIR OUT.c`.
local dir, out = arg[1], arg[2]

local function quoted(bytes)
  return '"' .. bytes:gsub('[%c"\\\128-\255?]', function(c)
    return c == '\n' and '\\n' or ('\\%03o'):format(c:byte())
  end):gsub('\\n', '\\n"\n"') .. '"'
end

local files = {}
for path in io.popen(("cd '%s' && find pact -name '*.lua' | LC_ALL=C sort"):format(dir)):lines() do
  files[#files + 1] = path
end

local rows = {}
for _, path in ipairs(files) do
  local handle <close> = assert(io.open(dir .. '/' .. path, 'rb'))
  local source = handle:read 'a'
  local name = path:gsub('%.lua$', ''):gsub('/init$', ''):gsub('/', '.')
  rows[#rows + 1] = ('  {"%s", "@stdlib/%s", %d,\n%s},'):format(name, path, #source, quoted(source))
end

local handle <close> = assert(io.open(out, 'wb'))
handle:write('// Made by tools/embed.lua from stdlib/.\n#include "host/embed.h"\n\n',
  'const struct embedded_module embedded_modules[] = {\n', table.concat(rows, '\n'),
  '\n  {0}};\n')

--- Puts every module below DIR/pact, compiled, into one C array: `lua5.4 embed.lua DIR OUT.c`.
-- Compiled, because reading the text of a hundred modules takes longer than starting a network.
-- The debug information stays in, for tracebacks.
local dir, out = arg[1], arg[2]

local NAME_SIZE = 56 -- as in lua/host/embed.h

local function quoted(bytes)
  local escaped = bytes:gsub('.', function(c) return ('\\%03o'):format(c:byte()) end)
  return '"' .. escaped:gsub(('.'):rep(96), '%0"\n"') .. '"'
end

local function compiled(path)
  local handle <close> = assert(io.open(dir .. '/' .. path, 'rb'))
  return string.dump(assert(load(handle:read 'a', '@stdlib/' .. path, 't')))
end

local files = {}
for path in io.popen(("cd '%s' && find pact -name '*.lua' | LC_ALL=C sort"):format(dir)):lines() do
  files[#files + 1] = path
end

local rows, pieces, offset = {}, {}, 0
for _, path in ipairs(files) do
  local name, code = path:gsub('%.lua$', ''):gsub('/init$', ''):gsub('/', '.'), compiled(path)
  assert(#name < NAME_SIZE, path .. ': a name too long to embed')
  rows[#rows + 1] = ('  {"%s", %d, %d},'):format(name, offset, #code)
  pieces[#pieces + 1] = code
  offset = offset + #code
end

local handle <close> = assert(io.open(out, 'wb'))
handle:write('// Made by tools/embed.lua from stdlib/.\n#include "host/embed.h"\n\n',
  'const struct embedded_module embedded_modules[] = {\n', table.concat(rows, '\n'),
  '\n  {"", 0, 0}};\n\n',
  ('_Alignas(4096) const char embedded_code[%d] =\n'):format(offset), quoted(table.concat(pieces)), ';\n',
  ('const size_t embedded_size = %d;\n'):format(offset))

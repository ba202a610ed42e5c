--- What may stand next in Lua text: by table, and against text of nonsense.
local complete = require 'pact.control.repl.complete'

local ran -- something of the user's ran, which must never be

local function forbidden() ran = true error 'ran' end

local TRAP = setmetatable({ bare = 1 }, {
  __index = forbidden, __pairs = forbidden, __len = forbidden, __call = forbidden, __tostring = forbidden, __eq = forbidden,
  __concat = forbidden, __metatable = false,
})
local CLASS = { method = forbidden, static = 5, meet = forbidden }
local OBJECT = setmetatable({ own = 1, do_it = forbidden }, { __index = CLASS })
local LOOP = {}
setmetatable(LOOP, { __index = LOOP })

local HANDLE = {}
local web = setmetatable({}, HANDLE)
local svc, pact = {}, {}

local KNOWN = {
  [svc] = {
    keys = function() return { 'web', 'worker', 'my-app', 'my-db', "o'clock" } end,
    get = function(key) return key == 'web' and web or nil end,
  },
  [web] = {
    keys = function(method) return method and { 'restart', 'start', 'stop' } or { 'status', 'started_at', 'ports', 'pid' } end,
    get = function(key) return key == 'ports' and { http = 3000, ['a-b'] = 1 } or key == 'start' and forbidden or nil end,
  },
  [pact] = {
    keys = function(method) return method and {} or { 'http', 'hook_timeout', 'start', 'sleep' } end,
    get = function(key) return key == 'http' and { get = forbidden, post = forbidden } or nil end,
  },
}

local ROOT = setmetatable({
  svc = svc, pact = pact, trap = TRAP, object = OBJECT, loop = LOOP, text = 'abc', number = 5, list = { { inner = 1 }, 'x' },
  ['not a name'] = 1, mine = { alpha = 1, beta = 2, ['with space'] = 3, _hidden = 4 },
}, { __index = { print = forbidden, pairs = forbidden, string = string } })

local WORLD = {
  root = ROOT, known = function(value) return KNOWN[value] end,
  argument = function() return { 'web', 'worker', 'my-app' } end,
}

-- text, the text with each candidate in its place
local COMPLETED = {
  { 'svc.we', { 'svc.web' } },
  { 'svc.w', { 'svc.web', 'svc.worker' } },
  { 'svc.my', { "svc['my-app']", "svc['my-db']" } },
  { 'svc.o', { "svc['o\\'clock']" } },
  { "svc['my-", { "svc['my-app']", "svc['my-db']" } },
  { 'svc["my-d', { 'svc["my-db"]' } },
  { 'x = svc [ "my-d', { 'x = svc [ "my-db"]' } },
  { 'pact.h', { 'pact.hook_timeout', 'pact.http' } },
  { 'pact.http.g', { 'pact.http.get' } },
  { 'svc.web:re', { 'svc.web:restart' } },
  { "svc['web']:st", { "svc['web']:start", "svc['web']:stop" } },
  { 'svc.web.st', { 'svc.web.started_at', 'svc.web.status' } },
  { 'svc.web.ports.', { 'svc.web.ports.http' } },
  { 'svc . web . sta', { 'svc . web . started_at', 'svc . web . status' } },
  { 'pr', { 'print' } },
  { 'pa', { 'pact', 'pairs' } },
  { 'wh', { 'while' } },
  { 'for s in pact.sl', { 'for s in pact.sleep' } },
  { 'if svc.web.pi', { 'if svc.web.pid' } },
  { 'a..pri', { 'a..print' } },
  { 'x=mine.', { 'x=mine._hidden', 'x=mine.alpha', 'x=mine.beta' } },
  { 'mine.w', { "mine['with space']" } },
  { "mine['w", { "mine['with space']" } },
  { 'object.', { 'object.do_it', 'object.meet', 'object.method', 'object.own', 'object.static' } },
  { 'object:', { 'object:do_it', 'object:meet', 'object:method' } },
  { 'trap.', { 'trap.bare' } },
  { 'trap.bare.x', {} },
  { 'loop.', {} },
  { 'text:up', { 'text:upper' } },
  { 'string.up', { 'string.upper' } },
  { 'list[1].', { 'list[1].inner' } },
  { 'list[2]:low', { 'list[2]:lower' } },
  { 'list[3].', {} },
  { 'number.', {} },
  { 'nothing.x', {} },
  { 'print().x', {} },
  { 'svc.web:start().x', {} },
  { 'svc.web:start.x', {} },
  { '(svc).w', {} },
  { '.x', {} },
  { ':x', {} },
  { "'svc.we", {} },
  { "print('svc.we", {} },
  { '"a" .. svc.we', { '"a" .. svc.web' } },
  { '-- svc.we', {} },
  { '-- svc\nsvc.we', { '-- svc\nsvc.web' } },
  { '--[[ svc.we', {} },
  { '--[[ x ]] svc.we', { '--[[ x ]] svc.web' } },
  { '[[svc.we', {} },
  { '[==[ ]] ]==] .. svc.we', { '[==[ ]] ]==] .. svc.web' } },
  { "pact.start 'wo", { "pact.start 'worker'" } },
  { 'pact.stop("my', { 'pact.stop("my-app"' } },
  { "other.start 'wo", {} },
  { "svc['we\\", {} },
  { '5', {} },
  { '0x1f', {} },
  { 'x = 5 svc.we', { 'x = 5 svc.web' } },
  { 'x.5', {} },
  { 'for i = 1, 2 do\n  svc.we', { 'for i = 1, 2 do\n  svc.web' } },
  { 'größe.svc', {} },
}

local function applied(code)
  local found, out = complete.at(code, WORLD), {}
  for i, one in ipairs(found.candidates) do out[i] = code:sub(1, found.from - 1) .. one.text end
  return out, found
end

describe('complete', function()
  before_each(function() ran = nil end)

  for _, row in ipairs(COMPLETED) do
    it(('of %q'):format(row[1]), function()
      assert.same(row[2], (applied(row[1])))
      assert.is_nil(ran, 'something ran')
    end)
  end

  it('offers everything where nothing is typed, but no keywords', function()
    local words = applied ''
    assert.truthy(#words > 8)
    for _, word in ipairs(words) do assert.is_not.equal('while', word) end
  end)

  it('tells of keys that are no names beside those that are', function()
    local _, found = applied 'svc.'
    assert.same({ "['my-app']", "['my-db']", "['o\\'clock']" }, found.also)
  end)

  it('offers no more than can be read', function()
    local big = {}
    for i = 1, 5000 do big['key' .. i] = i end
    local found = complete.at('big.', { root = { big = big } })
    assert.equal(200, #found.candidates)
  end)

  it('never runs anything and never fails, whatever the text is', function()
    local pieces = {
      'svc', 'pact', 'trap', 'object', 'loop', 'text', 'list', 'mine', 'web', '.', ':', '[', ']', '(', ')', "'", '"', '\\',
      '[[', ']]', '[=[', '--', '--[[', '\n', ' ', '..', '...', '::', '1', '0x', '.5', '1e', '=', '~=', '{', '}', ',', ';', '#',
      'é', '\xff', '\0', '\27', 'end', 'function', 'local', '%', '<', '/', 'http', 'my-app',
    }
    local seed = 1
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed // 65536 % n + 1
    end
    for _ = 1, tonumber(os.getenv 'PACTLUA_FUZZ') or 20000 do
      local parts = {}
      for i = 1, random(9) do parts[i] = pieces[random(#pieces)] end
      local code = table.concat(parts)
      local ok, found = pcall(complete.at, code, WORLD)
      assert.is_true(ok, ('%q: %s'):format(code, found))
      assert.is_nil(ran, ('%q ran something'):format(code))
      assert.is_true(found.from >= 1 and found.from <= #code + 1, ('%q: %d'):format(code, found.from))
      for _, one in ipairs(found.candidates) do assert.equal('string', type(one.text)) end
    end
  end)
end)

--- `timeline`: how a real run started, from its files, by a network that is up or has ended.
local functional = require 'functional'
local cjson = require 'cjson'
local case, quote = functional.case, functional.quote

-- db is slow, the task works, web needs both; cache is quick; flaky needs a second life.
local SHOP = [[
  pact.project 'shop'
  local function up(id, seconds) return ('sleep %g; touch %s.up; exec sleep 1000'):format(seconds, id) end
  pact.process 'db' { display_name = 'Data <b>&"base', shell = up('db', 1), health = { file = 'db.up' } }
  pact.process 'cache' { shell = up('cache', 0.1), health = { file = 'cache.up' } }
  pact.task 'migrate' { shell = 'sleep 0.4', depends_on = { 'db' } }
  pact.process 'web' { shell = 'sleep 0.3; echo listening; exec sleep 1000', health = { log = 'listening' },
    depends_on = { 'migrate', cache = 'healthy' } }
  pact.process 'flaky' { shell = 'test -f tried && exec sleep 1000; touch tried; exit 3', restart = { delay = '200ms', jitter = 0 } }
]]

local UTF8 = { env = { LC_ALL = 'C.UTF-8' } }

local function ended(t)
  t:recipe(SHOP)
  local result = t:run { 'run', 'net.lua', '--', 'true' }
  assert.equal(0, result.code, result.out .. result.err)
end

local function told(t, ...)
  local result = t:run({ 'timeline', '--json', ... })
  assert.equal(0, result.code, result.err)
  local timeline = cjson.decode(result.out)
  timeline.by = {}
  for _, service in ipairs(timeline.services) do timeline.by[service.id] = service end
  return timeline
end

local function phases_of(service)
  local out = {}
  for i, each in ipairs(service.phases) do out[i] = each.phase end
  return table.concat(out, ' ')
end

-- What a program of this machine says; its status 0 or an error.
local function output(command)
  local pipe = assert(io.popen(command .. ' 2>&1', 'r'))
  local text = pipe:read 'a'
  assert(pipe:close(), text)
  return text
end

describe('timeline', function()
  case('tells who waited for whom, and what cost most', function(t)
    ended(t)
    local timeline = told(t, '--all')
    local by = timeline.by
    assert.truthy(phases_of(by.web):find('^waiting s?t?a?r?t?i?n?g? ?probing ready'), phases_of(by.web))
    assert.truthy(phases_of(by.migrate):find('^waiting s?t?a?r?t?i?n?g? ?working completed'), phases_of(by.migrate))
    assert.truthy(phases_of(by.flaky):find('backoff', 1, true), phases_of(by.flaky))
    assert.equal(1, #by.flaky.restarts)
    assert.same({ 'db', 'migrate' }, { by.migrate.held_by, by.web.held_by })
    assert.is_true(by.cache.ready_at < by.db.ready_at and by.db.ready_at <= by.migrate.ready_at)
    assert.is_true(by.migrate.ready_at <= by.web.ready_at and by.web.ready_at <= timeline.ready_at)
    local ids = {}
    for _, step in ipairs(timeline.chain.steps) do ids[#ids + 1] = step.service end -- the recipe's own step has none
    assert.same({ 'db', 'migrate', 'web' }, ids)
    assert.equal('web', timeline.chain.last)
    assert.truthy(timeline.shutdown.reason, 'how it ended')
  end)

  case('is drawn for people, as wide as it is told, in the characters that there are', function(t)
    ended(t)
    local result = t:run({ 'timeline' }, { env = { LC_ALL = 'C', COLUMNS = '100' } })
    assert.equal(0, result.code, result.err)
    assert.falsy(result.out:find '[^\n\32-\126]', result.out)
    assert.truthy(result.out:find('> db ', 1, true) and result.out:find('  cache ', 1, true), result.out)
    assert.truthy(result.out:find('\nweb was ready last, after ', 1, true), result.out)
    assert.truthy(result.out:find('critical chain\n', 1, true), result.out)
    for line in result.out:gmatch '[^\n]+' do assert.is_true(#line <= 100, line) end
    local utf8_one = t:run({ 'timeline', 'web', 'db' }, UTF8)
    assert.truthy(utf8_one.out:find('▸ web', 1, true), utf8_one.out)
    assert.falsy(utf8_one.out:find('\n  cache', 1, true), utf8_one.out)
  end)

  case('has colours on a terminal, and none with NO_COLOR', function(t)
    ended(t)
    local coloured = t:run({ 'timeline' }, { tty = true, env = { LC_ALL = 'C.UTF-8', TERM = 'xterm', NO_COLOR = false } })
    assert.truthy(coloured.out:find '\27%[%d+m', coloured.out)
    local plain = t:run({ 'timeline' }, { tty = true, env = { LC_ALL = 'C.UTF-8', TERM = 'xterm', NO_COLOR = '1' } })
    assert.falsy(plain.out:find('\27', 1, true), plain.out)
  end)

  case('draws what is up, from a directory below, and goes on as it does', function(t)
    t:up(SHOP)
    t:wait_service('web', { status = 'running' })
    t:file('sub/x', '')
    local first = cjson.decode(t:run({ 'timeline', '--json', '--all' }, { cwd = t:path 'sub' }).out)
    assert.is_true(first.live)
    assert.is_nil(first.shutdown)
    functional.wait('time to go on', function() return told(t, '--all').last > first.last end)
    t:run { 'restart', 'cache' }
    t:wait_service('cache', { status = 'running', epoch = 2 })
    local cache = told(t, '--all').by.cache
    assert.equal(1, #cache.restarts)
    local start = told(t)
    assert.is_true(start.to <= start.ready_at * 1.1 + 1, 'the start is what is shown')
  end)

  case('says what a start hung on that never was one', function(t)
    t:up([[
      pact.process 'db' { command = { 'sleep', '1000' }, health = { file = 'never' } }
      pact.process 'api' { command = { 'sleep', '1000' }, depends_on = { 'db' } }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { 'api' } }
    ]], nil)
    t:wait_service('db', { status = 'starting' })
    functional.wait('a probe', function()
      for _, line in ipairs(t:lines(t:state '/events%.jsonl$'[1])) do
        if line:find('"probe"', 1, true) then return true end
      end
    end)
    local result = t:run { 'timeline' }
    local words = result.out:gsub('\n +', ' ')
    assert.truthy(words:find('3 of 3 services not ready, up for', 1, true), result.out)
    assert.truthy(words:find('not ready\ndb: alive, not ready for [^\n]*never[^\n]*; api and web waited behind it'), result.out)
  end)

  case('knows what a reload has brought, from then on', function(t)
    t:up [[ pact.process 'a' { command = { 'sleep', '1000' } } ]]
    t:wait_service('a', { status = 'running' })
    t:recipe [[ pact.process 'a' { command = { 'sleep', '1000' } }
      pact.process 'late' { shell = 'sleep 0.2; touch up; exec sleep 1000', depends_on = { 'a' }, health = { file = 'up' } } ]]
    assert.equal(0, t:run({ 'reload' }).code)
    t:wait_service('late', { status = 'running' })
    local timeline = told(t, '--all')
    local late = timeline.by.late
    assert.is_true(late.phases[1].from > timeline.by.a.ready_at, 'nothing of it before')
    assert.truthy(phases_of(late):find('probing ready', 1, true), phases_of(late))
    assert.equal('a', timeline.chain.last)
  end)

  case('ends where the journal does when all was killed', function(t)
    local network = t:up(SHOP)
    t:wait_service('web', { status = 'running' })
    local roles = network:roles()
    functional.kill { roles.guard, roles.engine, network.pid }
    network:wait()
    assert.is_true(t:exists '.pactlua/shop/control.sock')
    local first = told(t, '--all')
    assert.is_false(first.live)
    assert.is_nil(first.shutdown)
    assert.equal(first.last, told(t, '--all').last)
    assert.truthy(t:run({ 'timeline' }).out:find('known for', 1, true))
    os.remove(t:path '.pactlua/shop/control.sock')
  end)

  case('finds runs by name, by the beginning of one, and the one before; a wrong one lists those there are', function(t)
    t:recipe 'pact.task "first" { command = { "true" } }'
    t:run { 'net.lua', '--exit' }
    t:recipe 'pact.task "second" { command = { "true" } }'
    t:run { 'net.lua', '--exit' }
    local names = {}
    for _, path in ipairs(t:state '/runs/[^/]+$') do names[#names + 1] = path:match '[^/]+$' end
    assert.equal(2, #names)
    assert.is_table(told(t).by.second)
    assert.is_table(told(t, '--previous').by.first)
    assert.is_table(told(t, '--run', names[1]).by.first)
    assert.is_table(told(t, '--run=' .. names[2]:sub(1, -2)).by.second)
    local wrong = t:run { 'timeline', '--run', 'tomorrow' }
    assert.equal(1, wrong.code)
    assert.equal(("pactlua: timeline: no run 'tomorrow': there are %s, %s\n"):format(names[2], names[1]), wrong.err)
  end)

  -- arguments, what stands on stderr, status
  local mistakes = {
    { { 'wbe' }, "no service 'wbe' in this run (did you mean 'web'?)", 1 },
    { { '--run', 'x', '--previous' }, '--run and --previous: one of them only', 2 },
    { { '--svg', '-', '--json' }, '--json and --svg -: one of them only', 2 },
    { { '--from', '5h' }, 'nothing is between 5 h and', 2 },
    { { '--from', 'soon' }, "--from must be a duration such as '500ms'", 2 },
    { { '--svg', 'no/such/dir.svg' }, 'no/such/dir.svg', 1 },
    { { '--project', 'other' }, 'no run of a network here or above', 4 },
  }
  case('says what is wrong', function(t)
    ended(t)
    for _, row in ipairs(mistakes) do
      local result = t:run { 'timeline', table.unpack(row[1]) }
      assert.truthy(result.err:find(row[2], 1, true), result.err)
      assert.equal(row[3], result.code, result.err)
      assert.equal('', result.out)
    end
  end)

  case('is 4 where no network ever was', function(t)
    local result = t:run { 'timeline' }
    assert.same({ 4, 'pactlua: timeline: no run of a network here or above\n' }, { result.code, result.err })
  end)

  case('writes SVG that a strict parser reads', function(t)
    ended(t)
    assert.equal(0, t:run({ 'timeline', '--svg', 'a.svg', '--html', 'a.html' }).code)
    output('xmllint --noout ' .. quote(t:path 'a.svg'))
    local to_stdout = t:run { 'timeline', '--svg', '-' }
    assert.equal(t:read 'a.svg', to_stdout.out)
    local named = output('xmllint --xpath ' .. quote 'string(//*[local-name()="text"]/*[local-name()="title"][contains(.,"Data")])' .. ' '
      .. quote(t:path 'a.svg'))
    assert.equal('db (Data <b>&"base)', (named:gsub('\n$', '')))
  end, not os.execute 'command -v xmllint >/dev/null' and 'xmllint is missing')
end)

-- What the page measures of itself: texts that lie over each other or beyond the picture, and its colours.
local PROBE = [[<pre id="found"></pre><script>
const texts = [...document.querySelectorAll('svg text')], svg = document.querySelector('svg').getBoundingClientRect();
const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()]), found = [];
boxes.forEach(([name, a], i) => {
  if (a.left < svg.left - 1 || a.right > svg.right + 1 || a.bottom > svg.bottom + 1) found.push('outside: ' + name);
  boxes.slice(i + 1).forEach(([other, b]) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3) found.push(name + ' over ' + other);
  });
});
const style = getComputedStyle(document.body);
document.getElementById('found').textContent = 'texts ' + boxes.length + ';' + found.join(';') + ';' + style.backgroundColor + ';' + style.color
  + ';rows ' + document.querySelectorAll('table:last-of-type tbody tr').length + ';bold ' + document.querySelectorAll('svg b, table b').length;
</script>]]

-- Headless and without the network; scheme 0 is dark, 1 light.
local function browsed(t, page, scheme)
  local profile = t:path('profile-' .. scheme)
  local dom = output(('HOME=%s timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run '
    .. '--disable-background-networking --disable-component-update --disable-sync --disable-breakpad --window-size=1200,900 '
    .. '--blink-settings=preferredColorScheme=%d --user-data-dir=%s --dump-dom %s 2>/dev/null'):format(quote(t.dir), scheme,
    quote(profile), quote('file://' .. page)))
  return dom:match '<pre id="found">(.-)</pre>' or error('the page has no answer:\n' .. dom:sub(1, 2000))
end

describe('the page of a timeline in a browser', function()
  local missing = not os.execute 'command -v chromium >/dev/null' and 'chromium is missing'

  case('is legible in light and dark; no text lies over another', function(t)
    ended(t)
    assert.equal(0, t:run({ 'timeline', '--html', 'a.html' }).code)
    local page = t:file('probed.html', (t:read('a.html'):gsub('</body>', function() return PROBE .. '</body>' end)))
    local light, dark = browsed(t, page, 1), browsed(t, page, 0)
    local count, rest = light:match '^texts (%d+);(.*)$'
    assert.is_true(tonumber(count) > 15, light)
    local rows = #told(t).chain.steps + 5
    assert.equal((';rgb(255, 255, 255);rgb(28, 33, 40);rows %d;bold 0'):format(rows), rest)
    assert.equal(('texts %s;;rgb(20, 23, 28);rgb(230, 233, 238);rows %d;bold 0'):format(count, rows), dark)
  end, missing)
end)

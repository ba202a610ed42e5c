--- Pictures of a run that is made up: as text, as SVG, as a page, as JSON.
local chain = require 'pact.observe.timeline.chain'
local draw = require 'pact.observe.timeline.draw'
local html = require 'pact.observe.timeline.html'
local json = require 'pact.base.json'
local phases = require 'pact.observe.timeline.phases'
local record = require 'pact.observe.timeline.record'
local scale = require 'pact.observe.timeline.scale'
local style = require 'pact.observe.style'
local svg = require 'pact.observe.timeline.svg'

local function columns(s) return utf8.len(s) or #s end

local PLAN = {
  head = { began = 0, wanted_at = 0, project = 'shop', at = 1767225600000 },
  services = {
    { id = 'db', display_name = 'Data <b>&"base\27[31m', wanted = true, needs = {}, task = false },
    { id = 'migrate', wanted = true, needs = { { id = 'db', condition = 'ready' } }, task = true },
    { id = 'flaky', wanted = true, needs = {}, task = false },
    { id = 'web', wanted = true, needs = { { id = 'migrate', condition = 'ready' } }, task = false },
  },
}

local STORY = {
  { 0, 'started', 'db' }, { 0, 'started', 'flaky' }, { 0, 'ready', 'flaky' }, { 1000, 'crashed', 'flaky', { reason = 'exit code 1' } },
  { 2000, 'started', 'flaky' }, { 2000, 'restarted', 'flaky' }, { 2000, 'ready', 'flaky' },
  { 4000, 'ready', 'db', { reason = "logged '<ready> & \"up\"'" } },
  { 4000, 'started', 'migrate', { held_by = 'db', spent = { waiting = 4000 } } },
  { 5000, 'ready', 'migrate', { to = 'completed', reason = 'exit code 0' } }, { 5000, 'completed', 'migrate' },
  { 5000, 'started', 'web', { held_by = 'migrate', spent = { waiting = 5000 } } }, { 8000, 'ready', 'web', { reason = 'http 200' } },
  { 8000, 'all_ready' }, { 20000, 'unhealthy', 'web', { reason = 'http 503' } }, { 30000, 'healthy', 'web' },
  { 40000, 'shutdown', nil, { reason = 'Ctrl-C' } }, { 45000, 'stopped', 'web', { spent = { stopping = 5000 } } },
}

local function line_of(events)
  local services = {}
  for i, service in ipairs(PLAN.services) do
    services[i] = {}
    for key, value in pairs(service) do services[i][key] = value end
  end
  local fold = phases.new { head = PLAN.head, services = services }
  for seq, row in ipairs(events or STORY) do
    local event = { seq = seq, mono = row[1], name = row[2], service = row[3], spent = {} }
    for key, value in pairs(row[4] or {}) do event[key] = value end
    fold:event(event)
  end
  local line = fold:finish()
  line.run = '20260101T000000-000'
  return line
end

local function picture(line, opts)
  local hung, count, wanted = chain.hung(line)
  return {
    line = line, window = assert(scale.window(line, opts or {})), services = line.services, chain = chain.of(line), hung = hung,
    counts = { hung = count, wanted = wanted }, measure = columns,
  }
end

local function drawn(line, width, opts, how, services)
  local it = picture(line, opts)
  it.services = services or it.services
  return draw.render(line, it.window, {
    width = width, unicode = how == 'unicode', style = style.new(how == 'colour'), measure = columns, services = it.services,
    chain = it.chain, hung = it.hung, counts = it.counts,
  })
end

describe('a timeline as text', function()
  it('shows the start, told apart without colours, and its chain in words', function()
    assert.equal([[
shop, run 20260101T000000-000: all ready after 8 s, 1 restart, ended after 45 s
          0            2 s           4 s           6 s           8 s
          +------------+-------------+-------------+-------------+-----    READY
> db      ????????????????????????????#################################       4s
> migrate ............................%%%%%%%==========================       5s
  flaky   #######~~~~~~R###############################################      0ms
> web     ...................................????????????????????######       8s
. waiting  ? alive, not ready  % task at work  # ready
~ pause before a restart  = completed  R restart

critical chain
  db            4s  50%  probing 4 s: logged '<ready> & "up"'
  migrate       1s  13%  at work 1 s
  web           3s  38%  probing 3 s: http 200
web was ready last, after 8 s: waited 5 s for migrate (at work 1 s), probing
  3 s. db cost most, 4 s (50 %), probing: logged '<ready> & "up"'
]], drawn(line_of(), 80))
  end)

  it('of a few services names all of the chain in full', function()
    local line = line_of()
    local shown = drawn(line, 80, nil, nil, { line.by_id.web })
    assert.truthy(shown:find('\n  migrate       1s  13%  at work 1 s\n', 1, true), shown)
  end)

  it('shows the whole run when that is asked for, or a part of it', function()
    local all = drawn(line_of(), 60, { all = true })
    assert.truthy(all:find('> web     .....??###########!!!!!!!!!!########vvvvv', 1, true), all)
    local part = drawn(line_of(), 60, { from = 18000, to = 32000 })
    assert.truthy(part:find('20 s', 1, true), part)
    assert.is_nil(part:find(' 0 ', 1, true), part)
    assert.same({ nil, 'nothing is between 5 s and 1 s: the run took 45 s' }, { scale.window(line_of(), { from = 5000, to = 1000 }) })
  end)

  it('adds colours to glyphs, never instead of them', function()
    local plain, coloured = drawn(line_of(), 80), drawn(line_of(), 80, nil, 'colour')
    assert.equal(plain, (coloured:gsub('\27%[%d+m', '')))
    assert.are_not.equal(plain, coloured)
  end)

  it('has other glyphs where there is more than ASCII', function()
    local shown = drawn(line_of(), 80, nil, 'unicode')
    assert.truthy(shown:find('▸ migrate ····························▓▓▓▓▓▓▓───', 1, true), shown)
    assert.is_nil(drawn(line_of(), 80):find '[\128-\255]')
  end)

  for _, width in ipairs { 1, 20, 21, 43, 44, 60, 80, 109, 110, 200 } do
    it(('keeps within %d columns'):format(width), function()
      for _, how in ipairs { 'ascii', 'unicode' } do
        for row in drawn(line_of(), width, nil, how):gmatch '[^\n]+' do
          if row:find '[^%w]' then assert.is_true(columns(row) <= math.max(width, 28), row) end
        end
      end
    end)
  end

  it('says what a start hung on that never was one', function()
    local shown = drawn(line_of { { 0, 'started', 'db' }, { 900, 'probe', 'db', { ok = false, reason = 'connection refused' } },
      { 0, 'started', 'flaky' }, { 0, 'ready', 'flaky' }, { 9000, 'shutdown' } }, 80)
    assert.truthy(shown:find('3 of 4 services not ready, ended after 9 s', 1, true), shown)
    assert.truthy(shown:find('not ready\ndb: alive, not ready for 9 s: connection refused; migrate and web waited behind\n  it\n', 1, true), shown)
  end)

  it('says which line has not come', function()
    local line = line_of { { 0, 'started', 'db' }, { 9000, 'shutdown' } }
    line.by_id.db.log = 'ready to accept'
    local shown = drawn(line, 100)
    assert.truthy(shown:find("db: alive, not ready for 9 s: 'ready to accept' has not been logged; migrate", 1, true), shown)
  end)
end)

describe('the axis', function()
  -- from, to, most → texts
  local rows = {
    { 0, 100, 5, '0, 20 ms, 40 ms, 60 ms, 80 ms, 100 ms' }, { 0, 2300, 5, '0, 0.5 s, 1 s, 1.5 s, 2 s' },
    { 0, 8800, 5, '0, 2 s, 4 s, 6 s, 8 s' }, { 0, 90000, 6, '0, 15 s, 30 s, 45 s, 1 m, 1 m 15 s, 1 m 30 s' },
    { 0, 36000000, 6, '0, 2 h, 4 h, 6 h, 8 h, 10 h' }, { 18000, 32000, 3, '20 s, 25 s, 30 s' }, { 0, 1, 10, '0, 1 ms' },
  }
  for _, row in ipairs(rows) do
    it(('from %d to %d has round ticks'):format(row[1], row[2]), function()
      local out = {}
      for i, tick in ipairs(scale.ticks(row[1], row[2], row[3])) do out[i] = tick.text end
      assert.equal(row[4], table.concat(out, ', '))
    end)
  end

  it('shows in a cell what was there longest, and a short failure rather than nothing', function()
    local line = line_of { { 0, 'started', 'db' }, { 300, 'ready', 'db' }, { 990, 'crashed', 'db' }, { 1030, 'started', 'db' }, { 1040, 'ready', 'db' },
      { 2000, 'shutdown' } }
    local cells = scale.cells(line.by_id.db, 0, 2000, 20)
    assert.same({ 'probing', 'probing', 'probing', 'ready' }, { table.unpack(cells, 1, 4) })
    assert.equal('backoff', cells[11])
    assert.same({ { what = 'probing', first = 1, last = 3 }, { what = 'ready', first = 4, last = 10 } },
      { table.unpack(scale.runs(cells, 20), 1, 2) })
  end)
end)

-- Well-formed enough: every tag is closed by its own, attributes are quoted, no bare & or <.
local function check_xml(text)
  local open = {}
  text = text:gsub('<!DOCTYPE[^>]*>', ''):gsub('<style>.-</style>', ''):gsub('<meta [^>]*>', '')
  for before, slash, name, rest in text:gmatch '([^<]*)<(/?)(%a%w*)([^<>]*)>' do
    assert.is_nil(before:gsub('&%a+;', ''):gsub('&#%d+;', ''):find '[&>]', before)
    if slash == '/' then
      assert.equal(table.remove(open), name)
    else
      assert.equal('', (rest:gsub('%s+[%w-:]+="[^"]*"', ''):gsub('[%s/]', '')), rest)
      if not rest:find '/$' then open[#open + 1] = name end
    end
  end
  assert.same({}, open)
end

describe('a timeline as a picture', function()
  it('is well-formed whatever services are called and say', function()
    local shown = svg.render(picture(line_of()))
    check_xml(shown)
    assert.truthy(shown:find('Data &lt;b&gt;&amp;&quot;base', 1, true), shown)
    assert.truthy(shown:find('db (Data &lt;b&gt;&amp;&quot;base\\x1B[31m)', 1, true), shown)
    assert.is_nil(shown:find '[%z\1-\8\11-\31]')
    check_xml(html.render(picture(line_of())))
  end)

  it('has a name, a description, both colour schemes, and stands alone', function()
    local shown = svg.render(picture(line_of()))
    assert.truthy(shown:find('<title id="tl-name">shop: timeline of run 20260101T000000-000</title>', 1, true))
    assert.truthy(shown:find('all ready after 8 s, 1 restart, ended after 45 s. web was ready last', 1, true))
    assert.truthy(shown:find('prefers-color-scheme:dark', 1, true))
    for _, made in ipairs { shown, html.render(picture(line_of())) } do
      assert.is_nil((made:gsub('xmlns="http://www.w3.org/2000/svg"', '')):find('://', 1, true))
      assert.is_nil(made:find '<script')
    end
  end)

  it('frames each step of the chain once, with what it cost', function()
    local shown = svg.render(picture(line_of()))
    local _, frames = shown:gsub('<rect class="tl%-chain"', '')
    assert.equal(4, frames) -- three steps and the legend's
    for _, cost in ipairs { '>4 s<', '>1 s<', '>3 s<' } do assert.truthy(shown:find('class="tl%-cost"[^>]*' .. cost), cost) end
    local _, arrows = shown:gsub('tl%-arrow" d', '')
    assert.equal(2, arrows)
  end)

  it('shows what a phase was in its tooltip', function()
    local shown = svg.render(picture(line_of(), { all = true }))
    assert.truthy(shown:find('flaky: pause before a restart 1 s, from 1 s to 2 s: exit code 1', 1, true), shown)
    assert.truthy(shown:find('web: unhealthy 10 s, from 20 s to 30 s: http 503', 1, true), shown)
    assert.truthy(shown:find('<title>restart</title>', 1, true), shown)
  end)

  it('has figures of each service on the page', function()
    local shown = html.render(picture(line_of()))
    shown = shown:gsub(' class="n"', '')
    assert.truthy(shown:find('<td>web</td><td>migrate</td><td>5 s</td><td></td><td>3 s</td><td>8 s</td>', 1, true), shown)
    assert.truthy(shown:find('<td>10 s</td><td>ready</td>', 1, true), shown) -- unhealthy, before the end
  end)

  it('stays small where a service has had thousands of lives', function()
    local events = {}
    for i = 0, 20000 do
      events[#events + 1] = { i * 100, 'started', 'db' }
      events[#events + 1] = { i * 100, 'restarted', 'db' }
      events[#events + 1] = { i * 100 + 50, 'crashed', 'db' }
    end
    assert.is_true(#svg.render(picture(line_of(events))) < 1 << 20)
    assert.is_true(#drawn(line_of(events), 80) < 4000)
  end)
end)

describe('a timeline as JSON', function()
  it('has phases, restarts, unhealthy stretches and the chain', function()
    local told = json.decode(record.encode(picture(line_of(), { all = true })))
    assert.same({ 'shop', 8000, 45000, 40000 }, { told.project, told.ready_at, told.last, told.shutdown.at })
    assert.same({ { phase = 'waiting', from = 0, to = 5000 }, { phase = 'probing', from = 5000, to = 8000 },
      { phase = 'ready', from = 8000, to = 40000, reason = 'http 200' }, { phase = 'stopping', from = 40000, to = 45000 } },
      told.services[4].phases)
    assert.same({ { from = 20000, to = 30000, reason = 'http 503' } }, told.services[4].unhealthy)
    assert.same({ 2000 }, told.services[3].restarts)
    assert.same({ 'db', 'web', 3 }, { told.chain.costliest, told.chain.last, #told.chain.steps })
    assert.is_nil(told.not_ready)
  end)
end)

--- `top`: figures of two looks, what keys do, and screens of any size.
local draw = require 'pact.observe.top.draw'
local figures = require 'pact.observe.top.figures'
local style = require 'pact.observe.style'
local view = require 'pact.observe.top.view'

local SYSTEM = { cpus = 4, load = 0.5, mem_total = 8 << 30, mem_available = 6 << 30, cpu_busy = 1000, cpu_total = 4000 }

local function system(busy, total)
  local out = {}
  for key, value in pairs(SYSTEM) do out[key] = value end
  out.cpu_busy, out.cpu_total = busy, total
  return out
end

local function service(id, fields)
  local out = { id = id, status = 'running', health = 'none', pid = 100, cpu_time = 0, memory = 1 << 20, processes = 1, uptime = 10000 }
  for key, value in pairs(fields or {}) do out[key] = value end
  return out
end

local function columns(s) return utf8.len(s) or #s end

local function look(colour)
  return { project = 'shop', uptime = 61000, style = style.new(colour or false), measure = columns }
end

local function ids(rows)
  local out = {}
  for i, row in ipairs(rows) do out[i] = row.id end
  return table.concat(out, ' ')
end

describe('figures of services', function()
  it('are of the time between two looks; of a first one, since the start', function()
    local it_ = figures.new()
    local first = it_:take({ service('a', { cpu_time = 5000 }), service('b', { cpu_time = 100 }) }, SYSTEM, 1000, 1)
    assert.same({ 50, 1 }, { first.rows[1].cpu, first.rows[2].cpu })
    assert.is_nil(first.machine.cpu)
    local second = it_:take({ service('a', { cpu_time = 5250 }), service('b', { cpu_time = 2100 }) }, system(1500, 5000), 2000, 2)
    assert.same({ 25, 200, 225 }, { second.rows[1].cpu, second.rows[2].cpu, second.cpu })
    assert.equal(50, second.machine.cpu)
    assert.same({ 2 << 20, 2, 2 }, { second.memory, second.processes, second.counts.running })
  end)

  it('are not of another process with the same name, and never below nothing', function()
    local it_ = figures.new()
    it_:take({ service('a', { cpu_time = 9000 }), service('b', { cpu_time = 900 }) }, SYSTEM, 1000, 1)
    local second = it_:take({ service('a', { cpu_time = 50, pid = 200, uptime = 500 }), service('b', { cpu_time = 400 }) }, SYSTEM, 2000, 2)
    assert.same({ 10, 0 }, { second.rows[1].cpu, second.rows[2].cpu })
  end)

  it('are none of who has no process', function()
    local row = figures.new():take({ { id = 'x', status = 'external' }, { id = 'w', status = 'waiting' } }, SYSTEM, 1, 1).rows[1]
    assert.same({ nil, nil, nil, 0 }, { row.cpu, row.memory, row.processes, row.restarts })
  end)
end)

describe('the view', function()
  local rows = {
    { id = 'a', status = 'running', cpu = 5, memory = 30, restarts = 0, place = 1 },
    { id = 'Bee', status = 'failed', restarts = 3, place = 2 },
    { id = 'c', status = 'running', cpu = 50, memory = 10, restarts = 0, place = 3 },
    { id = 'd', status = 'running', cpu = 5, memory = 20, restarts = 1, place = 4 },
  }

  -- keys → order of the rows
  local pressed = {
    { '', 'c a d Bee' }, { '>', 'a d c Bee' }, { '<', 'a Bee c d' }, { 'r', 'Bee a d c' }, { '>>', 'Bee a c d' }, { '/B\r', 'Bee' },
    { '/b\27', 'c a d Bee' }, { '/b\127\r', 'c a d Bee' }, { '/b\r\27', 'c a d Bee' }, { '/zz\r', '' }, { '\27[C', 'a d c Bee' },
    { '\27OD\27[D', 'Bee d a c' }, { '/q\r', '' }, { '/é\127\r', 'c a d Bee' },
  }
  for _, row in ipairs(pressed) do
    it(('after %q'):format(row[1]), function()
      local state = view.new()
      for _, key in ipairs(view.keys(row[1])) do assert.is_nil(state:press(key, 10)) end
      assert.equal(row[2], ids(state:rows(rows)))
    end)
  end

  it('ends, stops and looks again when told so, also while a filter is written', function()
    local state = view.new()
    assert.same({ 'quit', 'interrupt', 'suspend', 'again' }, { state:press('q', 1), state:press('\3', 1), state:press('\26', 1), state:press(' ', 1) })
    state:press('/', 1)
    assert.is_nil(state:press('q', 1))
    assert.equal('interrupt', state:press('\3', 1))
  end)

  it('knows keys by what terminals send, whatever comes', function()
    assert.same({ 'a', 'up', 'page_down', 'é', 'escape', '\r', 'home' }, view.keys 'a\27[A\27[6~é\27\r\27[1~')
    assert.same({}, view.keys '\27[99;7X\xff\xfe\0')
    math.randomseed(5)
    for _ = 1, 2000 do
      local bytes, state = {}, view.new()
      for i = 1, math.random(12) do bytes[i] = string.char(math.random(4) == 1 and 27 or math.random(0, 255)) end
      for _, key in ipairs(view.keys(table.concat(bytes))) do state:press(key, 5) end
      state:rows(rows)
    end
  end)

  it('refuses columns that there are not', function()
    local none, message = view.new 'memroy'
    assert.is_nil(none)
    assert.truthy(message:find("--sort 'memroy' is no column (did you mean 'memory'?): name, status,", 1, true), message)
  end)
end)

describe('the screen', function()
  local function sample(count)
    local services = {}
    for i = 1, count do
      services[i] = service(('service-%d'):format(i), { cpu_time = i * 10, health = i == 3 and 'unhealthy' or 'healthy', restart_count = i == 2 and 7 or nil })
    end
    return figures.new():take(services, SYSTEM, 1, 1)
  end

  it('is within every size', function()
    local it_ = sample(30)
    for _, width in ipairs { 1, 5, 20, 33, 40, 60, 80, 100, 200 } do
      for height = 1, 40 do
        local lines = draw.screen(it_, view.new(), look(), width, height)
        assert.is_true(#lines <= height, ('%d lines of %d'):format(#lines, height))
        for _, line in ipairs(lines) do assert.is_true(columns(line) <= math.max(width, 9), ('%d: %s'):format(width, line)) end
      end
    end
  end)

  it('keeps what matters most where there is little room', function()
    assert.same({ 'shop  up 1 m 1 s  30 services: 30 running…', 'SERVICE     STATUS       *CPU   MEMORY', 'service-30  running      3.0%   1.0 MB',
      'service-29  running      2.9%   1.0 MB' }, draw.screen(sample(30), view.new(), look(), 42, 4))
    assert.equal('SERVICE       *CPU', draw.screen(sample(30), view.new(), look(), 20, 4)[2])
    assert.equal('SERVICE    *RESTARTS', (draw.screen(sample(3), view.new 'restarts', look(), 20, 3)[1]:gsub(' +$', '')))
  end)

  it('scrolls no further than its end', function()
    local state = view.new()
    state:press('end', 5)
    local lines = draw.screen(sample(30), state, look(), 80, 10)
    assert.truthy(lines[9]:find('service-1 ', 1, true), lines[9])
    assert.truthy(lines[10]:find('25-30 of 30', 1, true), lines[10])
    state:press('page_up', draw.page(10))
    lines = draw.screen(sample(30), state, look(), 80, 10)
    assert.truthy(lines[10]:find('19-24 of 30', 1, true), lines[10])
  end)

  it('shows the filter that is written, and the one that holds', function()
    local state = view.new()
    for _, key in ipairs(view.keys '/ice-2') do state:press(key, 5) end
    assert.equal('/ice-2_', draw.screen(sample(30), state, look(), 80, 12)[12])
    state:press('\r', 5)
    assert.truthy(draw.screen(sample(30), state, look(), 80, 12)[12]:find('/ice-2 (Esc: all)', 1, true))
  end)

  it('is the same with colours, but for them', function()
    local plain, coloured = draw.screen(sample(5), view.new(), look(), 100, 12), draw.screen(sample(5), view.new(), look(true), 100, 12)
    for i, line in ipairs(coloured) do
      local bare = line:gsub('\27%[%d+m', '')
      assert.equal((plain[i]:gsub(' %*CPU', '  CPU')), bare)
    end
    assert.truthy(table.concat(coloured):find('\27[31munhealthy', 1, true))
  end)

  it('shows no control character of a name', function()
    local it_ = figures.new():take({ service('a\27[2Jb\nc') }, SYSTEM, 1, 1)
    for _, line in ipairs(draw.screen(it_, view.new(), look(), 80, 10)) do assert.is_nil(line:find '%c') end
  end)

  it('as text is all there is', function()
    local text = draw.plain(sample(2), view.new(), look())
    assert.equal([[
shop  up 1 m 1 s  2 services: 2 running  cpu 0.3%, 2.0 MB, 2 processes
machine  load 0.50  memory 2.0 GB of 8.0 GB
SERVICE    STATUS   HEALTH   PID   UP  RESTARTS  PROCS   CPU  MEMORY
service-2  running  healthy  100  10s         7      1  0.2%  1.0 MB
service-1  running  healthy  100  10s                1  0.1%  1.0 MB
]], text)
  end)
end)

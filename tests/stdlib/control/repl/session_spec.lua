--- A REPL's client over a made-up editor and a made-up network: what is asked, shown and left, and when.
local disk = require 'pact.sim.disk'
local json = require 'pact.base.json'
local sched = require 'pact.base.sched'
local session = require 'pact.control.repl.session'
local sim_sys = require 'pact.sim.sys'

---@param opts? { typed?: boolean, editor?: boolean } typed: at a terminal; editor: false where there is no libedit
local function open(opts)
  opts = opts or {}
  local sys, world = sim_sys.new()
  local it = { shown = '', err = '', prompts = {}, asked = {}, remembered = {}, completed = {} }
  sys.fs = disk.new()
  sys.os.isatty = function() return opts.typed ~= false end
  sys.os.terminal_size = function() return 80, 24 end
  sys.os.write = function(_, words) it.err = it.err .. words return true end
  sys.os.signals = { INT = 2, PIPE = 13, QUIT = 3, HUP = 1 }
  sys.time.on_signal = function() end
  local edit = 900
  sys.edit = {
    open = function(editing)
      if editing and opts.editor == false then return nil, 'no libedit here', 'ENOSYS' end
      it.editing = editing
      return edit
    end,
    close = function() it.closed = true end,
    read = function(prompt) it.prompts[#it.prompts + 1] = prompt it.reading = true end,
    typed = function() return it.typed ~= nil end,
    cancel = function() local was = it.reading it.reading = false return was end,
    write = function(words) if it.full then return nil, 'stdout: full', it.full end it.shown = it.shown .. words return true end,
    remember = function(entry) it.remembered[#it.remembered + 1] = entry end,
    complete = function(...) it.completed[#it.completed + 1] = { ... } return true end,
    suspend = function() end, clear = function() end,
    resize = function() assert(not it.closed, 'open comes first') it.resized = true end,
  }
  local loop = sched.new(sys)
  local link = { stop = {} }
  function link:stream(path, handlers)
    link[path:match '^[^?]*'] = handlers
    return world:id()
  end
  function link:call(_, path, body, answer)
    it.asked[#it.asked + 1] = { path = path, body = body, answer = answer, id = world:id() }
    return it.asked[#it.asked].id
  end
  local cancel = sys.cancel
  function sys.cancel(id)
    it.cancelled = id
    return cancel(id)
  end
  it.repl = session.start {
    context = { sys = sys, env = { HOME = '/home/me', TERM = 'xterm', NO_COLOR = '1' } }, sched = loop, link = link,
    leave = function(status) it.left = status end,
  }

  function it.signal(name) world:event(0, 'signal', name) end

  ---A message of the network's end.
  function it.hear(message) link['/v1/repl'].line(json.encode(message)) end
  function it.over(why) link['/v1/repl'].ended(why) end
  function it.type(line)
    assert(it.reading, 'nobody asks for a line')
    it.reading = false
    world:event(edit, 'edit', 'line', line)
  end
  function it.key(what, ...) world:event(edit, 'edit', what, ...) end
  function it.interrupt() world:event(0, 'signal', 'INT') end
  function it.answer(status, body) it.asked[#it.asked].answer(status, body) end
  function it.prompt() return it.reading and it.prompts[#it.prompts] or nil end
  it.hear { type = 'hello', session = 7, project = 'shop' }
  it.shown = ''
  return it
end

describe('a REPL', function()
  it('hears of another size, but not when it has left', function()
    local it_ = open()
    it_.signal 'WINCH'
    assert.is_true(it_.resized)
    it_.repl:leave(0)
    it_.resized = nil
    it_.signal 'WINCH'
    assert.is_nil(it_.resized)
  end)

  it('asks, has lines run, and shows what comes of them', function()
    local it_ = open()
    assert.equal('shop> ', it_.prompt())
    it_.type '1 + 1'
    assert.is_nil(it_.prompt())
    local asked = it_.asked[1]
    assert.same({ '/v1/eval', '1 + 1', 7, 80 }, { asked.path, asked.body.code, asked.body.session, asked.body.width })
    it_.answer(200, { values = { '2' }, heard = 1 })
    assert.same({ '2\n', 'shop> ' }, { it_.shown, it_.prompt() })
  end)

  it('shows what was printed before what came of it, whichever comes first', function()
    local it_ = open()
    it_.type 'print "a" return 1'
    it_.answer(200, { values = { '1' }, heard = 3 })
    assert.equal('', it_.shown)
    it_.hear { type = 'output', text = 'a\n' }
    assert.is_nil(it_.prompt())
    it_.hear { type = 'output', text = 'b\n' }
    assert.same({ 'a\nb\n1\n', 'shop> ' }, { it_.shown, it_.prompt() })
  end)

  it('gives up a call at Ctrl-C, and hears no more of it', function()
    local it_ = open()
    it_.type 'pact.sleep "1h"'
    it_.interrupt()
    assert.same({ 'interrupted\n', 'shop> ', it_.asked[1].id }, { it_.shown, it_.prompt(), it_.cancelled })
    it_.asked[1].answer(200, { values = { 'late' }, heard = 1 })
    assert.equal('interrupted\n', it_.shown)
  end)

  it('is left with the status of os.exit', function()
    local it_ = open()
    it_.type 'os.exit(3)'
    it_.hear { type = 'leave', status = 3 }
    assert.equal(3, it_.left)
  end)

  it('ends at Ctrl-C what is shown as it comes, unless something is typed', function()
    local it_ = open()
    it_.type ':tail'
    it_.typed = 'x'
    it_.interrupt()
    assert.equal('', it_.shown)
    it_.typed = nil
    it_.interrupt()
    assert.equal('no log is followed any more\n', it_.shown)
    it_.interrupt()
    assert.equal('no log is followed any more\n', it_.shown)
    it_.interrupt()
    assert.truthy(it_.shown:find(':quit', 1, true))
  end)

  it('gives up lines at Ctrl-C, and tells at the second how to leave', function()
    local it_ = open()
    it_.type 'for i = 1, 2 do'
    assert.equal('    | ', it_.prompt())
    it_.interrupt()
    assert.same({ 'shop> ', '' }, { it_.prompt(), it_.shown })
    it_.interrupt()
    assert.truthy(it_.shown:find(':quit', 1, true))
    it_.type '1'
    assert.equal('1', it_.asked[1].body.code)
  end)

  it('leaves at the end of its lines; a person gives up what is not finished, a script has it run', function()
    local person, script = open(), open { typed = false }
    for _, it_ in ipairs { person, script } do
      it_.type 'f('
      it_.key 'end'
    end
    assert.same({ 0, 0 }, { person.left, #person.asked })
    assert.same({ nil, 'f(' }, { script.left, script.asked[1].body.code })
    script.answer(400, { error = 'eval:1: unexpected symbol near <eof>', code = 'syntax' })
    assert.same({ 1, true }, { script.left, script.closed })
  end)

  it('goes on after an error where a person types, and ends a script by it', function()
    for _, row in ipairs { { true, nil, '' }, { false, 1, 'eval:1: no\n' } } do
      local it_ = open { typed = row[1] }
      it_.type 'error "no"'
      it_.answer(422, { error = 'eval:1: no', code = 'raised', heard = 1, traceback = 'stack traceback:\n\teval:1: in main chunk' })
      assert.same({ row[2], row[3] }, { it_.left, it_.err })
      assert.equal(row[1] and 'eval:1: no\n' or '', it_.shown)
    end
  end)

  it('shows further places of an error', function()
    local it_ = open()
    it_.type 'f()'
    it_.answer(422, { error = 'no', code = 'raised', traceback = "stack traceback:\n\tnet.lua:5: in f\n\teval:1: in main chunk\n" })
    assert.equal('no\n  net.lua:5: in f\n  eval:1: in main chunk\n', it_.shown)
  end)

  it('leaves with the network: 0 when that ended in order, 4 when it is gone', function()
    local it_ = open()
    it_.hear { type = 'end', status = 3, reason = 'enough' }
    it_.over()
    assert.same({ 0, 'the network has ended: enough\n' }, { it_.left, it_.shown })
    it_ = open()
    it_.over 'connection reset'
    assert.same({ 4, 'the network is gone: connection reset\n' }, { it_.left, it_.shown })
  end)

  it('of a script ends with 4 when a line comes behind the end of the network', function()
    local it_ = open { typed = false }
    it_.hear { type = 'end', status = 0 }
    it_.over()
    assert.is_nil(it_.left)
    it_.type 'more'
    assert.same({ 4, 0 }, { it_.left, #it_.asked })
    it_ = open { typed = false }
    it_.hear { type = 'end', status = 0 }
    it_.over()
    it_.key 'end'
    assert.equal(0, it_.left)
  end)

  it('of a script ends with 4 when the network ends before a call', function()
    local it_ = open { typed = false }
    it_.type 'pact.sleep "1h"'
    it_.answer(409, { error = 'the network ended before it had an answer', code = 'cancelled' })
    assert.is_nil(it_.left)
    it_.hear { type = 'end', status = 0 }
    it_.over()
    assert.equal(4, it_.left)
  end)

  it('does without an editor, and says so', function()
    local it_ = open { editor = false }
    assert.is_false(it_.editing)
    it_.hear { type = 'hello', session = 7, project = 'shop' }
    assert.truthy(it_.shown:find('no libedit here', 1, true))
    it_.type '1'
    assert.equal(1, #it_.asked)
  end)

  it('ends as other programs do when it can say nothing more', function()
    for code, status in pairs { EPIPE = 256 + 13, EIO = 256 + 1, ENOSPC = 1 } do
      local it_ = open()
      it_.full = code
      it_.type '1'
      it_.answer(200, { values = { '1' } })
      assert.same({ status, code == 'ENOSPC' and 'pactlua: repl: stdout: full\n' or '' }, { it_.left, it_.err })
    end
  end)

  it('remembers what was typed as a whole', function()
    local it_ = open()
    it_.type 'for i = 1, 2 do'
    it_.type 'end'
    assert.same({ 'for i = 1, 2 do\nend' }, it_.remembered)
  end)

  it('refuses what is no text', function()
    local it_ = open()
    it_.type 'a\xff'
    assert.same({ 'the line is no text\n', 0, 'shop> ' }, { it_.shown, #it_.asked, it_.prompt() })
  end)

  it('completes with all that was typed of the chunk, in the line where the cursor is', function()
    local it_ = open()
    it_.type 'for i = 1, 2 do'
    it_.key('tab', 'svc.we rest', 6)
    local asked = it_.asked[1]
    assert.same({ '/v1/complete', 'for i = 1, 2 do\nsvc.we' }, { asked.path, asked.body.text })
    it_.answer(200, { from = 21, candidates = { { text = 'web', label = 'web' } } })
    assert.same({ { 'svc.we', 2, 'web' } }, it_.completed)
    it_.key('tab', 'svc.', 4)
    it_.answer(200, { from = 21, candidates = { { text = 'web', label = 'web' }, { text = 'db', label = 'db' } }, also = { "['a-b']" } })
    assert.equal("web      db       ['a-b']\n", it_.shown)
    it_.key('tab', '', 0)
    assert.same({ '', 0, '  ' }, it_.completed[2])
  end)

  it('completes commands by itself, and ids behind them by the network', function()
    local it_ = open()
    it_.key('tab', ':he', 3)
    assert.same({ { ':he', 2, 'help' } }, it_.completed)
    it_.key('tab', ':why my', 7)
    assert.equal("svc['my", it_.asked[1].body.text)
    it_.answer(200, { from = 6, candidates = { { text = "my-app']", label = 'my-app' } } })
    assert.same({ ':why my', 2, 'my-app' }, it_.completed[2])
  end)
end)

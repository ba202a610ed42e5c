--- What busted prints here: a line for each spec file, every failure where it happens, and at the
--- end one line with the counts, which tools/test reads.
require('eager').begin()

local busted = require 'busted'
local base = require 'busted.outputHandlers.base'

local function write(...)
  io.write(...)
  io.flush()
end

local function text_of(message)
  if type(message) == 'string' then return message end
  if message == nil then return 'nil error' end
  return require('pl.pretty').write(message)
end

-- Where it failed, in its spec; the file alone where the support has raised it.
local function place(trace, file)
  local source = (trace.short_src or ''):gsub('^%./', '')
  if file and source ~= file then return file .. ': ' end
  return source ~= '' and ('%s:%d: '):format(source, trace.currentline or 0) or ''
end

local function describe(handler, kind, failure, file)
  local trace = failure.trace or {}
  local where = place(trace, file)
  local name = failure.name or handler.getFullName(failure.element)
  write(('\n%s %s%s\n  %s\n'):format(kind, where, name, text_of(failure.message):gsub('\n', '\n  ')))
  if kind == 'ERROR' and trace.traceback then write('  ', trace.traceback:gsub('\n', '\n  '), '\n') end
end

return function(options)
  local handler = base()
  local started, file_started, file_name
  local before = {}

  local function counts()
    return handler.successesCount, handler.failuresCount + handler.errorsCount, handler.pendingsCount
  end

  local function elapsed(since) return os.difftime(os.time(), since) end

  local function describe_new()
    for i = before.failures + 1, #handler.failures do describe(handler, 'FAILED', handler.failures[i], file_name) end
    for i = before.errors + 1, #handler.errors do describe(handler, 'ERROR', handler.errors[i], file_name) end
    before.failures, before.errors = #handler.failures, #handler.errors
  end

  function handler.suiteStart()
    started = os.time()
    before.failures, before.errors = 0, 0
    return nil, true
  end

  function handler.fileStart(file)
    file_started, file_name = os.time(), (file.name or '?'):gsub('^%./', '')
    before.ok, before.bad = counts()
    return nil, true
  end

  function handler.testEnd()
    describe_new()
    return nil, true
  end

  function handler.fileEnd(file)
    describe_new()
    local ok, bad = counts()
    local name = file_name or file.name
    write(('%-52s %3d passed, %d failed  %4d s\n'):format(name, ok - before.ok, bad - before.bad,
      elapsed(file_started)))
    return nil, true
  end

  function handler.suiteEnd()
    describe_new()
    local ok, bad, pending = counts()
    for _, one in ipairs(handler.pendings) do write('pending: ', one.name or '?', '\n') end
    write(('%d passed, %d failed, %d pending, %d s\n'):format(ok, bad, pending, elapsed(started)))
    return nil, true
  end

  busted.subscribe({ 'suite', 'start' }, handler.suiteStart)
  busted.subscribe({ 'file', 'start' }, handler.fileStart)
  busted.subscribe({ 'file', 'end' }, handler.fileEnd)
  busted.subscribe({ 'test', 'end' }, handler.testEnd, { predicate = handler.cancelOnPending })
  busted.subscribe({ 'suite', 'end' }, handler.suiteEnd)
  handler.options = options
  return handler
end

--- The entry: what a process of each role does, as a list of named steps. A step that returns an
-- integer ends the process with it; false: no further step. Then the loop runs until sys.stop.

---@class main_context
---@field sys sys
---@field env table<string, string>
---@field invocation? invocation
---@field out fun(text: string)
---@field err fun(text: string)

local steps = {}

---The command line; who tells what is wrong with it is the front, or who stands alone.
function steps.parse(context)
  local sys = context.sys
  local invocation, message = require('pact.control.cli').parse(sys.args, {
    now = sys.time.wall(),
    exists = function(path)
      return sys.fs.stat(path) ~= nil
    end,
  })
  if not invocation then
    if sys.role ~= 'engine' then context.err(('pactlua: %s\n'):format(message)) end
    return 2
  end
  context.invocation = invocation
end

---A call for help is answered by who would tell of mistakes.
function steps.help(context)
  local invocation = context.invocation
  if not invocation.help then return end
  if context.sys.role == 'engine' then return 0 end
  return require('pact.control.verbs.help').about(context)
end

---Which recipe a network comes from; said by the front, known to both.
function steps.find_recipe(context)
  local recipe, message = require('pact.control.client.find').recipe(context.sys, context.invocation)
  if not recipe then
    if context.sys.role ~= 'engine' then context.err(('pactlua: %s\n'):format(message)) end
    return 2
  end
  context.recipe = recipe
end

-- Modules that have done their work; who needs one again loads it again.
local READ = { 'pact.control.cli', 'pact.control.cli.options', 'pact.control.cli.verbs', 'pact.control.client.find' }

---Gives back what reading the command line took: a network runs for hours.
function steps.forget_command_line()
  for _, name in ipairs(READ) do package.loaded[name] = nil end
end

function steps.engine(context)
  require('pact.base.json').use(context.sys.text.json)
  return require('pact.control.engine').run(context)
end

function steps.front(context)
  local module = context.invocation.verb == 'repl' and 'pact.control.repl.front' or 'pact.control.front'
  return require(module).run(context)
end

function steps.verb(context)
  local verb = require('pact.control.cli.verbs').by_name[context.invocation.verb]
  if not verb.module then
    context.err(("pactlua: '%s' can't be run here\n"):format(verb.name))
    return 1
  end
  return require('pact.control.verbs.' .. verb.module).run(context)
end

local pipelines = {
  engine = { 'parse', 'help', 'find_recipe', 'forget_command_line', 'engine' },
  front = { 'parse', 'help', 'find_recipe', 'forget_command_line', 'front' },
  solo = { 'parse', 'help', 'verb' },
}

-- Words may hold text of a recipe's or of a program's: on a terminal it moves nothing.
local function written(sys, fd, text)
  if sys.os.isatty(fd) then text = require('pact.observe.style').escaped(text) end
  return sys.os.write(fd, text)
end

-- An answer that can't be written is none: ends as other programs do, of a pipe that nobody reads
-- by SIGPIPE without a word, of a full disk with one.
local function output_lost(context, message, code)
  if context.lost then return end
  context.lost = code == 'EPIPE' and 256 + context.sys.os.signals.PIPE or 1
  if code ~= 'EPIPE' then context.err(('pactlua: %s\n'):format(message)) end
  context.sys.stop(context.lost)
end

---@param sys sys
---@return integer? status
return function(sys)
  local context = {
    sys = sys,
    env = sys.os.env(),
    err = function(text)
      written(sys, 2, text)
    end,
  }
  function context.out(text)
    local ok, message, code = written(sys, 1, text)
    if not ok then output_lost(context, message, code) end
  end
  for _, name in ipairs(pipelines[sys.role]) do
    local status = steps[name](context)
    if status ~= nil then return context.lost or status or nil end
  end
end

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
  local recipe, message = require('pact.control.find').recipe(context.sys, context.invocation)
  if not recipe then
    if context.sys.role ~= 'engine' then context.err(('pactlua: %s\n'):format(message)) end
    return 2
  end
  context.recipe = recipe
end

function steps.engine(context)
  return require('pact.control.engine').run(context)
end

function steps.front(context)
  return require('pact.control.front').run(context)
end

function steps.verb(context)
  local verb = require('pact.control.verbs').by_name[context.invocation.verb]
  if not verb.module then
    context.err(("pactlua: '%s' can't be run here\n"):format(verb.name))
    return 1
  end
  return require('pact.control.verbs.' .. verb.module).run(context)
end

local pipelines = {
  engine = { 'parse', 'help', 'find_recipe', 'engine' },
  front = { 'parse', 'help', 'find_recipe', 'front' },
  solo = { 'parse', 'help', 'verb' },
}

-- Words to the standard error may hold text of a recipe's: on a terminal it moves nothing.
local function err_of(sys)
  return function(text)
    if sys.os.isatty(2) then text = require('pact.observe.style').escaped(text) end
    sys.os.write(2, text)
  end
end

---@param sys sys
---@return integer? status
return function(sys)
  local context = {
    sys = sys,
    env = sys.os.env(),
    out = function(text)
      sys.os.write(1, text)
    end,
    err = err_of(sys),
  }
  for _, name in ipairs(pipelines[sys.role]) do
    local status = steps[name](context)
    if status ~= nil then return status or nil end
  end
end

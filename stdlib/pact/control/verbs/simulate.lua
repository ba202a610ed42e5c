--- `pactlua simulate RECIPE`: plays a recipe in virtual time and prints what happens and who decided it.

local begin = require 'pact.sim.begin'
local duration = require 'pact.base.duration'
local find = require 'pact.control.client.find'
local hosts = require 'pact.sim.host'
local json = require 'pact.base.json'
local sched = require 'pact.base.sched'
local style = require 'pact.observe.style'
local summary = require 'pact.observe.summary'
local mask = require 'pact.base.mask'
local text = require 'pact.base.text'
local timelines = require 'pact.sim.timeline'

local M = {}

local FOR_MS = 600000
local TURNS = 2000 -- between two looks at the real world
local GC_PAUSE = 400 -- a play is short and makes much that is soon forgotten

---@class simulate_run
---@field context main_context
---@field play play
local Run = {}
Run.__index = Run

-- What has happened waits for the end of a slice: until then it may be told who decided it.
function Run:entry(entry)
  self.count = self.count + 1
  if entry.kind == 'event' and entry.event.name == 'probe' then return end
  self.moments[#self.moments + 1] = self.timeline:moment(entry)
end

function Run:flush()
  local out = {}
  for _, moment in ipairs(self.moments) do
    if self.json then
      out[#out + 1] = json.encode(timelines.record(moment), { lenient = true }) .. '\n'
    elseif timelines.shows(moment) then
      out[#out + 1] = timelines.line(moment, self:width())
    end
  end
  self.moments = {}
  if out[1] then self.context.out(mask[self.json and 'json' or 'words'](table.concat(out))) end
end

function Run:width()
  local stage = self.play and self.play.stage
  if not stage or #stage.order == self.known then return self.columns end
  for _, id in ipairs(stage.order) do self.columns = math.max(self.columns, #id) end
  self.known = #stage.order
  return self.columns
end

-- Whatever is wrong with the simulation itself comes before how its services ended.
function Run:status()
  local play = self.play
  if play.problem or play.answers.unanswered[1] then return 2 end
  if play.errors[1] then return 1 end
  return #play:failed() > 0 and 3 or 0
end

-- What happened in the world (timers, answers, ends of processes) and in the network.
function Run:events() return self.play.world.dispatched + self.count end

function Run:end_record()
  local play, questions = self.play, json.array {}
  for i, question in ipairs(play.answers.unanswered) do questions[i] = question end
  local services = json.array {}
  for i, snapshot in ipairs(play:snapshots()) do
    services[i] = {
      id = snapshot.id, status = snapshot.status, health = snapshot.health, reason = snapshot.reason,
      restart_count = snapshot.restart_count, want = snapshot.want,
    }
  end
  return {
    at = play.world.now, event = 'end',
    reason = play.ended and play.ended.reason, status = self:status(), seed = self.seed,
    ended = play.ended ~= nil, failed = json.array(play:failed()), services = services, unanswered = questions,
    events = self:events(),
  }
end

local function each_once(questions)
  local seen, out = {}, {}
  for _, question in ipairs(questions) do
    local line = (question.where ~= '' and question.where .. ': ' or '') .. question.message
    if not seen[line] then
      seen[line] = true
      out[#out + 1] = line
    end
  end
  return out
end

function Run:tell_end()
  local play, context = self.play, self.context
  self:flush()
  if self.json then
    context.out(json.encode(self:end_record(), { lenient = true }) .. '\n')
  else
    local span = duration.format(play.world.now)
    local how = play.ended and ('ended after %s: %s'):format(span, play.ended.reason) or ('played %s'):format(span)
    context.out(('%s; %s\n'):format(how, text.plural(self:events(), 'event')))
    context.out(summary.services(play:snapshots(), style.new(false)))
  end
  for _, line in ipairs(each_once(play.answers.unanswered)) do context.err(('pactlua: simulate: %s\n'):format(line)) end
end

function Run:finish()
  local context, play = self.context, self.play
  if play.problem then
    self:flush()
    context.err(play.problem)
  else
    self:tell_end()
  end
  context.sys.stop(self:status())
end

---Plays a little, then lets the real world have its turn: Ctrl-C is heard.
function Run:slice()
  collectgarbage('incremental', GC_PAUSE) -- the host means to keep an engine small, and sets its own
  local ok, err = self.context.sys.try(function()
    for _ = 1, TURNS do
      if not self.play:turn(self.limit) then return false end
    end
    return true
  end)
  if not ok then
    self:flush()
    self.context.err(('pactlua: simulate: %s\n'):format(err.message))
    return self.context.sys.stop(1)
  end
  self:flush()
  if err then
    self.loop:after(0, function() self:slice() end)
  else
    local world = self.play.world
    if not world.stopped then world.now = self.limit end
    self:finish()
  end
end

local function refuse(context, message)
  context.err((message:find '^pactlua' and '%s' or 'pactlua: %s'):format(message:gsub('\n?$', '\n', 1)))
  return 2
end

---@param context main_context
function M.run(context)
  local sys, invocation = context.sys, context.invocation
  local options = invocation.options
  local recipe, message = find.recipe(sys, invocation)
  if not recipe then return refuse(context, message) end
  local self = setmetatable({
    context = context, json = options.json, moments = {}, count = 0, columns = 0, seed = options.seed or 1,
    limit = options['for'] or FOR_MS,
  }, Run)
  self.timeline = timelines.new(function() return self.play and self.play.network.plan end)
  local random = options.seed ~= nil and not options.faults and {} or nil
  self.play, message = begin.play(hosts.of(sys), recipe, {
    faults = options.faults, seed = options.seed, random = random, args = invocation.args, options = options,
    env = context.env,
  }, function(entry) self:entry(entry) end)
  if not self.play then return refuse(context, message) end
  self.loop = sched.new(sys, function(_, traceback) context.err(('pactlua: simulate: %s\n'):format(traceback)) end)
  self.loop:after(0, function() self:slice() end)
end

return M

--- `require 'pact.sim'`: a recipe played in virtual time, for tests. Nothing is started; its policies and
-- hooks are the ones that `pactlua up` would run.
--
--   local net = sim.new('devnet.lua', { faults = { { at = '5s', service = 'db', crash = 1 } } })
--   net:advance '10s'
--   assert.equal('running', net:status 'db')

local begin = require 'pact.sim.begin'
local cursor = require 'pact.declare.cursor'
local duration = require 'pact.base.duration'
local fail = require 'pact.base.fail'
local hosts = require 'pact.sim.host'
local list = require 'pact.base.list'
local rows = require 'pact.sim.rows'
local text = require 'pact.base.text'
local timelines = require 'pact.sim.timeline'

local M = {}

local PATIENCE_MS = 600000

---@class simulation
---@field play play
local Simulation = {}
Simulation.__index = Simulation

local function milliseconds(value, what)
  local ms, message = duration.parse(value)
  if not ms then error(('%s %s'):format(what, message), 3) end
  return ms
end

-- What goes wrong in a simulation itself is an error of the test: questions without answers, errors of ours.
local function raise(self)
  local found = {}
  for i = self.raised + 1, #self.play.answers.unanswered do
    local question = self.play.answers.unanswered[i]
    found[#found + 1] = (question.where ~= '' and question.where .. ': ' or '') .. question.message
  end
  self.raised = #self.play.answers.unanswered
  for _, message in ipairs(self.play.errors) do found[#found + 1] = 'internal error: ' .. message end
  self.play.errors = {}
  if self.play.problem then found[#found + 1] = self.play.problem:gsub('\n$', '') end
  if found[1] then error(table.concat(found, '\n'), 3) end
end

local SELECTION = { 'only', 'except', 'profile', 'category', 'tag' }
local KEYS = list.set { 'faults', 'random', 'seed', 'wall', 'env', 'args', 'directory', 'ids', table.unpack(SELECTION) }

local function check_options(opts)
  for _, key in ipairs(list.keys(opts)) do
    if not KEYS[key] then
      error(('sim.new: unknown option %s%s'):format(text.show(key), text.suggest(key, list.keys(KEYS))), 4)
    end
  end
  local problems = fail.new()
  local checked = rows.settings({ seed = opts.seed, random = opts.random }, cursor.new(problems, {}))
  if not problems:empty() then error('sim.new: ' .. fail.text(problems.list[1]), 4) end
  return checked
end

local function new(host, recipe, opts)
  if type(recipe) ~= 'string' and type(recipe) ~= 'function' then
    error(("sim.new: a recipe's path or a function expected, got %s"):format(text.show(recipe)), 3)
  end
  opts = opts or {}
  local checked = check_options(opts)
  local all = list.copy(opts)
  all.random = checked.random
  all.options = {}
  for _, name in ipairs(SELECTION) do all.options[name] = opts[name] end
  local self = setmetatable({ moments = {}, raised = 0 }, Simulation)
  self.timeline_of = timelines.new(function() return self.play and self.play.network.plan end)
  all.body = type(recipe) == 'function' and recipe or nil
  local play, message = begin.play(host, begin.find(host, recipe, opts.directory), all, function(entry)
    self.moments[#self.moments + 1] = self.timeline_of:moment(entry)
  end)
  if not play then error((message:gsub('\n$', '')), 3) end
  self.play = play
  play:advance(0)
  raise(self)
  return self
end

---@param recipe string|function a recipe's path, or `function(pact) … end`
---@param opts? sim_options
---@return simulation
function M.new(recipe, opts) return new(hosts.plain(), recipe, opts) end

---The same inside pactlua, which has the files.
---@param sys sys
function M.over(sys)
  local host = hosts.of(sys)
  return { new = function(recipe, opts) return new(host, recipe, opts) end }
end

---------------------------------------------------------------------------------------------------
-- Time.

---Lets time pass.
---@param span string|integer
function Simulation:advance(span)
  self.play:advance(milliseconds(span, 'advance:'))
  raise(self)
  return self
end

---@return integer ms since the beginning
function Simulation:now() return self.play.world.now end

local function condition(self, goal)
  if type(goal) == 'function' then return function() return goal(self) end end
  if type(goal) ~= 'table' then
    error(("until_: a function or services with their status expected, got %s"):format(text.show(goal)), 3)
  end
  for id in pairs(goal) do self:known(id, 4) end
  return function()
    for id, status in pairs(goal) do
      if self:status(id) ~= status then return false end
    end
    return true
  end
end

---Lets time pass until something is so.
---@param goal function|table<string, status> `{ web = 'running' }`
---@param limit? string|integer default ten minutes
---@return boolean came false: not within the limit
function Simulation:until_(goal, limit)
  local done = condition(self, goal)
  local stop = self:now() + (limit and milliseconds(limit, 'until_:') or PATIENCE_MS)
  while not done() do
    if not self.play:turn(stop) then
      if not self.play.world.stopped then self.play.world.now = stop end
      raise(self)
      return done() and true or false
    end
  end
  raise(self)
  return true
end

---------------------------------------------------------------------------------------------------
-- What happens: the fields of a row as methods.

---Raises where there is no such service.
function Simulation:known(id, level)
  local stage = self.play.stage
  id = tostring(id)
  if stage.actors[id] then return id end
  error(("no service '%s'%s"):format(id, text.suggest(id, stage.order)), level or 3)
end

---Rows of the faults' kind, from now on; `at` counts from the beginning.
---@param list_of_rows table[]
function Simulation:script(list_of_rows)
  local ok, message = self.play:script(list_of_rows, 'script')
  if not ok then error((message:gsub('\n$', '')), 2) end
  return self
end

-- One row now, as a method of its effect.
local function effect(name)
  return function(self, id, value, opts)
    id = self:known(id)
    local row = list.copy(opts or {})
    row.service, row.at = id, self:now()
    row[name] = value == nil and true or value
    local ok, message = self.play:script({ row }, name)
    if not ok then error((message:gsub('\n$', '')), 2) end
    self.play:advance(0)
    raise(self)
    return self
  end
end

for _, name in ipairs(rows.effects) do
  if name ~= 'command' then Simulation[name] = effect(name) end
end

for _, name in ipairs { 'start', 'stop', 'restart' } do
  Simulation[name] = function(self, id)
    id = self:known(id)
    local ok, message = self.play:by_hand(name, id)
    self.play:advance(0)
    raise(self)
    return ok, message
  end
end

---What the world answers from now on: `net:http('http://…', { status = 200, body = '…' })`, or a row as it stands
---in a file.
local function answer(subject)
  return function(self, what, fields)
    local whole = fields == nil and type(what) == 'table' and what[subject] ~= nil
    local row = list.copy(whole and what or fields or {})
    if not whole then row[subject] = what end
    if row.at == nil and subject ~= 'port' then row.at = self:now() end
    return self:script { row }
  end
end

for _, subject in ipairs { 'http', 'exec', 'file', 'port' } do Simulation[subject] = answer(subject) end

---------------------------------------------------------------------------------------------------
-- What can be seen.

---@return status
function Simulation:status(id) return self:service(id).status end

---@return snapshot
function Simulation:service(id)
  id = self:known(id, 4)
  return self.play.network.supervisor:snapshot(id)
end

---@param count? integer default 20
---@return string the last lines of its output
function Simulation:tail(id, count)
  local log = self.play.network.supervisor:log(self:known(id))
  local lines = list.map(self.play.sys.log.lines(log, { count = count or 20 }), function(line) return line.text end)
  return table.concat(lines, '\n')
end

local function fits(moment, filter)
  for key, wanted in pairs(filter) do
    local value = moment[key]
    if value == nil and moment.data then value = moment.data[key] end
    if key == 'since' then
      if moment.at < wanted then return false end
    elseif value ~= wanted then
      return false
    end
  end
  return true
end

---What has happened: `{ at, service, event, reason, by }` and `data`, the event's own fields.
---@param filter? string|table an event's name, or fields that must be so; `since` ms
---@return moment[]
function Simulation:events(filter)
  if type(filter) == 'string' then filter = { event = filter } end
  return list.filter(self.moments, function(moment) return fits(moment, filter or {}) end)
end

---@param filter? string|table
---@return integer
function Simulation:count(filter) return #self:events(filter) end

---@return string what `print` of the recipe and pact.notify said
function Simulation:said()
  local out = {}
  for i, moment in ipairs(self:events 'print') do out[i] = moment.text end
  return table.concat(out)
end

---@return string the timeline, as `pactlua simulate` prints it
function Simulation:timeline()
  local width, out = 0, {}
  for _, id in ipairs(self.play.stage.order) do width = math.max(width, #id) end
  for _, moment in ipairs(self.moments) do
    if timelines.shows(moment) then out[#out + 1] = timelines.line(moment, width) end
  end
  return table.concat(out)
end

---@return rest? how the network ended by itself; nil: it is up
function Simulation:ended() return self.play.ended end

---@return integer 0, or 3 when a wanted service has failed or never became ready
function Simulation:result() return #self.play:failed() > 0 and 3 or 0 end

M.class = Simulation

return M

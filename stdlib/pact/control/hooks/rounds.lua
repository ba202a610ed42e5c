--- Verdicts: an event on which hooks may decide opens a round of those that hear it. The first verdict,
-- in the hooks' order, is the round's; what each hook answered is told as `hook_ended` once that is known.

local list = require 'pact.base.list'
local verdicts = require 'pact.control.hooks.verdicts'

local M = {}

---@class round
---@field event event
---@field runs hook_run[] in the order in which they decide
---@field reply? fun(verdict?: verdict) the policy waits for it
---@field winner? hook_run
---@field over? boolean
---@field closed_by? hook_run one of another round that decided this one, too

---@class rounds
local Rounds = {}
Rounds.__index = Rounds

---@class rounds_context
---@field told fun(run: hook_run, used?: boolean, why?: string) what became of a hook's run
---@field again fun(run: hook_run, round: round) runs the hook once more
---@field post fun(fn: fun())

---@param context rounds_context
---@return rounds
function M.new(context)
  return setmetatable({ context = context, open_rounds = {} }, Rounds)
end

---@param event event
---@return round? nil where hooks decide nothing
function Rounds:open(event)
  if not event.service or not verdicts.EVENTS[event.name] then return nil end
  local round = { event = event, runs = {} }
  local of_service = self.open_rounds[event.service] or {}
  self.open_rounds[event.service] = of_service
  self:close(of_service[event.name])
  of_service[event.name] = round
  return round
end

local function overruled(round)
  local winner = round.winner or round.closed_by
  local at = winner and winner.hook.at
  return at and ('%s:%d decided'):format(at.file, at.line) or 'nobody waited for it any more'
end

-- What else was answered is told, too.
function Rounds:tell_others(round)
  for _, run in ipairs(round.runs) do
    if run ~= round.winner and run.verdict then self.context.told(run, false, overruled(round)) end
  end
end

-- A round that nobody asks about any more.
function Rounds:close(round, winner)
  if not round or round.over then return end
  round.over, round.closed_by = true, winner
  self:tell_others(round)
end

-- The round is decided: by a hook, or by nobody. On `unhealthy` that holds for what comes with it.
function Rounds:decide(round, winner)
  round.over, round.winner = true, winner
  local taken = not round.reply or round.reply(winner and winner.verdict) ~= false
  if winner then self.context.told(winner, taken, not taken and 'a command came first' or nil) end
  self:tell_others(round)
  if winner and round.event.name == 'unhealthy' then
    self:close(self.open_rounds[round.event.service].health_check_failed, winner)
  end
end

-- The first hook in order that has a verdict decides, when those before it have none.
function Rounds:look(round)
  if round.over or not round.reply then return end
  for _, run in ipairs(round.runs) do
    if not run.ended then return end
    if run.verdict then return self:decide(round, run) end
  end
  self:decide(round, nil)
end

---A hook of a round has ended.
---@param run hook_run
function Rounds:ended(run)
  local round = run.round
  if run.command then -- that has been told
    return
  elseif not run.verdict then
    self.context.told(run)
    if run.cancelled then return end -- with the network: nothing is decided any more
  elseif round.over then
    return self.context.told(run, false, overruled(round))
  end
  self:look(round)
end

---A hook gives a command to the service that its event is about: that is its verdict, at once. The
---policy hears of it when the command has been taken in.
---@param run hook_run
---@param command string
function Rounds:commanded(run, command)
  if run.command then return end
  run.command = command
  self.context.told(run, true)
  local round = run.round
  if round.over then return end
  round.over, round.winner = true, run
  self:tell_others(round)
  self:leave(round)
end

-- The command has done what was to be done: the policy does nothing more.
function Rounds:leave(round)
  local reply = round.reply
  if reply then self.context.post(function() reply { action = 'ignore' } end) end
end

---Asks what the hooks of an event have to say; one that wanted to wait is asked again.
---@param id string
---@param event event
---@param reply fun(verdict?: verdict)
---@return fun(): verdict?|false late gives, when the time is up, what there is; false: nobody has a say
function Rounds:ask(id, event, reply)
  local round = self.open_rounds[id] and self.open_rounds[id][event.name]
  if not round or round.event ~= event or not round.runs[1] then return false end
  local winner = round.over and round.winner
  if winner and not winner.command then -- it wanted to wait
    round = self:open(event)
    self.context.again(winner, round)
  end
  round.reply = reply
  if winner and winner.command then
    self:leave(round)
  else
    self.context.post(function() self:look(round) end)
  end
  return function() return self:late(round) end
end

---Nobody decides any more: policies that wait for it go on by themselves.
function Rounds:abandon()
  for _, of_service in list.sorted(self.open_rounds) do
    for _, round in list.sorted(of_service) do
      if not round.over and round.reply then self:decide(round, nil) end
    end
  end
end

function Rounds:late(round)
  if round.over then return nil end
  round.reply = nil
  local first
  for _, run in ipairs(round.runs) do first = first or (run.verdict and run) end
  self:decide(round, first)
  return first and first.verdict
end

return M

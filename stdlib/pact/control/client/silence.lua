--- An engine that doesn't answer: found out by a small question beside whatever else it was asked, and told once, with
-- what /proc knows of it. Time is counted in rounds, for a client that was stopped itself has missed nothing.

local engines = require 'pact.control.client.engines'

local M = {}

local ROUND_MS = 1000
-- Rounds without a sign of life: until it is asked, at first and later on; from the question on, until it is told.
local FIRST, LATER, TOLD = 1, 3, 2

---How long a command without a bound of its own goes on asking, in rounds of a second. What may keep a sound engine
---from answering is shorter.
M.PATIENCE = 15
---The same, of one that has the engine run a recipe: its body may use 10 s of a processor that others use, too.
M.LONG_PATIENCE = 200

---@class silence_options
---@field sys sys
---@field sched sched
---@field link client
---@field project string
---@field tell fun(words: string) says a line
---@field on_silent? fun(silence: silence): boolean? hears of it once it is told; true: it deals with it
---@field give_up? fun(words: string) called when its patience is at an end; without it waits as long as it takes
---@field named? boolean the network was named by --project
---@field patience? integer rounds until it gives up (PATIENCE)

---@class silence
---@field told? boolean
---@field over? boolean
local Silence = {}
Silence.__index = Silence

local STATES = {
  T = { "it is stopped (state T)", "'kill -CONT %d' lets it go on" },
  t = { 'a debugger holds it (state t)' },
  D = { 'it waits for a disk or a device (state D)' },
  R = { 'it is busy (state R)' },
  S = { 'it sleeps (state S)' },
}

---@param opts silence_options
---@return silence
function M.watch(opts)
  local self = setmetatable({ opts = opts, rounds = 0, first = true }, Silence)
  self.since = opts.sys.time.wall()
  opts.link.heard = function() self:heard() end
  self:next_round()
  return self
end

---Any byte of the engine's.
function Silence:heard()
  self.rounds, self.asked_at, self.first, self.since = 0, nil, false, nil
  if not self.told then return end
  self.told = nil
  if not self.over then self.opts.tell 'the engine answers again' end
end

function Silence:next_round()
  self.timer = self.opts.sched:after(ROUND_MS, function()
    self.rounds = self.rounds + 1
    self:round()
    if not self.over then self:next_round() end
  end)
end

function Silence:round()
  local opts, rounds = self.opts, self.rounds
  self.since = self.since or opts.sys.time.wall() - ROUND_MS
  if not self.asked_at then
    if rounds >= (self.first and FIRST or LATER) then self:ask() end
  elseif not self.told and rounds - self.asked_at >= TOLD then
    self:tell()
  elseif self.told and opts.give_up and rounds >= (opts.patience or M.PATIENCE) then
    self:off()
    opts.give_up(self:last_words())
  end
end

-- A connection that is refused is no answer, either: an engine on its way out hears nobody.
function Silence:ask()
  self.asked_at = self.rounds
  self.question = self.opts.link:call('GET', '/v1/status', nil, function() self.question = nil end)
end

-- What it does, and what can be done.
local function situation(sys, pid, project, forced)
  local state = pid and engines.state(sys, pid)
  local what = STATES[state] or { state and ('its state is %s'):format(state) or 'it has ended' }
  if forced then return what[1] .. '; it is killed now' end
  local advice = ("'pactlua down --force%s' kills it and ends all of its processes"):format(
    project and ' --project ' .. project or '')
  return ('%s; %s%s'):format(what[1], what[2] and what[2]:format(pid) .. ', ' or '', advice)
end

---Who it is, since when it is silent, what it does and what can be done.
---@param forced? boolean nothing is advised, for it is done
---@return string
function Silence:words(forced)
  local opts, pid = self.opts, self.opts.link.pid
  return ("the engine of '%s' (pid %s) has not answered since %s: %s"):format(opts.project, pid or 'unknown',
    os.date('%H:%M:%S', (self.since or opts.sys.time.wall()) // 1000),
    situation(opts.sys, pid, opts.named and opts.project or nil, forced))
end

---The engine's number, from the card in the network's lock; nil: nobody holds that.
---@param sys sys
---@param dir found_network
---@return integer?
function M.holder(sys, dir)
  local lock, _, code, card = sys.fs.lock(dir.path .. '/lock')
  if lock then sys.fs.close(lock) end
  return code == 'held' and math.tointeger(tonumber(card:match '^%d+')) or nil
end

---What is said of an engine that takes no connections, for many have waited in vain already.
---@param sys sys
---@param dir found_network
---@return string
function M.overrun(sys, dir)
  local pid = M.holder(sys, dir)
  return ("the engine of '%s' (pid %s) takes no more connections: %s"):format(dir.project, pid or 'unknown',
    situation(sys, pid))
end

---It has answered lately.
---@return boolean
function Silence:answers() return not self.first and self.rounds <= LATER end

---Says it, if it isn't said already.
function Silence:tell()
  if self.told then return end
  self.told = true
  local deals = self.opts.on_silent and self.opts.on_silent(self)
  if not deals then self.opts.tell(self:words()) end
end

---@return string
function Silence:last_words()
  local later = self.opts.link.acting and '; what was asked may yet be done when the engine goes on' or ''
  return ('no answer within %d s: given up%s'):format(self.opts.patience or M.PATIENCE, later)
end

---The engine is watched no longer.
function Silence:off()
  self.over = true
  self.opts.sched:cancel(self.timer)
  self.opts.sched:cancel(self.question)
  self.opts.link.heard = nil
end

return M

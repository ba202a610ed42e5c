--- `pactlua top [ID…]`: what services use, looked at each second; on a terminal a screen of its own.

local chosen = require 'pact.control.verbs.chosen'
local draw = require 'pact.observe.top.draw'
local figures = require 'pact.observe.top.figures'
local live = require 'pact.control.verbs.live'
local style = require 'pact.observe.style'
local text = require 'pact.base.text'
local view = require 'pact.observe.top.view'

local M = {}

local EVERY_MS, FIRST_MS, SETTLE_MS = 1000, 400, 40
local ENDING = { 'TERM', 'HUP', 'INT', 'QUIT' }

-- Another screen, without a cursor; and back.
local ENTER, LEAVE = '\27[?1049h\27[?25l', '\27[?2026l\27[0m\27[?25h\27[?1049l'

---@return string
function M.help()
  return [[
On a terminal the table is looked at anew each second: q quits, < and > (or the arrows) choose the column to sort
by, r turns the order round, / shows only services with a text in their names, up and down scroll. In a pipe it is
one sample; --json gives an object for each sample on a line of its own. CPU is the share of one processor that
the whole tree of a service's processes has used since the look before.
]]
end

---@class top
---@field context main_context
---@field link client
---@field loop sched
---@field state top_view
---@field figures top_figures
---@field sample? top_sample
---@field console? integer
---@field note? string said at the foot of the screen
local Top = {}
Top.__index = Top

---In a task: asks, and takes in the answer.
---@return boolean? ok nil: the network is gone, or what was named isn't there: `leave` was called
function Top:look()
  local sys = self.context.sys
  local status, body = self.link:ask('GET', '/v1/services?brief=1')
  if self.left then return nil end
  if status ~= 200 or type(body) ~= 'table' then
    self:leave(status and 1 or live.NO_NETWORK, function() live.refused(self.context, status, body) end)
    return nil
  end
  local services, message = chosen.of(body.services, self.context.invocation.ids)
  if not services then
    self:leave(1, function() self.context.err(('pactlua: top: %s\n'):format(message)) end)
    return nil
  end
  self.note = nil
  self.sample = self.figures:take(services, sys.os.system(), sys.time.now(), sys.time.wall())
  return true
end

---@return top_look
function Top:how()
  return {
    project = self.project, uptime = self.context.sys.time.now() - self.began, style = self.style,
    measure = self.context.sys.text.width,
  }
end

---Ends it, with the terminal as it was.
---@param status integer
---@param say? fun() on the screen that was there before
function Top:leave(status, say)
  if self.left then return end
  self.left = true
  if self.console then
    self.context.sys.os.write(1, LEAVE)
    self.context.sys.cancel(self.console)
  end
  if say then say() end
  self.context.sys.stop(status)
end

-- Keys can be heard, and the cursor goes where it is sent.
local function can_draw(context)
  local os_, term = context.sys.os, context.env.TERM or ''
  return os_.isatty(0) and os_.isatty(1) and term ~= '' and term ~= 'dumb'
end

---------------------------------------------------------------------------------------------------
-- Samples in a row: plain or as JSON.

local function record(self)
  local json, sample = require 'pact.base.json', self.sample
  local services = json.array {}
  for i, row in ipairs(self.state:rows(sample.rows)) do
    services[i] = {
      id = row.id, group = row.group, status = row.status, health = row.health, pid = row.pid, uptime = row.uptime,
      processes = row.processes, restart_count = row.restarts, cpu = row.cpu, memory = row.memory,
    }
  end
  return json.encode {
    at = sample.at, project = self.project, uptime = self.context.sys.time.now() - self.began, services = services,
    cpu = sample.cpu, memory = sample.memory, processes = sample.processes, machine = sample.machine,
  }
end

function Top:print()
  local out = self.context.out
  if self.context.invocation.options.json then return out(record(self) .. '\n') end
  out(draw.plain(self.sample, self.state, self:how()))
end

local function samples(self, count)
  if not self:look() then return end
  self.loop:sleep(FIRST_MS)
  for i = 1, count do
    if i > 1 then self.loop:sleep(EVERY_MS) end
    if not self:look() then return end
    if i > 1 and not self.context.invocation.options.json then self.context.out '\n' end
    self:print()
  end
  self:leave(0)
end

---------------------------------------------------------------------------------------------------
-- A screen.

function Top:draw()
  if self.left or not self.sample then return end
  local width, height = self.context.sys.os.terminal_size()
  local lines = draw.screen(self.sample, self.state, self:how(), width, height)
  if self.note then lines[math.min(#lines + 1, height)] = self.style:paint('red', text.truncate(self.note, width)) end
  local frame = { '\27[?2026h\27[H' }
  for i, line in ipairs(lines) do
    frame[#frame + 1] = (i > 1 and '\r\n' or '') .. '\27[K' .. style.escaped(line)
  end
  frame[#frame + 1] = (#lines < height and '\r\n\27[J' or '') .. '\27[?2026l'
  if not self.context.sys.os.write(1, table.concat(frame)) then
    self:leave(256 + self.context.sys.os.signals.HUP)
  end
end

---Words on the screen until there is something new to see.
function Top:tell(words)
  self.note = words
  self:draw()
end

---Gives the terminal to the shell, as Ctrl-Z does, and takes it again.
function Top:suspend()
  self.context.sys.os.write(1, LEAVE)
  self.context.sys.console.suspend()
  self:entered()
end

-- Only in the foreground: a shell may have sent CONT to a job that stays in the background.
function Top:entered()
  if self.left or not self.context.sys.console.resume() then return end
  self.context.sys.os.write(1, ENTER)
  self:draw()
end

function Top:typed(bytes)
  local signals = self.context.sys.os.signals
  if bytes == '' then return self:leave(256 + signals.HUP) end
  local _, height = self.context.sys.os.terminal_size()
  for _, key in ipairs(view.keys(bytes)) do
    local act = self.state:press(key, draw.page(height))
    if act == 'quit' then return self:leave(0) end
    if act == 'interrupt' then return self:leave(256 + signals.INT) end
    if act == 'suspend' then return self:suspend() end
    if act == 'again' then self:refresh() end
  end
  self:draw()
end

-- Never two looks at a time: a network that is slow to answer is asked less often.
function Top:refresh()
  if self.looking or self.left then return end
  self.looking = true
  self.loop:spawn(function()
    local ok = self:look()
    self.looking = false
    if ok then self:draw() end
  end, { name = 'top' })
end

local function watch_signals(self)
  local loop, sys = self.loop, self.context.sys
  loop:on_signal('WINCH', function()
    if self.settling then return end
    self.settling = loop:after(SETTLE_MS, function()
      self.settling = nil
      self:draw()
    end)
  end)
  for _, name in ipairs(ENDING) do
    loop:on_signal(name, function() self:leave(256 + sys.os.signals[name]) end)
  end
  loop:on_signal('TSTP', function() self:suspend() end)
  loop:on_signal('CONT', function() self:entered() end)
end

local function again_and_again(self)
  self.loop:after(EVERY_MS, function()
    if self.left then return end
    self:refresh()
    again_and_again(self)
  end)
end

local function screen(self)
  if not self:look() then return end
  local console = self.context.sys.console.open()
  if not console then -- no keys, or in the background
    self:print()
    return self:leave(0)
  end
  self.console = console
  self.context.sys.console.rescue(LEAVE)
  self.context.sys.os.write(1, ENTER)
  self.loop:on(console, function(_, bytes) self:typed(bytes) end)
  watch_signals(self)
  self:draw()
  self.loop:after(FIRST_MS, function() self:refresh() end)
  again_and_again(self)
end

---------------------------------------------------------------------------------------------------

-- An error of ours must not leave the other screen behind.
local function guarded(self, fn, ...)
  local ok, problem = self.context.sys.try(fn, self, ...)
  if not ok then self:leave(1, function() self.context.err(('pactlua: top: %s\n'):format(problem.message)) end) end
end

---@param context main_context
function M.run(context)
  local sys, options = context.sys, context.invocation.options
  local state, message = view.new(options.sort)
  if not state then
    context.err(('pactlua: top: %s\n'):format(message))
    return 2
  end
  if options.samples == 0 then
    context.err 'pactlua: top: --samples must be at least 1\n'
    return 2
  end
  local top
  local function tell(words)
    if top and top.console then return top:tell(words) end
    context.err(('pactlua: top: %s\n'):format(words))
  end
  return live.run(context, function(link, _, loop)
    local status, body = link:ask('GET', '/v1/status')
    if status ~= 200 then return live.refused(context, status, body) end
    local self = setmetatable({
      context = context, link = link, loop = loop, state = state, figures = figures.new(), project = body.project,
      began = sys.time.now() - body.uptime, style = style.new(style.wanted(sys.os, 1, context.env)),
    }, Top)
    if options.json or options.samples or not can_draw(context) then
      return samples(self, options.samples or 1)
    end
    top = self
    for _, name in ipairs { 'draw', 'typed', 'suspend', 'entered' } do
      self[name] = function(_, ...) guarded(self, Top[name], ...) end
    end
    screen(self)
  end, { endless = not options.json and not options.samples, tell = tell })
end

return M

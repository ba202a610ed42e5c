--- A timeline for a terminal or a file of text: a bar for each service, as wide as there is room; phases are told
-- apart by their glyphs, colours only add to that.

local duration = require 'pact.base.duration'
local phases = require 'pact.observe.timeline.phases'
local scale = require 'pact.observe.timeline.scale'
local text = require 'pact.base.text'
local words = require 'pact.observe.timeline.words'

local M = {}

local GLYPHS = {
  utf8 = {
    waiting = '·', starting = '░', probing = '▒', working = '▓', ready = '█', unhealthy = '!', stopping = '▼',
    backoff = '~', completed = '─', failed = '×', skipped = '-', restart = '↻', tick = '┴', axis = '─', chain = '▸',
    bar = '█',
  },
  ascii = {
    waiting = '.', starting = '/', probing = '?', working = '%', ready = '#', unhealthy = '!', stopping = 'v',
    backoff = '~', completed = '=', failed = 'x', skipped = '-', restart = 'R', tick = '+', axis = '-', chain = '>',
    bar = '#',
  },
}

local COLOURS = {
  waiting = 'dim', starting = 'yellow', probing = 'yellow', working = 'cyan', ready = 'green', unhealthy = 'red',
  stopping = 'magenta', backoff = 'magenta', completed = 'cyan', failed = 'red', skipped = 'red',
}

local NARROWEST = 20
local TIME = 7 -- columns of `1 m 30 s` and the like

---@class timeline_drawing
---@field width integer columns
---@field unicode boolean
---@field style style
---@field measure fun(s: string): integer columns of a text
---@field services timeline_service[] those that are shown, in order
---@field chain? chain
---@field hung? stuck[]
---@field counts { hung: integer, wanted: integer }

-- Text of others: without control characters, and of what the terminal can show.
local function plain(words_, draw)
  words_ = words_:gsub('%c', ' ')
  if not draw.unicode then words_ = words_:gsub('…', '...') end
  return draw.unicode and utf8.len(words_) and words_ or (words_:gsub('[\128-\255]+', '?'))
end

-- Exactly so many columns.
local function fitted(name, width, draw)
  name = plain(name, draw)
  if draw.measure(name) <= width then return text.pad(name, width, draw.measure) end
  local out = ''
  for _, code in utf8.codes(name) do
    local longer = out .. utf8.char(code)
    if draw.measure(longer) > width - 1 then break end
    out = longer
  end
  return text.pad(out .. (draw.unicode and '…' or '~'), width, draw.measure)
end

local function layout(draw)
  local widest = 4
  for _, service in ipairs(draw.services) do widest = math.max(widest, draw.measure(plain(service.id, draw))) end
  for _, step in ipairs(draw.chain and draw.chain.steps or {}) do
    widest = math.max(widest, draw.measure(plain(step.id or '', draw)))
  end
  local width = math.max(draw.width, NARROWEST)
  local name = math.min(widest, math.max(6, width // 3))
  local right = width >= 44 and TIME + 2 or 0
  return { name = name, right = right, bar = math.max(width - name - 3 - right, 4) }
end

local function bar(service, window, room, glyphs, draw, seen)
  local cells, out = scale.cells(service, window.from, window.to, room), {}
  local again = scale.restarts(service, window.from, window.to, room)
  for _, what in pairs(cells) do seen[what] = true end
  local at = 1
  while at <= room do
    local what = again[at] and 'restart' or cells[at]
    local last = at
    while last < room and cells[last + 1] == cells[at] and not again[at] and not again[last + 1] do last = last + 1 end
    local glyph = what and glyphs[what] or ' '
    out[#out + 1] = draw.style:paint(COLOURS[cells[at]] or '', glyph:rep(last - at + 1))
    if what == 'restart' then seen.restart = true end
    at = last + 1
  end
  return table.concat(out)
end

-- The axis: labels above, ticks below; a label that would run into the one before it is left out.
local function axis(window, room, glyphs)
  local labels, line = {}, {}
  for i = 1, room do line[i] = glyphs.axis end
  local free = 0
  for _, tick in ipairs(scale.ticks(window.from, window.to, math.max(room // 10, 1))) do
    local cell = math.floor((tick.at - window.from) * room / (window.to - window.from))
    if cell < room then line[cell + 1] = glyphs.tick end
    if cell >= free and cell + #tick.text <= room then
      labels[#labels + 1] = (' '):rep(cell - (free > 0 and free - 1 or 0)) .. tick.text
      free = cell + #tick.text + 1
    end
  end
  return table.concat(labels), table.concat(line)
end

local function legend(seen, glyphs, draw)
  local out, line, used = {}, {}, 0
  local names = words.legend(seen)
  if seen.restart then names[#names + 1] = 'restart' end
  for _, name in ipairs(names) do
    local label = phases.WORDS[name] or name
    local size = 4 + #label
    if used > 0 and used + size > draw.width then
      out[#out + 1], line, used = table.concat(line, '  '), {}, 0
    end
    line[#line + 1] = draw.style:paint(COLOURS[name] or '', glyphs[name]) .. ' ' .. label
    used = used + size
  end
  out[#out + 1] = table.concat(line, '  ')
  return table.concat(out, '\n') .. '\n'
end

-- Words in lines of the width; further ones are set in.
local function wrapped(sentence, draw, indent)
  return table.concat(words.wrap(sentence, draw.width, draw.measure, indent), '\n') .. '\n'
end

local METER = 24

-- Each step with what it cost; where there is room, as a bar, too.
local function chain_rows(line, draw, glyphs, size)
  local chain, out, wide = draw.chain, {}, draw.width >= 120
  local left = draw.width - size.name - TIME - 11 - (wide and METER + 2 or 0)
  for i, step in ipairs(chain.steps) do
    local share = words.share(chain.total, step)
    local row = ('  %s  %s %3d%%  '):format(fitted(step.id or 'the recipe', size.name, draw),
      text.pad_left(duration.short(step.to - step.from), TIME), share)
    if wide then
      local cells = math.max(math.floor(share * METER / 100 + 0.5), 1)
      row = row .. draw.style:paint('bold', glyphs.bar:rep(cells)) .. (' '):rep(METER - cells) .. '  '
    end
    if left >= 12 then row = row .. fitted(words.step(line, step), left, draw) end
    out[i] = row:gsub(' +$', '') .. '\n'
  end
  return table.concat(out)
end

local SHOWN = 10

local function not_ready(draw)
  local out = {}
  for i = 1, math.min(#draw.hung, SHOWN) do out[i] = wrapped(plain(words.hung(draw.hung[i]), draw), draw, 2) end
  if #draw.hung > SHOWN then out[#out + 1] = ('and %d more\n'):format(#draw.hung - SHOWN) end
  return draw.style:paint('bold', 'not ready') .. '\n' .. table.concat(out)
end

local function explained(line, draw, glyphs, size)
  if draw.chain then
    return draw.style:paint('bold', 'critical chain') .. '\n' .. chain_rows(line, draw, glyphs, size)
      .. wrapped(plain(words.sentence(line, draw.chain), draw), draw, 2)
  end
  return not line.ready_at and draw.hung[1] and not_ready(draw) or ''
end

local function row(service, window, draw, glyphs, size, seen)
  local chained = seen.chain[service.id]
  local name = fitted(service.id, size.name, draw)
  local out = ('%s %s %s'):format(chained and glyphs.chain or ' ', chained and draw.style:paint('bold', name) or name,
    bar(service, window, size.bar, glyphs, draw, seen))
  if size.right > 0 then out = out .. '  ' .. text.pad_left(words.result(service, duration.short), TIME) end
  return out:gsub(' +$', '') .. '\n'
end

---@param line timeline
---@param window timeline_window
---@param draw timeline_drawing
---@return string
function M.render(line, window, draw)
  local glyphs, size, seen = draw.unicode and GLYPHS.utf8 or GLYPHS.ascii, layout(draw), { chain = {} }
  for _, step in ipairs(draw.chain and draw.chain.steps or {}) do seen.chain[step.id or ''] = true end
  local head = ('%s, run %s: %s'):format(line.project or '?', line.run or '?', words.outcome(line, draw.counts))
  local labels, ticks = axis(window, size.bar, glyphs)
  local left = (' '):rep(size.name + 3)
  local out = { wrapped(plain(head, draw), draw, 2), left .. labels .. '\n' }
  local right = size.right > 0 and text.pad_left('READY', size.right) or ''
  out[3] = left .. draw.style:paint('dim', ticks) .. right .. '\n'
  for _, service in ipairs(draw.services) do out[#out + 1] = row(service, window, draw, glyphs, size, seen) end
  out[#out + 1] = legend(seen, glyphs, draw)
  local why = explained(line, draw, glyphs, size)
  return table.concat(out) .. (why ~= '' and '\n' .. why or '')
end

return M

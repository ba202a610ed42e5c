--- A timeline as a picture: SVG that stands alone, or in a page.

local duration = require 'pact.base.duration'
local look = require 'pact.observe.timeline.look'
local phases = require 'pact.observe.timeline.phases'
local scale = require 'pact.observe.timeline.scale'
local words = require 'pact.observe.timeline.words'
local xml = require 'pact.base.xml'

local M = {}

local WIDTH, MARGIN, RIGHT = 1120, 24, 92
local GLYPH = 7.4 -- of the narrow font, at most
local SAY = 7.3 -- of the other one, on average and a little more
local CELL = 0.5
local NAME_MOST = 30

---@class svg_place
---@field left number of the bars
---@field width number of the bars
---@field top number of the first row
---@field row number height
---@field window timeline_window

local function escape(text) return xml.text(tostring(text)) end

local function tag(out, format, ...) out[#out + 1] = format:format(...) end

local function cut(text, columns, measure)
  text = text:gsub('%c', ' ')
  if not utf8.len(text) then text = text:gsub('[\128-\255]', '?') end
  if measure(text) <= columns then return text end
  local out = ''
  for _, code in utf8.codes(text) do
    if measure(out .. utf8.char(code)) > columns - 1 then break end
    out = out .. utf8.char(code)
  end
  return out .. '…'
end

local function named(service)
  local other = service.display_name
  return service.id, other and other ~= service.id and other or nil
end

local function label_columns(it)
  local most = 8
  for _, service in ipairs(it.services) do
    local id, other = named(service)
    most = math.max(most, it.measure(id) + (other and it.measure(other) + 2 or 0))
  end
  return math.min(most, NAME_MOST)
end

local function x_of(place, at)
  local share = (at - place.window.from) / (place.window.to - place.window.from)
  return place.left + place.width * math.min(math.max(share, 0), 1)
end

---------------------------------------------------------------------------------------------------
-- Parts of the picture.

local function head(out, it)
  local line = it.line
  tag(out, '<text class="tl-title" x="%d" y="44">%s</text>', MARGIN, escape(cut(line.project or '?', 60, it.measure)))
  local when = line.at and os.date('!%Y-%m-%d %H:%M:%S UTC', line.at // 1000) or ''
  tag(out, '<text class="tl-say tl-soft" x="%d" y="68">%s</text>', MARGIN,
    escape(('run %s · %s · %s'):format(line.run or '?', when, words.outcome(line, it.counts))))
  local y, told = 92, {}
  if it.chain then
    told[1] = words.sentence(line, it.chain)
  else
    for i = 1, math.min(#it.hung, 3) do told[i] = words.hung(it.hung[i]) end
  end
  for _, sentence in ipairs(told) do
    for _, text in ipairs(words.wrap(sentence, math.floor((WIDTH - 2 * MARGIN) / SAY), it.measure)) do
      tag(out, '<text class="tl-say" x="%d" y="%d">%s</text>', MARGIN, y, escape(text))
      y = y + 20
    end
  end
  return y + 18
end

local function axis(out, place, rows)
  local bottom = place.top + rows * place.row
  for _, tick in ipairs(scale.ticks(place.window.from, place.window.to, place.width // 90)) do
    local x = x_of(place, tick.at)
    tag(out, '<path class="tl-grid" d="M%.1f %dV%.1f"/>', x, place.top - 6, bottom)
    tag(out, '<text class="tl-soft" x="%.1f" y="%d" text-anchor="middle">%s</text>', x, place.top - 12, tick.text)
  end
  tag(out, '<text class="tl-soft" x="%d" y="%d" text-anchor="end">ready</text>', WIDTH - MARGIN, place.top - 12)
end

local PATTERN_LEAST = 5 -- narrower ones show nothing of a pattern

local function shape(what, x, width, y, row)
  local form = look.SHAPES[what]
  if not form then return '' end
  local height = row * form.height
  if form.dash then
    return ('<path class="tl-s-%s" fill="none" stroke-width="%.1f" stroke-dasharray="%s" d="M%.1f %.1fh%.1f"/>')
      :format(what, math.max(height, 1.4), form.dash, x, y + row / 2, width)
  end
  local fill = ('class="tl-f-%s"'):format(what)
  if form.fill and width >= PATTERN_LEAST then fill = ('fill="url(#%s)"'):format(form.fill) end
  return ('<rect %s x="%.1f" y="%.1f" width="%.1f" height="%.1f"%s/>'):format(fill, x, y + (row - height) / 2,
    math.max(width, 1), height, width > 4 and height > 6 and ' rx="2"' or '')
end

local TOLD = 5 -- more phases than that in one place are beyond telling

-- What a stretch of a bar stands for, with the bounds that it had.
local function told(service, what, from, to, last)
  local out = {}
  local function tell(first, behind, reason)
    if #out == TOLD then out[#out + 1] = '…' end
    if #out > TOLD then return end
    out[#out + 1] = ('%s: %s %s, from %s to %s%s'):format(service.id, phases.WORDS[what],
      duration.format(behind - first), duration.format(first), duration.format(behind), reason and ': ' .. reason or '')
  end
  if what == 'unhealthy' then
    for _, stretch in ipairs(service.sick) do
      if stretch.from < to and stretch.to >= from then tell(stretch.from, stretch.to, stretch.reason) end
    end
  else
    phases.each(service, from, to, function(phase, _, _, reason, i)
      if phase == what then tell(service.from[i], service.from[i + 1] or last, reason) end
    end)
  end
  return table.concat(out, '\n')
end

local function restart(x, y, height)
  return ('<path class="tl-again" d="M%.1f %.1fv%.1f"/><circle class="tl-dot" cx="%.1f" cy="%.1f" r="3"/>'):format(x, y,
    height, x, y)
end

local function bars(out, service, place, y, seen)
  local window = place.window
  local count = math.floor(place.width / CELL)
  local per = (window.to - window.from) / count
  for _, run in ipairs(scale.runs(scale.cells(service, window.from, window.to, count), count)) do
    local drawn = shape(run.what, place.left + (run.first - 1) * CELL, (run.last - run.first + 1) * CELL, y, place.row)
    if drawn ~= '' then
      seen[run.what] = true
      local first, behind = window.from + (run.first - 1) * per, window.from + run.last * per
      tag(out, '<g><title>%s</title>%s</g>', escape(told(service, run.what, first, behind, place.last)), drawn)
    end
  end
  for cell in pairs(scale.restarts(service, window.from, window.to, math.floor(place.width / 6))) do
    local x = place.left + (cell - 0.5) * 6
    seen.restart = true
    tag(out, '<g><title>restart</title>%s</g>', restart(x, y + 4, place.row - 6))
  end
end

local function row(out, it, service, i, place, seen, in_chain)
  local y, size = place.top + (i - 1) * place.row, place.row < 18 and ' style="font-size:9px"' or ''
  local id, other = named(service)
  tag(out, '<g class="tl-row"><rect class="%s" x="%d" y="%.1f" width="%d" height="%.1f"/>',
    i % 2 == 0 and 'tl-plain' or 'tl-stripe', MARGIN - 8, y, WIDTH - 2 * MARGIN + 16, place.row)
  local base, room = y + place.row / 2 + 4, place.columns - it.measure(id) - 2
  local more = ''
  if other and room > 3 then
    more = (' <tspan class="tl-soft">%s</tspan>'):format(escape(cut(other, room, it.measure)))
  end
  tag(out, '<text x="%d" y="%.1f"%s%s><title>%s</title>%s%s</text>', MARGIN, base, size,
    in_chain and ' class="tl-strong"' or '', escape(other and ('%s (%s)'):format(id, other) or id),
    escape(cut(id, place.columns, it.measure)), more)
  bars(out, service, place, y, seen)
  tag(out, '<text class="tl-soft" x="%d" y="%.1f" text-anchor="end"%s>%s</text></g>', WIDTH - MARGIN, base, size,
    escape(cut(words.result(service, duration.format), 11, it.measure)))
end

-- From where one step ended to where the next began.
local function arrow(out, x, from, to, place)
  local down = from < to
  local first = place.top + from * place.row - (down and 1.5 or place.row - 1.5)
  local y = place.top + (to - 1) * place.row + (down and -4 or place.row + 4)
  tag(out, '<path class="tl-link" d="M%.1f %.1fV%.1f"/>', x, first, y)
  tag(out, '<path class="tl-arrow" d="M%.1f %.1fl-4 %dh8z"/>', x, y + (down and 5 or -5), down and -7 or 7)
end

-- The chain over the bars: a frame around what each did on its own, and arrows from one to the next.
local function chain(out, it, place, index)
  local before
  for _, step in ipairs(it.chain and it.chain.steps or {}) do
    local i = step.id and index[step.id]
    if i and step.to >= place.window.from and step.from <= place.window.to then
      local first = x_of(place, step.from)
      local y, width = place.top + (i - 1) * place.row, math.max(x_of(place, step.to) - first, 2)
      tag(out, '<rect class="tl-chain" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4"/>', first, y + 1.5, width,
        place.row - 3)
      if before then arrow(out, first, before, i, place) end
      local cost = duration.format(step.to - step.from)
      if width > #cost * GLYPH + 12 then
        tag(out, '<text class="tl-cost" x="%.1f" y="%.1f" text-anchor="middle">%s</text>', first + width / 2,
          y + place.row / 2 + 4, cost)
      end
      before = i
    end
  end
end

-- What else stands in a picture, with its sign at (x, middle).
local SIGNS = {
  { 'restart', 'restart', function(x, middle)
    return restart(x + 13, middle - 7, 15)
  end },
  { 'all', 'all ready', function(x, middle)
    return ('<path class="tl-all" d="M%.1f %.1fv18"/>'):format(x + 13, middle - 9)
  end },
  { 'chain', 'critical chain', function(x, middle)
    return ('<rect class="tl-chain" x="%.1f" y="%.1f" width="26" height="16" rx="4"/>'):format(x, middle - 8)
  end },
}

---@return number y of its last line
local function legend(out, seen, y)
  local x = MARGIN
  local function item(label, drawn)
    local width = 34 + #label * SAY + 16
    if x + width > WIDTH - MARGIN then x, y = MARGIN, y + 24 end
    tag(out, '%s<text class="tl-say tl-soft" x="%.1f" y="%.1f">%s</text>', drawn(x, y), x + 34, y + 5, label)
    x = x + width
  end
  for _, name in ipairs(words.legend(seen)) do
    item(phases.WORDS[name], function(left, middle) return shape(name, left, 26, middle - 11, 22) end)
  end
  for _, sign in ipairs(SIGNS) do
    if seen[sign[1]] then item(sign[2], sign[3]) end
  end
  return y
end

local function row_height(count) return count <= 60 and 28 or count <= 300 and 20 or 13 end

local OPENING = '<svg xmlns="http://www.w3.org/2000/svg" class="tl" role="img" aria-labelledby="tl-name tl-what" '
  .. 'viewBox="0 0 %d %.0f"%s>'

local function whole(it, parts, height, within)
  local line = it.line
  local what = words.outcome(line, it.counts) .. (it.chain and '. ' .. words.sentence(line, it.chain) or '')
  local all = {
    OPENING:format(WIDTH, height, within and '' or (' width="%d" height="%.0f"'):format(WIDTH, height)),
    ('<title id="tl-name">%s</title>'):format(escape(M.name(line))),
    ('<desc id="tl-what">%s</desc>'):format(escape(what)),
    within and '' or ('<style>%s</style>'):format(look.css()), '<defs>' .. look.patterns .. '</defs>',
    ('<rect class="tl-bg" width="%d" height="%.0f"/>'):format(WIDTH, height),
  }
  for _, part in ipairs(parts) do all[#all + 1] = table.concat(part, '\n') end
  return table.concat(all, '\n') .. '\n</svg>\n'
end

---@param line timeline
---@return string
function M.name(line) return ('%s: timeline of run %s'):format(line.project or '?', line.run or '?') end

---@param it timeline_picture
---@param within? boolean it stands in a page that has its style
---@return string
function M.render(it, within)
  local heading, grid, rows, foot, seen, index, in_chain = {}, {}, {}, {}, {}, {}, {}
  local columns, ready = label_columns(it), it.line.ready_at
  local top = head(heading, it) + 14
  local left = MARGIN + math.ceil(columns * GLYPH) + 14
  local place = {
    left = left, width = WIDTH - MARGIN - RIGHT - left, top = top, row = row_height(#it.services), window = it.window,
    columns = columns, last = it.line.last,
  }
  for _, step in ipairs(it.chain and it.chain.steps or {}) do in_chain[step.id or ''] = true end
  for i, service in ipairs(it.services) do
    index[service.id] = i
    row(rows, it, service, i, place, seen, in_chain[service.id])
  end
  axis(grid, place, #it.services)
  local bottom = top + #it.services * place.row
  if ready and ready >= it.window.from and ready <= it.window.to then
    seen.all = true
    tag(rows, '<path class="tl-all" d="M%.1f %dV%.1f"><title>all ready after %s</title></path>', x_of(place, ready),
      top - 6, bottom, duration.format(ready))
  end
  seen.chain = it.chain ~= nil
  chain(rows, it, place, index)
  return whole(it, { heading, grid, rows, foot }, legend(foot, seen, bottom + 28) + 28, within)
end

return M

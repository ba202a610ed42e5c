--- A timeline as a page that needs nothing else: the picture, the chain and the figures of each service.

local duration = require 'pact.base.duration'
local look = require 'pact.observe.timeline.look'
local phases = require 'pact.observe.timeline.phases'
local svg = require 'pact.observe.timeline.svg'
local words = require 'pact.observe.timeline.words'
local xml = require 'pact.base.xml'

local M = {}

local CSS = [[
body{margin:0;background:var(--tl-bg);color:var(--tl-ink)}
body{font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1168px;margin:0 auto;padding:8px 0 48px}
.picture{overflow-x:auto}
.picture svg{display:block;min-width:900px;width:100%;height:auto}
section{padding:0 24px}
h2{font-size:17px;margin:32px 0 8px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--tl-grid)}
th{color:var(--tl-soft);font-weight:600;white-space:nowrap}
.n{text-align:right;white-space:nowrap}
.mark{color:var(--tl-chain);font-weight:700}
.meter{width:110px}
.meter i{display:block;height:10px;margin-top:6px;border-radius:3px;background:var(--tl-chain)}
small{color:var(--tl-soft)}
]]

local function cell(value, class)
  return ('<td%s>%s</td>'):format(class and (' class="%s"'):format(class) or '', xml.text(tostring(value or '')))
end

local function head(...)
  local out = {}
  for i, name in ipairs { ... } do
    local number = name:match '^#(.*)$'
    out[i] = ('<th scope="col"%s>%s</th>'):format(number and ' class="n"' or '', number or name)
  end
  return '<thead><tr>' .. table.concat(out) .. '</tr></thead>'
end

local function grid(top, rows)
  return ('<div class="wide"><table>%s<tbody>%s</tbody></table></div>'):format(top, table.concat(rows, '\n'))
end

local function section(title, inner) return ('<section><h2>%s</h2>%s</section>\n'):format(title, inner) end

local function time(ms) return ms and duration.format(ms) or '' end

local function chain(it)
  if not it.chain then return '' end
  local rows = {}
  for i, step in ipairs(it.chain.steps) do
    local share = words.share(it.chain.total, step)
    rows[i] = ('<tr>%s%s%s%s<td class="meter"><i style="width:%d%%"></i></td>%s</tr>'):format(
      cell(step.id or 'the recipe', 'mark'), cell(time(step.from), 'n'), cell(time(step.to - step.from), 'n'),
      cell(share .. ' %', 'n'), math.max(share, 1), cell(words.step(it.line, step)))
  end
  return section('Critical chain', ('<p>%s</p>%s'):format(xml.text(words.sentence(it.line, it.chain)),
    grid(head('service', '#from', '#took', '#share', '', 'spent on'), rows)))
end

local function hung(it)
  if it.line.ready_at or not it.hung[1] then return '' end
  local rows = {}
  for i, each in ipairs(it.hung) do rows[i] = '<li>' .. xml.text(words.hung(each)) .. '</li>' end
  return section('Not ready', '<ul>' .. table.concat(rows, '\n') .. '</ul>')
end

-- How long it was what, over the whole run.
local function totals(service, to)
  local by = {}
  for _, part in ipairs(phases.parts(service, 0, to)) do by[part.phase] = part.ms end
  local sick = 0
  for _, stretch in ipairs(service.sick) do sick = sick + stretch.to - stretch.from end
  return by, sick > 0 and sick or nil
end

local function services(it)
  local rows = {}
  for i, service in ipairs(it.services) do
    local by, sick = totals(service, it.line.last)
    local name = xml.text(service.id)
    local other = service.display_name
    if other and other ~= service.id then name = ('%s <small>%s</small>'):format(name, xml.text(other)) end
    local figures = {
      time(by.waiting), time(by.starting), time(by.probing or by.working), time(service.ready_at),
      #service.restarts > 0 and #service.restarts or '', time(by.backoff), time(sick),
    }
    for at, figure in ipairs(figures) do figures[at] = cell(figure, 'n') end
    rows[i] = ('<tr><td>%s</td>%s%s%s</tr>'):format(name, cell(service.start and service.start.held_by),
      table.concat(figures), cell(service.last and phases.WORDS[service.last.phase]))
  end
  return section('Services, over the whole run', grid(head('service', 'held by', '#waited', '#starting', '#not ready',
    '#ready at', '#restarts', '#in pauses', '#unhealthy', it.line.shutdown and 'before the end' or 'last'), rows))
end

---@param it timeline_picture
---@return string
function M.render(it)
  local title = xml.text(svg.name(it.line))
  return table.concat {
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>', title, '</title>\n',
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n',
    '<style>\n', look.css(), CSS, '</style></head>\n',
    '<body><main><div class="picture">\n', svg.render(it, true), '</div>\n', chain(it), hung(it), services(it),
    '</main></body></html>\n',
  }
end

return M

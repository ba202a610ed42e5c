--- How a timeline looks as a picture: colours in light and dark, and a shape of its own for each phase.

local M = {}

-- name, light, dark
local COLOURS = {
  { 'bg', '#ffffff', '#14171c' }, { 'ink', '#1c2128', '#e6e9ee' }, { 'soft', '#5c6673', '#9aa5b4' },
  { 'grid', '#e4e8ed', '#2a303a' }, { 'stripe', '#f6f8fa', '#191d24' }, { 'chain', '#6d3be0', '#b39bff' },
  { 'waiting', '#a3adba', '#5d6878' }, { 'starting', '#f0b54a', '#c98d22' }, { 'probing', '#e88e1a', '#e0912f' },
  { 'working', '#3f7fdc', '#5b98ee' }, { 'ready', '#35a06a', '#3fae78' }, { 'unhealthy', '#d43d3d', '#ef6464' },
  { 'stopping', '#7f8ba0', '#8b97ab' }, { 'backoff', '#b5566f', '#d07f95' }, { 'completed', '#3f7fdc', '#5b98ee' },
  { 'failed', '#c22f2f', '#ef6464' }, { 'skipped', '#c98a8a', '#a86a6a' },
}

-- Stripes for what isn't ready yet, a chequer for what is sick: told apart without colours, too.
local PATTERNS = [[
<pattern id="tl-starting" width="4" height="4" patternUnits="userSpaceOnUse">
<rect width="4" height="4" class="tl-bg"/><circle cx="2" cy="2" r="1.35" class="tl-f-starting"/></pattern>
<pattern id="tl-probing" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="7" height="7" class="tl-f-probing" opacity=".38"/>
<rect width="3.6" height="7" class="tl-f-probing"/></pattern>
<pattern id="tl-unhealthy" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" class="tl-f-unhealthy" opacity=".45"/>
<path d="M0 0h3v3h-3zM3 3h3v3h-3z" class="tl-f-unhealthy"/>
</pattern>
<pattern id="tl-stopping" width="5" height="5" patternUnits="userSpaceOnUse">
<rect width="5" height="2.5" class="tl-f-stopping"/></pattern>
]]

---@class phase_shape
---@field height number of the row's
---@field fill? string a pattern
---@field dash? string it is a line of dashes
---@type table<string, phase_shape>
M.SHAPES = {
  waiting = { height = 0.08, dash = '2 4' }, starting = { height = 0.62, fill = 'tl-starting' },
  probing = { height = 0.62, fill = 'tl-probing' }, working = { height = 0.62 }, ready = { height = 0.62 },
  unhealthy = { height = 0.62, fill = 'tl-unhealthy' }, stopping = { height = 0.4, fill = 'tl-stopping' },
  backoff = { height = 0.16, dash = '7 4' }, completed = { height = 0.1 }, failed = { height = 0.2 },
  skipped = { height = 0.1, dash = '1 5' },
}

M.patterns = PATTERNS

local function variables(column)
  local out = {}
  for i, row in ipairs(COLOURS) do out[i] = ('--tl-%s:%s'):format(row[1], row[column]) end
  return table.concat(out, ';')
end

---@return string CSS, of a picture alone or of a page with one in it
function M.css()
  local out = {
    (':root{color-scheme:light dark;%s}\n@media(prefers-color-scheme:dark){:root{%s}}\n'):format(variables(2),
      variables(3)),
    [[.tl text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.tl text{fill:var(--tl-ink)}
.tl .tl-title{font:600 20px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.tl .tl-say{font:14px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.tl .tl-soft{fill:var(--tl-soft)}
.tl .tl-strong{font-weight:700}
.tl .tl-cost{font-weight:700;stroke:var(--tl-bg);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.tl .tl-bg{fill:var(--tl-bg)}
.tl .tl-stripe{fill:var(--tl-stripe)}
.tl .tl-grid{stroke:var(--tl-grid)}
.tl .tl-all{stroke:var(--tl-ink);stroke-width:1.2;stroke-dasharray:4 4}
.tl .tl-chain{fill:var(--tl-chain);fill-opacity:.13;stroke:var(--tl-chain);stroke-width:1.8}
.tl .tl-link{fill:none;stroke:var(--tl-chain);stroke-width:1.8}
.tl .tl-arrow{fill:var(--tl-chain)}
.tl .tl-again{stroke:var(--tl-ink);stroke-width:1.6}
.tl .tl-dot{fill:var(--tl-ink)}
.tl .tl-row:hover .tl-stripe,.tl .tl-row:hover .tl-plain{fill:var(--tl-grid)}
.tl .tl-plain{fill:transparent}
]] }
  for i = 7, #COLOURS do
    local name = COLOURS[i][1]
    out[#out + 1] = ('.tl .tl-f-%s{fill:var(--tl-%s)}'):format(name, name)
    out[#out + 1] = ('.tl .tl-s-%s{stroke:var(--tl-%s)}\n'):format(name, name)
  end
  return table.concat(out)
end

return M

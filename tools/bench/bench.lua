--- Runs the measurements of measures.lua and shows them as a table or as JSON.
local cjson = require 'cjson'
local bench = require 'setting'
local measures = require 'measures'

local options = { quick = false, json = false, only = {} }
do
  local at = 1
  while arg[at] do
    local word = arg[at]
    if word == '--quick' then options.quick = true
    elseif word == '--json' then options.json = true
    elseif word == '--build' then at = at + 1
    elseif word:sub(1, 1) == '-' then
      io.stderr:write('usage: tools/bench/run [--quick] [--json] [--build DIR] [NAME…]\n')
      os.exit(2)
    else options.only[word] = true end
    at = at + 1
  end
end

local function shown(value, unit)
  if value == nil then return '' end
  if value >= 100 or value == math.floor(value) then return ('%.0f %s'):format(value, unit) end
  return ('%.3g %s'):format(value, unit)
end

local function judge(row)
  if not row.goal then return '' end
  local met = row.more and row.value >= row.goal or not row.more and row.value <= row.goal
  return met and 'ok' or 'MISSED'
end

local FORMAT = '%-44s %14s %14s %14s  %s\n'
if not options.json then io.write(FORMAT:format('what', 'floor', 'pactlua', 'goal', '')) end

local rows, broken = {}, 0
for _, measure in ipairs(measures) do
  local wanted = next(options.only) == nil and not (options.quick and measure.slow) or options.only[measure.name]
  if wanted then
    local ok, result = xpcall(measure.run, debug.traceback, bench, options)
    bench.clean()
    if not ok then
      broken = broken + 1
      io.stderr:write(('%s: %s\n'):format(measure.name, result))
    else
      for _, row in ipairs(result) do
        row.name, row.verdict = measure.name, judge(row)
        rows[#rows + 1] = row
        if not options.json then
          local sign = row.more and '>= ' or '<= '
          io.write(FORMAT:format(row.what, shown(row.floor, row.unit), shown(row.value, row.unit),
            row.goal and sign .. shown(row.goal, row.unit) or '', row.verdict))
          io.flush()
        end
      end
    end
  end
end

if options.json then print(cjson.encode { rows = rows, broken = broken }) end
os.exit(broken == 0)

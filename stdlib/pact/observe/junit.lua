--- JUnit's XML: how a network came up, each service a case, as pipelines show it.

local xml = require 'pact.base.xml'

local M = {}

local attribute, escaped = xml.attribute, xml.text

local function seconds(ms) return ('%.3f'):format(ms / 1000) end

---@class junit_case
---@field name string
---@field ms integer
---@field outcome 'passed'|'failure'|'error'|'skipped'
---@field message? string
---@field text? string what it wrote last

local function case(one, class)
  local head = ('    <testcase classname="%s" name="%s" time="%s"'):format(attribute(class), attribute(one.name),
    seconds(one.ms))
  if one.outcome == 'passed' then return head .. '/>\n' end
  local inner = ('      <%s message="%s"'):format(one.outcome, attribute(one.message or ''))
  inner = inner .. (one.text and ('>%s</%s>\n'):format(escaped(one.text), one.outcome) or '/>\n')
  return head .. '>\n' .. inner .. '    </testcase>\n'
end

local function count(cases, outcome)
  local number = 0
  for _, one in ipairs(cases) do number = number + (one.outcome == outcome and 1 or 0) end
  return number
end

---@param suite { name: string, ms: integer, cases: junit_case[] }
---@return string
function M.render(suite)
  local numbers = ('tests="%d" failures="%d" errors="%d" skipped="%d" time="%s"'):format(#suite.cases,
    count(suite.cases, 'failure'), count(suite.cases, 'error'), count(suite.cases, 'skipped'), seconds(suite.ms))
  local out = {
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    ('<testsuites name="pactlua" %s>\n'):format(numbers),
    ('  <testsuite name="%s" %s>\n'):format(attribute(suite.name), numbers),
  }
  for _, one in ipairs(suite.cases) do out[#out + 1] = case(one, suite.name) end
  out[#out + 1] = '  </testsuite>\n</testsuites>\n'
  return table.concat(out)
end

return M

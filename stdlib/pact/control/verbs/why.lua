--- `pactlua why ID`: why a service is as it is.

local duration = require 'pact.base.duration'
local live = require 'pact.control.verbs.live'

local M = {}

local function left(exit)
  if not exit.left then return '' end
  return (', %d process%s left behind %s ended'):format(exit.left, exit.left == 1 and '' or 'es',
    exit.left == 1 and 'was' or 'were')
end

local BY = {
  person = 'by hand', recipe = 'by the recipe', hook = 'by a hook', reload = 'by a reload',
  shutdown = 'by the shutdown',
}

-- Who wants it, or wants it no more.
local function wanted(why)
  local by, needed = BY[why.want_by], table.concat(why.needed_by or {}, ', ')
  local out = by and ('%s, %s'):format(why.want, by) or why.want
  if needed == '' then return out end
  return ('%s, %s %s'):format(out, why.want == 'up' and 'for' or 'but needed by', needed)
end

-- What the policy does about the next failure.
local function forecast(why)
  local coming = why.forecast
  if not coming.restarts then
    local most = coming.policy ~= 'no' and why.max_retries
    local cause = most == 0 and 'max_retries is 0' or most and 'its restarts are used up' or 'policy ' .. coming.policy
    return ('it has failed for good (%s)'):format(cause)
  end
  local when = coming.delay == 0 and 'at once' or 'after ' .. duration.format(coming.delay)
  local most = why.max_retries and (' of %d'):format(why.max_retries) or ''
  return ('it is restarted %s, attempt %d%s (policy %s)'):format(when, why.attempt + 1, most, coming.policy)
end

---@param why why
---@return string
function M.render(why)
  local reason = why.reason ~= '' and (': %s'):format(why.reason) or ''
  local out = { ('%s is %s%s\n'):format(why.id, why.status, reason) }
  local function add(format, ...) out[#out + 1] = '  ' .. format:format(...) .. '\n' end
  add('wanted: %s', wanted(why))
  for _, one in ipairs(why.waiting_for or {}) do
    add('waits for %s: %s, %s so far', one.id, one.text or one.condition, duration.format(one.since or 0))
  end
  if why.said and why.said ~= why.reason then add('it says: %s', why.said) end
  if why.next_start_in then add('next start in %s', duration.format(why.next_start_in)) end
  if why.next_run_in then add('next run in %s', duration.format(why.next_run_in)) end
  if why.watch_paused_for then add('its watch pauses for %s', duration.format(why.watch_paused_for)) end
  if why.asked then add("hooks for '%s' are being waited for", why.asked) end
  local decided = why.decided
  if decided then
    add("decided %s on '%s' by the hook at %s:%d: %s", os.date('%H:%M:%S', decided.at // 1000), decided.hook,
      decided.file, decided.line, decided.verdict)
  end
  if why.restart_function then
    add('restarts are decided by the function at %s:%d', why.restart_function.file, why.restart_function.line)
  end
  if (why.attempt or 0) > 0 then
    add('restart attempts: %d%s', why.attempt, why.max_retries and (' of %d'):format(why.max_retries) or '')
  end
  if why.forecast then add('if it fails: %s', forecast(why)) end
  local probe = why.last_probe
  if probe then
    local result = probe.ok and 'ok' or 'failed'
    if probe.reason and probe.reason ~= '' then result = ('%s: %s'):format(result, probe.reason) end
    add('last probe: %s, in %s', result, duration.format(probe.ms or 0))
  end
  for _, exit in ipairs(why.history or {}) do
    add('ended %s after %s: %s%s', os.date('%H:%M:%S', exit.at // 1000), duration.format(exit.uptime), exit.reason,
      (exit.requested and ' (asked for)' or '') .. left(exit))
    for _, line in ipairs(exit.lines or {}) do add('  | %s', line) end
  end
  if #(why.blocks or {}) > 0 then add('waited for by: %s', table.concat(why.blocks, ', ')) end
  return table.concat(out)
end

-- Where a program was looked for that wasn't found: the reason itself is a line for tables.
local function searched(link, why)
  if not (why.reason or ''):find('not found on PATH', 1, true) then return '' end
  local status, body = link:ask('GET', ('/v1/services/%s/env'):format(why.id))
  local path = status == 200 and body.env.PATH
  return path and ('  looked for on PATH: %s\n'):format(path) or ''
end

---@param context main_context
function M.run(context)
  return live.run(context, function(link)
    local asked = context.invocation.ids[1]
    local status, body = link:ask('GET', ('/v1/services/%s/why'):format(asked))
    if status ~= 200 then return live.refused(context, status, body) end
    for _, one in ipairs(body.each or { body }) do -- of a group each
      context.out(M.render(one) .. searched(link, one))
    end
    return 0
  end)
end

return M

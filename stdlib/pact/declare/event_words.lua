--- What there is to tell of each event, for help and the reference.

local M = {}

---@class event_row
---@field [1] string the name
---@field [2] string when it comes
---@field [3]? string fields of its own

local VERDICT = ' A verdict decides what follows.'
local ENDS = 'exit_code, signal, core, uptime'

---@type event_row[]
M.rows = {
  { 'started', 'It has a process that lives.', 'pid, held_by' },
  { 'ready', 'It has become ready: what depends on it may start.' },
  { 'running', 'The same, by the name of its status.' },
  { 'stopped', 'It has ended, as somebody has asked.', ENDS },
  { 'completed', 'It has ended with success, and nothing follows.', ENDS },
  { 'crashed', 'It has ended, and nobody has asked for that; or what counts so: unhealthy with on_unhealthy, not ready '
    .. 'in its timeout, older than max_runtime.' .. VERDICT, ENDS },
  { 'restarted', "It was started again: by 'policy', 'hook', 'recipe', 'person' or 'dependency'.", 'by' },
  { 'failed', 'It has given up.' .. VERDICT, ENDS },
  { 'skipped', 'A dependency cannot become what it waits for.' },
  { 'backoff', 'It pauses before its next start.', 'delay: milliseconds' },
  { 'healthy', 'Its check has succeeded, for the first time or again.' },
  { 'unhealthy', 'Its check has failed too often, or never succeeded in time.' .. VERDICT },
  { 'health_check_failed', 'With unhealthy, and after each further `retries` failures.' .. VERDICT,
    'failures; edge: true with unhealthy' },
  { 'probe', 'Each answer of a check.', "ok, ms; of: 'health' or 'ready'" },
  { 'line', 'A line of output. It needs a filter.',
    "text; stream: 'stdout' or 'stderr'; left_out: lines that were too many" },
  { 'metrics', 'What a living service uses, at each refresh of the terminal interface.',
    'cpu: percent; cpu_time: milliseconds; memory: bytes; processes, threads' },
  { 'hook_failed', 'A hook has raised an error, or given no verdict where one was expected.',
    'hook: its event; file, line, message, traceback' },
  { 'all_ready', 'All that is wanted is ready. Without a service.' },
  { 'shutdown', 'Before the first stop, which waits for these hooks, 10 s at most. Without a service.' },
  { 'image_progress', 'An image is pulled.' },
  { 'reloaded', 'The network has gone over to the recipe as it is written now. Without a service.',
    'services: those that have changed; network' },
  { 'missed', 'Runs of a schedule did not take place.', 'count' },
  { 'watch', 'Watched files have changed.',
    "paths: the first hundred; count; action: 'restart', 'signal' or 'function'" },
}

local by_name = {}
for _, row in ipairs(M.rows) do by_name[row[1]] = row end

---@param name string
---@return event_row?
function M.row(name) return by_name[name] end

return M

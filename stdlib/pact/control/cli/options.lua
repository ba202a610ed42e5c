--- The options of the command line, as data: one row each, by long name.
-- `value` is what stands behind it in help; without one it is a switch. `list`: split at commas,
-- may be repeated. `convert` names a function of control/cli/init.lua. `of`: what differs for a command.

---@class cli_option
---@field name string
---@field short? string
---@field value? string
---@field list? boolean
---@field convert? 'address'|'count'|'duration'|'origin'|'when'
---@field later? string known, but not in this version: why
---@field needs? string an option without which it means nothing
---@field no? string an option that it excludes
---@field first? boolean it is taken where it stands before all else, and nowhere else
---@field choices? string[] what the value may be
---@field help string
---@field of? table<string, table> by verb: fields that are others there

---@type cli_option[]
local rows = {
  { name = 'only', value = 'IDS', list = true, help = 'these services and what they need' },
  { name = 'except', value = 'IDS', list = true, help = 'all but these' },
  { name = 'category', value = 'NAMES', list = true, help = 'services of these categories' },
  { name = 'tag', value = 'TAGS', list = true, help = 'services with one of these tags' },
  { name = 'profile', value = 'NAMES', list = true, help = 'also services of these profiles' },
  { name = 'no-deps', help = 'not what they depend on' },
  { name = 'no-tui', help = 'plain lines instead of the terminal interface' },
  { name = 'exit', help = 'end when nothing wanted lives or can live' },
  { name = 'abort-on-failure', help = 'shut down when a service has failed' },
  { name = 'timeout', value = 'T', convert = 'duration', help = 'give up when not ready by then' },
  { name = 'junit', value = 'FILE', help = "write JUnit's XML, a case for each service" },
  { name = 'json', help = 'JSON for programs' },
  { name = 'watch-recipe', help = 'reload when the recipe, or a file that it requires, is saved' },
  { name = 'dry-run', help = 'only tell what would be done' },
  { name = 'detach', short = 'd', help = 'leave it running in the background once all is ready; else it ends, with 3' },
  { name = 'no-wait', needs = 'detach', no = 'timeout', help = 'with --detach: do not wait until all is ready' },
  { name = 'linger', value = 'T', convert = 'duration', needs = 'detach',
    help = 'with --detach: how long it stays when its last lease has gone (0)' },
  { name = 'listen', value = 'ADDRESS', convert = 'address',
    help = "the control API on TCP, too, with a token: 4000, 127.0.0.1:4000, '[::1]:4000'; 0: a free port" },
  { name = 'allow-origin', value = 'URL', list = true, convert = 'origin', needs = 'listen',
    help = 'with --listen: pages of this site may ask, too, such as http://localhost:5173' },
  { name = 'dot', help = 'for graphviz' },
  { name = 'mermaid', help = 'for mermaid' },
  { name = 'dotenv', help = 'quoted, for a .env file or a shell' },
  { name = 'tree', help = 'with the processes of each service' },
  { name = 'follow', short = 'f', help = 'go on with what comes' },
  { name = 'lines', short = 'n', value = 'N', convert = 'count', help = 'the last N lines of each' },
  { name = 'since', value = 'T', convert = 'when', help = "no older than this: '5m', '12:30', '2026-01-31 12:30'" },
  { name = 'grep', value = 'TEXT', help = 'lines with this text' },
  { name = 'previous', help = 'of the run before' },
  { name = 'run', value = 'NAME', help = 'of the run with this name, or one that begins so' },
  { name = 'all', help = 'the whole run, not only its start' },
  { name = 'from', value = 'T', convert = 'duration', help = "from here on, such as '30s' after the run began" },
  { name = 'to', value = 'T', convert = 'duration', help = 'up to here' },
  { name = 'svg', value = 'FILE', help = 'write it as an SVG picture; -: standard output' },
  { name = 'html', value = 'FILE', help = 'write it as a page with tables; -: standard output' },
  { name = 'for', value = 'ready|healthy|started|stopped', help = 'what to wait for (ready)',
    of = { simulate = { value = 'T', convert = 'duration', help = 'how long, in virtual time (10m)' } } },
  { name = 'faults', value = 'FILE', help = 'what happens and what the world answers: rows as below' },
  { name = 'seed', value = 'N', convert = 'count',
    help = 'faults at random, the same for the same N; with --faults: of what else is chance' },
  { name = 'sort', short = 's', value = 'COLUMN', help = 'by which column (cpu)',
    choices = { 'name', 'status', 'health', 'pid', 'uptime', 'restarts', 'processes', 'cpu', 'memory' } },
  { name = 'samples', short = 'n', value = 'N', convert = 'count', help = 'so many samples, a second apart, then end' },
  { name = 'signal', short = 's', value = 'NAME', help = 'which signal (TERM)' },
  { name = 'with-dependents', help = 'and what depends on them' },
  { name = 'detach-keys', value = 'KEYS', help = "what leaves the terminal, such as 'ctrl-p,ctrl-q' (ctrl-])" },
  { name = 'force',
    help = 'an engine that does not answer is killed; its guard then ends all of its processes, by TERM and KILL' },
  { name = 'volumes', help = 'also named volumes',
    later = 'it runs no containers, so that a network has no volumes' },
  { name = 'editor', help = 'only the settings for editors: .luarc.json' },
  { name = 'markdown', help = 'the whole reference of recipes, as Markdown' },
  { name = 'project', value = 'NAME', help = 'the network of this name, wherever it is' },
  { name = 'stdlib', value = 'DIR', help = "a checkout's standard library; stands before all else", first = true },
  { name = 'help', short = 'h', help = 'this' },
  { name = 'version', short = 'V', help = 'the version' },
}

local M = { rows = rows, by_name = {}, by_short = {} }
for _, row in ipairs(rows) do
  M.by_name[row.name] = row
  if row.short then
    M.by_short[row.short] = M.by_short[row.short] or {}
    table.insert(M.by_short[row.short], row)
  end
end

---A letter may be short for several options, of which a verb takes one at most.
---@param letter string
---@param allows? fun(name: string): boolean
---@return cli_option? the one that is allowed, else the first there is
function M.short(letter, allows)
  local found = M.by_short[letter] or {}
  for _, row in ipairs(allows and found or {}) do
    if allows(row.name) then return row end
  end
  return found[1]
end

---An option as a command takes it.
---@param row cli_option
---@param verb string
---@return cli_option
function M.of(row, verb)
  local own = row.of and row.of[verb]
  return own and setmetatable(own, { __index = row }) or row
end

---Taken by every verb.
M.everywhere = { 'project', 'stdlib', 'help' }

return M

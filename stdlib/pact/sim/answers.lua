--- What the world answers to a recipe that asks it over HTTP, runs a program or reads a file: by the
-- rows of a script. What no row answers is an error that says which row would.

local json = require 'pact.base.json'
local rows = require 'pact.sim.rows'
local text = require 'pact.base.text'

local M = {}

---@class answers
local Answers = {}
Answers.__index = Answers

---@param world world
---@param context { where: fun(): string, script: string } where: the recipe's line that asks; script: where rows
--- are written
---@return answers
function M.new(world, context)
  return setmetatable({
    world = world, context = context, http = {}, exec = {}, file = {}, port = {}, unanswered = {},
  }, Answers)
end

---@param row table of a subject of ours
function Answers:add(row)
  local into = self[row.subject]
  into[#into + 1] = { row = row, at = row.at or 0, left = row.times or math.huge,
    stop = row.lasts and (row.at or 0) + row.lasts or math.huge }
end

-- The row that holds now: of those that fit the one that began last; of two the first.
local function pick(entries, now, fits)
  local best
  for _, entry in ipairs(entries) do
    local holds = entry.at <= now and now < entry.stop and entry.left > 0 and fits(entry.row)
    if holds and (not best or entry.at > best.at) then best = entry end
  end
  if best then
    best.left = best.left - 1
    return best.row
  end
end

local function matches(pattern, subject)
  if pattern == subject then return true end
  if not pattern:find('*', 1, true) then return false end
  local lua = pattern:gsub('[%^%$%(%)%%%.%[%]%+%-%?]', '%%%0'):gsub('%*', '.*')
  return subject:find('^' .. lua .. '$') ~= nil
end

---A question without an answer: an error where it was asked, and kept.
---@param question string
---@param row string that would answer it
function Answers:none(question, row)
  local where = self.context.where()
  local message = ('%s has no answer in this simulation; %s: %s'):format(question, self.context.script, row)
  self.unanswered[#self.unanswered + 1] = { at = self.world.now, where = where, message = message }
  error((where ~= '' and where .. ': ' or '') .. message, 0)
end

local function body_of(value, request)
  if type(value) == 'function' then value = value(request) end
  return value
end

local function http_answer(row, request)
  if row.error then return nil, rows.errors[row.error], row.error end
  local answer = { status = row.status or 200, headers = {}, delay = row.takes }
  for name, value in pairs(row.headers or {}) do answer.headers[name:lower()] = tostring(value) end
  local body = body_of(row.body, request)
  if type(body) == 'table' and (type(body.status) == 'number' and body.body ~= nil) then
    answer.status, body = body.status, body.body
  end
  if type(body) == 'table' then
    body = json.encode(body)
    answer.headers['content-type'] = answer.headers['content-type'] or 'application/json'
  end
  answer.body = body == nil and '' or tostring(body)
  answer.url = request.url
  return answer
end

---@param request table as sys.http.request takes it
---@return table? row
function Answers:http_row(request)
  return pick(self.http, self.world.now, function(row)
    return matches(row.http, request.url) and (not row.method or row.method:upper() == (request.method or 'GET'))
  end)
end

---@return table? answer, string? message, string? code
function Answers:answer_http(row, request) return http_answer(row, request) end

---@param request table
function Answers:no_http(request)
  local method = request.method ~= 'GET' and request.method
  self:none(('http %s %s'):format(request.method or 'GET', request.url), ("{ http = %s,%s status = 200, body = '…' }")
    :format(text.show(request.url), method and (' method = %s,'):format(text.show(method)) or ''))
end

local function fits_argv(row, argv)
  local wanted = row.exec
  if #wanted == 1 and wanted[1] ~= argv[1] then
    if argv[1] == '/bin/sh' and argv[2] == '-c' then return matches(wanted[1], argv[3]) end
    return wanted[1]:find('[ *]') ~= nil and matches(wanted[1], table.concat(argv, ' '))
  end
  for i, word in ipairs(wanted) do
    if word == '*' and i == #wanted then return true end
    if argv[i] ~= word then return false end
  end
  return #argv == #wanted
end

local function exec_program(row, spec)
  local request = { argv = spec.argv, input = spec.input, cwd = spec.cwd }
  local stdout = body_of(row.stdout, request)
  if type(stdout) == 'table' then stdout = json.encode(stdout) end
  return {
    exit_after = row.takes or 1, code = row.status or 0, signal = row.signal,
    stdout = stdout and tostring(stdout) or '', stderr = row.stderr or '',
  }
end

---@param spec sys.spawn_spec
---@return table? program
function Answers:exec_of(spec)
  local row = pick(self.exec, self.world.now, function(row) return fits_argv(row, spec.argv) end)
  return row and exec_program(row, spec)
end

---@param spec sys.spawn_spec
function Answers:no_exec(spec)
  local argv, shown = spec.argv, {}
  if argv[1] == '/bin/sh' and argv[2] == '-c' then
    shown[1] = text.show(argv[3])
  else
    for i, word in ipairs(argv) do shown[i] = text.show(word) end
  end
  local words = #shown == 1 and shown[1] or '{ ' .. table.concat(shown, ', ') .. ' }'
  local row = ("{ exec = %s, status = 0, stdout = '…' }"):format(words)
  self:none(('the program %s'):format(words), row)
end

---@param path string
---@return table? row
function Answers:file_row(path)
  return pick(self.file, self.world.now, function(row) return row.file == path end)
end

---@param path string
function Answers:no_file(path)
  self:none(("the file '%s'"):format(path), ("{ file = %s, content = '…' }, or absent = true"):format(text.show(path)))
end

---@param port integer
---@return table? row
function Answers:port_row(port)
  return pick(self.port, self.world.now, function(row) return row.port == port end)
end

return M

--- One run of a recipe's declaring part: collects services, hooks, commands, options and every problem.
local cursor = require 'pact.declare.cursor'
local fail = require 'pact.base.fail'
local handle = require 'pact.declare.handle'
local list = require 'pact.base.list'
local load_recipe = require 'pact.declare.load'
local merge = require 'pact.declare.merge'
local record = require 'pact.declare.record'
local replicas = require 'pact.declare.replicas'
local service = require 'pact.declare.fields.service'
local shapes = require 'pact.declare.shapes'
local text = require 'pact.base.text'
local words = require 'pact.declare.words'

local M = {}

---@class declaration
---@field id string
---@field word string the function that declared it
---@field kind string
---@field task boolean
---@field at at
---@field fields table checked, with what defaults and templates add
---@field raw table what the user wrote
---@field spelled table<string, string> how fields were spelled that the user wrote by another name than theirs
---@field group? string whose instance it is
---@field replica? integer its number in the group

local Recipe = {}
Recipe.__index = Recipe

---@param context recipe_context
---@return recipe
function M.new(context)
  local slips = fail.new()
  local recipe = setmetatable({
    context = context, name = context.name, directory = context.directory, busy = false,
    slips = slips, problems = slips.list, declarations = {}, declared = {}, pending = {},
    defaults = {}, hooks = {}, commands = {}, options = {}, settings = {}, secret_values = {},
    sources = {}, files = setmetatable({}, { __mode = 'k' }), shorts = {}, modules = {}, phase = 'declaring',
    texts = {}, -- of its files, by chunk name
    paths = {}, -- a set: what it has read or looked for
    names_in = {}, -- by file: names that text there can see, besides globals
  }, Recipe)
  function recipe.missing(path) return not context.sys.fs.stat(path) end
  recipe.cursor_of = cursor.maker {
    problems = slips, directory = context.directory, home = context.env and context.env.HOME,
    check_pattern = context.sys.text and context.sys.text.check, missing = recipe.missing, fs = context.sys.fs,
  }
  recipe.handles = handle.meta(recipe)
  recipe.api, recipe.pact = words.new(recipe)
  recipe.env = load_recipe.environment(recipe)
  return recipe
end

-- the recipe's file that a function is written in; false for one of another's
local function file_of(self, fn)
  local file = self.files[fn]
  if file == nil then
    file = self.sources[debug.getinfo(fn, 'S').source] or false
    self.files[fn] = file
  end
  return file
end

---Where in the recipe's own files the running code stands.
---@param first? integer level of the first function to look at, as debug.getinfo counts here; default: 2, the caller
---@return at at, integer? level of the function for debug.getinfo in the caller
function Recipe:where(first)
  for level = first or 2, 200 do
    local info = debug.getinfo(level, 'fl')
    if not info then break end
    local file = file_of(self, info.func)
    if file then return { file = file, line = info.currentline }, level - 1 end
  end
  return { file = self.name, line = 0 }
end

---@param subject string
---@return cursor at where the recipe stands
function Recipe:cursor(subject)
  return self.cursor_of { at = self:where(), subject = subject }
end

-- problems found since; while the network runs they are the caller's at once
function Recipe:settle(before)
  if self.phase ~= 'running' or #self.slips.list == before then return end
  local found = {}
  for i = #self.slips.list, before + 1, -1 do
    local problem = table.remove(self.slips.list, i)
    self.slips.seen[fail.text(problem)] = nil
    table.insert(found, 1, fail.text(problem))
  end
  error(fail.stop { message = table.concat(found, '\n') }, 0)
end

local allowed = "must begin with a letter or digit, then letters, digits, '_', '.' and '-'"

---@param id any
---@return string? message what is wrong with an id
function M.check_id(id)
  if type(id) ~= 'string' then return ('must be text, got %s'):format(text.show(id)) end
  if id == '' then return 'must not be empty' end
  if #id > 64 then return ('must have at most 64 characters, has %d'):format(#id) end
  if id == 'pactlua' then return "'pactlua' is taken: our own log has that name" end
  if not id:find '^%w[%w_.-]*$' then return ('%s: %s'):format(text.show(id), allowed) end
end

local function inherited(self, given, at_hand, id)
  local fields, templates = given, given.extends
  for i = templates and #templates or 0, 1, -1 do
    fields = merge.fields(service, templates[i].fields, fields)
  end
  if next(self.defaults) then
    local defaults = merge.applicable(self.defaults, fields, id)
    fields = merge.fields(service, defaults, fields, at_hand.kind)
  end
  fields.extends = nil
  return fields
end

-- a template's field that this kind doesn't have is a slip like one of its own
local function check_templates(given, at_hand)
  for _, template in ipairs(given.extends) do
    for name in list.sorted(template.fields) do
      if not record.has_kind(record.index(service)[name], at_hand.kind) then
        at_hand:slip(("extends a template with '%s', which a service of kind %s hasn't")
          :format(name, at_hand.kind))
      end
    end
  end
end

---Joins a command with its arguments; a container's may be one text, as compose has it.
local function finish_command(fields, at_hand)
  local command = fields.command
  if not command then return end
  if command.text and not fields.args and at_hand.kind == 'container' then
    fields.command = text.words(command.text)
  else
    fields.command = shapes.join(command, fields.args, at_hand, 'shell')
  end
  fields.args = nil
end

---Takes a declaration: `word` is the function's name, as in messages.
---@param what { word: string, kind: string, task: boolean }
---@param id any
---@param raw any
---@param at at
---@return table handle
function Recipe:declare(what, id, raw, at)
  local before = #self.slips.list
  local wrong = M.check_id(id)
  local at_hand = self.cursor_of { at = at, subject = what.word, id = id, kind = what.kind, n = 0 }
  if wrong then
    self.slips:add { at = at, subject = what.word, key = 'id', message = wrong }
    id = text.show(id)
  end
  local given, spelled = {}
  if type(raw) ~= 'table' or getmetatable(raw) then
    at_hand:slip(("needs a table of fields, got %s"):format(text.show(raw)))
    raw, spelled = {}, setmetatable({}, { __index = function() return true end }) -- nothing more is told
  else
    given, spelled = record.check(service, raw, at_hand)
  end
  if given.extends then check_templates(given, at_hand) end
  local fields = inherited(self, given, at_hand, id)
  finish_command(fields, at_hand)
  local first = self.declared[id]
  if first then
    at_hand:slip(('is declared already, at %s'):format(fail.place(first.at)))
  end
  local declaration = {
    id = id, word = what.word, kind = what.kind, task = what.task, at = at, fields = fields,
    raw = raw, spelled = spelled,
  }
  if not first then replicas.check(self, declaration, at_hand) end
  self:settle(before)
  if not first then
    self.declared[id] = declaration
    for number = 1, fields.replicas or 0 do replicas.declare(self, declaration, number) end
    self.declarations[#self.declarations + 1] = declaration
    if self.phase == 'running' and self.context.added then self.context.added(declaration) end
  end
  return handle.new(self.handles, id)
end

---An error of the body as a problem: its place and a traceback of the recipe's own lines.
---@param raised any the error value
---@param traceback? string
---@return problem
function Recipe:problem_of(raised, traceback)
  local problem = fail.stopped_by(raised)
  if problem then return problem end
  local message, at = require 'pact.base.raised' (raised), nil
  local file, line, rest = message:match '^(.-):(%d+): (.*)$'
  if file and self.shorts[file] then
    at, message = { file = self.shorts[file], line = math.tointeger(tonumber(line)) }, rest
  end
  local trace, first, refused
  if traceback then trace, first, refused = load_recipe.traceback(self, traceback) end
  if at and refused then trace = nil end -- a word of ours was misused: the place says it all
  return { at = at or first or { file = self.name, line = 0 }, message = message, traceback = trace }
end

---Keeps an error that ended the body.
---@param raised any the error value
---@param traceback? string
function Recipe:failed(raised, traceback)
  self.broken = true
  local problem = self:problem_of(raised, traceback)
  local at = not fail.stopped_by(raised) and problem.at
  for _, slip in ipairs(at and self.slips.list or {}) do
    local same = slip.undefined and slip.at.file == at.file and slip.at.line == at.line
    if same then return end -- the cause of this error has been told
  end
  self.slips:add(problem)
end

---Ends the declaring part: what was begun and not ended is told.
function Recipe:close()
  self.phase = 'running'
  for _, begun in ipairs(self.pending) do
    if not begun.done then
      self.slips:add {
        at = begun.at, subject = ('%s %s'):format(begun.word, text.show(begun.id)),
        message = ("has no table: write pact.%s %s { … }"):format(begun.word, text.show(begun.id)),
      }
    end
  end
  self.pending = {}
end

---Options of the recipe and its commands, sorted.
---@return { options: table[], commands: table[] }
function Recipe:usage()
  local options = table.move(self.options, 1, #self.options, 1, {})
  table.sort(options, function(a, b) return a.name < b.name end)
  local commands = {}
  for name, command in list.sorted(self.commands) do
    commands[#commands + 1] = { name = name, help = command.help }
  end
  return { options = options, commands = commands }
end

---Compiles a script of the recipe's, such as a hook's.
---@param path string absolute
---@return function?, problem?
function Recipe:script(path)
  local below = self.directory .. '/'
  local shown = path:sub(1, #below) == below and path:sub(#below + 1) or path
  return load_recipe.chunk(self, path, shown, self.env)
end

---Where a function of the recipe is written; nil for one of another's.
---@param fn function
---@return at?
function Recipe:place(fn)
  local file = file_of(self, fn)
  return file and { file = file, line = debug.getinfo(fn, 'S').linedefined } or nil
end

---Reads and compiles the file.
---@return function? body, problem? problem
function Recipe:compile() return load_recipe.compile(self) end

return M

--- Names that shells offer and that no table has: `pactlua completion names KIND`. Of what lives the network is asked;
-- what may be chosen before there is one is told by the record of the last run. No recipe is read.

local find = require 'pact.control.client.find'
local json = require 'pact.base.json'
local list = require 'pact.base.list'
local live = require 'pact.control.verbs.live'
local plan_record = require 'pact.observe.plan_record'
local runs = require 'pact.control.client.runs'
local text = require 'pact.base.text'

local M = {}

---@alias offered { [1]: string, [2]?: string } a name, and what is to be told about it

local ABOUT = 60

-- A line of its own, short enough for a list of many.
local function shown(about)
  return about and text.truncate((about:gsub('%s+', ' ')), ABOUT) or nil
end

-- files --------------------------------------------------------------------------------------------

-- What the newest run recorded of its services.
local function planned(context)
  local run, out = runs.find(context), {}
  local record = run and context.sys.fs.read(run.path .. '/' .. plan_record.FILE) or ''
  for _, line in ipairs(text.lines(record)) do
    local it = json.decode(line)
    if type(it) == 'table' and type(it.service) == 'string' then out[#out + 1] = it end
  end
  return out
end

-- Words of a field of the services, sorted.
local function words_of(context, field, default)
  local seen = {}
  for _, it in ipairs(planned(context)) do
    local value = it[field] or default
    for _, word in ipairs(type(value) == 'table' and value or { value }) do seen[tostring(word)] = true end
  end
  return list.map(list.keys(seen), function(word) return { word } end)
end

local from_files = {}

function from_files.services(context)
  local seen = {}
  for _, it in ipairs(planned(context)) do
    seen[it.service] = it.display_name or it.task and 'task' or it.kind
    if it.group then seen[it.group] = 'a group' end
  end
  local out = {}
  for id, about in list.sorted(seen) do out[#out + 1] = { id, about } end
  return out
end

function from_files.tags(context) return words_of(context, 'tags', {}) end
function from_files.profiles(context) return words_of(context, 'profiles', {}) end
function from_files.categories(context) return words_of(context, 'category', 'service') end

function from_files.runs(context)
  return list.map(runs.all(context), function(run)
    return { run.name, run.project .. (run.live and ', live' or '') }
  end)
end

function from_files.projects(context)
  local sys, seen, out = context.sys, {}, {}
  for _, dirs in ipairs { find.state_dirs(sys, context.env), find.elsewhere(sys, context.env) } do
    for _, dir in ipairs(dirs) do
      if not seen[dir.project] then
        local lives = sys.fs.stat(dir.path .. '/control.sock') and 'live, ' or ''
        seen[dir.project], out[#out + 1] = true, { dir.project, lives .. 'in ' .. dir.directory }
      end
    end
  end
  return out
end

function from_files.topics() return require('pact.control.verbs.help').topics() end

-- the network --------------------------------------------------------------------------------------

local from_network = {}

function from_network.ids(link)
  local _, body = link:ask('GET', '/v1/services?brief=true')
  local seen, out = {}, {}
  for _, it in ipairs(type(body) == 'table' and body.services or {}) do
    seen[it.id] = it.status
    if it.group then seen[it.group] = 'a group' end
  end
  for id, about in list.sorted(seen) do out[#out + 1] = { id, about } end
  return out
end

function from_network.endpoints(link, id)
  local _, it = link:ask('GET', '/v1/services/' .. id)
  local out = {}
  for name, address in list.sorted(type(it) == 'table' and it.endpoints or {}) do out[#out + 1] = { name, address } end
  return out
end

function from_network.commands(link)
  local _, body = link:ask('GET', '/v1/commands')
  return list.map(type(body) == 'table' and body.commands or {}, function(it) return { it.name, it.help } end)
end

function from_network.arguments(link, name, ...)
  local _, body = link:ask('POST', ('/v1/commands/%s/arguments'):format(name), { args = json.array { ... } })
  return list.map(type(body) == 'table' and body.candidates or {}, function(word) return { word } end)
end

---@type table<string, string> what each kind is of
M.kinds = {
  ids = 'services and groups of the live network', services = 'those of the last run', tags = 'their tags',
  profiles = 'their profiles', categories = 'their categories', runs = 'runs that are kept',
  projects = 'networks here and elsewhere', topics = "what 'help' tells about", commands = "the recipe's commands",
  arguments = 'what may stand behind one of those', endpoints = 'the endpoints of a service',
}

local function tell(context, rows)
  local out = {}
  for i, row in ipairs(rows) do
    local about = shown(row[2])
    out[i] = row[1]:gsub('[%c]', ' ') .. (about and '\t' .. about or '') .. '\n'
  end
  context.out(table.concat(out))
  return 0
end

---Writes the names of a kind, one a line, with a tab and a few words where there is something to tell.
---@param context main_context
---@param kind string
---@param words string[] what the names depend on
---@return integer? status
function M.run(context, kind, words)
  if from_files[kind] then return tell(context, from_files[kind](context)) end
  if from_network[kind] then
    return live.run(context, function(link) return tell(context, from_network[kind](link, table.unpack(words))) end)
  end
  context.err(("pactlua: completion: no kind of names '%s'%s\n"):format(kind, text.suggest(kind, list.keys(M.kinds))))
  return 2
end

return M

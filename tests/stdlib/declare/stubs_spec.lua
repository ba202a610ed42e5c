local calls = require 'pact.declare.calls'
local handle = require 'pact.declare.handle'
local record = require 'pact.declare.record'
local reference = require 'pact.declare.reference'
local service = require 'pact.declare.fields.service'

local stubs = reference.stubs()

-- the names after `---@class` and `---@alias`, with how often each stands there
local function declared()
  local out = {}
  for name in stubs:gmatch '\n%-%-%-@[ac]l[ai]%a+ ([%w_.]+)' do out[name] = (out[name] or 0) + 1 end
  return out
end

-- the text of one class
local function class(name)
  return ('\n' .. stubs):match('\n(%-%-%-@class pact%.' .. name .. '[:\n].-)\n\n')
end

describe('the editor stubs', function()
  it('are Lua that gives a table', function()
    assert.same({}, assert(load(stubs))())
  end)

  it('declare each of their types once, and every type they name', function()
    local known = declared()
    for name, count in pairs(known) do assert.equal(1, count, name .. ' is declared more than once') end
    local function check(types, where)
      for name in types:gmatch '%f[%w_]pact%.[%w_.]*[%w_]' do
        assert.truthy(known[name], ('%s is named by %s and not declared'):format(name, where))
      end
    end
    for _, group in ipairs(calls.groups) do
      for _, row in ipairs(group.rows) do check(row[2], row[1]) end
    end
    for _, row in ipairs(service.fields) do check(row.lua or row.type.lua, row.name) end
    for alias, types in stubs:gmatch '\n%-%-%-@alias ([%w_.]+) ([^\n]+)' do check(types, alias) end
  end)

  it('have every field of a service, with its sentence', function()
    local text = class 'service'
    for _, row in ipairs(service.fields) do
      assert.truthy(text:find(('\n---@field %s? '):format(row.name), 1, true), row.name)
      assert.truthy(text:find(row.doc, 1, true), row.name)
    end
  end)

  it('give each kind the fields that it has', function()
    for _, kind in ipairs { 'process', 'container', 'worker', 'external' } do
      local text = class(kind)
      for _, row in ipairs(service.fields) do
        local has = text:find(('\n---@field %s? '):format(row.name), 1, true) ~= nil
        assert.equal(record.has_kind(row, kind), has, kind .. ' and ' .. row.name)
      end
    end
  end)

  it('have every field and method of a handle', function()
    local text = class 'handle'
    for _, names in ipairs { handle.fields, handle.methods } do
      for _, name in ipairs(names) do assert.truthy(text:find(('\n---@field %s '):format(name), 1, true), name) end
    end
  end)

  it('name each call once, with a type and a sentence', function()
    for _, group in ipairs(calls.groups) do
      local seen = {}
      for _, row in ipairs(group.rows) do
        assert.is_nil(seen[row[1]], row[1])
        seen[row[1]] = true
        assert.matches('%S', row[2])
        assert.matches('%.$', row[3])
      end
    end
  end)
end)

describe('help of calls', function()
  it('is found by the whole name and by its last part', function()
    assert.equal('pact.sleep: fun(time: duration)\n  Waits; everything else goes on.\n', reference.field 'pact.sleep')
    assert.matches('^service:tail: ', reference.field 'tail')
    assert.matches('^service:tail: ', reference.field 'service.tail')
    local _, message = reference.field 'pact.slep'
    assert.equal("there is no field 'pact.slep' (did you mean 'pact.sleep'?)", message)
  end)
end)

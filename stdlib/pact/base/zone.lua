--- Time zones: what a place's clocks show at a moment, from the files of the tz database.

local rule = require 'pact.base.zone_rule'

local M = {}

local ROOT = '/usr/share/zoneinfo'

---@class zone
---@field name string
---@field times integer[] seconds since 1970 at which the offset changes
---@field offsets integer[] seconds east of Greenwich from then on
---@field first integer the offset before all that
---@field rule? zone_rule what holds behind the last change
local Zone = {}
Zone.__index = Zone

---@class zone_segment a stretch of time with one offset
---@field offset integer
---@field from integer its first second
---@field to integer the first second behind it
---@field before integer the offset before it

M.utc = setmetatable({ name = 'UTC', times = {}, offsets = {}, first = 0 }, Zone)

-- One block of the file: where its parts begin, with times of `width` bytes.
local function block(bytes, at, width)
  local version = bytes:match('^TZif(.)', at)
  if not version then return nil end
  local utc, std, leap, times, types, chars = ('>I4I4I4I4I4I4'):unpack(bytes, at + 20)
  local data = at + 44
  local size = times * (width + 1) + types * 6 + chars + leap * (width + 4) + std + utc
  return { version = version, times = times, types = types, at = data, behind = data + size }
end

local function read_block(bytes, part, width)
  local zone = { times = {}, offsets = {} }
  local kinds, records = part.at + part.times * width, part.at + part.times * (width + 1)
  local function offset(kind) return (('>i4'):unpack(bytes, records + kind * 6)) end
  for i = 1, part.times do
    zone.times[i] = (width == 8 and '>i8' or '>i4'):unpack(bytes, part.at + (i - 1) * width)
    zone.offsets[i] = offset(bytes:byte(kinds + i - 1))
  end
  zone.first = part.types > 0 and offset(0) or 0
  return zone
end

---@param bytes string a TZif file
---@return zone?
function M.parse(bytes)
  local ok, zone = pcall(function()
    local part, width = block(bytes, 1, 4), 4
    if part and part.version >= '2' then part, width = block(bytes, part.behind, 8), 8 end
    if not part then return nil end
    local zone = read_block(bytes, part, width)
    zone.rule = width == 8 and rule.parse(bytes:match('^\n([^\n]*)\n', part.behind) or '') or nil
    return zone
  end)
  return ok and zone and setmetatable(zone, Zone) or nil
end

local function valid_name(name)
  return name:find '^[%w_+-]+[%w_+/-]*$' and not name:find('//', 1, true)
end

---@param fs { read: fun(path: string): string? }
---@param name string such as `Europe/Berlin`
---@param root? string
---@return zone? zone nil: there is none of that name
function M.load(fs, name, root)
  if name == 'UTC' or name == 'GMT' or name == 'Z' then return M.utc end
  local path = name:sub(1, 1) == '/' and name or valid_name(name) and (root or ROOT) .. '/' .. name
  local bytes = path and fs.read(path)
  local zone = bytes and M.parse(bytes)
  if not zone then return nil end
  zone.name = name
  return zone
end

---The zone of this machine, or of the variable TZ.
---@param fs { read: fun(path: string): string? }
---@param env table<string, string>
---@return zone
function M.here(fs, env)
  local name = (env.TZ or ''):gsub('^:', '')
  if name == '' then return M.load(fs, '/etc/localtime') or M.utc end
  local found = M.load(fs, name, env.TZDIR)
  local spelled = not found and rule.parse(name)
  if spelled then found = setmetatable({ times = {}, offsets = {}, first = spelled.offset, rule = spelled }, Zone) end
  return found or M.utc
end

---@param fs { list: fun(path: string): string[]? }
---@param name string
---@return string[] names beside the one that was meant
function M.near(fs, name)
  local area, out = name:match '^(.*)/' or '', {}
  for _, other in ipairs(fs.list(area == '' and ROOT or ROOT .. '/' .. area) or {}) do
    out[#out + 1] = area == '' and other or area .. '/' .. other
  end
  return out
end

-- The index of the last change that is not after `utc`; 0: before all.
local function index_of(times, utc)
  local low, high = 0, #times
  while low < high do
    local middle = (low + high + 1) // 2
    if times[middle] <= utc then low = middle else high = middle - 1 end
  end
  return low
end

---@param utc integer seconds since 1970
---@return zone_segment
function Zone:segment(utc)
  local i = index_of(self.times, utc)
  local last = #self.times
  local offset = self.offsets[i] or self.first
  if i == last and self.rule then
    local segment = self.rule:segment(utc)
    if last > 0 and segment.from <= self.times[last] then
      segment.from, segment.before = self.times[last], self.offsets[last - 1] or self.first
    end
    return segment
  end
  return {
    offset = offset, from = self.times[i] or math.mininteger, to = self.times[i + 1] or math.maxinteger,
    before = self.offsets[i - 1] or self.first,
  }
end

return M

local calendar = require 'pact.base.calendar'
local cron = require 'pact.base.cron'
local zone = require 'pact.base.zone'

local NO_FILES = { read = function() end, list = function() return { 'Berlin', 'Bern' } end }

local function place(rule) return zone.here(NO_FILES, { TZ = rule }) end

local UTC = zone.utc
local BERLIN = place 'CET-1CEST,M3.5.0,M10.5.0/3'
local NEW_YORK = place 'EST5EDT,M3.2.0,M11.1.0'

local function seconds(text)
  local year, month, day, hour, minute, rest = text:match '(%d+)-(%d+)-(%d+) (%d+):(%d+):?(%d*)'
  local function whole(word) return math.tointeger(tonumber(word)) or 0 end
  return calendar.days(whole(year), whole(month), whole(day)) * 86400 + whole(hour) * 3600 + whole(minute) * 60 + whole(rest)
end

local function show(utc)
  local year, month, day = calendar.date(utc // 86400)
  return ('%04d-%02d-%02d %02d:%02d'):format(year, month, day, utc % 86400 // 3600, utc % 3600 // 60)
end

-- line, zone, from (UTC) → the next times (UTC)
local TIMES = {
  { '* * * * *', UTC, '2026-01-01 00:00:00', '2026-01-01 00:01', '2026-01-01 00:02' },
  { '* * * * *', UTC, '2026-01-01 00:00:59', '2026-01-01 00:01' },
  { '*/15 * * * *', UTC, '2026-01-01 00:46', '2026-01-01 01:00', '2026-01-01 01:15' },
  { '5/20 * * * *', UTC, '2026-01-01 00:06', '2026-01-01 00:25', '2026-01-01 00:45', '2026-01-01 01:05' },
  { '10-30/10,50 * * * *', UTC, '2026-01-01 00:11', '2026-01-01 00:20', '2026-01-01 00:30', '2026-01-01 00:50' },
  { '0 9 * * mon-fri', UTC, '2026-01-02 09:00', '2026-01-05 09:00' },
  { '0 9 * * 7', UTC, '2026-01-01 00:00', '2026-01-04 09:00', '2026-01-11 09:00' },
  { '0 0 * * 5-7', UTC, '2026-01-01 00:00', '2026-01-02 00:00', '2026-01-03 00:00', '2026-01-04 00:00', '2026-01-09 00:00' },
  { '0 0 13 * fri', UTC, '2026-01-01 00:00', '2026-01-02 00:00', '2026-01-09 00:00', '2026-01-13 00:00' },
  { '0 0 */10 * fri', UTC, '2026-01-01 00:00', '2026-05-01 00:00', '2026-07-31 00:00' },
  { '0 0 31 * *', UTC, '2026-01-31 00:00', '2026-03-31 00:00', '2026-05-31 00:00' },
  { '0 12 29 2 *', UTC, '2096-02-29 12:00', '2104-02-29 12:00' },
  { '0 0 1 JAN,Jul *', UTC, '2026-01-01 00:00', '2026-07-01 00:00', '2027-01-01 00:00' },
  { '@hourly', UTC, '2026-12-31 23:30', '2027-01-01 00:00' },
  { '@Weekly', UTC, '2026-01-01 00:00', '2026-01-04 00:00' },
  { '@monthly', UTC, '2026-12-01 00:00', '2027-01-01 00:00' },
  { '30 14 * * *', BERLIN, '2026-01-01 00:00', '2026-01-01 13:30' },
  { '30 14 * * *', BERLIN, '2026-07-01 00:00', '2026-07-01 12:30' },
  { '0 0 1 * *', NEW_YORK, '2026-02-15 00:00', '2026-03-01 05:00', '2026-04-01 04:00' },
  -- 29 March: the clocks of Berlin go from 2:00 to 3:00 at 1:00 UTC
  { '30 2 * * *', BERLIN, '2026-03-28 02:00', '2026-03-29 01:00', '2026-03-30 00:30' },
  { '0 3 * * *', BERLIN, '2026-03-28 03:00', '2026-03-29 01:00', '2026-03-30 01:00' },
  { '*/30 * * * *', BERLIN, '2026-03-29 00:29', '2026-03-29 00:30', '2026-03-29 01:00', '2026-03-29 01:30' },
  { '*/30 2 * * *', BERLIN, '2026-03-29 00:00', '2026-03-30 00:00' },
  -- 25 October: from 3:00 back to 2:00 at 1:00 UTC
  { '30 2 * * *', BERLIN, '2026-10-24 01:00', '2026-10-25 00:30', '2026-10-26 01:30' },
  { '0 3 * * *', BERLIN, '2026-10-24 02:00', '2026-10-25 02:00' },
  { '30 * * * *', BERLIN, '2026-10-25 00:00', '2026-10-25 00:30', '2026-10-25 01:30', '2026-10-25 02:30' },
  { '59 1 * * *', NEW_YORK, '2026-11-01 04:00', '2026-11-01 05:59', '2026-11-02 06:59' },
}

local ALLOWED = ", '*', lists (1,2), ranges (1-3) and steps (*/2)"
local WRONG = {
  { '', 'has 0 fields, five are expected: minute hour day month weekday' },
  { '* * * *', 'has 4 fields, five are expected: minute hour day month weekday' },
  { '0 * * * * *', "has 6 fields, five are expected: minute hour day month weekday (no seconds here: every = '10s' has them)" },
  { '60 * * * *', "has a wrong minute (field 1): '60' is not allowed: 0–59" .. ALLOWED },
  { '-1 * * * *', "has a wrong minute (field 1): '-1' is not allowed: 0–59" .. ALLOWED },
  { '* * 0 * *', "has a wrong day of the month (field 3): '0' is not allowed: 1–31" .. ALLOWED },
  { '* * * jam *', "has a wrong month (field 4): 'jam' is not allowed: 1–12 or names such as 'jan'" .. ALLOWED },
  { '* * * * 8', "has a wrong day of the week (field 5): '8' is not allowed: 0–7 or names such as 'mon'" .. ALLOWED },
  { '*/0 * * * *', "has a wrong minute (field 1): '*/0' has a step of 0" },
  { '*/x * * * *', "has a wrong minute (field 1): '*/x' has no step: write '*/5' or '10-30/5'" },
  { '9-5 * * * *', "has a wrong minute (field 1): '9-5' ends before it begins" },
  { '1,,2 * * * *', "has a wrong minute (field 1): '1,,2' has an empty part" },
  { '0 0 30 2 *', 'never comes: no such month has day 30' },
  { '@every 5m', "is '@every 5m': write schedule = { every = '5m' }" },
  { '@yearli', "is '@yearli', which is none of @annually @daily @hourly @midnight @monthly @weekly @yearly "
    .. "(did you mean '@yearly'?)" },
}

describe('a line of cron', function()
  for _, row in ipairs(TIMES) do
    it(('%s from %s on'):format(row[1], row[3]), function()
      local spec, at, found = assert(cron.parse(row[1])), seconds(row[3]), {}
      for i = 4, #row do
        at = cron.next(spec, row[2], at)
        found[i - 3] = show(at)
      end
      assert.same(table.move(row, 4, #row, 1, {}), found)
    end)
  end

  for _, row in ipairs(WRONG) do
    it(("'%s' is wrong"):format(row[1]), function()
      local spec, message = cron.parse(row[1])
      assert.is_nil(spec)
      assert.equal(row[2], message)
    end)
  end

  it('steps through a year and more without a repetition or a standstill', function()
    local spec, at = assert(cron.parse '17 3 * * *'), seconds '2026-01-01 00:00'
    for day = 1, 800 do
      local later = cron.next(spec, BERLIN, at)
      assert.is_true(later > at and later - at <= 25 * 3600 + 1020 + 10800, 'day ' .. day)
      at = later
    end
    assert.equal('2028-03-10 02:17', show(at))
  end)
end)

describe('a time zone', function()
  -- rule, UTC → offset
  local rules = {
    { 'CET-1CEST,M3.5.0,M10.5.0/3', '2026-01-01 00:00', 3600 }, { 'CET-1CEST,M3.5.0,M10.5.0/3', '2026-03-29 00:59:59', 3600 },
    { 'CET-1CEST,M3.5.0,M10.5.0/3', '2026-03-29 01:00', 7200 }, { 'CET-1CEST,M3.5.0,M10.5.0/3', '2026-10-25 01:00', 3600 },
    { 'AEST-10AEDT,M10.1.0,M4.1.0/3', '2026-01-01 00:00', 39600 }, { 'AEST-10AEDT,M10.1.0,M4.1.0/3', '2026-07-01 00:00', 36000 },
    { '<+0545>-5:45', '2026-01-01 00:00', 20700 }, { 'XST3', '2026-01-01 00:00', -10800 },
    { 'AAA0BBB,J60,J300', '2024-02-29 12:00', 0 }, { 'AAA0BBB,59,300', '2024-02-29 12:00', 3600 },
    { 'IST-2IDT,M3.4.4/26,M10.5.0', '2026-03-27 00:00', 10800 }, { 'AAA0BBB-0:30,0/0,J365/23', '2026-06-01 00:00', 1800 },
    { 'rubbish!', '2026-01-01 00:00', 0 }, { 'CET-1CEST,M3.5', '2026-07-01 00:00', 0 }, { '', '2026-01-01 00:00', 0 },
  }
  for _, row in ipairs(rules) do
    it(("'%s' at %s"):format(row[1], row[2]), function()
      assert.equal(row[3], place(row[1]):segment(seconds(row[2])).offset)
    end)
  end

  -- a file of the second version: two changes and a rule behind them
  local function file(changes, types, rule)
    local head = 'TZif2' .. ('\0'):rep(15)
    local block = { head .. ('>I4I4I4I4I4I4'):pack(0, 0, 0, #changes, #types, 4) }
    for _, change in ipairs(changes) do block[#block + 1] = ('>i8'):pack(change[1]) end
    for _, change in ipairs(changes) do block[#block + 1] = string.char(change[2]) end
    for _, offset in ipairs(types) do block[#block + 1] = ('>i4'):pack(offset) .. '\0\0' end
    local empty = head .. ('>I4I4I4I4I4I4'):pack(0, 0, 0, 0, 1, 4) .. ('>i4'):pack(0) .. '\0\0' .. 'LMT\0'
    return empty .. table.concat(block) .. 'LMT\0' .. '\n' .. rule .. '\n'
  end

  it('is read from a file: before the first change, between them, and by the rule behind the last', function()
    local bytes = file({ { seconds '1980-04-06 01:00', 1 }, { seconds '1990-01-01 00:00', 2 } }, { 3208, 7200, 3600 },
      'CET-1CEST,M3.5.0,M10.5.0/3')
    local found = assert(zone.load({ read = function(path) return path == '/usr/share/zoneinfo/Some/Where' and bytes end },
      'Some/Where'))
    local function offset(text) return found:segment(seconds(text)).offset end
    assert.same({ 3208, 7200, 3600, 7200, 3600 }, { offset '1970-01-01 00:00', offset '1985-01-01 00:00',
      offset '1990-02-01 00:00', offset '2040-07-01 00:00', offset '2040-12-01 00:00' })
    assert.equal(seconds '1990-01-01 00:00', found:segment(seconds '1990-02-01 00:00').from)
    assert.equal(seconds '1990-03-25 01:00', found:segment(seconds '1990-02-01 00:00').to)
  end)

  it('is none when the file is broken, cut, or outside of the database', function()
    local whole = file({ { 0, 0 } }, { 3600 }, 'UTC0')
    for size = 0, #whole - 1, 7 do
      local found = zone.parse(whole:sub(1, size))
      assert.is_true(found == nil or found:segment(0) ~= nil)
    end
    assert.is_nil(zone.parse 'no such thing')
    for _, name in ipairs { '../../etc/passwd', 'Europe//Berlin', 'Europe/Ber lin', '' } do
      assert.is_nil(zone.load({ read = function() return whole end }, name), name)
    end
    assert.same({ 'Europe/Berlin', 'Europe/Bern' }, zone.near(NO_FILES, 'Europe/Berlni'))
  end)
end)

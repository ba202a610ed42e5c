local duration = require 'pact.base.duration'

describe('base.duration', function()
  it('reads the spellings of recipes', function()
    for text, ms in pairs {
      ['500ms'] = 500, ['30s'] = 30000, ['1m30s'] = 90000, ['1m 30s'] = 90000, ['2h'] = 7200000,
      ['1.5s'] = 1500, ['1d'] = 86400000, ['0s'] = 0, ['0'] = 0, ['30000'] = 30000, [' 5s '] = 5000,
      [100] = 100, [0] = 0, [2500] = 2500, [100.4] = 100, ['1h0m5s'] = 3605000, ['5ms'] = 5,
    } do
      assert.equal(ms, duration.parse(text), text)
      assert.equal('integer', math.type(duration.parse(text)))
    end
  end)

  it('says what is wrong with others', function()
    local expected = "must be a duration such as '500ms', '30s' or '1m30s', got "
    for _, row in ipairs {
      { 'soon', expected .. "'soon'" }, { '', expected .. "''" }, { '5x', expected .. "'5x'" },
      { '5s1m', expected .. "'5s1m'" }, { '5s5s', expected .. "'5s5s'" }, { true, expected .. 'true' },
      { {}, expected .. 'a table' }, { 0 / 0, expected .. tostring(0 / 0) }, { 'm5', expected .. "'m5'" },
      { 5, "is 5: a bare number is milliseconds; write '5s' for seconds or '5ms'" },
      { 99, "is 99: a bare number is milliseconds; write '99s' for seconds or '99ms'" },
      { '30', "is '30': a bare number is milliseconds; write '30s' for seconds or '30ms'" },
      { 0.5, "is 0.5: a bare number is milliseconds; write '0.5s' for seconds or '0.5ms'" },
      { -1, 'must not be negative, got -1' }, { '-5s', "must not be negative, got '-5s'" },
      { '9000h', "must be at most a year, got '9000h'" }, { 1 << 60, 'must be at most a year, got ' .. (1 << 60) },
    } do
      local ms, message = duration.parse(row[1])
      assert.is_nil(ms)
      assert.equal(row[2], message)
    end
  end)

  it('writes for people', function()
    for _, row in ipairs {
      { 0, '0 ms', '0ms', '0s' }, { 350, '350 ms', '350ms', '350ms' }, { 3000, '3 s', '3s', '3s' },
      { 3500, '3.5 s', '3.5s', '3500ms' }, { 42000, '42 s', '42s', '42s' }, { 42900, '42 s', '42s', '42900ms' },
      { 90000, '1 m 30 s', '1m 30s', '1m30s' }, { 7500000, '2 h 5 m', '2h 5m', '2h5m' },
      { 7200000, '2 h', '2h', '2h' }, { 90000000, '1 d 1 h', '1d 1h', '1d1h' },
    } do
      assert.equal(row[2], duration.format(row[1]))
      assert.equal(row[3], duration.short(row[1]))
      assert.equal(row[4], duration.spell(row[1]))
    end
  end)
end)

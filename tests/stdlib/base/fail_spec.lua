local fail = require 'pact.base.fail'

describe('base.fail', function()
  local function at(line, file) return { file = file or 'devnet.lua', line = line } end

  it('writes one line with place, subject, key and message', function()
    assert.equal("devnet.lua:12: process 'web': depends_on 'databse' is not declared",
      fail.text { at = at(12), subject = "process 'web'", key = 'depends_on', message = "'databse' is not declared" })
    assert.equal('devnet.lua: is empty', fail.text { at = at(0), message = 'is empty' })
    assert.equal('x', fail.text { message = 'x' })
  end)

  it('sorts by place, keeps the order within one, drops what was said before', function()
    local problems = fail.new()
    assert.is_true(problems:empty())
    problems:add { at = at(9), message = 'c' }
    problems:add { at = at(2), message = 'b' }
    problems:add { at = at(2), message = 'a' }
    problems:add { at = at(2), message = 'b' }
    problems:add { message = 'first' }
    problems:add { at = at(1, 'other.lua'), message = 'last' }
    assert.equal('first\ndevnet.lua:2: b\ndevnet.lua:2: a\ndevnet.lua:9: c\nother.lua:1: last\n',
      fail.render(problems:sorted()))
    assert.equal('first\n… and 4 more\n', fail.render(problems:sorted(), 1))
  end)

  it('shows a traceback only where there is one', function()
    assert.equal('a:1: x\nstack traceback:\n\ta:1\nb:2: y\n', fail.render {
      { at = at(1, 'a'), message = 'x', traceback = 'stack traceback:\n\ta:1' },
      { at = at(2, 'b'), message = 'y' },
    })
  end)

  it('ends a body with a problem', function()
    local problem = { message = 'x' }
    local _, err = pcall(error, fail.stop(problem))
    assert.equal(problem, fail.stopped_by(err))
    assert.equal('x', tostring(err))
    assert.is_nil(fail.stopped_by 'x')
  end)
end)

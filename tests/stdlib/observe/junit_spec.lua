local junit = require 'pact.observe.junit'

local function render(...) return junit.render { name = 'shop', ms = 1500, cases = { ... } } end

describe("JUnit's XML", function()
  it('counts what came of the cases', function()
    assert.equal(table.concat {
      '<?xml version="1.0" encoding="UTF-8"?>\n',
      '<testsuites name="pactlua" tests="4" failures="1" errors="1" skipped="1" time="1.500">\n',
      '  <testsuite name="shop" tests="4" failures="1" errors="1" skipped="1" time="1.500">\n',
      '    <testcase classname="shop" name="db" time="0.020"/>\n',
      '    <testcase classname="shop" name="web" time="0.000">\n',
      '      <failure message="exit code 1">last words\n</failure>\n',
      '    </testcase>\n',
      '    <testcase classname="shop" name="ui" time="0.000">\n',
      '      <skipped message="dependency"/>\n',
      '    </testcase>\n',
      '    <testcase classname="shop" name="network" time="0.000">\n',
      '      <error message=""/>\n',
      '    </testcase>\n',
      '  </testsuite>\n</testsuites>\n',
    }, render(
      { name = 'db', ms = 20, outcome = 'passed' },
      { name = 'web', ms = 0, outcome = 'failure', message = 'exit code 1', text = 'last words\n' },
      { name = 'ui', ms = 0, outcome = 'skipped', message = 'dependency' },
      { name = 'network', ms = 0, outcome = 'error' }))
  end)

  for _, row in ipairs {
    { '<a href="x">&</a>', '&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;' },
    { 'two\nlines\t!', 'two\nlines\t!' },
    { '\27[31mred\0', '\\x1B[31mred\\x00' },
    { 'a\255b\xC3', 'a\\xFFb\\xC3' },
    { 'grün €', 'grün €' },
    { 'n\239\191\191', 'n\\xEF\\xBF\\xBF' },
    { '\xED\xA0\x80', '\\xED\\xA0\\x80' },
  } do
    it(('writes %q so that it can be read'):format(row[1]), function()
      local xml = render { name = 'a', ms = 0, outcome = 'failure', text = row[1] }
      assert.equal(row[2], xml:match '<failure message="">(.-)</failure>')
    end)
  end

  it('keeps the lines of a message apart', function()
    assert.truthy(render { name = 'a', ms = 0, outcome = 'error', message = 'x\ny' }:find('"x&#10;y"', 1, true))
  end)
end)

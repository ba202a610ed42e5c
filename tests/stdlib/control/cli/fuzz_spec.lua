local cli = require 'pact.control.cli'
local mutations = require 'mutations'
local options = require 'pact.control.cli.options'
local verbs = require 'pact.control.cli.verbs'

local COUNT = tonumber(os.getenv 'PACTLUA_FUZZ') or 20000

local function words_of(line)
  local words = {}
  for word in line:gmatch '[^ ]+' do words[#words + 1] = word end
  return words
end

describe('words of any kind', function()
  it('are a command line or get an answer', function()
    local good, extra = { 'up x.lua web --json', 'run x.lua -- npm test', 'logs -n5 -f web', '--only a,b x.lua', '' }, { ' -- ', ' -' }
    for _, row in ipairs(verbs.rows) do good[#good + 1] = row.name .. ' x.lua' end
    for name in pairs(options.by_name) do extra[#extra + 1] = (' --%s '):format(name) end
    for name in pairs(options.by_short) do extra[#extra + 1] = (' -%s'):format(name) end
    for _, value in ipairs { '5', '10:70', '2024-13-45T99:99:99', '99999-', 'pm' } do extra[#extra + 1] = '=' .. value end
    table.sort(extra)
    mutations.try(COUNT, good, extra, function(line)
      local result, message = cli.parse(words_of(line), {
        now = 1700000000000, exists = function(path) return #path % 3 == 0 end,
      })
      if not result then return assert(type(message) == 'string' and message ~= '', 'no result and no message') end
      assert(verbs.by_name[result.verb] or result.verb == 'version', 'a verb that is none')
      for name in pairs(result.options) do
        assert(options.by_name[(name:gsub('_', '-'))], 'an option that is none')
      end
    end)
  end)
end)

--- Fault 29: the number of a process that has ended is given to another one, which is none of ours.
local functional = require 'functional'
local case = functional.case

-- In a namespace of its own the next number can be chosen.
local can_choose = os.execute('unshare -U -r -p -f --mount-proc sh -c "echo 500 >/proc/sys/kernel/ns_last_pid" 2>/dev/null')

-- "$0" is pactlua. Others may take the number first: until it is this shell's child's.
local STORY = [[
  "$0" up --detach net.lua >up.out || exit
  read -r number <number
  kill -KILL "$number"
  "$0" wait a --for stopped || exit
  until [ "$!" = "$number" ]; do
    echo $((number - 1)) >/proc/sys/kernel/ns_last_pid
    sleep 1000 &
  done
  echo "reused"
  "$0" signal a --signal KILL
  "$0" stop a
  "$0" start a || exit
  "$0" restart a || exit
  "$0" down || exit
  kill -0 "$number" && echo "spared"
]]

describe('a number that was given anew', function()
  case('fault 29: belongs to another process, which no command touches', function(t)
    t:file('net.lua', [[
      local pact = require 'pact'
      pact.process 'a' { shell = 'echo $$ >number; exec sleep 1000', restart = 'never' }
      pact.process 'other' { command = { 'sleep', '1000' } }
    ]])
    local story = t:start({ '-U', '-r', '-p', '-f', '--kill-child', '--mount-proc', 'sh', '-c', STORY, functional.bin },
      { program = 'unshare' })
    story:expect 'reused\n'
    story:expect 'spared\n'
    assert.equal(0, story:wait().code)
  end, not can_choose and 'the next process id cannot be chosen here')
end)

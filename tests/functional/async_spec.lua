--- What a recipe can wait for: programs, HTTP, each other; nothing of it holds up the loop, and all ends with the network.
local functional = require 'functional'
local case = functional.case

-- A free port: bound by nobody while the test runs.
local function free_port()
  local pipe = io.popen "python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'"
  local port = tonumber(pipe:read 'l')
  pipe:close()
  return port
end

-- A recipe with an HTTP server that answers as the file `mood` says; the body is written to a task.
local function with_server(t, mood, body)
  local port = free_port()
  t:file('mood', mood .. '\n')
  return t:up(([[
    local url = 'http://127.0.0.1:%d/'
    pact.process 'web' { command = { '%sweb', '%d', 'mood' }, health = { tcp = %d } }
    local function say(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = tostring(parts[i]) end
      pact.file.append('heard', table.concat(parts, ' ') .. '\n')
    end
    pact.on('all_ready', function() %s end)
  ]]):format(port, functional.fixtures, port, port, body))
end

describe('waiting', function()
  case('pact.exec gives what a program wrote and how it ended', function(t)
    t:up [[
      pact.file.write('program', '')
      local function say(...) pact.file.append('heard', table.concat({ ... }, ' ') .. '\n') end
      local ok = pact.exec { 'sh', '-c', 'echo out $A $0 "$PWD"; echo err >&2; cat; exit 3', 'zero', stdin = 'in', env = { A = 1 }, cwd = '/' }
      say(ok.status, ok.stdout:gsub('\n', ','), (ok.stderr:gsub('\n', '')))
      say(tostring(pact.exec { 'sh', '-c', 'kill -9 $$' }.status), pact.exec { 'sh', '-c', 'kill -9 $$' }.signal)
      local late = pact.exec { shell = 'echo early; sleep 100', timeout = '1s' }
      say(tostring(late.timed_out), late.signal, (late.stdout:gsub('\n', '')))
      local none = pact.exec { 'no-such-program' }
      say(none.status, (none.error:gsub(' %(.*', '')))
      local cut = pact.exec { shell = 'seq 1 1000', max_output = '1k' }
      say(#cut.stdout, tostring(cut.truncated))
      pact.process 'p' { command = { 'sleep', '1000' } }
    ]]
    assert.same({
      '3 out 1 zero /,in err', 'nil KILL', 'true KILL early', "127 exec 'no-such-program': not found on PATH", '1024 true',
    }, t:wait_lines('heard', 5))
  end)

  case("os.execute and io.popen give Lua's own values, and the loop goes on meanwhile", function(t)
    local result = t:up([[
      local function say(...) pact.file.append('heard', table.concat({ ... }, ' ') .. '\n') end
      local ticks, worst, last = 0, 0, nil
      local timer = pact.every('10ms', function()
        local now = pact.now()
        if last then worst = math.max(worst, now - last - 10) end
        ticks, last = ticks + 1, now
      end)
      say(tostring(os.execute()), tostring(os.execute 'true'), select(2, os.execute 'exit 7'), select(3, os.execute 'exit 7'))
      say(select(2, os.execute 'kill -TERM $$'), select(3, os.execute 'kill -TERM $$'))
      os.execute 'sleep 1; echo shown'
      local pipe = io.popen 'sleep 1; echo 12 rest; echo line; printf tail; exit 4'
      say(pipe:read('n', 'l', 'L'))
      for line in pipe:lines() do say(line) end
      say(tostring(pipe:read()), pipe:read 'a', tostring(pipe:close()))
      local sink = io.popen('cat >sunk', 'w')
      sink:write('a', 1):write 'b'
      say(tostring(sink:close()), pact.file.read 'sunk')
      -- A loop that waits for a program would be a second late; less than that a busy machine does to anybody.
      say(ticks > 20 and 'ticked' or ticks, worst < 700 and 'in time' or worst)
      timer.off()
      os.exit(9)
    ]]):wait()
    assert.same({ 'true true exit 7', 'signal 15', '12  rest line', '', 'tail', 'nil  nil', 'true a1b', 'ticked in time' },
      t:lines 'heard')
    assert.equal(9, result.code)
    assert.truthy(result.out:find('shown\n', 1, true))
  end)

  case('pact.http has headers, body and JSON', function(t)
    with_server(t, 'echo', [[
      local answer = pact.http.post(url .. 'x?y=1', { a = { 1, 2 } }, { headers = { ['X-Mine'] = 5 } })
      say(answer.status, answer.body:match 'POST (%S+)', answer.body:match 'X%-Mine: (%S+)', answer.body:match '{.*}',
        answer.body:lower():match 'content%-type: (%S+)')
      pact.file.write('mood', '418 {"tea": [true]}\n')
      answer = pact.http.get(url)
      say(answer.status, answer:json().tea[1], answer.headers['content-length'])
      pact.file.write('mood', '200 no json\n')
      say(select('#', pact.http.get(url):json()), (pact.http.get(url):json()))
      pact.file.write('mood', 'hang\n')
      say(pact.http.get(url, { timeout = '150ms' }))
      pact.file.write('mood', 'close\n')
      say(select(3, pact.http.get(url)))
    ]])
    assert.same({ '200 /x?y=1 5 {"a":[1,2]} application/json', '418 true 15', '2 nil',
      'nil no answer within 150ms timeout', 'reset' }, t:wait_lines('heard', 5))
  end)

  case('an answer can be taken piece by piece, as slowly as one likes', function(t)
    with_server(t, 'pieces 4', [[
      local lines = {}
      local answer = pact.http.request { url = url, stream = function(piece, head)
        if #lines == 0 then say(head.status, head.headers['x-kind']) end
        lines[#lines + 1] = piece
        pact.sleep '60ms'
      end }
      say(answer.status, (table.concat(lines):gsub('\n', ';')))
      pact.file.write('mood', 'flood\n')
      local count = 0
      pact.http.request { url = url, stream = function() count = count + 1 return count < 100 end }
      say(count)
    ]])
    assert.same({ '200 pieces', '200 line 1;line 2;line 3;line 4;', '100' }, t:wait_lines('heard', 3))
  end)

  case('all, race, spawn and queues work together', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' } }
      pact.on('started', function()
        local queue = pact.queue(1)
        local made = pact.spawn(function() for i = 1, 3 do queue:put(i) end queue:close() end)
        local found = pact.all {
          exec = function() return pact.exec { shell = 'until [ -e napped ]; do sleep 0.02; done; echo done' }.stdout end,
          sum = function() local sum = 0 for n in function() return queue:take() end do sum = sum + n end return sum end,
          nap = function() pact.sleep '100ms' pact.file.write('napped', '') end,
        }
        local first, who = pact.race { function() pact.sleep '1h' end, b = function() pact.sleep '10ms' return 'b' end }
        pact.file.append('heard', ('%s%d %s %s %s\n'):format(found.exec, found.sum, first, who, made:status()))
      end)
    ]]
    assert.same({ 'done', '6 b b done' }, t:wait_lines('heard', 2))
  end)

  case('env_of says what a service gets; exec runs beside it', function(t)
    t:up [[
      pact.process 'db' { command = { 'sleep', '1000' }, ports = { sql = 15432 } }
      pact.process 'web' { command = { 'sleep', '1000' }, depends_on = { 'db' }, cwd = 'sub',
        env = { MINE = function() return 'yes' end } }
      pact.external 'far' { health = { file = 'net.lua' } }
      pact.file.mkdir 'sub'
      pact.on('all_ready', function()
        local web = pact.service 'web'
        local env = pact.env_of 'web'
        pact.file.append('heard', ('%s %s %s\n'):format(env.MINE, env.DB_PORT, pact.env_of(web).PACTLUA_SERVICE))
        pact.file.append('heard', web:exec({ shell = 'echo $MINE $EXTRA ${PWD##*/}', env = { EXTRA = 1 } }).stdout)
        pact.file.append('heard', select(2, pact.service('far'):exec { 'true' }) .. '\n')
      end)
    ]]
    assert.same({ 'yes 15432 web', 'yes 1 sub', "'far' is of kind external: programs have no surroundings there" },
      t:wait_lines('heard', 3))
  end)

  case('a shutdown ends all that waits, and what was begun for it', function(t)
    local network = with_server(t, 'hang', [[
      local function forever(fn) pact.spawn(function() fn() say 'never' end) end
      forever(function() pact.exec { 'sleep', '987' } end)
      forever(function() os.execute 'sleep 986' end)
      forever(function() pact.http.get(url, { timeout = '1h' }) end)
      forever(function() pact.queue(1):take() end)
      forever(function() pact.service('web'):wait 'stopped' end)
      forever(function() pact.all { function() pact.sleep '1h' end } end)
      local _ <close> = setmetatable({}, { __close = function() say 'closed' end })
      pact.every('20ms', function() pact.file.write('ticked', '') end)
      pact.sleep '1h'
    ]])
    functional.wait('the ticks', function() return t:exists 'ticked' end)
    network:signal 'TERM'
    local result = network:wait()
    assert.equal(15, result.signal)
    assert.equal(0, result.left)
    assert.same({ 'closed' }, t:lines 'heard')
    assert.is_nil((result.out .. result.err):find('hook_failed', 1, true))
    assert.is_nil((result.out .. result.err):find('internal error', 1, true))
  end)

  case('where Lua cannot wait, the call raises and says so, and leaves nothing behind', function(t)
    t:up [[
      pact.process 'p' { command = { 'sleep', '1000' } }
      pact.on('started', function()
        local function say(text) pact.file.append('heard', text .. '\n') end
        local ok, message = pcall(string.gsub, 'x', 'x', function() pact.exec { shell = 'sleep 979; touch ran' } end)
        say(tostring(ok) .. ' ' .. message)
        ok, message = pcall(table.sort, { 2, 1 }, function() pact.http.get 'http://127.0.0.1:1/' end)
        say(tostring(ok) .. ' ' .. message:gsub('%(.*%)', '()'))
        say(coroutine.wrap(function() pact.sleep '10ms' return 'through' end)())
        say(select(2, pcall(function() pact.sleep '10ms' error('after', 0) end)))
      end)
    ]]
    local heard = t:wait_lines('heard', 4)
    assert.truthy(heard[1]:find "^false net.lua:4: can't wait here", heard[1])
    assert.truthy(heard[2]:find "^false net.lua:6: can't wait here", heard[2])
    assert.same({ 'through', 'after' }, { heard[3], heard[4] })
    for _, process in ipairs(functional.procfs.with_environment('FUNCTIONAL_TEST=' .. t.dir .. '\0')) do
      assert.is_nil(process.command:find('979', 1, true), process.command)
    end
  end)
end)

--- Fields of a worker's `self:http_server { … }`.
local address = require 'pact.base.address'
local shapes = require 'pact.declare.shapes'
local text = require 'pact.base.text'
local values = require 'pact.declare.values'

---@type value_type what it comes to: { host, port } or { path }
local listen = {
  name = "'host:port', port or 'unix:path'", lua = 'string|integer',
  check = function(value, cursor, row)
    if type(value) == 'string' then
      local path = value:match '^unix:(.+)$' or value:find('/', 1, true) and value
      if path then return { path = values.path.check(path, cursor, row) } end
    end
    local host, port
    if type(value) == 'string' or math.type(value) == 'integer' then host, port = address.parse(value) end
    if port then return { host = host, port = port } end
    cursor:fail(("must be 'host:port', a port, 0 for any that is free, or 'unix:path', got %s")
      :format(text.show(value)))
  end,
}

---@type noun
local noun = {
  name = 'http_server',
  doc = 'An HTTP server inside a worker: self:http_server { listen = …, handler = … }.',
  fields = {
    { name = 'listen', type = listen, default = 'its first declared port, else any that is free on 127.0.0.1',
      doc = "Where it listens: '127.0.0.1:8081', 8081, 0 for a free port, 'unix:stub.sock'." },
    { name = 'name', type = values.string, default = "'http'", doc = 'The name of its port.' },
    { name = 'handler', type = values.func,
      doc = 'function(request, response) for each request that no route takes; gives the answer. It may wait.' },
    { name = 'routes', type = shapes.map_of(values.any),
      doc = "Answers, or functions that give them, by method and path: ['GET /items/:id'] = function(request) … end." },
    { name = 'max_body', type = values.size, min = 0, default = '1m', doc = 'The largest body of a request.' },
    { name = 'max_connections', type = values.integer, min = 1, max = 100000, default = '1000',
      doc = 'So many connections at once; further ones are answered 503.' },
    { name = 'head_timeout', type = values.duration, min = 10, default = '10s',
      doc = "For a request's head, from its first byte." },
    { name = 'body_timeout', type = values.duration, min = 10, default = '30s', doc = "For a request's body." },
    { name = 'idle_timeout', type = values.duration, min = 10, default = '60s',
      doc = 'A connection without a request is closed after this.' },
    { name = 'take_timeout', type = values.duration, min = 10, default = '60s',
      doc = 'A client that takes nothing of its answer is cut off after this.' },
  },
}
for _, row in ipairs(noun.fields) do row.reload = 'restart' end -- with the text of `run`

return noun

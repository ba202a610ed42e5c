--- A network's figures as OpenMetrics text.

local M = {}

local STATUSES = {
  'idle', 'waiting', 'starting', 'running', 'stopping', 'stopped', 'completed', 'backoff', 'failed', 'skipped',
}
local HEALTHS = { 'none', 'unknown', 'healthy', 'unhealthy' }

local ESCAPED = { ['\\'] = '\\\\', ['"'] = '\\"', ['\n'] = '\\n' }

local function label(value) return (value:gsub('[\\"\n]', ESCAPED)) end

-- One sample for each word of which one is true.
local function states(name, field, words)
  return function(of)
    local out = {}
    for i, word in ipairs(words) do
      out[i] = { (',%s="%s"'):format(name, word), of.snapshot[field] == word and 1 or 0 }
    end
    return out
  end
end

local function figure(fn)
  return function(of)
    local value = fn(of)
    return value and { { '', value } } or {}
  end
end

local function of_sample(name)
  return figure(function(of) return of.sample and of.sample[name] end)
end

local function of_log(name)
  return figure(function(of) return of.log and of.log[name] end)
end

-- { name, type, help, samples(of) → { labels, value }[], suffix of its samples, unit }
local FAMILIES = {
  { 'pactlua_service_status', 'stateset', 'What a service is doing.',
    states('pactlua_service_status', 'status', STATUSES) },
  { 'pactlua_service_health', 'stateset', 'What its health check says.',
    states('pactlua_service_health', 'health', HEALTHS) },
  { 'pactlua_service_restarts', 'counter', 'Restarts so far.',
    figure(function(of) return of.snapshot.restart_count end), '_total' },
  { 'pactlua_service_cpu_seconds', 'counter', 'Processor time of all of its processes since it started.',
    figure(function(of) return of.sample and of.sample.cpu and of.sample.cpu / 1000 end), '_total', 'seconds' },
  { 'pactlua_service_memory_bytes', 'gauge', 'Resident memory of all of its processes.', of_sample 'rss', '', 'bytes' },
  { 'pactlua_service_processes', 'gauge', 'Its processes.', of_sample 'procs' },
  { 'pactlua_service_log_bytes', 'gauge', 'Size of its log.', of_log 'size', '', 'bytes' },
  { 'pactlua_service_log_lost_bytes', 'counter', 'Bytes that found no room in its log.', of_log 'lost', '_total',
    'bytes' },
}

local function family(out, row)
  out[#out + 1] = ('# TYPE %s %s\n'):format(row[1], row[2])
  if row[6] then out[#out + 1] = ('# UNIT %s %s\n'):format(row[1], row[6]) end
  out[#out + 1] = ('# HELP %s %s\n'):format(row[1], row[3])
end

local function number(value)
  return math.type(value) == 'integer' and ('%d'):format(value) or ('%.6g'):format(value)
end

---@param network network
---@return string
function M.text(network)
  local services = {}
  for i, snapshot in ipairs(network:snapshots()) do
    local log = network.supervisor:open_log(snapshot.id)
    services[i] = {
      snapshot = snapshot, label = label(snapshot.id), sample = network.supervisor:sample(snapshot.id),
      log = log and network.sys.log.stat(log),
    }
  end
  local out = {}
  family(out, { 'pactlua', 'info', 'The network.' })
  out[#out + 1] = ('pactlua_info{project="%s",version="%s"} 1\n'):format(label(network.project or ''),
    label(network.sys.version or ''))
  family(out, { 'pactlua_uptime_seconds', 'gauge', 'Since the network began.', nil, nil, 'seconds' })
  out[#out + 1] = ('pactlua_uptime_seconds %s\n'):format(number((network.sys.time.now() - network.started_at) / 1000))
  for _, row in ipairs(FAMILIES) do
    family(out, row)
    for _, of in ipairs(services) do
      for _, sample in ipairs(row[4](of)) do
        out[#out + 1] = ('%s%s{service="%s"%s} %s\n'):format(row[1], row[5] or '', of.label, sample[1],
          number(sample[2]))
      end
    end
  end
  out[#out + 1] = '# EOF\n'
  return table.concat(out)
end

return M

--- What services have written, as it is asked for: rows of the table of routes.

local M = { LINES = 'application/x-ndjson' }

---@param request sys.ctl_request
---@return boolean server-sent events rather than lines
function M.wants_sse(request) return (request.headers.accept or ''):find('text/event-stream', 1, true) ~= nil end

local function logs(network, request, ids)
  request.sse = M.wants_sse(request)
  return require('pact.control.api.log_requests').answer(network, request, ids)
end

local function logs_of_one(network, request, id) return logs(network, request, { id }) end
local function logs_of_all(network, request) return logs(network, request, request.given.ids) end

local LOG_QUERY = {
  { 'lines', 'count', 'the last so many of each service; 100, or with since, grep or regex all' },
  { 'since', 'text', "no older than so long ('5m'), a time ('14:30', '2024-05-01T14:30:00') or ms since 1970" },
  { 'grep', 'text', 'lines with this text' },
  { 'regex', 'text', 'lines that match this POSIX extended regular expression' },
  { 'stream', 'output', 'only this stream; pactlua is what we wrote ourselves' },
  { 'previous', 'boolean', 'of the run before' },
  { 'follow', 'boolean', 'goes on with what comes' },
}

local function log_route(path, summary, answer_to, query)
  return {
    'GET', path, answer_to, raw = true, summary = summary .. '; server-sent events for who accepts text/event-stream',
    type = M.LINES, query = query,
    answer = 'a line each: service, at (wall ms), stream, epoch, text; partial: it has not ended; continues: it goes '
      .. 'on with the last partial one; in place of lines that are gone missed: so many bytes',
  }
end

---@type route[]
M.rows = {
  log_route('/v1/services/{id}/logs', 'What a service, or a group of replicas, has written', logs_of_one, LOG_QUERY),
  log_route('/v1/logs', 'What services have written, in the order of time', logs_of_all,
    { { 'ids', 'texts', 'services: a,b,c; without any all' }, table.unpack(LOG_QUERY) }),
}

return M

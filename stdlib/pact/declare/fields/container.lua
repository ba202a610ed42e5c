--- Fields that only containers have.
local shapes = require 'pact.declare.shapes'
local values = require 'pact.declare.values'

local strings = shapes.list_of(values.string)

---@type noun
local build = {
  name = 'build',
  doc = 'How the image is made.',
  fields = {
    { name = 'context', type = values.path, default = "'.'", doc = 'The directory that is sent.' },
    { name = 'dockerfile', type = values.string, default = "'Dockerfile'",
      doc = 'Its recipe, within the context.' },
    { name = 'args', type = shapes.env, doc = 'Variables of the build.' },
    { name = 'target', type = values.string, doc = 'The stage to stop at.' },
    { name = 'labels', type = shapes.map_of(values.string), doc = 'Labels of the image.' },
    { name = 'pull', type = values.boolean, default = 'false',
      doc = 'Look for newer base images.' },
    { name = 'network', type = values.string, doc = 'The network during the build.' },
    { name = 'cache_from', type = strings, doc = 'Images to take layers from.' },
    { name = 'shm_size', type = values.size, doc = 'Size of /dev/shm during the build.' },
  },
}

local record = require 'pact.declare.record'

local function short_build(value, cursor)
  if type(value) ~= 'string' then return nil, false end
  local context = values.path.check(value, cursor, {})
  return context and { context = context }, true
end

---@type field[]
local rows = {
  { name = 'image', type = values.string, doc = 'The image, with its tag.' },
  { name = 'build', type = record.type(build, short_build),
    doc = 'Make the image: a directory or a table.' },
  { name = 'pull_policy', type = values.enum { 'missing', 'always', 'never' },
    default = "'missing'",
    doc = 'When to pull the image.' },
  { name = 'entrypoint', type = shapes.argv, doc = 'Instead of the entry point of the image.' },
  { name = 'container_name', type = values.string,
    doc = 'Its name with Docker, instead of one with the project.' },
  { name = 'volumes', type = strings, merge = nil,
    doc = "Volumes and directories: 'data:/var/lib', './src:/src:ro'." },
  { name = 'tmpfs', type = strings, doc = 'Directories in memory.' },
  { name = 'networks', type = strings, doc = 'Networks beside that of the project.' },
  { name = 'network_mode', type = values.string, doc = "Docker's network mode, such as 'host'." },
  { name = 'labels', type = shapes.map_of(values.string), merge = 'map',
    doc = 'Labels of the container.' },
  { name = 'expose', type = shapes.list_of(values.integer), min = 1, max = 65535,
    doc = 'Ports for other containers only.' },
  { name = 'hostname', type = values.string, doc = 'Its host name.' },
  { name = 'extra_hosts', type = strings, doc = "More names: 'host:address'." },
  { name = 'dns', type = strings, doc = 'Name servers.' },
  { name = 'platform', type = values.string, doc = "Such as 'linux/arm64'." },
  { name = 'privileged', type = values.boolean, default = 'false',
    doc = 'All rights of the machine.' },
  { name = 'cap_add', type = strings, doc = 'Capabilities to add.' },
  { name = 'cap_drop', type = strings, doc = 'Capabilities to take away.' },
  { name = 'devices', type = strings, doc = 'Devices of the machine.' },
  { name = 'init', type = values.boolean, default = 'false', doc = 'Run an init inside.' },
  { name = 'read_only', type = values.boolean, default = 'false',
    doc = 'A root file system that cannot be written.' },
  { name = 'memory', type = values.size, min = 1, aliases = { 'mem_limit' },
    doc = 'The most memory.' },
  { name = 'cpus', type = values.number, min = 0, doc = 'The most processors.' },
  { name = 'shm_size', type = values.size, doc = 'Size of /dev/shm.' },
}
for _, row in ipairs(rows) do row.kinds, row.reload = 'container', 'restart' end
for _, row in ipairs(build.fields) do row.reload = 'restart' end

return { fields = rows, build = build }

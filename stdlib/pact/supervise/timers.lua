--- Timers of a service, by name: each feeds an event of its epoch.

local M = {}

---@class node_timer
---@field id integer
---@field due integer
---@field fire fun()

---@param node node
---@param name string
function M.stop(sup, node, name)
  local timer = node.timers[name]
  sup.sched:cancel(timer and timer.id)
  node.timers[name] = nil
end

---Feeds what `make` gives, `ms` from now. One of that name that runs is replaced.
---@param node node
---@param name string
---@param ms integer
---@param make fun(): table? event
function M.set(sup, node, name, ms, make)
  M.stop(sup, node, name)
  local epoch = node.record.epoch
  local function fire()
    node.timers[name] = nil
    local event = make()
    if event then
      event.epoch = epoch
      sup:feed(node, event)
    end
  end
  node.timers[name] = { id = sup.sched:after(ms, fire), due = sup.sys.time.now() + ms, fire = fire }
end

---One that runs fires no earlier than `ms` from now.
---@param node node
---@param name string
---@param ms integer
function M.extend(sup, node, name, ms)
  local timer, now = node.timers[name], sup.sys.time.now()
  if not timer or timer.due >= now + ms then return end
  sup.sched:cancel(timer.id)
  timer.due, timer.id = now + ms, sup.sched:after(ms, timer.fire)
end

return M

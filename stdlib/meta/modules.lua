---@meta
-- How the modules of the standard library meet: what each constructor takes and gives, where
-- modules of different ranks touch. Records are in types.lua, the bindings in sys.lua.

-- base ---------------------------------------------------------------------------------------------

---`require 'pact.base.bus'`: events go through here, values only.
---@class bus
local bus = {}
---@param clock sys.time
---@param try fun(fn, ...): boolean, any isolates a subscriber's error
---@return bus
function bus.new(clock, try) end
---Numbers the event, stamps it (`seq name at mono` and `fields`) and gives it to all subscribers in order.
---@param name string
---@param fields? table
---@return event
function bus:emit(name, fields) end
---Subscribers are called in order of `rank` (journal 10, supervisor 20, hooks 30, clients 40), then of subscription.
---@param rank integer
---@param fn fun(event: event)
---@return fun() off
function bus:subscribe(rank, fn) end

---`require 'pact.base.sched'`: routes events of `sys` by id, and runs coroutines that wait for them.
---@class sched
local sched = {}
---Calls sys.dispatch and sys.turn itself.
---@param sys sys
---@return sched
function sched.new(sys) end
---Later events of this id go to `fn(kind, …)`, until `sched:off(id)` or sys.cancel through `sched:cancel(id)`. Id 0: signals,
---one function for each name: `sched:on_signal(name, fn)`.
---@param id integer
---@param fn fun(kind: string, ...)
function sched:on(id, fn) end
function sched:off(id) end
function sched:cancel(id) end
function sched:on_signal(name, fn) end
---Calls fn once, `ms` later; the id can be given to `sched:cancel`.
---@return integer id
function sched:after(ms, fn) end
---Starts a coroutine at once. `opts.budget`: watchdog ms for each resume (0: none); `opts.name` for people. `opts.done(ok, …)` is
---called at its end with its results, or with false and `{ message =, traceback = }`.
---@param opts? { budget?: integer, name?: string, done?: fun(ok: boolean, ...) }
---@return table task `task:cancel()`
function sched:spawn(fn, opts, ...) end
---In a coroutine of `spawn`: yields until the next event of this id; gives `kind, …`. Elsewhere: raises, and says so.
function sched:await(id) end
---In a coroutine: yields for so long.
function sched:sleep(ms) end
---In a coroutine: yields until somebody calls the function that `register` gets; gives what that was called with.
---@param register fun(resume: fun(...))
function sched:wait(register) end
---@return boolean in a coroutine that may yield to the scheduler
function sched:can_yield() end

-- declare, plan ----------------------------------------------------------------------------------------

---`require 'pact.declare.recipe'`: one run of a recipe's declaring part.
---@class recipe
---@field pact table what `require 'pact'` gives this recipe: project defaults template process task container worker external on once
--- option command args profiles … Control adds what acts and reads to the same table.
---@field problems problem[] found so far
local recipe = {}
---@param context { path: string, name: string, directory: string, args: string[], env: table<string,string>, sys: sys } path absolute; name as the user gave it
---@return recipe
function recipe.new(context) end
---Reads and compiles the file: a function to run as a coroutine; its globals are strict and `require 'pact'` gives `pact`.
---@return function? body, problem? problem absent, a directory, binary, empty, syntax error
function recipe:compile() end
---Called when the body has ended, or at the first acting call.
---@param options? { dry: boolean }
---@return plan? plan, problem[] problems
function recipe:plan() end
---Options of the recipe, for `--help`: `{ name, default, help, type }` and commands `{ name, help }`, sorted.
function recipe:usage() end

---`require 'pact.plan.select'`: which services are wanted.
---@param plan plan
---@param selection { ids?: string[], only?: string[], except?: string[], category?: string[], tag?: string[], profile?: string[], no_deps?: boolean }
---@return table<string, true>? wanted, problem[]? problems unknown ids, with suggestions
local function select(plan, selection) end

---`require 'pact.plan.show'`: `text(plan)`, `dot(plan)`, `mermaid(plan)`, `json(plan)` give strings; `problem(p)` one line for people.

-- supervise --------------------------------------------------------------------------------------------

---`require 'pact.supervise.supervisor'`
---@class supervisor
local supervisor = {}
---@param context { sys: sys, sched: sched, bus: bus, plan: plan, run: { id: string, dir: string, project: string, socket?: string, tag: string, state_dir: string }, env: table<string,string>, settings: table }
---@return supervisor
function supervisor.new(context) end
---Sets what is wanted, and goes to work. Without `no_deps` what they need is wanted too.
---@param ids string[]
---@param options? { no_deps?: boolean, by?: 'person'|'hook' }
---@return true?, string?
function supervisor:start(ids, options) end
---@return true?, string?
function supervisor:stop(ids, options) end
function supervisor:restart(ids, options) end
---@return true?, string?, string?
function supervisor:signal(id, signo, scope) end
---@return snapshot?
function supervisor:snapshot(id) end
---@return snapshot[] in the plan's order
function supervisor:snapshots() end
---@return integer? id of the service's log in sys.log
function supervisor:log(id) end
---@return string[] why it is as it is, one line each
function supervisor:why(id) end
---Later declarations: checked, and idle until started.
function supervisor:add(service) end
---True while something wanted lives or can live (starting, running, waiting, backoff, stopping).
---@return boolean
function supervisor:lives() end
---Reverse order, grace, bounds; `done(survivors)` when all is down. A second call, or `now`, kills at once.
---@param options { now?: boolean, reason: string }
---@param done fun(survivors: { pid: integer, name: string, state: string, service: string }[])
function supervisor:shutdown(options, done) end

return { bus, sched, recipe, select, supervisor }

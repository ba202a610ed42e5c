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
--- option command secret free_port args … A name it doesn't have is an error with a suggestion.
---@field api table the table behind `pact`: control adds what acts and reads here
---@field env table the recipe's global environment
---@field busy boolean control sets it when the body started or scheduled something, so that a recipe without services is none too few
---@field options { name: string, default: any, help: string, type: string, at: at }[] for `--help`
local recipe = {}

---@class recipe_context
---@field path string absolute
---@field name string as the user gave it; shown in messages
---@field directory string
---@field args string[]
---@field env table<string,string>
---@field sys sys `fs` `os` `text` `net` of it are used
---@field globals? table what the recipe sees besides Lua's own library: overrides such as `os` `io` `coroutine`
---@field require? fun(name: string): any modules that aren't beside the recipe
---@field free_port? fun(name: string): integer?, string? default: sys.net.free_port
---@field live? fun(id: string, key: string): any a handle's fields, once there is a supervisor; nil: not known yet
---@field methods? table<string, function> a handle's methods: `fn(handle, …)`; may be filled later
---@field hook_off? fun(hook: table) hears of `:off()`

---@param context recipe_context
---@return recipe
function recipe.new(context) end
---Reads and compiles the file: a function to run as a coroutine with the recipe's args; its globals are strict and `require 'pact'` gives `pact`.
---@return function? body, problem? problem absent, a directory, binary, empty, syntax error
function recipe:compile() end
---Keeps an error that ended the body, for `problems` of the plan.
---@param message any the error value
---@param traceback? string shown for errors the recipe itself raised
function recipe:failed(message, traceback) end
---Options of the recipe, for `--help`: `{ name, default, help, type }` and commands `{ name, help }`, sorted.
---@return { options: table[], commands: table[] }
function recipe:usage() end

---`require 'pact.plan'`: what was declared becomes a plan. Ends the declaring part: slips with globals raise from then on.
---@class planner
local planner = {}
---Called when the body has ended (also after `recipe:failed`), or at the first acting call.
---@param recipe recipe
---@return plan? plan nil when there are problems
---@return problem[] problems all, sorted by place; `require 'pact.base.fail'.render(problems)` is their text
function planner.build(recipe) end
---Services declared since: they are checked against the plan and put into it.
---@param plan plan
---@param recipe recipe
---@return service[]? added, problem[] problems
function planner.extend(plan, recipe) end

---`require 'pact.plan.select'`: which services are wanted.
---@class selector
local selector = {}
---@param plan plan
---@param selection { ids?: string[], only?: string[], except?: string[], category?: string[], tag?: string[], profile?: string[], no_deps?: boolean }
---@return table<string, true>? wanted, problem[]? problems unknown ids, with suggestions
function selector.wanted(plan, selection) end
---The plan without edges to services that were left out by hand (`except`, `no_deps`): their dependents don't wait for them.
---@return plan
function selector.cut(plan, selection, wanted) end

---`require 'pact.plan.show'`: `text(plan)`, `dot(plan)`, `mermaid(plan)`, `json(plan)` give strings; `problem(p)` one line for people.

---`require 'pact.declare.variables'`: `read(env)` gives `settings, problems` from PROCESS_*, HEALTH_CHECK_*, TUI_*, DEBUG*; also `plan.settings`.

---`require 'pact.declare.reference'`: `field(name)` text for `help FIELD` or nil and a message; `markdown()`, `stubs()`.

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

return { bus, sched, recipe, planner, selector, supervisor }

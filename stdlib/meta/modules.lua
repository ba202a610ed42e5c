---@meta
-- How the modules of the standard library meet: what each constructor takes and gives, where
-- declare and plan touch control. Records, base/sched, base/bus and supervise are in types.lua,
-- the bindings in sys.lua.

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
---@field require? fun(name: string): any modules that aren't beside the recipe; nil: it has none of that name
---@field free_port? fun(name: string): integer?, string? default: sys.net.free_port
---@field live? fun(id: string, key: string): any a handle's fields, once there is a supervisor; nil: not known yet
---@field methods? table<string, function> a handle's methods: `fn(handle, …)`; may be filled later
---@field hook_off? fun(hook: table) hears of `:off()`
---@field hook_on? fun(hook: table) hears of hooks declared after the plan was built
---@field added? fun(declaration: table) hears of services declared after the plan was built: call planner.extend. Problems of such declarations raise

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
---Declares a service, as `pact.process` does: `what` is one of `require 'pact.declare.words'.kinds`, `at` from `recipe:where()`.
---@return table handle
function recipe:declare(what, id, fields, at) end

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

return { recipe, planner, selector }

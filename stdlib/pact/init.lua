--- What `require 'pact'` gives outside of a recipe: a recipe gets a table of its own for each run.

return setmetatable({}, {
  __index = function(_, name)
    error(("pact.%s: only a recipe that pactlua runs has this"):format(tostring(name)), 2)
  end,
})

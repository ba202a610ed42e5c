--- What `require 'pact'` gives a recipe.
return {}

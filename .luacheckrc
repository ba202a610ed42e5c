std = 'lua54'
max_line_length = 120
codes = true
exclude_files = { 'build/**', 'stdlib/meta/**' }
ignore = {
  '212/_.*', -- an argument that is there for the signature's sake
  '212/self',
}
files['tests/**/*_spec.lua'] = { std = '+busted', max_line_length = 160 }
files['tests/support/*.lua'] = { std = '+busted' }
files['tests/fixtures/**/*.lua'] = { allow_defined_top = true }

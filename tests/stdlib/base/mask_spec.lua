local mask = require 'pact.base.mask'

describe('base.mask', function()
  it('knows names that speak of secrets', function()
    for name, secret in pairs {
      PGPASSWORD = true, MY_SECRET_X = true, token = true, API_KEY = true, PRIVATE_PATH = true, SSH_PUBLIC_KEY = false,
      KEYBOARD = false, PATH = false, KEY_ID = false,
    } do
      assert.equal(secret, mask.is_secret(name), name)
    end
  end)

  it('hides values by name, by list and by text', function()
    assert.equal('********', mask.variable('DB_PASSWORD', 'x'))
    assert.equal('********', mask.variable('URL', 'x', { URL = true }))
    assert.equal('pg://u:********@h/********', mask.variable('URL', 'pg://u:hush@h/hush', nil, { 'hush', '' }))
    assert.equal('plain', mask.variable('URL', 'plain'))
  end)
end)

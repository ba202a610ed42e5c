-- May run again and again: it adds only what is missing.
SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS greeting (
  id      serial PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  message text NOT NULL CHECK (length(message) BETWEEN 1 AND 200)
);

INSERT INTO greeting (message)
SELECT 'hello from the migration'
WHERE NOT EXISTS (SELECT FROM greeting);

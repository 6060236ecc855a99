-- Signing in: API keys of users, second factors, and the addresses that somebody has signed in from.

CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  permissions text COLLATE "C" NOT NULL,
  expires_at bigint,
  created_at bigint NOT NULL,
  last_used bigint,
  user_id bigint NOT NULL REFERENCES users (id),
  key_hash text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX api_keys_key_hash ON api_keys (key_hash);
CREATE INDEX api_keys_user_id ON api_keys (user_id, created_at, id);

-- A row without users.totp_enabled waits for its first code. The id is the user's.
CREATE TABLE second_factors (
  id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  secret text NOT NULL,
  used_steps text COLLATE "C" NOT NULL,
  backup_codes text COLLATE "C" NOT NULL
);

CREATE TABLE sign_in_addresses (
  user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  address text COLLATE "C" NOT NULL,
  seen_at bigint NOT NULL,
  PRIMARY KEY (user_id, address)
);

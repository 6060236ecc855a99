-- The licence: one row at most.

CREATE TABLE licenses (
  id bigint PRIMARY KEY CHECK (id = 1),
  license_key text COLLATE "C" NOT NULL,
  tier text COLLATE "C" NOT NULL CHECK (tier IN ('community', 'professional', 'enterprise')),
  features text NOT NULL,
  max_proxies bigint NOT NULL CHECK (max_proxies >= -1),
  max_clusters bigint NOT NULL CHECK (max_clusters >= -1),
  expires_at bigint,
  state text COLLATE "C" NOT NULL
    CHECK (state IN ('unverified', 'active', 'grace', 'expired', 'refused', 'lapsed')),
  refusal text NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  key text NOT NULL,
  setting_hash text COLLATE "C" NOT NULL,
  server_id text COLLATE "C" NOT NULL,
  answered_at bigint,
  failing_since bigint,
  next_check bigint NOT NULL,
  next_keepalive bigint NOT NULL
);

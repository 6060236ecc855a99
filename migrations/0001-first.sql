-- The first schema. One text for SQLite and PostgreSQL: bigint for numbers, booleans (0, 1) and times
-- (milliseconds since 1970), text in the C collation. Unique indexes are named <table>_<field>: the
-- field is what a conflict names.

CREATE TABLE meta (
  key text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE sequences (
  name text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL
);

CREATE TABLE changes (
  revision bigint PRIMARY KEY,
  time bigint NOT NULL,
  actor_id bigint,
  actor text COLLATE "C" NOT NULL,
  address text COLLATE "C" NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  resource text COLLATE "C" NOT NULL,
  object_id text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL CHECK (action IN ('create', 'update', 'delete')),
  cluster_id bigint,
  before text NOT NULL,
  after text NOT NULL
);
CREATE INDEX changes_object ON changes (resource, object_id, revision);

CREATE TABLE clusters (
  id bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 50),
  description text COLLATE "C" NOT NULL CHECK (length(description) BETWEEN 1 AND 255),
  syslog_endpoint text COLLATE "C" NOT NULL CHECK (length(syslog_endpoint) BETWEEN 1 AND 260),
  log_auth bigint NOT NULL CHECK (log_auth IN (0, 1)),
  log_netflow bigint NOT NULL CHECK (log_netflow IN (0, 1)),
  log_debug bigint NOT NULL CHECK (log_debug IN (0, 1)),
  is_active bigint NOT NULL CHECK (is_active IN (0, 1)),
  is_default bigint NOT NULL CHECK (is_default IN (0, 1)),
  created_at bigint NOT NULL,
  created_by bigint,
  api_key text COLLATE "C" NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  key_hash text COLLATE "C" NOT NULL,
  previous_key_hash text COLLATE "C",
  previous_key_until bigint
);
CREATE UNIQUE INDEX clusters_name ON clusters (name);
CREATE UNIQUE INDEX clusters_key_hash ON clusters (key_hash);
CREATE INDEX clusters_previous_key_hash ON clusters (previous_key_hash);

CREATE TABLE services (
  id bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  ip_fqdn text COLLATE "C" NOT NULL CHECK (length(ip_fqdn) BETWEEN 1 AND 253),
  collection text COLLATE "C" NOT NULL CHECK (length(collection) BETWEEN 1 AND 50),
  cluster_id bigint NOT NULL REFERENCES clusters (id),
  auth_type text COLLATE "C" NOT NULL CHECK (auth_type IN ('none', 'api_key', 'jwt')),
  auth_config text NOT NULL,
  tls text NOT NULL,
  health_check text,
  endpoints text NOT NULL,
  port bigint CHECK (port BETWEEN 1 AND 65535),
  protocol text COLLATE "C" NOT NULL CHECK (protocol IN ('http1', 'http2', 'auto')),
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  secret text,
  previous_secret text,
  previous_secret_until bigint
);
CREATE UNIQUE INDEX services_name ON services (cluster_id, name);
-- Lists: of everything for administrators, of a cluster for everybody, in each order that they offer.
CREATE INDEX services_by_name ON services (name, id);
CREATE INDEX services_created_at ON services (created_at, id);
CREATE INDEX services_updated_at ON services (updated_at, id);
CREATE INDEX services_cluster_id ON services (cluster_id, id);
CREATE INDEX services_cluster_created_at ON services (cluster_id, created_at, id);
CREATE INDEX services_cluster_updated_at ON services (cluster_id, updated_at, id);
CREATE INDEX services_collection ON services (cluster_id, collection, id);

CREATE TABLE mappings (
  id bigint PRIMARY KEY,
  cluster_id bigint NOT NULL REFERENCES clusters (id),
  protocols text COLLATE "C" NOT NULL,
  ports text COLLATE "C" NOT NULL,
  auth_required bigint NOT NULL CHECK (auth_required IN (0, 1)),
  comments text COLLATE "C" NOT NULL CHECK (length(comments) <= 500),
  priority bigint NOT NULL CHECK (priority BETWEEN 0 AND 1000),
  timeout bigint NOT NULL CHECK (timeout BETWEEN 1 AND 86400),
  enabled bigint NOT NULL CHECK (enabled IN (0, 1)),
  hosts text COLLATE "C" NOT NULL,
  path_prefix text COLLATE "C" NOT NULL CHECK (length(path_prefix) BETWEEN 1 AND 1000),
  strip_prefix bigint NOT NULL CHECK (strip_prefix IN (0, 1)),
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL
);
CREATE INDEX mappings_cluster_id ON mappings (cluster_id, id);
CREATE INDEX mappings_created_at ON mappings (created_at, id);
CREATE INDEX mappings_updated_at ON mappings (updated_at, id);

-- The services of a mapping's two sides, in order, held by id.
CREATE TABLE mapping_ends (
  mapping_id bigint NOT NULL REFERENCES mappings (id),
  side text COLLATE "C" NOT NULL CHECK (side IN ('source', 'dest')),
  position bigint NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('service', 'collection', 'any')),
  service_id bigint REFERENCES services (id),
  name text COLLATE "C",
  PRIMARY KEY (mapping_id, side, position),
  CHECK ((kind = 'service') = (service_id IS NOT NULL)),
  CHECK ((kind = 'collection') = (name IS NOT NULL))
);
CREATE INDEX mapping_ends_service_id ON mapping_ends (service_id);

CREATE TABLE users (
  id bigint PRIMARY KEY,
  username text COLLATE "C" NOT NULL CHECK (length(username) BETWEEN 3 AND 50),
  email text COLLATE "C" NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
  is_admin bigint NOT NULL CHECK (is_admin IN (0, 1)),
  auth_provider text COLLATE "C" NOT NULL CHECK (auth_provider IN ('local', 'saml', 'oauth2', 'scim')),
  external_id text COLLATE "C",
  clusters text COLLATE "C" NOT NULL,
  totp_enabled bigint NOT NULL CHECK (totp_enabled IN (0, 1)),
  is_active bigint NOT NULL CHECK (is_active IN (0, 1)),
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  last_login bigint,
  revision bigint NOT NULL,
  password_hash text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (LOWER(username));
CREATE UNIQUE INDEX users_email ON users (LOWER(email));

CREATE TABLE sessions (
  id text COLLATE "C" PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users (id),
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE proxies (
  id text COLLATE "C" PRIMARY KEY,
  hostname text COLLATE "C" NOT NULL CHECK (length(hostname) BETWEEN 1 AND 253),
  name text COLLATE "C" NOT NULL CHECK (length(name) <= 253),
  proxy_type text COLLATE "C" NOT NULL CHECK (proxy_type IN ('egress', 'ingress')),
  cluster_id bigint NOT NULL REFERENCES clusters (id),
  status text COLLATE "C" NOT NULL CHECK (status IN ('healthy', 'unhealthy', 'degraded')),
  version text COLLATE "C" NOT NULL CHECK (length(version) BETWEEN 1 AND 32),
  capabilities text COLLATE "C" NOT NULL,
  listen_address text COLLATE "C" NOT NULL CHECK (length(listen_address) BETWEEN 1 AND 45),
  last_seen bigint NOT NULL,
  metrics text,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL
);
CREATE UNIQUE INDEX proxies_hostname ON proxies (cluster_id, proxy_type, hostname);
CREATE INDEX proxies_last_seen ON proxies (last_seen);

-- Answers of requests with an Idempotency-Key, sealed; kept for 24 hours.
CREATE TABLE idempotency (
  caller text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  body_hash text COLLATE "C" NOT NULL,
  status bigint NOT NULL,
  answer text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (caller, path, idempotency_key)
);
CREATE INDEX idempotency_created_at ON idempotency (created_at);

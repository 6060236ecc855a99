-- Certificates that proxies serve, the manager's own authorities, and what these have revoked.

CREATE TABLE certificates (
  id bigint PRIMARY KEY,
  name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  common_name text COLLATE "C" NOT NULL,
  subject_alt_names text COLLATE "C" NOT NULL,
  source_type text COLLATE "C" NOT NULL
    CHECK (source_type IN ('file', 'auto', 'vault', 'infisical', 'acme')),
  auto_renew bigint NOT NULL CHECK (auto_renew IN (0, 1)),
  not_before bigint NOT NULL,
  expires_at bigint NOT NULL,
  fingerprint_sha256 text COLLATE "C" NOT NULL,
  cluster_id bigint REFERENCES clusters (id),
  revoked_at bigint,
  revocation_reason text COLLATE "C",
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  cert_pem text NOT NULL,
  key_pem text NOT NULL,
  ca_pem text NOT NULL
);
CREATE UNIQUE INDEX certificates_name ON certificates (name);
-- Once in each cluster, and once among those that are for all of them.
CREATE UNIQUE INDEX certificates_fingerprint_sha256
  ON certificates (COALESCE(cluster_id, 0), fingerprint_sha256);
CREATE INDEX certificates_cluster_id ON certificates (cluster_id, id);
CREATE INDEX certificates_expires_at ON certificates (expires_at, id);
CREATE INDEX certificates_created_at ON certificates (created_at, id);
CREATE INDEX certificates_updated_at ON certificates (updated_at, id);

CREATE TABLE issuers (
  id bigint PRIMARY KEY,
  certificate_pem text NOT NULL,
  not_before bigint NOT NULL,
  expires_at bigint NOT NULL,
  crl_pem text NOT NULL,
  crl_number bigint NOT NULL,
  crl_next_update bigint NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  key_pem text NOT NULL
);
CREATE INDEX issuers_expires_at ON issuers (expires_at);

-- Serial numbers in hexadecimal; a row stays in its issuer's list until the certificate has expired.
CREATE TABLE revocations (
  issuer_id bigint NOT NULL REFERENCES issuers (id),
  serial text COLLATE "C" NOT NULL,
  revoked_at bigint NOT NULL,
  reason text COLLATE "C" NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (issuer_id, serial)
);

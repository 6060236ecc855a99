-- Client certificates that the manager's own authority issued to services. A service that has gone
-- leaves its certificates behind: they are good until they end or are revoked.

CREATE TABLE issued_certificates (
  id bigint PRIMARY KEY,
  serial text COLLATE "C" NOT NULL,
  identity text COLLATE "C" NOT NULL,
  service_id bigint NOT NULL,
  cluster_id bigint NOT NULL REFERENCES clusters (id),
  issued_by text NOT NULL,
  expires_at bigint NOT NULL,
  revoked_at bigint,
  revocation_reason text COLLATE "C",
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  revision bigint NOT NULL,
  cert_pem text NOT NULL
);
CREATE UNIQUE INDEX issued_certificates_serial ON issued_certificates (serial);
CREATE INDEX issued_certificates_cluster_id ON issued_certificates (cluster_id, id);
CREATE INDEX issued_certificates_service_id ON issued_certificates (service_id, id);
CREATE INDEX issued_certificates_expires_at ON issued_certificates (expires_at, id);
CREATE INDEX issued_certificates_created_at ON issued_certificates (created_at, id);

-- Certificates from an ACME server (RFC 8555): our account there, orders under way, and the proofs
-- that the server looks for.

CREATE TABLE acme_accounts (
  id bigint PRIMARY KEY,
  directory text COLLATE "C" NOT NULL,
  url text COLLATE "C" NOT NULL,
  key_pem text NOT NULL
);
CREATE UNIQUE INDEX acme_accounts_directory ON acme_accounts (directory);

-- By certificate: an order under way, or why the last one failed and when the next is due.
CREATE TABLE renewals (
  id bigint PRIMARY KEY,
  order_url text COLLATE "C" NOT NULL,
  key_pem text NOT NULL,
  begun_at bigint NOT NULL,
  next_at bigint NOT NULL,
  failures bigint NOT NULL,
  error text COLLATE "C" NOT NULL
);
CREATE INDEX renewals_next_at ON renewals (next_at);

CREATE TABLE acme_proofs (
  id text COLLATE "C" PRIMARY KEY,
  certificate_id bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  key_authorization text COLLATE "C" NOT NULL
);
CREATE INDEX acme_proofs_certificate_id ON acme_proofs (certificate_id);

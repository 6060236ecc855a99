-- Failed sign-ins, shared by all managers of a PostgreSQL: kind 0 is an account from a network, 1 an
-- account, 2 a network, each as a keyed hash. With SQLite they are in memory.
CREATE TABLE failure_counts (
  kind bigint NOT NULL CHECK (kind BETWEEN 0 AND 2),
  key bigint NOT NULL,
  failures bigint NOT NULL,
  last_at bigint NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE INDEX failure_counts_last_at ON failure_counts (kind, last_at);

-- The open windows of rate limits, shared by all managers of a PostgreSQL. With SQLite they are in
-- memory.
CREATE TABLE rate_windows (
  category text COLLATE "C" NOT NULL,
  caller text COLLATE "C" NOT NULL,
  used bigint NOT NULL,
  ends_at bigint NOT NULL,
  PRIMARY KEY (category, caller)
);
CREATE INDEX rate_windows_ends_at ON rate_windows (ends_at);

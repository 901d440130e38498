/** Raised by one with every change of the tables below. */
export const schemaVersion = 1;

/** Times are milliseconds since the epoch. STRICT: a value of the wrong type is an error, not a conversion. */
export const tables = `
CREATE TABLE tidewatch_schema (version INTEGER NOT NULL) STRICT;

CREATE TABLE state_rows (
  partition TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (partition, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  metric TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  UNIQUE (namespace, metric, dimensions)
) STRICT;

CREATE TABLE metric_data (
  series INTEGER NOT NULL,
  time INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (series, time, value)
) STRICT, WITHOUT ROWID;


CREATE TABLE invocations (
  model TEXT NOT NULL,
  start INTEGER NOT NULL,
  until INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (model, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE touches (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  window_prefix TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  time INTEGER NOT NULL,
  message TEXT NOT NULL,
  file TEXT NOT NULL
) STRICT;
`;

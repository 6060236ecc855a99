-- A proxy that registers is looked for in whatever letters its host name was written.

CREATE INDEX proxies_hostname_lower ON proxies (cluster_id, proxy_type, LOWER(hostname));

-- Lists of a collection over all clusters, as administrators ask for them.

CREATE INDEX services_by_collection ON services (collection, id);

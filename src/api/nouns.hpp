// Every noun's endpoints: each function stands in the file of its noun and adds what that file
// declares.
#pragma once

#include "api/endpoint.hpp"

namespace mp::api {

void auth(Endpoints& endpoints);
void second_factor(Endpoints& endpoints);
void api_keys(Endpoints& endpoints);
void users(Endpoints& endpoints);
void clusters(Endpoints& endpoints);
void services(Endpoints& endpoints);
void mappings(Endpoints& endpoints);
void acme_challenges(Endpoints& endpoints);
void certificates(Endpoints& endpoints);
void service_certificates(Endpoints& endpoints);
void issued_certificates(Endpoints& endpoints);
void proxies(Endpoints& endpoints);
void enrolment(Endpoints& endpoints);  // what proxies call
void licenses(Endpoints& endpoints);
void revisions(Endpoints& endpoints);
void plans(Endpoints& endpoints);
void reachability(Endpoints& endpoints);
void operations(Endpoints& endpoints);  // healthz, metrics
void documents(Endpoints& endpoints);   // openapi, docs, redoc

// Adds the figures that are asked for at each scrape. `context` must outlive its registry's last
// text().
void report_metrics(Context& context);

}  // namespace mp::api

#include "api/api.hpp"
#include "api/nouns.hpp"

namespace mp::api {

const Endpoints& all_endpoints() {
  static const Endpoints all = [] {
    Endpoints endpoints;
    auth(endpoints);
    second_factor(endpoints);
    api_keys(endpoints);
    users(endpoints);
    services(endpoints);
    service_certificates(endpoints);
    mappings(endpoints);
    certificates(endpoints);
    acme_challenges(endpoints);
    clusters(endpoints);
    enrolment(endpoints);
    proxies(endpoints);
    licenses(endpoints);
    revisions(endpoints);
    operations(endpoints);
    documents(endpoints);
    return endpoints;
  }();
  return all;
}

}  // namespace mp::api

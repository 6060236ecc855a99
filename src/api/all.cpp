#include "api/api.hpp"
#include "api/nouns.hpp"

#include <array>

namespace mp::api {

namespace {

struct Noun {
  Group group;
  void (*add)(Endpoints&);
};

constexpr Group of_accounts{"auth", "Signing in and out, and one's own account."};
constexpr Group of_services{"services",
                            "Backends that proxies send traffic to, and identities of callers."};
constexpr Group of_plans{"plans",
                         "What changes would do, and whether traffic gets where it should."};
constexpr Group of_certificates{"certificates",
                                "TLS certificates, and the manager's own authority."};

constexpr std::array nouns{
    Noun{of_accounts, auth},
    Noun{of_accounts, second_factor},
    Noun{of_accounts, api_keys},
    Noun{{"users", "Those who sign in, and what they may see."}, users},
    Noun{of_services, services},
    Noun{of_services, service_certificates},
    Noun{{"mappings", "Which services may reach which, by protocol, port, host and path."},
         mappings},
    Noun{of_certificates, certificates},
    Noun{of_certificates, issued_certificates},
    Noun{of_certificates, acme_challenges},
    Noun{{"clusters", "Services, mappings and proxies that share one key."}, clusters},
    Noun{{"enrolment", "What proxies call, with their cluster's key."}, enrolment},
    Noun{{"proxies", "Registered proxies, and what configuration each holds."}, proxies},
    Noun{{"license", "What the licence allows, and the key that says so."}, licenses},
    Noun{{"revisions", "Where a change is live."}, revisions},
    Noun{of_plans, plans},
    Noun{of_plans, reachability},
    Noun{{"operations", "Health and figures of the manager, for monitoring."}, operations},
    Noun{{"documents", "This API as documents and pages."}, documents},
};

}  // namespace

const Endpoints& all_endpoints() {
  static const Endpoints all = [] {
    Endpoints endpoints;
    for (const Noun& noun : nouns) {
      endpoints.group(noun.group);
      noun.add(endpoints);
    }
    endpoints.connect();
    return endpoints;
  }();
  return all;
}

}  // namespace mp::api

#include "cli/resource.hpp"

#include "model/api_key.hpp"
#include "model/certificate_upload.hpp"
#include "model/cluster.hpp"
#include "model/cluster_status.hpp"
#include "model/filters.hpp"
#include "model/issued_certificate.hpp"
#include "model/license.hpp"
#include "model/rotation.hpp"
#include "model/second_factor.hpp"
#include "model/service.hpp"
#include "model/service_certificate.hpp"
#include "model/sign_in.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace mp::cli {
namespace {

constexpr Verbs all_verbs{Verb::List, Verb::Get, Verb::Create, Verb::Update, Verb::Delete};
constexpr Verbs read_and_delete{Verb::List, Verb::Get, Verb::Delete};

template <class T>
consteval Resource resource(std::string_view path, std::string_view key, std::string_view columns,
                            Verbs verbs, Particulars particulars = {}) {
  return {&describe<T>, path, key, columns, verbs, extra_filters<T>, particulars};
}

// In the order in which they depend on each other.
constexpr std::array resources{
    resource<Cluster>("/clusters", "name",
                      "id name description syslog_endpoint is_active is_default proxy_count",
                      all_verbs),
    resource<User>("/users", "username", "id username email is_admin is_active clusters last_login",
                   all_verbs),
    resource<Service>("/services", "name",
                      "id name ip_fqdn port collection cluster_id auth_type protocol status",
                      all_verbs),
    resource<Certificate>("/certificates", "name",
                          "id name common_name source_type auto_renew status expires_at cluster_id",
                          all_verbs,
                          {.upload = &describe<CertificateUpload>,
                           .content = "fingerprint_sha256",
                           .deletion = &describe<CertificateDeletion>}),
    resource<Mapping>(
        "/mappings", "id",
        "id source_services dest_services protocols ports hosts path_prefix "
        "cluster_id auth_required enabled status comments",
        all_verbs,
        {.label = "comments",
         .meaning = "source_services dest_services protocols ports hosts path_prefix"}),
    resource<IssuedCertificate>("/issued-certificates", "serial",
                                "id serial identity status expires_at issued_by cluster_id",
                                {Verb::List, Verb::Get}),
    resource<ApiKey>("/auth/api-keys", "name",
                     "id name permissions expires_at last_used created_at",
                     {Verb::List, Verb::Create, Verb::Delete}),
    resource<Proxy>("/proxies", "hostname",
                    "id hostname proxy_type cluster_id status version config last_seen",
                    read_and_delete),
};

constexpr std::array actions{
    Action{"rotate-jwt", &describe<Service>, "POST", "/rotate-jwt", nullptr,
           &describe<SecretRotation>,
           "Replace a service's JWT secret; the old one stays good for the overlap.", "web"},
    Action{"rotate-key", &describe<Service>, "POST", "/rotate-key", nullptr, &describe<KeyRotation>,
           "Replace a service's API key; the old one stays good for the overlap.", "web"},
    Action{"rotate-key", &describe<Cluster>, "POST", "/rotate-key", nullptr, &describe<KeyRotation>,
           "Replace the key of a cluster's proxies; the old one stays good for the overlap.",
           "default"},
    Action{"token", &describe<Service>, "POST", "/token", &describe<TokenRequest>,
           &describe<ServiceToken>, "Make a JWT of a service, signed with its current secret.",
           "web --ttl 600"},
    Action{"client-certificate", &describe<Service>, "POST", "/certificate",
           &describe<ServiceCertificateRequest>, &describe<ServiceCertificate>,
           "Issue a client certificate by which a service proves who it is.", "web --csr web.csr"},
    Action{"revoke", &describe<Certificate>, "POST", "/revoke", &describe<RevocationRequest>,
           &describe<Certificate>, "Revoke a certificate; proxies serve it no longer.",
           "shop --reason key_compromise"},
    Action{"revoke", &describe<IssuedCertificate>, "POST", "/revoke", &describe<RevocationRequest>,
           &describe<IssuedCertificate>,
           "Revoke a service's client certificate; proxies let it in no longer.",
           "5f2b9c0d8e1a4b7c --reason superseded"},
    Action{"revoke-issued", nullptr, "POST", "/certificates/ca/revoke", &describe<IssuedRevocation>,
           nullptr, "Revoke a certificate that the manager's own authority issued.",
           "--certificate billing.pem"},
    Action{"generate-wildcard", nullptr, "POST", "/certificates/generate-wildcard",
           &describe<WildcardRequest>, &describe<Certificate>,
           "Have the manager's own authority issue a wildcard certificate.",
           "--domain company.example --validity-years 2"},
    Action{"license", nullptr, "GET", "/license-status", nullptr, &describe<LicenseStatus>,
           "Show the license, what it opens, and how much of it is used.", ""},
    Action{"validate-license", nullptr, "POST", "/license/validate", &describe<LicenseKey>,
           &describe<LicenseValidation>, "Ask the license server about a key; a valid one is kept.",
           "--license-key-file license.txt"},
    Action{"logging", &describe<Cluster>, "PUT", "/logging", &describe<ClusterLogging>,
           &describe<Cluster>, "Set what a cluster's proxies log, and where to; all four flags.",
           "default --syslog-endpoint log.example:514 --log-auth --log-netflow=false "
           "--log-debug=false"},
    Action{"config", &describe<Proxy>, "GET", "/config", nullptr, &describe<ProxyConfigReport>,
           "Show what configuration a proxy holds and refuses.", "proxy-1.example"},
    Action{"retry", &describe<Proxy>, "POST", "/retry", nullptr, nullptr,
           "Send a proxy again what it refused.", "proxy-1.example"},
    Action{"whoami", nullptr, "GET", "/auth/me", nullptr, &describe<User>, "Show who is signed in.",
           ""},
    Action{"change-password", nullptr, "POST", "/auth/change-password", &describe<PasswordChange>,
           nullptr, "Change one's own password; the other sessions end.", ""},
    Action{"enable-2fa", nullptr, "POST", "/auth/2fa/enable", &describe<SecondFactorStart>,
           &describe<SecondFactorSetup>,
           "Begin with a second factor; it counts once verify-2fa has seen a code.", ""},
    Action{"verify-2fa", nullptr, "POST", "/auth/2fa/verify", &describe<SecondFactorCode>, nullptr,
           "Prove the first code of a second factor: from now on signing in takes one.", ""},
    Action{"disable-2fa", nullptr, "POST", "/auth/2fa/disable", &describe<SecondFactorEnd>, nullptr,
           "Give up the second factor.", ""},
};

}  // namespace

bool Resource::in_clusters() const { return find_field(*noun, "cluster_id") != nullptr; }
bool Resource::in_files() const { return verbs.has(Verb::Create) && verbs.has(Verb::Update); }

std::string Resource::file_kind() const { return kebab(noun->name); }
std::string Resource::plural() const { return kebab(noun->plural); }

std::string Resource::placeholder() const { return upper(kebab(noun->name)); }

std::span<const Resource> all_resources() { return resources; }

const Resource& resource_of(const Description& noun) {
  return *std::ranges::find(resources, &noun, &Resource::noun);
}

const Resource* find_resource(std::string_view singular) {
  const auto found = std::ranges::find_if(
      resources, [&](const Resource& each) { return each.file_kind() == singular; });
  return found == resources.end() ? nullptr : &*found;
}

std::span<const Action> all_actions() { return actions; }

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const auto space = std::min(list.find(' '), list.size());
    words.push_back(list.substr(0, space));
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return words;
}

std::string kebab(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '_', '-');
  return text;
}

std::string upper(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(),
                         [](unsigned char letter) { return std::toupper(letter); });
  return text;
}

}  // namespace mp::cli

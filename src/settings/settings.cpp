#include "settings/settings.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace mp {
namespace {

constexpr std::string_view key_prefix = "mp_cluster_";
constexpr std::size_t shortest_key_rest = 32;

bool is_port(std::string_view text, int least) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() && value >= least &&
         value <= 65535;
}

// 1.2.3.4:8000 or [::1]:8000.
bool is_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_port(text.substr(colon + 1), 0)) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = normal_address(host);
  return address && is_ipv6(*address) == bracketed;
}

bool is_host(std::string text) { return find_format("host").check(text); }
bool is_host_port(std::string text) { return find_format("host_port").check(text); }

void check_listen(const std::string& listen, Violations& violations) {
  if (is_listen_address(listen)) return;
  violations.push_back({"listen",
                        "Must be an IP address and a port, such as 0.0.0.0:8000 or [::]:8000",
                        json::value(listen)});
}

// Neither is of use without the other.
void check_pair(const std::string& certificate, const std::string& key, Violations& violations) {
  if (certificate.empty() == key.empty()) return;
  if (key.empty())
    violations.push_back({"key", "Must be set together with the certificate", std::nullopt});
  else
    violations.push_back({"certificate", "Must be set together with the key", std::nullopt});
}

// http or https, a host, perhaps a port and a path: no name, password, query or fragment.
bool is_server_url(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url || url->host().empty() || url->has_userinfo()) return false;
  const bool web = url->scheme_id() == boost::urls::scheme::http ||
                   url->scheme_id() == boost::urls::scheme::https;
  return web && !url->has_query() && !url->has_fragment();
}

}  // namespace

void check_http_settings(const void* section, Violations& violations) {
  check_listen(static_cast<const HttpSettings*>(section)->listen, violations);
}

void check_xds_settings(const void* section, Violations& violations) {
  const auto& xds = *static_cast<const XdsSettings*>(section);
  check_listen(xds.listen, violations);
  for (const std::string& address : xds.advertise) {
    if (is_host(address) || is_host_port(address)) continue;
    violations.push_back({"advertise", "Must be a host, or host:port", json::value(address)});
  }
  check_pair(xds.certificate, xds.key, violations);
  if (xds.tls == XdsTls::Files && xds.certificate.empty()) {
    violations.push_back({"certificate", "Must be set when xds.tls is files", std::nullopt});
  }
  if (xds.tls != XdsTls::Files && !xds.certificate.empty()) {
    violations.push_back(
        {"certificate", "Counts only when xds.tls is files", json::value(xds.certificate)});
  }
  if (xds.tls == XdsTls::Off && !xds.client_ca.empty()) {
    violations.push_back({"client_ca", "Asks for certificates, which xds.tls off has not",
                          json::value(xds.client_ca)});
  }
}

void check_database_settings(const void* section, Violations& violations) {
  const auto& url = static_cast<const DatabaseSettings*>(section)->url;
  if (url.starts_with("sqlite:") || url.starts_with("postgresql://")) return;
  violations.push_back({"url", "Must begin with sqlite: or postgresql://", std::nullopt});
}

void check_cluster_settings(const void* section, Violations& violations) {
  const auto& key = static_cast<const ClusterSettings*>(section)->key.reveal();
  if (key.empty()) return;
  const auto allowed = [](unsigned char letter) {
    return std::isalnum(letter) || letter == '-' || letter == '_';
  };
  if (key.starts_with(key_prefix) && key.size() >= key_prefix.size() + shortest_key_rest &&
      std::ranges::all_of(key, allowed)) {
    return;
  }
  violations.push_back(
      {"key", "Must be mp_cluster_ followed by at least 32 letters, digits, - or _", std::nullopt});
}

void check_license_settings(const void* section, Violations& violations) {
  const auto& license = *static_cast<const LicenseSettings*>(section);
  std::string key = license.key.reveal();
  const Format& form = find_format("license_key");
  if (!key.empty() && !form.check(key))
    violations.push_back({"key", std::string(form.issue), std::nullopt});
  if (!is_server_url(license.server_url)) {
    violations.push_back({"server_url", "Must be a URL such as https://license.example",
                          json::value(license.server_url)});
  }
}

void check_acme_settings(const void* section, Violations& violations) {
  const auto& acme = *static_cast<const AcmeSettings*>(section);
  if (acme.directory.empty()) return;
  if (!acme.directory.starts_with("https://") || !is_server_url(acme.directory)) {
    violations.push_back({"directory", "Must be a URL such as https://acme.example/directory",
                          json::value(acme.directory)});
  }
  if (!acme.agree_to_terms) {
    violations.push_back({"agree_to_terms",
                          "Must be true: the server issues to nobody who has not agreed",
                          std::nullopt});
  }
  const bool by_hook = acme.challenge == AcmeChallenge::Dns01;
  if (by_hook != !acme.dns_hook.empty()) {
    violations.push_back({"dns_hook",
                          by_hook ? "Must be set when acme.challenge is dns-01"
                                  : "Counts only when acme.challenge is dns-01",
                          json::value(acme.dns_hook)});
  }
}

void check_tls_settings(const void* section, Violations& violations) {
  const auto& tls = *static_cast<const TlsSettings*>(section);
  check_pair(tls.certificate, tls.key, violations);
}

}  // namespace mp

#include "crypto/authority.hpp"

#include "crypto/issue.hpp"
#include "model/format.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <unistd.h>

namespace mp {
namespace {

using namespace openssl;

constexpr std::string_view row = "authority";
constexpr std::chrono::minutes backdated{5};  // for clients whose clock is behind
constexpr std::chrono::hours own_life{24 * 3653};

std::optional<std::string> find_sealed(Store& store) {
  std::optional<std::string> sealed;
  store.read([&](Reader& db) {
    const auto rows = db.query("SELECT value FROM meta WHERE key = :key",
                               {{"key", std::string(row)}}, {Column::Text});
    if (!rows.empty()) sealed = std::get<std::string>(rows.front().front());
  });
  return sealed;
}

Certificate read_certificate(const std::string& pem) {
  return owned(PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr),
               "the authority's certificate");
}

Key read_key(const std::string& pem) {
  return owned(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr),
               "the authority's key");
}

// Certificate and key as one text, so that one row cannot hold the halves of two.
std::string make_authority(Time now) {
  const Key key = new_key(Curve::P384);
  const CertificateRequest request{.purpose = Purpose::Authority,
                                   .common_name = "MarchProxy authority " + random_text(8),
                                   .names = {},
                                   .not_before = now - backdated,
                                   .not_after = now + own_life};
  return to_pem(issue(request, key.get(), nullptr, key.get()).get()) + to_pem(key.get());
}

KeyPair parse(const std::string& stored) {
  const Certificate certificate = read_certificate(stored);
  const Key key = read_key(stored);
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    throw internal("the stored authority's key is not its certificate's: " + take_error());
  }
  return {.certificate_pem = to_pem(certificate.get()), .key_pem = Secret(to_pem(key.get()))};
}

KeyPair load_or_create(Store& store, Time now) {
  if (const auto sealed = find_sealed(store)) return parse(store.unseal(*sealed));
  const std::string made = store.seal(make_authority(now));
  const Actor manager{.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};
  store.write(manager, [&](Writer& db) {
    db.execute("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING",
               {{"key", std::string(row)}, {"value", made}});
  });
  // Another manager may have been first: what is stored counts.
  const auto sealed = find_sealed(store);
  if (!sealed) throw internal("the authority was written and is not there");
  return parse(store.unseal(*sealed));
}

std::string lower(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : "";
}

// The host of "host", "host:port", "v6" or "[v6]:port".
std::string host_of(const std::string& advertise) {
  if (normal_address(advertise)) return *normal_address(advertise);
  const auto colon = advertise.rfind(':');
  std::string host = advertise.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return lower(normal_address(host).value_or(host));
}

}  // namespace

Authority::Authority(Store& store, const Clock& clock)
    : clock_(clock), own_(load_or_create(store, clock.now())) {}

KeyPair Authority::issue_server(const std::vector<std::string>& names,
                                std::chrono::hours validity) const {
  const Certificate own = read_certificate(own_.certificate_pem);
  const Key own_key = read_key(own_.key_pem.reveal());
  std::vector<std::string> unique;
  for (const std::string& name : names) {
    if (!name.empty() && std::ranges::find(unique, name) == unique.end()) unique.push_back(name);
  }
  const Time now = clock_.now();
  const Key key = new_key(Curve::P256);
  const CertificateRequest request{.purpose = Purpose::Server,
                                   .common_name = "MarchProxy manager",
                                   .names = std::move(unique),
                                   .not_before = now - backdated,
                                   .not_after = std::min(now + validity, end_of(own.get()))};
  const Certificate leaf = issue(request, key.get(), own.get(), own_key.get());
  return {.certificate_pem = to_pem(leaf.get()) + own_.certificate_pem,
          .key_pem = Secret(to_pem(key.get()))};
}

std::vector<std::string> server_names(const std::string& advertise) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  for (std::string name : {this_host(), advertise.empty() ? std::string() : host_of(advertise)}) {
    if (!name.empty() && std::ranges::find(names, name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

}  // namespace mp

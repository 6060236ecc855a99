// What builders remember between snapshots never shows in a snapshot.
#include "xds/build.hpp"

#include "xds/config_fixture.hpp"
#include "xds/consistent.hpp"

#include <gmock/gmock.h>

#include <random>

namespace mp::xds {
namespace {

using testing::IsEmpty;

// Everything that two snapshots can differ in.
std::string digest(const Snapshot& snapshot) {
  std::string text;
  for (const Catalogue& resources : snapshot.types) {
    for (const ResourcePtr& resource : resources) {
      text += resource->name + " " + resource->version + " " + resource->body;
      for (const Object& origin : resource->origins)
        text += " " + origin.type + std::to_string(origin.id) + origin.name;
      text += "\n";
    }
    text += "--\n";
  }
  for (const Finding& finding : *snapshot.findings) {
    text += finding.object.name + std::to_string(static_cast<int>(finding.condition)) +
            finding.message + "\n";
  }
  return text;
}

// Random intent with few names, so that claims meet.
class Chaos {
 public:
  // So many services and mappings, and half as many certificates.
  Chaos(unsigned seed, int size) : random_(seed), size_(size) {
    for (int count = 0; count < size; ++count) add_service();
    for (int count = 0; count < size / 2; ++count) add_certificate();
    intent.issuer();
    for (int count = 0; count < size + 2; ++count) add_mapping();
  }

  void edit() {
    switch (below(12)) {
      case 0: add_mapping(); break;
      case 1: change_service(); break;
      case 2: change_mapping([&](Mapping& row) { row.enabled = !row.enabled; }); break;
      case 3: change_mapping([&](Mapping& row) { row.priority = below(3); }); break;
      case 4: change_mapping([&](Mapping& row) { row.auth_required = !row.auth_required; }); break;
      case 5: now += std::chrono::seconds(below(3)); break;
      case 6: change_certificate(); break;
      case 7: intent.change_issuer(0, [](Issuer& row) { row.crl_pem += "more"; }); break;
      case 8: remove(); break;
      case 9: add_service(); break;
      case 10: intent.log({.auth = below(2) == 0}); break;
      case 11: now -= std::chrono::seconds(below(2)); break;
    }
  }

  Intent intent;
  Time now = test_now;

 private:
  int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  template <class List>
  auto pick(const List& list) {
    return list[static_cast<std::size_t>(below(static_cast<int>(list.size())))];
  }

  // One row of some kind; what names it stays.
  void remove() {
    switch (below(3)) {
      case 0: intent.drop_mapping(any_of(intent.mappings())); break;
      case 1: intent.drop_service(any_of(intent.services())); break;
      case 2: intent.drop_certificate(any_of(intent.certificates())); break;
    }
  }
  std::size_t any_of(std::size_t count) { return random_() % std::max<std::size_t>(1, count); }

  template <class Change>
  void change_mapping(Change change) {
    if (intent.mappings() > 0) intent.change_mapping(any_of(intent.mappings()), change);
  }

  // Of about four services.
  std::string collection() { return "c" + std::to_string(1 + below(size_ / 4)); }

  void add_service() {
    const auto number = std::to_string(++services_);
    boost::json::object fields{{"name", "s" + number}, {"collection", collection()}};
    if (below(3) == 0)
      fields["ip_fqdn"] = pick(std::vector<std::string>{"10.9.9.9", "shared.example.com"});
    const auto type = pick(std::vector<std::string>{"none", "jwt", "api_key"});
    fields["auth_type"] = type;
    if (type != "none") fields["secret"] = "secret-" + number;
    intent.service(fields);
  }

  void change_service() {
    if (intent.services() == 0) return;
    intent.change_service(any_of(intent.services()), [&](Service& row) {
      switch (below(4)) {
        case 0:
          row.ip_fqdn = pick(std::vector<std::string>{"10.9.9.9", "10.9.9.8", "other.example.com"});
          break;
        case 1: row.collection = collection(); break;
        case 2: row.tls.enabled = !row.tls.enabled; break;
        case 3:
          row.previous_secret = row.secret;
          row.secret = Secret("rotated-" + std::to_string(below(1000)));
          row.previous_secret_until = now + std::chrono::seconds(below(3));
          break;
      }
    });
  }

  void add_certificate() {
    using Names = std::vector<std::string>;
    intent.certificate(
        {{"subject_alt_names",
          {pick(Names{"h", "*.h", "s3", "s4"}), pick(Names{"a.h", "s5", "other.example.com"})}}});
  }

  void change_certificate() {
    if (intent.certificates() == 0) return;
    intent.change_certificate(any_of(intent.certificates()), [&](Certificate& row) {
      switch (below(4)) {
        case 0: row.not_before = now + std::chrono::seconds(below(3) - 1); break;
        case 1: row.expires_at = now + std::chrono::seconds(below(3)); break;
        case 2: row.cert_pem += "renewed"; break;
        case 3: row.subject_alt_names.front() = below(2) ? "h" : "s3"; break;
      }
    });
  }

  std::string destination() {
    if (size_ > 8 && below(4) > 0) return "s" + std::to_string(1 + below(services_));
    return pick(std::vector<std::string>{"s3", "s4", "s5", "collection:c2", "s6"});
  }

  void add_mapping() {
    using Names = std::vector<std::string>;
    boost::json::object fields{
        {"source_services", {pick(Names{"any", "s1", "s2", "collection:c1"})}},
        {"dest_services", {destination()}},
        {"protocols", {pick(Names{"http", "ws", "tcp", "udp", "https", "wss"})}},
        {"ports", {80 + below(2)}},
        {"auth_required", below(2) == 0}};
    const auto& protocol = fields["protocols"].as_array()[0].as_string();
    if (protocol != "tcp" && protocol != "udp" && below(2) == 0) {
      fields["hosts"] = boost::json::array{pick(Names{"h", "*.h", "*", "s3"})};
      fields["path_prefix"] = pick(Names{"/", "/a", "/a/b"});
      fields["strip_prefix"] = below(2) == 0;
    }
    intent.mapping(fields);
  }

  std::mt19937 random_;
  int size_;
  int services_ = 0;
};

struct Case {
  Flavour flavour;
  int size;
  unsigned seeds;
  int steps;
};

ProxyType type_of(unsigned seed) {
  switch (seed % 4) {
    case 0: return ProxyType::Ingress;
    case 1: return ProxyType::Proxyless;
    default: return ProxyType::Egress;
  }
}

class Memory : public testing::TestWithParam<Case> {};

// After any history the snapshot is, byte for byte, what a builder without memory makes of the
// same rows.
TEST_P(Memory, NeverChangesTheResult) {
  for (unsigned seed = 1; seed <= GetParam().seeds; ++seed) {
    Chaos chaos(seed, GetParam().size);
    const Audience audience{.type = type_of(seed), .flavour = GetParam().flavour};
    Builder builder(audience);
    Consistency consistency;
    ClusterConfig config;
    for (int step = 0; step < GetParam().steps; ++step) {
      chaos.intent.give(config);
      const SnapshotPtr kept = builder.build(config, chaos.now);
      const SnapshotPtr fresh = chaos.intent.build(audience, chaos.now);
      ASSERT_EQ(digest(*kept), digest(*fresh)) << "seed " << seed << " step " << step;
      ASSERT_THAT(consistency.check(*kept), IsEmpty()) << "seed " << seed << " step " << step;
      for (int edits = 0; edits < 3; ++edits) chaos.edit();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Flavours, Memory,
                         testing::Values(Case{Flavour::Delta, 8, 8, 25},
                                         Case{Flavour::StateOfTheWorld, 8, 8, 25},
                                         Case{Flavour::Delta, 150, 4, 10},
                                         Case{Flavour::StateOfTheWorld, 150, 2, 5}));

}  // namespace
}  // namespace mp::xds

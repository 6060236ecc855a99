// What building a snapshot costs, from nothing and after one edit, among as many mappings as the
// first argument says, each with a service of its own on one port. An edit is counted from the rows
// to what its difference from the snapshot before is, all of which the hub does for it. The second
// argument is 1 for routes as state-of-the-world clients get them: all in one resource.
#include "xds/build.hpp"
#include "xds/calendar.hpp"
#include "xds/consistent.hpp"
#include "xds/difference.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace mp;

xds::ClusterConfig fleet(std::int64_t size) {
  xds::ClusterConfig config;
  for (std::int64_t id = 1; id <= size; ++id) {
    const std::string name = "service-" + std::to_string(id);
    config.services.put(std::make_shared<const Service>(
        Service{.id = id,
                .name = name,
                .ip_fqdn = "10." + std::to_string(id / 65536) + "." +
                           std::to_string(id / 256 % 256) + "." + std::to_string(id % 256),
                .collection = "all"}));
    config.mappings.put(std::make_shared<const Mapping>(Mapping{
        .id = id,
        .source_services = {{.kind = ServiceRef::Kind::Any}},
        .dest_services = {{.kind = ServiceRef::Kind::Service, .service_id = id, .name = name}},
        .protocols = {Protocol::Http},
        .ports = {{80, 80}},
        .hosts = {name + ".example.com"}}));
  }
  return config;
}

// The same over TLS, under one certificate for all.
xds::ClusterConfig tls_fleet(std::int64_t size) {
  xds::ClusterConfig config = fleet(size);
  const auto mappings = config.mappings;
  for (const auto& mapping : mappings) {
    auto row = std::make_shared<Mapping>(*mapping);
    row->protocols = {Protocol::Https};
    config.mappings.put(std::move(row));
  }
  config.certificates.put(
      std::make_shared<const Certificate>(Certificate{.id = 1,
                                                      .name = "all",
                                                      .subject_alt_names = {"*.example.com"},
                                                      .not_before = Time{},
                                                      .expires_at = Time{std::chrono::hours(1)}}));
  return config;
}

xds::Audience audience(const benchmark::State& state) {
  return {.flavour = state.range(1) ? xds::Flavour::StateOfTheWorld : xds::Flavour::Delta};
}

void from_nothing(benchmark::State& state) {
  const xds::ClusterConfig config = fleet(state.range(0));
  for (auto unused : state)
    benchmark::DoNotOptimize(xds::Builder(audience(state)).build(config, Time{}));
}

template <class Edit>
void after_edit(benchmark::State& state, xds::ClusterConfig config, Edit edit) {
  xds::Builder builder(audience(state));
  xds::Consistency consistency;
  xds::Calendar calendar;
  xds::SnapshotPtr before = builder.build(config, Time{});
  consistency.check(*before);
  calendar.update(config);
  const auto size = static_cast<std::size_t>(state.range(0));
  std::size_t at = 0;
  for (auto unused : state) {
    edit(config, at = (at + 7) % size);
    const xds::ClusterConfig given = config;
    const xds::SnapshotPtr snapshot = builder.build(given, Time{});
    if (!consistency.check(*snapshot).empty()) state.SkipWithError("inconsistent");
    calendar.update(given);
    benchmark::DoNotOptimize(xds::difference(*before, *snapshot));
    before = snapshot;
  }
}

xds::ClusterConfig fleet_of(const benchmark::State& state) {
  static std::map<std::int64_t, xds::ClusterConfig> made;
  auto& config = made[state.range(0)];
  if (config.mappings.empty()) config = fleet(state.range(0));
  return config;
}

// As many are added as are taken away, so that the size stays.
void mapping_added(benchmark::State& state) {
  std::int64_t next = state.range(0);
  after_edit(state, fleet_of(state), [&](xds::ClusterConfig& config, std::size_t at) {
    auto row = std::make_shared<Mapping>(*config.mappings.find(static_cast<std::int64_t>(at) + 1));
    row->id = ++next;
    row->hosts = {"added-" + std::to_string(next) + ".example.com"};
    config.mappings.put(std::move(row));
    if (next > state.range(0) + 20) config.mappings.erase(next - 20);
  });
}

void edit_mapping(xds::ClusterConfig& config, std::size_t at) {
  auto row = std::make_shared<Mapping>(*config.mappings.find(static_cast<std::int64_t>(at) + 1));
  row->timeout = row->timeout % 100 + 1;
  config.mappings.put(std::move(row));
}

void mapping_edited(benchmark::State& state) { after_edit(state, fleet_of(state), edit_mapping); }

void tls_mapping_edited(benchmark::State& state) {
  after_edit(state, tls_fleet(state.range(0)), edit_mapping);
}

void certificate_renewed(benchmark::State& state) {
  after_edit(state, tls_fleet(state.range(0)), [](xds::ClusterConfig& config, std::size_t at) {
    auto row = std::make_shared<Certificate>(*config.certificates[0]);
    row->cert_pem = "chain " + std::to_string(at);
    config.certificates.put(std::move(row));
  });
}

void service_edited(benchmark::State& state) {
  after_edit(state, fleet_of(state), [](xds::ClusterConfig& config, std::size_t at) {
    auto row = std::make_shared<Service>(*config.services.find(static_cast<std::int64_t>(at) + 1));
    row->port = row->port.value_or(0) % 65535 + 1;
    config.services.put(std::move(row));
  });
}

BENCHMARK(from_nothing)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(mapping_added)->ArgsProduct({{100, 10000}, {0, 1}})->Unit(benchmark::kMicrosecond);
BENCHMARK(mapping_edited)->ArgsProduct({{100, 10000}, {0, 1}})->Unit(benchmark::kMicrosecond);
BENCHMARK(service_edited)->ArgsProduct({{100, 10000}, {0, 1}})->Unit(benchmark::kMicrosecond);
BENCHMARK(tls_mapping_edited)->ArgsProduct({{100, 10000}, {0}})->Unit(benchmark::kMicrosecond);
BENCHMARK(certificate_renewed)->ArgsProduct({{100, 10000}, {0}})->Unit(benchmark::kMicrosecond);

}  // namespace

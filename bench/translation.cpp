// What building a snapshot costs, from nothing and after one edit, among as many mappings as the
// argument says, each with a service of its own on one port.
#include "xds/build.hpp"
#include "xds/consistent.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace mp;

xds::ClusterConfig fleet(std::int64_t size) {
  xds::ClusterConfig config;
  for (std::int64_t id = 1; id <= size; ++id) {
    const std::string name = "service-" + std::to_string(id);
    config.services.push_back(std::make_shared<const Service>(
        Service{.id = id,
                .name = name,
                .ip_fqdn = "10." + std::to_string(id / 65536) + "." +
                           std::to_string(id / 256 % 256) + "." + std::to_string(id % 256),
                .collection = "all"}));
    config.mappings.push_back(std::make_shared<const Mapping>(Mapping{
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
  for (auto& mapping : config.mappings) {
    auto row = std::make_shared<Mapping>(*mapping);
    row->protocols = {Protocol::Https};
    mapping = std::move(row);
  }
  config.certificates.push_back(
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
  consistency.check(*builder.build(config, Time{}));
  std::size_t at = 0;
  for (auto unused : state) {
    state.PauseTiming();
    edit(config, at = (at + 7) % config.mappings.size());
    state.ResumeTiming();
    const xds::SnapshotPtr snapshot = builder.build(config, Time{});
    if (!consistency.check(*snapshot).empty()) state.SkipWithError("inconsistent");
  }
}

void edit_mapping(xds::ClusterConfig& config, std::size_t at) {
  auto row = std::make_shared<Mapping>(*config.mappings[at]);
  row->timeout = row->timeout % 100 + 1;
  config.mappings[at] = std::move(row);
}

void mapping_edited(benchmark::State& state) {
  after_edit(state, fleet(state.range(0)), edit_mapping);
}

void tls_mapping_edited(benchmark::State& state) {
  after_edit(state, tls_fleet(state.range(0)), edit_mapping);
}

void certificate_renewed(benchmark::State& state) {
  after_edit(state, tls_fleet(state.range(0)), [](xds::ClusterConfig& config, std::size_t at) {
    auto row = std::make_shared<Certificate>(*config.certificates[0]);
    row->cert_pem = "chain " + std::to_string(at);
    config.certificates[0] = std::move(row);
  });
}

void service_edited(benchmark::State& state) {
  after_edit(state, fleet(state.range(0)), [](xds::ClusterConfig& config, std::size_t at) {
    auto row = std::make_shared<Service>(*config.services[at]);
    row->port = row->port.value_or(0) % 65535 + 1;
    config.services[at] = std::move(row);
  });
}

BENCHMARK(from_nothing)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(mapping_edited)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(tls_mapping_edited)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(certificate_renewed)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);
BENCHMARK(service_edited)->ArgsProduct({{300, 3000}, {0, 1}})->Unit(benchmark::kMillisecond);

}  // namespace

// What GET /healthz answers.
#pragma once

#include "model/shape.hpp"

namespace mp {

enum class ManagerHealth { Healthy, Degraded, Unhealthy };
template <>
inline constexpr std::array names_of<ManagerHealth>{
    std::string_view("healthy"), std::string_view("degraded"), std::string_view("unhealthy")};

enum class PartHealth { Healthy, Degraded, Unhealthy };
template <>
inline constexpr std::array names_of<PartHealth>{
    std::string_view("healthy"), std::string_view("degraded"), std::string_view("unhealthy")};

enum class ExpiryHealth { Healthy, Warning, Critical, Unknown };
template <>
inline constexpr std::array names_of<ExpiryHealth>{
    std::string_view("healthy"), std::string_view("warning"), std::string_view("critical"),
    std::string_view("unknown")};

struct HealthChecks {
  PartHealth database = PartHealth::Healthy;
  PartHealth license_server = PartHealth::Healthy;
  ExpiryHealth certificate_expiry = ExpiryHealth::Healthy;
};
inline constexpr std::array health_checks_fields{
    field<&HealthChecks::database>("database", "Whether the database answers.",
                                   {.mode = Mode::Server}),
    field<&HealthChecks::license_server>("license_server", "Whether the licence server answers.",
                                         {.mode = Mode::Server}),
    field<&HealthChecks::certificate_expiry>(
        "certificate_expiry", "How soon the first certificate ends; unknown without the database.",
        {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<HealthChecks> =
    part<HealthChecks>("health_checks", "The parts that the manager needs.", health_checks_fields);

struct HealthReport {
  ManagerHealth status = ManagerHealth::Healthy;
  Time timestamp;
  HealthChecks checks;
  std::string version;
  std::int64_t uptime = 0;
};
inline constexpr std::array health_report_fields{
    field<&HealthReport::status>("status", "Of the manager as a whole.", {.mode = Mode::Server}),
    field<&HealthReport::timestamp>("timestamp", "When this was asked.", {.mode = Mode::Server}),
    field<&HealthReport::checks>("checks", "Its parts.", {.mode = Mode::Server}),
    field<&HealthReport::version>("version", "Of the manager.",
                                  {.mode = Mode::Server, .example = "\"v1.0.0\""}),
    field<&HealthReport::uptime>("uptime", "Seconds since its start.",
                                 {.mode = Mode::Server, .min = 0, .example = "86400"}),
};
template <>
inline constexpr Description describe<HealthReport> =
    part<HealthReport>("health_report", "Whether the manager works.", health_report_fields);

}  // namespace mp

// The licence: what is kept of the licence server's last answer, what it opens, and what the API
// shows of it. The names of the features are the fields of LicenseFeatures and stand nowhere else.
#pragma once

#include "model/shape.hpp"

namespace mp {

inline constexpr std::int64_t unlimited = -1;
// Without a licence, and the least that any licence allows.
inline constexpr std::int64_t community_proxies = 3;
inline constexpr std::int64_t community_clusters = 1;

enum class LicenseTier { Community, Professional, Enterprise };
template <>
inline constexpr std::array names_of<LicenseTier>{std::string_view("community"),
                                                  std::string_view("professional"),
                                                  std::string_view("enterprise")};

enum class LicenseType { Community, Enterprise };
template <>
inline constexpr std::array names_of<LicenseType>{std::string_view("community"),
                                                  std::string_view("enterprise")};

// None: no key. Unverified: a key that the server has never answered for. Grace: the server fails
// and its last answer still counts; Lapsed: it failed for too long.
enum class LicenseState { None, Unverified, Active, Grace, Expired, Refused, Lapsed };
template <>
inline constexpr std::array names_of<LicenseState>{
    std::string_view("none"),  std::string_view("unverified"), std::string_view("active"),
    std::string_view("grace"), std::string_view("expired"),    std::string_view("refused"),
    std::string_view("lapsed")};

struct LicenseFeatures {
  bool unlimited_proxies = false;
  bool multi_cluster = false;
  bool saml_authentication = false;
  bool oauth2_authentication = false;
  bool scim_provisioning = false;
  bool wildcard_certificates = false;
  bool advanced_acceleration = false;
  bool traffic_shaping = false;
  bool multi_cloud_routing = false;
  bool distributed_tracing = false;
  bool zero_trust = false;
};
inline constexpr std::array license_features_fields{
    field<&LicenseFeatures::unlimited_proxies>("unlimited_proxies", "More than three proxies.",
                                               {.mode = Mode::Server}),
    field<&LicenseFeatures::multi_cluster>("multi_cluster", "Clusters beside the default one.",
                                           {.mode = Mode::Server}),
    field<&LicenseFeatures::saml_authentication>("saml_authentication", "Sign-in by SAML.",
                                                 {.mode = Mode::Server}),
    field<&LicenseFeatures::oauth2_authentication>("oauth2_authentication", "Sign-in by OAuth2.",
                                                   {.mode = Mode::Server}),
    field<&LicenseFeatures::scim_provisioning>("scim_provisioning", "Users from SCIM.",
                                               {.mode = Mode::Server}),
    field<&LicenseFeatures::wildcard_certificates>(
        "wildcard_certificates", "Wildcard certificates by the manager's own authority.",
        {.mode = Mode::Server}),
    field<&LicenseFeatures::advanced_acceleration>(
        "advanced_acceleration", "XDP, AF_XDP, DPDK and SR-IOV.", {.mode = Mode::Server}),
    field<&LicenseFeatures::traffic_shaping>("traffic_shaping", "Traffic shaping.",
                                             {.mode = Mode::Server}),
    field<&LicenseFeatures::multi_cloud_routing>("multi_cloud_routing", "Routing over clouds.",
                                                 {.mode = Mode::Server}),
    field<&LicenseFeatures::distributed_tracing>("distributed_tracing", "Distributed tracing.",
                                                 {.mode = Mode::Server}),
    field<&LicenseFeatures::zero_trust>("zero_trust", "Zero-trust policies.",
                                        {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<LicenseFeatures> =
    part<LicenseFeatures>("license_features", "What a license opens.", license_features_fields);

// The one row: the key, what the server last said of it, and when it is asked next. The visible
// fields are what the change log tells.
struct License {
  std::int64_t id = 1;
  std::string license_key;  // masked
  LicenseTier tier = LicenseTier::Community;
  LicenseFeatures features;
  std::int64_t max_proxies = community_proxies;
  std::int64_t max_clusters = community_clusters;
  std::optional<Time> expires_at;
  LicenseState state = LicenseState::Unverified;  // when last written; time moves it on
  std::string refusal;                            // the server's words
  Time created_at;
  Time updated_at;
  std::int64_t revision = 1;
  Secret key;
  std::string setting_hash;  // SHA-256 of the last key that the settings brought
  std::string server_id;
  std::optional<Time> answered_at;
  std::optional<Time> failing_since;
  Time next_check;
  Time next_keepalive;
};
inline constexpr std::array license_fields{
    field<&License::id>("id", "Always 1.", {.mode = Mode::Server}),
    field<&License::license_key>("license_key", "The key, masked.", {.mode = Mode::Server}),
    field<&License::tier>("tier", "What was bought.", {.mode = Mode::Server}),
    field<&License::features>("features", "What it opens.", {.mode = Mode::Server}),
    field<&License::max_proxies>("max_proxies", "Proxies that it allows, -1 for any number.",
                                 {.mode = Mode::Server}),
    field<&License::max_clusters>("max_clusters", "Clusters that it allows, -1 for any number.",
                                  {.mode = Mode::Server}),
    field<&License::expires_at>("expires_at", "When it ends; null for never.",
                                {.mode = Mode::Server}),
    field<&License::state>("state", "Where it stands.", {.mode = Mode::Server}),
    field<&License::refusal>("refusal", "Why the server refuses it; empty when it does not.",
                             {.mode = Mode::Server}),
    field<&License::created_at>("created_at", "When a key was first set.", {.mode = Mode::Server}),
    field<&License::updated_at>("updated_at", "When it last changed.", {.mode = Mode::Server}),
    field<&License::revision>("revision", "Counts its changes.", {.mode = Mode::Hidden}),
    field<&License::key>("key", "The key.", {.mode = Mode::Hidden, .sensitive = true}),
    field<&License::setting_hash>("setting_hash", "SHA-256 of the key of the settings.",
                                  {.mode = Mode::Hidden}),
    field<&License::server_id>("server_id", "What keepalives call this installation.",
                               {.mode = Mode::Hidden}),
    field<&License::answered_at>("answered_at", "When the server last answered.",
                                 {.mode = Mode::Hidden}),
    field<&License::failing_since>("failing_since", "Since when it does not.",
                                   {.mode = Mode::Hidden}),
    field<&License::next_check>("next_check", "When it is asked again.", {.mode = Mode::Hidden}),
    field<&License::next_keepalive>("next_keepalive", "When it is told again that we are here.",
                                    {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<License> =
    resource<License>("license", "licenses", "The license of the installation.", license_fields);

struct LicenseLimits {
  std::int64_t max_proxies = community_proxies;
  std::int64_t max_clusters = community_clusters;
  std::int64_t current_proxies = 0;
  std::int64_t current_clusters = 0;
};
inline constexpr std::array license_limits_fields{
    field<&LicenseLimits::max_proxies>("max_proxies", "Proxies allowed, -1 for any number.",
                                       {.mode = Mode::Server}),
    field<&LicenseLimits::max_clusters>("max_clusters", "Clusters allowed, -1 for any number.",
                                        {.mode = Mode::Server}),
    field<&LicenseLimits::current_proxies>(
        "current_proxies", "Proxies that are not offline, over all clusters and types.",
        {.mode = Mode::Server}),
    field<&LicenseLimits::current_clusters>("current_clusters", "Active clusters.",
                                            {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<LicenseLimits> = part<LicenseLimits>(
    "license_limits", "How much a license allows, and how much is used.", license_limits_fields);

struct LicenseStatus {
  LicenseType license_type = LicenseType::Community;
  bool valid = true;
  LicenseFeatures features;
  LicenseLimits limits;
  std::optional<std::string> license_key;
  std::optional<Time> expires_at;
  LicenseState state = LicenseState::None;
  std::optional<Time> answered_at;
};
inline constexpr std::array license_status_fields{
    field<&LicenseStatus::license_type>("license_type", "Community without a license.",
                                        {.mode = Mode::Server}),
    field<&LicenseStatus::valid>("valid",
                                 "False when there is a key that opens nothing: see `state`.",
                                 {.mode = Mode::Server}),
    field<&LicenseStatus::features>("features", "What is open now.", {.mode = Mode::Server}),
    field<&LicenseStatus::limits>("limits", "What holds now.", {.mode = Mode::Server}),
    field<&LicenseStatus::license_key>("license_key", "The stored key, masked.",
                                       {.mode = Mode::Server, .example = "null"}),
    field<&LicenseStatus::expires_at>("expires_at", "When the license ends; null for never.",
                                      {.mode = Mode::Server, .example = "null"}),
    field<&LicenseStatus::state>("state", "Where the stored key stands.", {.mode = Mode::Server}),
    field<&LicenseStatus::answered_at>("answered_at", "When the license server last answered.",
                                       {.mode = Mode::Server, .example = "null"}),
};
template <>
inline constexpr Description describe<LicenseStatus> =
    part<LicenseStatus>("license_status", "The license and its limits.", license_status_fields);

// The body of POST /license/validate.
struct LicenseKey {
  Secret license_key;
};
inline constexpr std::array license_key_fields{
    field<&LicenseKey::license_key>("license_key", "The key as it was sold.",
                                    {.min = 29,
                                     .max = 29,
                                     .format = "license_key",
                                     .sensitive = true,
                                     .example = "\"PENG-XXXX-XXXX-XXXX-XXXX-ABCD\""}),
};
template <>
inline constexpr Description describe<LicenseKey> =
    part<LicenseKey>("license_key", "A key to check.", license_key_fields);

struct LicenseValidation {
  bool valid = false;
  std::string message;
  std::string license_key;
  LicenseType license_type = LicenseType::Community;
  LicenseFeatures features;
  LicenseLimits limits;
  std::optional<Time> expires_at;
};
inline constexpr std::array license_validation_fields{
    field<&LicenseValidation::valid>("valid", "Whether the key is good; only then it is kept.",
                                     {.mode = Mode::Server}),
    field<&LicenseValidation::message>("message", "What the license server says.",
                                       {.mode = Mode::Server, .example = "\"License not found\""}),
    field<&LicenseValidation::license_key>(
        "license_key", "The key, masked.",
        {.mode = Mode::Server, .example = "\"PENG-****-****-****-****-ABCD\""}),
    field<&LicenseValidation::license_type>("license_type", "What the key is for.",
                                            {.mode = Mode::Server}),
    field<&LicenseValidation::features>("features", "What it opens.", {.mode = Mode::Server}),
    field<&LicenseValidation::limits>("limits", "How much it allows.", {.mode = Mode::Server}),
    field<&LicenseValidation::expires_at>("expires_at", "When it ends; null for never.",
                                          {.mode = Mode::Server, .example = "null"}),
};
template <>
inline constexpr Description describe<LicenseValidation> = part<LicenseValidation>(
    "license_validation", "What the license server says of a key.", license_validation_fields);

}  // namespace mp

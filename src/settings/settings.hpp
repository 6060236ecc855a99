// The manager's settings, each declared once: its name, help, default and rules. Flags, environment
// variables, the YAML file and the reference page are derived from this table; see command.hpp for
// reading them. Everybody else takes `const Settings&` and never looks at the environment.
#pragma once

#include "base/log.hpp"
#include "model/shape.hpp"

namespace mp {

template <>
inline constexpr std::array names_of<log::Level>{
    std::string_view("debug"), std::string_view("info"), std::string_view("warning"),
    std::string_view("error")};
template <>
inline constexpr std::array names_of<log::Format>{std::string_view("text"),
                                                  std::string_view("json")};

struct HttpSettings {
  std::string listen = "0.0.0.0:8000";
  int workers = 64;
};
inline constexpr std::array http_settings_fields{
    field<&HttpSettings::listen>("listen", "Address of the REST API; port 0 picks a free one.",
                                 {.min = 1, .max = 260}),
    field<&HttpSettings::workers>("workers", "Requests that are worked on at the same time.",
                                  {.min = 1, .max = 512}),
};
void check_http_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<HttpSettings> =
    part<HttpSettings>("http", "The REST API.", http_settings_fields, check_http_settings);

// TLS of the port that proxies connect to: a certificate of our own authority, one from files, or
// none.
enum class XdsTls { Auto, Files, Off };
template <>
inline constexpr std::array names_of<XdsTls>{std::string_view("auto"), std::string_view("files"),
                                             std::string_view("off")};

struct XdsSettings {
  std::string listen = "0.0.0.0:18000";
  XdsTls tls = XdsTls::Auto;
  std::string certificate;
  std::string key;
  std::string client_ca;
  std::vector<std::string> advertise;
};
inline constexpr std::array xds_settings_fields{
    field<&XdsSettings::listen>("listen",
                                "Address that proxies connect to; port 0 picks a free one.",
                                {.min = 1, .max = 260}),
    field<&XdsSettings::tls>("tls", "TLS of that port: auto uses the manager's own authority."),
    field<&XdsSettings::certificate>(
        "certificate", "PEM file of the certificate and its chain; for files.", {.max = 4096}),
    field<&XdsSettings::key>("key", "PEM file of the certificate's private key; for files.",
                             {.max = 4096}),
    field<&XdsSettings::client_ca>("client_ca",
                                   "PEM file of authorities; clients must then show a certificate.",
                                   {.max = 4096}),
    field<&XdsSettings::advertise>(
        "advertise",
        "Host or host:port that proxies are told to connect to, of every manager, with commas "
        "between.",
        {.max = 16}),
};
void check_xds_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<XdsSettings> =
    part<XdsSettings>("xds", "The port of the proxies.", xds_settings_fields, check_xds_settings);

struct DatabaseSettings {
  std::string url = "sqlite:";
};
inline constexpr std::array database_settings_fields{
    field<&DatabaseSettings::url>("url",
                                  "sqlite:, sqlite:FILE or postgresql://USER:PASSWORD@HOST/NAME.",
                                  {.min = 1, .max = 4096, .sensitive = true}),
};
void check_database_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<DatabaseSettings> = part<DatabaseSettings>(
    "database", "Where everything is kept.", database_settings_fields, check_database_settings);

struct AdminSettings {
  Secret password;
};
inline constexpr std::array admin_settings_fields{
    field<&AdminSettings::password>(
        "password", "Password of the user admin at the first start; random unless set.",
        {.max = 128, .sensitive = true}),
};
template <>
inline constexpr Description describe<AdminSettings> =
    part<AdminSettings>("admin", "The first user.", admin_settings_fields);

struct ClusterSettings {
  Secret key;
};
inline constexpr std::array cluster_settings_fields{
    field<&ClusterSettings::key>(
        "key", "Key of the default cluster, mp_cluster_ and at least 32 letters, digits, - or _.",
        {.max = 256, .sensitive = true}),
};
void check_cluster_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<ClusterSettings> = part<ClusterSettings>(
    "cluster", "The default cluster.", cluster_settings_fields, check_cluster_settings);

struct TlsSettings {
  std::string certificate;
  std::string key;
};
inline constexpr std::array tls_settings_fields{
    field<&TlsSettings::certificate>(
        "certificate", "PEM file of the REST API's certificate and its chain.", {.max = 4096}),
    field<&TlsSettings::key>("key", "PEM file of that certificate's private key.", {.max = 4096}),
};
void check_tls_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<TlsSettings> =
    part<TlsSettings>("tls", "TLS of the REST API.", tls_settings_fields, check_tls_settings);

struct RotationSettings {
  int overlap = 3600;
};
inline constexpr std::array rotation_settings_fields{
    field<&RotationSettings::overlap>("overlap",
                                      "Seconds an old secret or key stays good after a rotation.",
                                      {.min = 0, .max = 2592000}),
};
template <>
inline constexpr Description describe<RotationSettings> =
    part<RotationSettings>("rotation", "Rotation of secrets.", rotation_settings_fields);

struct ProxySettings {
  int heartbeat_interval = 30;
};
inline constexpr std::array proxy_settings_fields{
    field<&ProxySettings::heartbeat_interval>(
        "heartbeat_interval", "Seconds between the heartbeats of a proxy; offline after three.",
        {.min = 1, .max = 3600}),
};
template <>
inline constexpr Description describe<ProxySettings> =
    part<ProxySettings>("proxy", "The proxies.", proxy_settings_fields);

struct LicenseSettings {
  Secret key;
  std::string server_url = "https://license.penguintech.io";
  std::string ca;
};
inline constexpr std::array license_settings_fields{
    field<&LicenseSettings::key>(
        "key", "License key, PENG-XXXX-XXXX-XXXX-XXXX-XXXX; Community edition without one.",
        {.max = 64, .sensitive = true}),
    field<&LicenseSettings::server_url>("server_url", "Where the license server is.",
                                        {.min = 1, .max = 2048}),
    field<&LicenseSettings::ca>(
        "ca", "PEM file of the authorities of its certificate; the system's unless set.",
        {.max = 4096}),
};
void check_license_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<LicenseSettings> = part<LicenseSettings>(
    "license", "The license.", license_settings_fields, check_license_settings);

struct RateLimitSettings {
  std::string authentication = "5/minute";
  std::string general = "1000/hour";
  std::string configuration = "100/minute";
};
inline constexpr std::array rate_limit_settings_fields{
    field<&RateLimitSettings::authentication>(
        "authentication", "Sign-ins of a client address: N/second, N/minute, N/hour, N/day or off.",
        {.min = 1, .max = 32, .format = "quota"}),
    field<&RateLimitSettings::general>("general",
                                       "Requests of an API key, or of a user in his sessions.",
                                       {.min = 1, .max = 32, .format = "quota"}),
    field<&RateLimitSettings::configuration>(
        "configuration", "Registrations and configurations that the proxies of a cluster ask for.",
        {.min = 1, .max = 32, .format = "quota"}),
};
template <>
inline constexpr Description describe<RateLimitSettings> = part<RateLimitSettings>(
    "rate_limit", "How much one caller may ask.", rate_limit_settings_fields);

enum class AcmeChallenge { Http01, Dns01 };
template <>
inline constexpr std::array names_of<AcmeChallenge>{std::string_view("http-01"),
                                                    std::string_view("dns-01")};

struct AcmeSettings {
  std::string directory;
  std::string email;
  std::string ca;
  AcmeChallenge challenge = AcmeChallenge::Http01;
  std::string dns_hook;
  bool agree_to_terms = false;
};
inline constexpr std::array acme_settings_fields{
    field<&AcmeSettings::directory>(
        "directory",
        "URL of an ACME server's directory, which then renews uploaded certificates; none unless "
        "set.",
        {.max = 2048}),
    field<&AcmeSettings::email>("email", "Where that server may write to.", {.max = 254}),
    field<&AcmeSettings::ca>(
        "ca", "PEM file of the authorities of its certificate; the system's unless set.",
        {.max = 4096}),
    field<&AcmeSettings::challenge>(
        "challenge", "How names are proven: over HTTP by the REST port, or in DNS by dns_hook."),
    field<&AcmeSettings::dns_hook>(
        "dns_hook",
        "Program that sets a TXT record: called with present or cleanup, the record's name and "
        "its text.",
        {.max = 4096}),
    field<&AcmeSettings::agree_to_terms>("agree_to_terms",
                                         "That the server's terms of service are agreed to."),
};
void check_acme_settings(const void* section, Violations& violations);
template <>
inline constexpr Description describe<AcmeSettings> =
    part<AcmeSettings>("acme", "Certificates from an ACME server (RFC 8555).", acme_settings_fields,
                       check_acme_settings);

struct SyslogSettings {
  int buffer = 4096;
  std::string ca;
};
inline constexpr std::array syslog_settings_fields{
    field<&SyslogSettings::buffer>(
        "buffer",
        "KiB of records that wait for the syslog server of one cluster; more are dropped.",
        {.min = 64, .max = 1048576}),
    field<&SyslogSettings::ca>(
        "ca", "PEM file of the authorities of tls:// servers; the system's unless set.",
        {.max = 4096}),
};
template <>
inline constexpr Description describe<SyslogSettings> = part<SyslogSettings>(
    "syslog", "Access logs on their way to the clusters' syslog servers.", syslog_settings_fields);

struct LogSettings {
  log::Level level = log::Level::Info;
  log::Format format = log::Format::Text;
};
inline constexpr std::array log_settings_fields{
    field<&LogSettings::level>("level", "Least level that is logged."),
    field<&LogSettings::format>("format", "Form of a line of the log."),
};
template <>
inline constexpr Description describe<LogSettings> =
    part<LogSettings>("log", "The log.", log_settings_fields);

struct Settings {
  HttpSettings http;
  XdsSettings xds;
  std::string data_dir;  // absolute after reading
  DatabaseSettings database;
  AdminSettings admin;
  ClusterSettings cluster;
  TlsSettings tls;
  RotationSettings rotation;
  ProxySettings proxy;
  LicenseSettings license;
  RateLimitSettings rate_limit;
  std::vector<std::string> trusted_proxies;
  AcmeSettings acme;
  SyslogSettings syslog;
  LogSettings log;
};
inline constexpr std::array settings_fields{
    field<&Settings::http>("http", "The REST API."),
    field<&Settings::xds>("xds", "The port of the proxies."),
    field<&Settings::data_dir>(
        "data_dir",
        "Directory of the database and the key file. Default: /var/lib/marchproxy for root, "
        "else marchproxy in $XDG_DATA_HOME or ~/.local/share.",
        {.max = 4096}),
    field<&Settings::database>("database", "Where everything is kept."),
    field<&Settings::admin>("admin", "The first user."),
    field<&Settings::cluster>("cluster", "The default cluster."),
    field<&Settings::tls>("tls", "TLS of the REST API."),
    field<&Settings::rotation>("rotation", "Rotation of secrets."),
    field<&Settings::proxy>("proxy", "The proxies."),
    field<&Settings::license>("license", "The license."),
    field<&Settings::rate_limit>("rate_limit", "How much one caller may ask."),
    field<&Settings::trusted_proxies>(
        "trusted_proxies",
        "Addresses and blocks of proxies whose X-Forwarded-For counts, with commas between.",
        {.max = 100, .format = "network"}),
    field<&Settings::acme>("acme", "Certificates from an ACME server."),
    field<&Settings::syslog>("syslog", "Access logs on their way to syslog servers."),
    field<&Settings::log>("log", "The log."),
};
template <>
inline constexpr Description describe<Settings> =
    part<Settings>("settings", "Settings of the manager.", settings_fields);

}  // namespace mp

#include "api/context.hpp"
#include "api/expiry.hpp"
#include "api/nouns.hpp"
#include "base/version.hpp"
#include "model/health.hpp"
#include "model/proxy.hpp"

#include <boost/json.hpp>

#include <limits>

namespace mp::api {
namespace {

ExpiryHealth expiry_now(Context& context) {
  ExpiryHealth expiry = ExpiryHealth::Unknown;
  try {
    context.store.read([&](Reader& db) { expiry = expiry_health(db, context.clock.now()); });
  } catch (const Error&) {  // the database has just gone; the next probe says so
  }
  return expiry;
}

Document healthz(Call& call) {
  Context& context = call.context;
  const bool database = context.store.healthy();
  const auto license = context.license.kept();
  const bool license_server = !license || !license->failing_since;
  const Time now = context.clock.now();
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(now - context.started).count();
  const ExpiryHealth expiry = database ? expiry_now(context) : ExpiryHealth::Unknown;
  const bool well = license_server && expiry != ExpiryHealth::Critical;
  const HealthReport report{
      .status = !database ? ManagerHealth::Unhealthy
                : well    ? ManagerHealth::Healthy
                          : ManagerHealth::Degraded,
      .timestamp = now,
      .checks = {.database = database ? PartHealth::Healthy : PartHealth::Unhealthy,
                 .license_server = license_server ? PartHealth::Healthy : PartHealth::Degraded,
                 .certificate_expiry = expiry},
      .version = std::string(version),
      .uptime = std::max<std::int64_t>(0, uptime)};
  return {"application/json", boost::json::serialize(to_json(describe<HealthReport>, &report)),
          database ? 200 : 503};
}

Document metrics(Call& call) { return {Registry::content_type, call.context.metrics.text()}; }

void count_fleet(Reader& db, Scrape& scrape) {
  const auto users = db.query("SELECT COUNT(*) FROM users", {}, {Column::Integer});
  scrape.gauge("marchproxy_users_total", "Total number of users", {},
               static_cast<double>(std::get<std::int64_t>(users[0][0])));
  const auto rows = db.query(
      "SELECT c.name, k.proxy_type, COUNT(p.id) FROM clusters c "
      "CROSS JOIN (SELECT 'egress' AS proxy_type UNION ALL SELECT 'ingress') k "
      "LEFT JOIN proxies p ON p.cluster_id = c.id AND p.proxy_type = k.proxy_type "
      "GROUP BY c.name, k.proxy_type ORDER BY c.name, k.proxy_type",
      {}, {Column::Text, Column::Text, Column::Integer});
  for (const Row& row : rows) {
    scrape.gauge(
        "marchproxy_proxies_registered", "Total registered proxies",
        {{"cluster", std::get<std::string>(row[0])}, {"type", std::get<std::string>(row[1])}},
        static_cast<double>(std::get<std::int64_t>(row[2])));
  }
  for (const char* table : {"services", "mappings"}) {
    const auto count =
        db.query("SELECT COUNT(*) FROM " + std::string(table), {}, {Column::Integer});
    scrape.gauge("marchproxy_" + std::string(table) + "_total",
                 "Total number of " + std::string(table), {},
                 static_cast<double>(std::get<std::int64_t>(count[0][0])));
  }
}

void report_store(const Store& store, Scrape& scrape) {
  const auto figures = store.figures();
  const auto total = [&](const std::string& name, const std::string& help, std::int64_t value) {
    scrape.counter("marchproxy_store_" + name, help, {}, static_cast<double>(value));
  };
  total("commits_total", "Transactions made durable; several writes share one", figures.commits);
  total("writes_total", "Writes in them", figures.writes);
  total("reads_total", "Read transactions", figures.reads);
  total("failures_total", "Transactions that the database failed", figures.failures);
  scrape.gauge("marchproxy_store_current",
               "1 while changes of other managers are heard as they happen", {},
               store.is_current() ? 1 : 0);
  scrape.gauge("marchproxy_store_queue", "Writes that wait", {},
               static_cast<double>(figures.queue));
}

double limit_figure(std::int64_t limit) {
  return limit == unlimited ? std::numeric_limits<double>::infinity() : static_cast<double>(limit);
}

void report_license(const Context& context, Reader& db, Scrape& scrape) {
  const auto license = context.license.kept();
  const Time now = context.clock.now();
  const Entitlement entitlement = entitlement_of(license.get(), now);
  const LicenseUse use =
      count_use(db, offline_before(now, context.settings.proxy.heartbeat_interval));
  const auto gauge = [&](const std::string& name, const std::string& help, double value) {
    scrape.gauge("marchproxy_license_" + name, help, {}, value);
  };
  gauge("valid", "1 unless there is a key that opens nothing", entitlement.valid ? 1 : 0);
  gauge("proxies", "Proxies that count against the license", static_cast<double>(use.proxies));
  gauge("proxies_limit", "Proxies that the license allows", limit_figure(entitlement.max_proxies));
  gauge("clusters", "Clusters that count against the license", static_cast<double>(use.clusters));
  gauge("clusters_limit", "Clusters that the license allows",
        limit_figure(entitlement.max_clusters));
  scrape.gauge(
      "marchproxy_license_state", "Where the license stands: 1 for the state it is in",
      {{"state", std::string(names_of<LicenseState>[static_cast<std::size_t>(entitlement.state)])}},
      1);
  if (!license) return;
  gauge("server_up", "Whether the license server answered when it was last asked",
        license->failing_since ? 0 : 1);
  if (license->expires_at) {
    gauge("expiry_seconds", "When the license ends, in seconds since 1970",
          static_cast<double>(to_milliseconds(*license->expires_at)) / 1000);
  }
}

void report_xds(const Context& context, Scrape& scrape) {
  const xds::Counters& counters = context.hub.status().counters();
  scrape.gauge("marchproxy_xds_streams", "Connected discovery streams", {},
               static_cast<double>(counters.streams.load()));
  const auto total = [&](const std::string& name, const std::string& help, std::uint64_t value) {
    scrape.counter("marchproxy_xds_" + name, help, {}, static_cast<double>(value));
  };
  total("pushes_total", "Discovery responses sent", counters.pushes.load());
  total("acknowledgements_total", "Discovery responses that proxies took",
        counters.acknowledgements.load());
  total("refusals_total", "Discovery responses that proxies refused", counters.refusals.load());
  scrape.gauge("marchproxy_config_revision", "Newest change that was published to proxies", {},
               static_cast<double>(context.hub.revision()));
}

void report_log_streams(const Context& context, Scrape& scrape) {
  const xds::Counters& counters = context.hub.status().counters();
  scrape.gauge("marchproxy_access_log_streams", "Connected streams of access logs", {},
               static_cast<double>(counters.log_streams.load()));
  scrape.counter("marchproxy_access_log_entries_total", "Entries of access logs that proxies sent",
                 {}, static_cast<double>(counters.log_entries.load()));
  scrape.counter("marchproxy_access_log_refusals_total",
                 "Streams of access logs that were refused or ended", {},
                 static_cast<double>(counters.log_refusals.load()));
}

void report_syslog(const syslog::Standing& server, const std::string& cluster, Scrape& scrape) {
  const Labels labels{{"cluster", cluster}};
  scrape.counter("marchproxy_syslog_sent_total", "Records sent to the cluster's syslog server",
                 labels, static_cast<double>(server.sent));
  for (const auto& [reason, dropped] :
       {std::pair("full", server.dropped_full), std::pair("refused", server.dropped_refused),
        std::pair("off", server.dropped_off)}) {
    scrape.counter("marchproxy_syslog_dropped_total",
                   "Records dropped: no room, refused by the server's machine, or logging was "
                   "switched off",
                   {{"cluster", cluster}, {"reason", reason}}, static_cast<double>(dropped));
  }
  scrape.gauge("marchproxy_syslog_waiting_bytes", "Records that wait for the syslog server", labels,
               static_cast<double>(server.waiting));
  scrape.gauge("marchproxy_syslog_reachable", "0 while the syslog server cannot be reached", labels,
               server.fault.empty() ? 1 : 0);
}

// Of clusters that log, and of those that have logged since the start.
void report_syslog(const Context& context, Reader& db, Scrape& scrape) {
  for (const Row& row : db.query("SELECT id, name, CASE WHEN is_active = 1 AND (log_auth = 1 OR "
                                 "log_netflow = 1 OR log_debug = 1) THEN 1 ELSE 0 END "
                                 "FROM clusters",
                                 {}, {Column::Integer, Column::Text, Column::Integer})) {
    const auto standing = context.relay.standing(std::get<std::int64_t>(row[0]));
    if (standing || std::get<std::int64_t>(row[2]) == 1)
      report_syslog(standing.value_or(syslog::Standing()), std::get<std::string>(row[1]), scrape);
  }
}

void report_sign_ins(const Context& context, Scrape& scrape) {
  const auto figures = context.attempts.figures();
  const auto total = [&](const std::string& result, std::int64_t value) {
    scrape.counter("marchproxy_sign_in_attempts_total",
                   "Passwords and codes that were checked, or held back after too many failures",
                   {{"result", result}}, static_cast<double>(value));
  };
  total("succeeded", figures.succeeded);
  total("failed", figures.failed);
  total("held_back", figures.held_back);
  scrape.gauge("marchproxy_sign_in_failures_kept", "Accounts and networks with failed attempts", {},
               static_cast<double>(figures.kept));
}

}  // namespace

void report_metrics(Context& context) {
  context.metrics.on_scrape([&context](Scrape& scrape) {
    report_store(context.store, scrape);
    report_xds(context, scrape);
    report_log_streams(context, scrape);
    context.rates.report(scrape, context.clock.now());
    report_sign_ins(context, scrape);
    context.store.read([&](Reader& db) {
      count_fleet(db, scrape);
      report_certificates(db, context.clock.now(), scrape);
      report_license(context, db, scrape);
      report_syslog(context, db, scrape);
    });
  });
}

void operations(Endpoints& endpoints) {
  endpoints.add_document({.id = "healthz",
                          .call = "GET ^/healthz",
                          .summary = "Whether the manager works.",
                          .needs = Needs::Nothing,
                          .rate = Rate::Unlimited,
                          .document = &describe<HealthReport>},
                         "application/json", healthz);
  endpoints.add_document({.id = "metrics",
                          .call = "GET ^/metrics",
                          .summary = "Figures for Prometheus.",
                          .needs = Needs::Nothing,
                          .rate = Rate::Unlimited,
                          .example = "# HELP marchproxy_users_total Total number of users\n"
                                     "# TYPE marchproxy_users_total gauge\n"
                                     "marchproxy_users_total 45\n"},
                         "text/plain", metrics);
}

}  // namespace mp::api

#include "app/manager.hpp"

#include "api/acme_renewals.hpp"
#include "api/answer.hpp"
#include "api/api.hpp"
#include "api/bootstrap.hpp"
#include "api/fleet.hpp"
#include "api/nouns.hpp"
#include "api/service_certificates.hpp"
#include "api/sessions.hpp"
#include "api/wildcard.hpp"
#include "app/background.hpp"
#include "app/gate.hpp"
#include "app/port_certificate.hpp"
#include "base/log.hpp"
#include "crypto/files.hpp"
#include "http/server.hpp"
#include "syslog/relay.hpp"
#include "xds/log_report.hpp"
#include "xds/server.hpp"

namespace mp {
namespace {

constexpr std::size_t most_waiting_requests = 4096;
constexpr std::chrono::seconds stop_grace{10};

StoreOptions store_options(const Settings& settings) {
  return {.url = settings.database.url, .data_dir = settings.data_dir};
}

// The files that the settings name, checked before anything is made, so that a wrong one is one
// clear line and does not look like a server that is away later.
const Settings& with_files(const Settings& settings, Time now) {
  const XdsSettings& xds = settings.xds;
  const TlsSettings& tls = settings.tls;
  if (!settings.license.ca.empty()) read_authorities(settings.license.ca, "license.ca");
  if (!settings.acme.ca.empty()) read_authorities(settings.acme.ca, "acme.ca");
  if (!settings.syslog.ca.empty()) read_authorities(settings.syslog.ca, "syslog.ca");
  if (!xds.client_ca.empty()) read_authorities(xds.client_ca, "xds.client_ca");
  if (xds.tls == XdsTls::Files)
    read_pair({xds.certificate, xds.key, "xds.certificate", "xds.key"}, now);
  if (!tls.certificate.empty())
    read_pair({tls.certificate, tls.key, "tls.certificate", "tls.key"}, now);
  return settings;
}

syslog::RelayOptions relay_options(const Settings& settings) {
  return {.buffer = static_cast<std::size_t>(settings.syslog.buffer) << 10,
          .authorities = settings.syslog.ca};
}

http::ServerOptions http_options(const Settings& settings, const Clock& clock) {
  return {.listen = settings.http.listen,
          .certificate = settings.tls.certificate,
          .key = settings.tls.key,
          .refuse = [&clock](int status, std::string_view message) {
            return api::refusal(status, message, clock.now());
          }};
}

}  // namespace

struct Manager::Parts {
  Parts(const Settings& given, const Clock& clock, Fetch& fetch)
      : settings(with_files(given, clock.now())),
        clock(clock),
        fetch(fetch),
        store(store_options(settings), clock),
        first(first_start(store, settings, hashes)),
        authority(store, clock),
        port_certificate(settings, authority, clock),
        tokens(load_or_create_key(store, "session_tokens"), clock),
        credentials(store, tokens, clock),
        license(store, clock, settings, fetch),
        rates(settings.rate_limit, store, metrics),
        trusted_proxies(settings.trusted_proxies),
        acme_renewals(store, clock, settings.acme, fetch),
        attempts(clock, counts_of(store)),
        relay(relay_options(settings)),
        hub(store, status, clock),
        log_report(hub, relay),
        context{.store = store,
                .clock = clock,
                .settings = settings,
                .credentials = credentials,
                .license = license,
                .rates = rates,
                .trusted_proxies = trusted_proxies,
                .key_use = key_use,
                .attempts = attempts,
                .tokens = tokens,
                .hashes = hashes,
                .authority = authority,
                .hub = hub,
                .relay = relay,
                .running = running,
                .lists = lists,
                .planning = planning,
                .metrics = metrics,
                .started = clock.now()},
        gate(context),
        xds_server(xds_options(), gate, status, clock),
        workers(static_cast<std::size_t>(settings.http.workers), most_waiting_requests),
        api(context, workers),
        http_server(http_options(settings, clock), api) {
    hub.serve(xds_server);
    waking = store.on_change([this](std::int64_t) { hub.wake(); });
    api::report_metrics(context);
  }

  xds::ServerOptions xds_options() {
    return {.listen = settings.xds.listen,
            .tls = port_certificate.tls(),
            .logs = &log_report,
            .on_group = [this](const xds::GroupKey& group) { hub.add_group(group); },
            .on_group_gone = [this](const xds::GroupKey& group) { hub.drop_group(group); }};
  }

  // What is written at intervals, at the end once more.
  void save_last() {
    try {
      key_use.save(store);
    } catch (const std::exception& fault) {
      log::warning("the last use of API keys is not saved", {{"fault", fault.what()}});
    }
  }

  std::vector<Task> tasks() {
    using namespace std::chrono_literals;
    return {{"poll", 1s, [this] { store.poll(); }},
            {"see_connected", std::chrono::seconds(settings.proxy.heartbeat_interval),
             [this] { api::see_connected(context); }},
            {"maintain_authority", 1h, [this] { authority.maintain(); }},
            {"renew_port_certificate", 1h,
             [this] {
               if (auto next = port_certificate.renewed()) xds_server.renew(*std::move(next));
             }},
            {"renew_api_certificate", 1h, [this] { http_server.renew_certificate(); }},
            {"renew_certificates", 1h,
             [this] { api::renew_certificates(store, authority, clock.now()); }, 0s},
            {"forget_windows", 1min, [this] { rates.forget_closed(clock.now()); }},
            {"tidy_attempts", 1min, [this] { attempts.tidy(); }},
            {"forget_sessions", 1h, [this] { api::forget_ended_sessions(store, clock); }},
            {"save_key_use", 1min, [this] { key_use.save(store); }},
            {"forget_answers", 1h, [this] { api::forget_old_answers(store, clock); }},
            {"forget_issued_certificates", 1h,
             [this] { api::forget_issued_certificates(store, clock); }}};
  }

  // What waits for servers outside, so that nothing else has to wait for them.
  std::vector<Task> outside_tasks() {
    using namespace std::chrono_literals;
    return {{"license", 1s, [this] { license.tend(); }, 0s},
            {"acme", 1s, [this] { acme_renewals.tend(); }}};
  }

  const Settings settings;
  const Clock& clock;
  Fetch& fetch;
  Registry metrics;
  HashGate hashes;
  Store store;
  FirstStart first;
  Authority authority;
  PortCertificate port_certificate;
  Tokens tokens;
  Credentials credentials;
  Licensing license;
  Rates rates;
  TrustedProxies trusted_proxies;
  api::AcmeRenewals acme_renewals;
  KeyUse key_use;
  Attempts attempts;
  xds::Status status;
  syslog::Relay relay;
  xds::Hub hub;
  xds::LogReport log_report;
  Subscription waking;
  api::RunningKeys running;
  api::ListMemory lists;
  api::PlanTurn planning;
  api::Context context;
  DatabaseGate gate;
  xds::Server xds_server;
  Workers workers;
  api::Api api;
  http::Server http_server;
  std::unique_ptr<Background> background;
  std::unique_ptr<Background> outside;
  bool running_now = false;
};

Manager::Manager(const Settings& settings, const Clock& clock, Fetch& fetch)
    : parts_(std::make_unique<Parts>(settings, clock, fetch)) {}

Manager::~Manager() { stop(); }

void Manager::start() {
  parts_->running_now = true;
  parts_->hub.start();
  parts_->xds_server.start();
  parts_->context.xds_port = parts_->xds_server.port();
  parts_->http_server.start();
  parts_->background = std::make_unique<Background>(parts_->tasks());
  parts_->outside = std::make_unique<Background>(parts_->outside_tasks());
}

void Manager::stop() {
  if (!parts_->running_now) return;
  parts_->running_now = false;
  parts_->status.close();  // answers that wait for proxies go out now
  parts_->fetch.stop();    // and those that wait for servers outside
  parts_->acme_renewals.stop();
  parts_->http_server.stop(stop_grace);
  parts_->workers.stop();
  parts_->background.reset();
  parts_->outside.reset();
  parts_->save_last();
  parts_->xds_server.stop();
  parts_->hub.stop();
  parts_->relay.stop();
}

const FirstStart& Manager::first() const { return parts_->first; }
int Manager::http_port() const { return parts_->http_server.port(); }
int Manager::xds_port() const { return parts_->xds_server.port(); }
http::Handler& Manager::handler() { return parts_->api; }

}  // namespace mp

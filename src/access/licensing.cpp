#include "access/licensing.hpp"

#include "base/due.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "model/proxy.hpp"

#include <unistd.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace mp {
namespace {

using namespace std::chrono_literals;

constexpr auto check_interval = 1h;
constexpr std::chrono::seconds lease = 60s;  // of who asks
constexpr auto look_interval = 2min;         // whether the server is there
constexpr Time::duration first_retry = 15s, longest_retry = lease;
constexpr auto keepalive_interval = 24h;
constexpr std::chrono::seconds keepalive_retry = 1h;
constexpr std::int64_t only_row = 1;

bool has_come(const License& license, Time License::* next, Time now) {
  const Time::duration interval = next == &License::next_check ? Time::duration(check_interval)
                                                               : Time::duration(keepalive_interval);
  return is_due(license.*next, now, interval + lease);
}

const Actor& ourselves() {
  static const Actor actor{
      .user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""};
  return actor;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

License fresh(const Secret& key, Time now) {
  return {.license_key = mask_license_key(key),
          .key = key,
          .server_id = "marchproxy-" + random_text(20),
          .next_check = now,
          .next_keepalive = now};
}

void take_answer(License& license, const LicenseAnswer& answer, Time now) {
  license.failing_since.reset();
  license.answered_at = now;
  license.next_check = now + check_interval;
  license.refusal = answer.verdict == LicenseVerdict::Refused ? answer.message : "";
  if (answer.verdict == LicenseVerdict::Refused) return;
  license.tier = answer.tier;
  license.features = answer.features;
  license.max_proxies = answer.max_proxies;
  license.max_clusters = answer.max_clusters;
  license.expires_at = answer.expires_at;
  if (!answer.server_id.empty()) license.server_id = answer.server_id;
}

void take_failure(License& license, Time now) {
  if (!license.failing_since || *license.failing_since > now) license.failing_since = now;
  // As long as it fails already: each wait doubles the sum.
  const auto wait = std::clamp(now - *license.failing_since, first_retry, longest_retry);
  license.next_check = std::min(license.next_check, now + wait);
}

// `fresh` in place of what is kept.
License replacing(const License& before, License fresh) {
  fresh.setting_hash = before.setting_hash;
  fresh.created_at = before.created_at;
  fresh.revision = before.revision;
  return fresh;
}

// Writes what became of `before`; the log has an entry when anything that it shows is different.
void save(Writer& db, const License* before, License& license) {
  license.state = state_of(license, db.now());
  if (!before) return db.insert(license);
  const bool same = to_json(describe<License>, before) == to_json(describe<License>, &license);
  db.update(license, same ? Logged::No : Logged::Yes);
}

// What an answer for the key that is kept, or no answer, makes of it.
void update_kept(Writer& db, const License& before, const LicenseAnswer& answer) {
  License license = before;
  if (answer.verdict == LicenseVerdict::None)
    take_failure(license, db.now());
  else
    take_answer(license, answer, db.now());
  save(db, &before, license);
}

}  // namespace

LicenseUse count_use(Reader& db, Time offline_since) {
  const auto number = [&](std::string_view sql,
                          const std::vector<std::pair<std::string, Cell>>& values) {
    return std::get<std::int64_t>(db.query(sql, values, {Column::Integer})[0][0]);
  };
  return {.proxies = number("SELECT COUNT(*) FROM proxies WHERE last_seen > :before",
                            {{"before", to_milliseconds(offline_since)}}),
          .clusters = number("SELECT COUNT(*) FROM clusters WHERE is_active = 1", {})};
}

Licensing::Licensing(Store& store, const Clock& clock, const Settings& settings, Fetch& fetch)
    : store_(store), clock_(clock), settings_(settings), fetch_(fetch), started_(clock.now()) {
  if (!settings.license.key.empty()) adopt(settings.license.key);
  reload();
  check_at_once_ = kept() != nullptr;
}

// A key that was set by the API later than the settings brought theirs stays.
void Licensing::adopt(const Secret& key) {
  const std::string hash = sha256_hex(key.reveal());
  store_.write(ourselves(), [&](Writer& db) {
    const auto before = db.find<License>(only_row);
    if (before && before->setting_hash == hash) return;
    License license = fresh(key, db.now());
    if (before) license = before->key == key ? *before : replacing(*before, license);
    license.setting_hash = hash;
    save(db, before ? &*before : nullptr, license);
  });
}

Entitlement Licensing::now() const {
  const auto license = kept();
  return entitlement_of(license.get(), clock_.now());
}

std::shared_ptr<const License> Licensing::kept() const {
  const std::lock_guard lock(mutex_);
  return license_;
}

std::string Licensing::url_of(const std::string& path) const {
  std::string url = settings_.license.server_url;
  while (url.ends_with('/')) url.pop_back();
  return url + path;
}

FetchReply Licensing::post(const std::string& path, const Secret& key, const json::object& body) {
  return fetch_.ask({.url = url_of(path),
                     .headers = {"Authorization: Bearer " + key.reveal(),
                                 "Content-Type: application/json", "Accept: application/json"},
                     .body = json::serialize(body),
                     .ca = settings_.license.ca});
}

LicenseAnswer Licensing::ask(const Secret& key) {
  if (!asking_.try_acquire())
    throw unavailable("Other license keys are being checked", "license server: too many ask it");
  const Turn turn{asking_};
  const auto reply = post("/api/v2/validate", key, {{"product", licensed_product}});
  return read_license_answer(reply, key, clock_.now());
}

void Licensing::keep(Writer& db, const Secret& key, const LicenseAnswer& answer) {
  const auto before = db.find<License>(only_row);
  const bool same = before && before->key == key;
  if (answer.verdict == LicenseVerdict::Granted && !same) {
    License license = fresh(key, db.now());
    if (before) license = replacing(*before, license);
    take_answer(license, answer, db.now());
    return save(db, before ? &*before : nullptr, license);
  }
  // Another key that is refused says nothing of ours; a server that fails does.
  if (before && (same || answer.verdict == LicenseVerdict::None)) update_kept(db, *before, answer);
}

void Licensing::reload() {
  const std::lock_guard turn(reloading_);  // so that what was read last is what counts
  std::shared_ptr<const License> read;
  store_.read([&](Reader& db) {
    if (auto license = db.find<License>(only_row))
      read = std::make_shared<const License>(*std::move(license));
  });
  const std::lock_guard lock(mutex_);
  license_ = std::move(read);
}

void Licensing::tend() {
  reload();
  check();
  const auto license = kept();  // what became of it
  const Time now = clock_.now();
  if (!license || !this->now().valid) return;
  if (!has_come(*license, &License::next_keepalive, now)) return;
  if (claim(&License::next_keepalive, keepalive_retry, now)) send_keepalive(*license);
}

void Licensing::check() {
  const auto license = kept();
  const Time now = clock_.now();
  // After a start the server is asked whenever it was asked last.
  Time due = check_at_once_ ? Time::max() : now;
  if (check_at_once_) looked_at_ = now;
  if (license) {
    if (state_of(*license, now) != license->state) note_time();
    if (has_gone(*license)) due = Time::max();
    if (has_come(*license, &License::next_check, due) && claim(&License::next_check, lease, due))
      refresh(*license);
  }
  check_at_once_ = false;
}

// Between the questions the server is only looked for, without the key: whatever it answers but a
// failure, it is there. Whether it really fails is for a question to find out.
bool Licensing::has_gone(const License& license) {
  const Time now = clock_.now();
  const bool early = looked_at_ <= now && now < looked_at_ + look_interval;
  if (license.failing_since || early) return false;
  looked_at_ = now;
  const auto reply =
      fetch_.ask({.url = url_of("/api/v2/validate"), .method = "GET", .ca = settings_.license.ca});
  constexpr int internal_error = 500, not_implemented = 501;
  return !reply.failure.empty() ||
         (reply.status >= internal_error && reply.status != not_implemented);
}

// Whether it is this manager's turn: moves the time on, so that no other one takes it too.
bool Licensing::claim(Time License::* next, std::chrono::seconds turn, Time due) {
  bool ours = false;
  store_.write(ourselves(), [&](Writer& db) {
    auto license = db.find<License>(only_row);
    ours = license && has_come(*license, next, due);
    if (!ours) return;
    (*license).*next = db.now() + turn;
    db.update(*license, Logged::No);
  });
  return ours;
}

// An end of the licence or of its grace is a change too.
void Licensing::note_time() {
  store_.write(ourselves(), [](Writer& db) {
    if (auto before = db.find<License>(only_row)) {
      License license = *before;
      save(db, &*before, license);
    }
  });
  reload();
  const auto license = kept();
  if (!license) return;
  log::warning(
      "the license changed",
      {{"license", license->license_key},
       {"state", std::string(names_of<LicenseState>[static_cast<std::size_t>(license->state)])}});
}

void Licensing::refresh(const License& license) {
  const LicenseAnswer answer = ask(license.key);
  store_.write(ourselves(), [&](Writer& db) {
    const auto before = db.find<License>(only_row);
    if (before && before->key == license.key) update_kept(db, *before, answer);
  });
  reload();
  if (answer.verdict == LicenseVerdict::None && !license.failing_since)
    log::warning("the license server does not answer", {{"fault", answer.message}});
  else if (answer.verdict == LicenseVerdict::Refused && license.refusal.empty())
    log::warning("the license was refused",
                 {{"license", license.license_key}, {"message", answer.message}});
  else if (answer.verdict == LicenseVerdict::Granted && license.state != LicenseState::Active)
    log::info("the license is valid", {{"license", license.license_key}});
}

void Licensing::send_keepalive(const License& license) {
  LicenseUse use;
  store_.read([&](Reader& db) {
    use = count_use(db, offline_before(clock_.now(), settings_.proxy.heartbeat_interval));
  });
  const auto uptime = std::chrono::floor<std::chrono::seconds>(clock_.now() - started_).count();
  const auto reply = post("/api/v2/keepalive", license.key,
                          {{"product", licensed_product},
                           {"server_id", license.server_id},
                           {"hostname", host_name()},
                           {"version", version},
                           {"uptime_seconds", std::max<std::int64_t>(0, uptime)},
                           {"usage_stats", json::object{{"active_proxies", use.proxies},
                                                        {"active_clusters", use.clusters}}}});
  if (reply.status != 200) {
    return log::warning("the license server took no keepalive",
                        {{"status", std::to_string(reply.status)}, {"fault", reply.failure}});
  }
  claim(&License::next_keepalive, keepalive_interval, Time::max());
}

}  // namespace mp

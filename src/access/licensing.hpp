// The licence of the installation: asks the licence server, keeps its answers in the database
// (where several managers share them), and tells what they open now. Only `ask` and `tend` ever
// wait for the server; everything else works with what was last read. Thread-safe.
#pragma once

#include "access/entitlement.hpp"
#include "access/license_answer.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"

#include <memory>
#include <mutex>
#include <semaphore>

namespace mp {

// What is counted against the limits.
struct LicenseUse {
  std::int64_t proxies = 0;   // seen after `offline_since`
  std::int64_t clusters = 0;  // active
};
LicenseUse count_use(Reader& db, Time offline_since);

class Licensing {
 public:
  // Reads what is kept, and takes the key of the settings when it is one that they did not bring
  // before. Asks nobody. All references must outlive this.
  Licensing(Store& store, const Clock& clock, const Settings& settings, Fetch& fetch);

  Entitlement now() const;
  // What is kept; null without a key.
  std::shared_ptr<const License> kept() const;

  // Asks the licence server, 5 s at most. Throws Unavailable when too many ask already.
  LicenseAnswer ask(const Secret& key);
  // Within a transaction: keeps a granted key in place of the one that is kept, and what an answer
  // says of that one. Logged when what it opens changes.
  static void keep(Writer& db, const Secret& key, const LicenseAnswer& answer);
  // After a transaction with `keep`.
  void reload();

  // One turn of the background loop: sees what other managers kept, notes what time did, asks the
  // server when it is due (hourly, soon again while it fails, at once after a start and when it is
  // found gone) and sends the daily keepalive. With several managers one of them does.
  void tend();

 private:
  void adopt(const Secret& key);
  bool claim(Time License::* next, std::chrono::seconds turn, Time due);
  void check();
  bool has_gone(const License& license);
  void note_time();
  void refresh(const License& license);
  void send_keepalive(const License& license);
  std::string url_of(const std::string& path) const;
  FetchReply post(const std::string& path, const Secret& key, const json::object& body);

  static constexpr std::ptrdiff_t most_asking = 4;
  using Places = std::counting_semaphore<most_asking>;
  struct Turn {
    Places& places;
    ~Turn() { places.release(); }
  };

  Store& store_;
  const Clock& clock_;
  const Settings& settings_;
  Fetch& fetch_;
  const Time started_;
  Places asking_{most_asking};
  bool check_at_once_ = false;  // of the background thread, as is
  Time looked_at_{};            // when the server was last seen or missed
  std::mutex reloading_;
  mutable std::mutex mutex_;
  std::shared_ptr<const License> license_;
};

}  // namespace mp

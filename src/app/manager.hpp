// The whole program, built by constructor in the order of its parts and stopped in reverse. Used by
// main and by tests that run it in-process.
#pragma once

#include "app/first_start.hpp"
#include "base/fetch.hpp"
#include "base/outside.hpp"
#include "http/message.hpp"
#include "settings/settings.hpp"

#include <memory>

namespace mp {

class Manager {
 public:
  // Opens the database, brings it up to date and makes what a first start makes. Throws mp::Error
  // or std::runtime_error with one clear line. `clock` and `fetch` must outlive it.
  Manager(const Settings& settings, const Clock& clock, Fetch& fetch);
  ~Manager();  // stop()
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Listens, xDS first: a write is never answered before it can be sent.
  void start();
  // Refuses new connections, answers what is under way, then stops everything. Idempotent.
  void stop();

  const FirstStart& first() const;
  int http_port() const;
  int xds_port() const;
  // The API without a socket, for tests.
  http::Handler& handler();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace mp

// Renews uploaded certificates at an ACME server (RFC 8555), step by step: each call of `tend` does
// what is due and never waits for the server's decision. Orders are kept in the database, so that
// they outlive a restart; of several managers one works on a certificate at a time.
#pragma once

#include "base/fetch.hpp"
#include "crypto/acme.hpp"
#include "model/acme.hpp"
#include "model/certificate.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"

#include <atomic>
#include <vector>

namespace mp::api {

class AcmeRenewals {
 public:
  // All must outlive this.
  AcmeRenewals(Store& store, const Clock& clock, const AcmeSettings& settings, Fetch& fetch);

  // From the loop of what waits for servers outside, about once a second.
  void tend();
  // Hooks that run end within a second.
  void stop() { stopping_ = true; }

 private:
  std::vector<Certificate> due();
  void step(const Certificate& certificate);
  void advance(const Certificate& certificate, Renewal& renewal);
  void begin(AcmeClient& client, const Certificate& certificate, Renewal& renewal);
  void finalize(AcmeClient& client, const AcmeOrder& order, const Certificate& certificate,
                Renewal& renewal);
  void install(const std::string& chain, const Certificate& certificate, const Renewal& renewal);
  void fail(const Certificate& certificate, Renewal& renewal, const std::string& why);
  void save(Renewal& renewal);
  void hold(Renewal& renewal, Milliseconds time);
  void present(Renewal& renewal, const std::vector<AcmeProof>& proofs);
  void withdraw_proofs();
  void clean_up(const KeptProof& proof);
  void call_hook(std::string_view action, const AcmeProof& proof);
  AcmeAccount account();

  Store& store_;
  const Clock& clock_;
  const AcmeSettings& settings_;
  Fetch& fetch_;
  std::atomic<bool> stopping_ = false;
};

// Has the certificate renewed at the next turn, whatever failed before.
void ask_for_renewal(Writer& db, const Certificate& certificate);

// Of a certificate that is replaced, revoked or deleted, or is not to be renewed any more: ends
// what is under way or has failed. Its proofs are withdrawn at the next turn.
void give_up_renewal(Writer& db, std::int64_t certificate_id);

// How the renewals of these stand.
void show_renewals(Reader& db, const std::vector<Certificate*>& certificates);

}  // namespace mp::api

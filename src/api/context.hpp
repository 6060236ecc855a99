// What handlers work with: the parts of the running manager, by reference. Built by app/manager.
#pragma once

#include "access/attempt.hpp"
#include "access/client.hpp"
#include "access/credential.hpp"
#include "access/key_use.hpp"
#include "access/licensing.hpp"
#include "access/password.hpp"
#include "access/rate.hpp"
#include "access/token.hpp"
#include "api/idempotency.hpp"
#include "api/list_memory.hpp"
#include "api/plan_turn.hpp"
#include "base/metrics.hpp"
#include "crypto/authority.hpp"
#include "settings/settings.hpp"
#include "store/store.hpp"
#include "syslog/relay.hpp"
#include "xds/hub.hpp"

namespace mp::api {

struct Context {
  Store& store;
  const Clock& clock;
  const Settings& settings;
  Credentials& credentials;
  Licensing& license;
  Rates& rates;
  const TrustedProxies& trusted_proxies;
  KeyUse& key_use;
  Attempts& attempts;
  const Tokens& tokens;
  HashGate& hashes;
  const Authority& authority;
  xds::Hub& hub;
  const syslog::Relay& relay;
  RunningKeys& running;
  ListMemory& lists;
  PlanTurn& planning;
  Registry& metrics;
  Time started;
  int xds_port = 0;
};

}  // namespace mp::api

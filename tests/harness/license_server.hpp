// The licence server of the in-process tests: sells licences and answers for them as the contract
// says, or fails as it is told. The one that speaks over a socket is tests/stand/license_server.py.
#pragma once

#include "base/fetch.hpp"
#include "model/license.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mp::test {

struct SoldLicense {
  LicenseTier tier = LicenseTier::Enterprise;
  Time expires_at;
  std::int64_t proxies = unlimited;
  std::int64_t clusters = unlimited;
};

class LicenseServer final : public Fetch {
 public:
  enum class Mood { Answers, Fails, Refuses, Babbles };

  // The key, the same for the same tier.
  std::string sell(const SoldLicense& sold);
  void set(Mood mood);

  FetchReply ask(const FetchRequest& request) override;
  void stop() override {}

 private:
  std::mutex mutex_;
  Mood mood_ = Mood::Answers;
  std::map<std::string, SoldLicense> sold_;
};

}  // namespace mp::test

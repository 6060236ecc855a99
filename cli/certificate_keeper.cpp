#include "cli/certificate_keeper.hpp"

#include "cli/failure.hpp"

#include <algorithm>

namespace mp::cli {
namespace {

using std::chrono::seconds;

// Where the clocks of manager and machine differ by more than a life, it is not asked all the time.
constexpr Milliseconds shortest_life = seconds(15);
constexpr Milliseconds longest_sleep = seconds(60);  // the clock may be set, or the machine sleep
constexpr seconds first_delay{1};
constexpr seconds longest_delay{300};

// Whether the same request may succeed later without anybody's help.
bool may_pass(const Failure& failure) {
  const auto* refused = dynamic_cast<const Refused*>(&failure);
  if (refused) return refused->status == 429 || refused->status >= 500;
  return failure.exit == Exit::Unreachable;
}

}  // namespace

Time renewal_time(const KeptCertificate& kept) {
  const Milliseconds life = std::max<Milliseconds>(kept.until - kept.since, shortest_life);
  return kept.since + life * 2 / 3;
}

CertificateKeeper::CertificateKeeper(Keeping keeping, CertificateFolder& folder,
                                     std::string purpose)
    : keeping_(std::move(keeping)), folder_(folder), purpose_(std::move(purpose)) {}

// Past when it is due. So it is when the clock was set back to before its life.
Time CertificateKeeper::next_time() const {
  const auto kept = folder_.kept();
  const bool usable =
      kept && kept->purpose == purpose_ && kept->since <= keeping_.clock.now() + seconds(1);
  return usable ? renewal_time(*kept) : Time{};
}

bool CertificateKeeper::holds_a_good_one() const {
  const auto kept = folder_.kept();
  return kept && kept->purpose == purpose_ && kept->until > keeping_.clock.now();
}

void CertificateKeeper::renew_when_due() {
  if (next_time() > keeping_.clock.now()) return;
  const NewCertificate issued = keeping_.issue();
  folder_.keep({purpose_, keeping_.clock.now(), issued.until}, issued.files);
  keeping_.note("a new certificate in " + folder_.path().string() + ", good until " +
                to_string(issued.until));
  keeping_.renewed();
}

void CertificateKeeper::run() {
  seconds delay = first_delay;
  for (;;) {
    try {
      renew_when_due();
      delay = first_delay;
      wait_until(next_time());
    } catch (const Failure& failure) {
      if (!may_pass(failure) && !holds_a_good_one()) throw;
      keeping_.note(std::string(failure.what()) + "; trying again in " +
                    std::to_string(delay.count()) + " s");
      wait_until(keeping_.clock.now() + delay);
      delay = std::min(delay * 2, longest_delay);
    }
  }
}

void CertificateKeeper::wait_until(Time time) const {
  for (Time now = keeping_.clock.now(); now < time; now = keeping_.clock.now())
    keeping_.pause(std::min<Milliseconds>(time - now, longest_sleep));
}

}  // namespace mp::cli

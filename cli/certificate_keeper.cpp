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

// The files are there, but not who uses them knows it.
struct Untold : Failure {
  explicit Untold(const std::string& why) : Failure(Exit::Refused, why) {}
};

// Whether the same may succeed later without anybody's help.
bool may_pass(const Failure& failure) {
  if (dynamic_cast<const Untold*>(&failure)) return true;
  const auto* refused = dynamic_cast<const Refused*>(&failure);
  if (refused) return refused->status == 429 || refused->status >= 500;
  return failure.exit == Exit::Unreachable;
}

// By this machine's clock, also when that is behind the manager's.
Time end_of(const KeptCertificate& kept) {
  return std::min<Time>(kept.until, kept.since + kept.ttl);
}

}  // namespace

Time renewal_time(const KeptCertificate& kept) {
  const Milliseconds life = std::max<Milliseconds>(end_of(kept) - kept.since, shortest_life);
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
  return kept && kept->purpose == purpose_ && end_of(*kept) > keeping_.clock.now();
}

void CertificateKeeper::renew_when_due() {
  if (next_time() <= keeping_.clock.now()) renew();
  tell();
}

void CertificateKeeper::renew() {
  const NewCertificate issued = keeping_.issue();
  folder_.keep({purpose_, keeping_.clock.now(), issued.until, issued.ttl}, issued.files);
  keeping_.note("a new certificate in " + folder_.path().string() + ", good until " +
                to_string(issued.until));
}

void CertificateKeeper::tell() {
  if (!keeping_.tell || folder_.told()) return;
  const std::string fault = keeping_.tell();
  if (!fault.empty()) throw Untold(fault);
  folder_.set_told();
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
      const seconds wait = time_until_next_try(delay);
      keeping_.note(std::string(failure.what()) + "; trying again in " +
                    std::to_string(wait.count()) + " s");
      wait_until(keeping_.clock.now() + wait);
      delay = wait < delay ? first_delay : std::min(delay * 2, longest_delay);
    }
  }
}

// Who cannot be told of a certificate does not hold up the next one.
seconds CertificateKeeper::time_until_next_try(seconds delay) const {
  const Time now = keeping_.clock.now(), due = next_time();
  return due > now ? std::min(delay, std::chrono::ceil<seconds>(due - now)) : delay;
}

void CertificateKeeper::wait_until(Time time) const {
  for (Time now = keeping_.clock.now(); now < time; now = keeping_.clock.now())
    keeping_.pause(std::min<Milliseconds>(time - now, longest_sleep));
}

}  // namespace mp::cli

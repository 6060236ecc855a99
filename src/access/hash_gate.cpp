#include "access/hash_gate.hpp"

#include "base/error.hpp"
#include "base/outside.hpp"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace mp {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t nobodys_length = 12;
constexpr unsigned long long passes = 2;
constexpr std::size_t memory = 19 * 1024 * 1024;  // with 2 passes: the OWASP's second choice
constexpr std::chrono::seconds longest_wait{5};
constexpr std::chrono::microseconds shortest_slice{100};  // that the kernel takes
constexpr int niceness = 10;  // of who helps out: a tenth of what others get while they want it

std::string make_hash(const Secret& password) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const std::string& plain = password.reveal();
  if (crypto_pwhash_str_alg(text.data(), plain.data(), plain.size(), passes, memory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw unavailable("The password cannot be checked now", "no memory for a password hash");
  }
  return text.data();
}

// Not logged one by one: the metrics count them.
Error busy() { return unavailable("Too many sign-ins at once", ""); }

// Whoever wakes up takes the core from an idle thread at once, and a core that only such threads
// work on counts as free. Where the system refuses, hashing works all the same.
void take_what_is_left() {
  const sched_param none{};
  (void)pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}

// Linux has a priority and, since 6.12, a slice for each thread: what wakes up beside a hash does
// not wait for the usual slice of three milliseconds to end.
void give_way() {
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
  struct {  // sched_setattr(2); the C library has none
    std::uint32_t size = 48, policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = niceness;
    std::uint32_t priority = 0;
    std::uint64_t slice = std::chrono::nanoseconds(shortest_slice).count(), deadline = 0,
                  period = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  (void)syscall(SYS_sched_setattr, gettid(), &attributes, 0);
}

}  // namespace

HashGate::HashGate(HashLimits limits)
    : limits_(limits), nobody_(make_hash(Secret(random_text(nobodys_length)))) {
  std::size_t count = limits.at_once;
  if (count == 0) count = std::max(2U, std::thread::hardware_concurrency()) - 1;
  for (std::size_t made = 0; made < count; ++made) threads_.emplace_back([this] { serve(); });
  helper_ = std::thread([this] { help_out(); });
}

HashGate::~HashGate() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  begun_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  helper_.join();
}

std::shared_ptr<HashGate::Job> HashGate::take() {
  auto job = std::move(waiting_.front());
  waiting_.pop_front();
  job->state = Job::State::Runs;
  job->begun = SteadyClock::now();
  progress_.notify_all();
  return job;
}

void HashGate::carry_out(Turn& turn, Job& job) {
  turn.unlock();
  std::string result;
  std::exception_ptr failure;
  try {
    result = job.work();
  } catch (...) {
    failure = std::current_exception();
  }
  turn.lock();
  if (job.state == Job::State::Done) return;
  job.result = std::move(result);
  job.failure = failure;
  job.state = Job::State::Done;
  progress_.notify_all();
}

void HashGate::serve() {
  take_what_is_left();
  Turn turn(mutex_);
  for (;;) {
    wake_.wait(turn, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const auto job = take();
    running_.push_back(job);
    begun_.notify_one();
    carry_out(turn, *job);
    std::erase(running_, job);
  }
}

bool HashGate::is_late(const Job& job, SteadyClock::time_point now) const {
  return job.begun + limits_.patience <= now;
}

// What is to be helped with now: a job that does not come forward, or, when all threads have such
// ones, the next that waits.
std::shared_ptr<HashGate::Job> HashGate::stuck(SteadyClock::time_point now) {
  for (const auto& job : running_) {
    if (!job->is_helped && is_late(*job, now)) return job;
  }
  const bool all_late =
      running_.size() == threads_.size() &&
      std::ranges::all_of(running_, [&](const auto& job) { return is_late(*job, now); });
  return all_late && !waiting_.empty() ? take() : nullptr;
}

void HashGate::help_out() {
  give_way();
  Turn turn(mutex_);
  for (;;) {
    begun_.wait(turn, [&] { return stopping_ || !running_.empty(); });
    if (running_.empty()) return;
    if (const auto job = stuck(SteadyClock::now())) {
      job->is_helped = true;
      carry_out(turn, *job);
    } else {
      begun_.wait_for(turn, limits_.patience);
    }
  }
}

// Jobs that an idle thread is about to take do not count as waiting.
std::string HashGate::run(std::function<std::string()> work) {
  const auto job = std::make_shared<Job>(Job{.work = std::move(work)});
  Turn turn(mutex_);
  if (waiting_.size() >= limits_.most_waiting + threads_.size() - running_.size()) throw busy();
  waiting_.push_back(job);
  wake_.notify_one();
  const auto begun = [&] { return job->state != Job::State::Waits; };
  if (!progress_.wait_for(turn, longest_wait, begun)) {
    std::erase(waiting_, job);
    throw busy();
  }
  progress_.wait(turn, [&] { return job->state == Job::State::Done; });
  if (job->failure) std::rethrow_exception(job->failure);
  return std::move(job->result);
}

std::string HashGate::hash(const Secret& password) {
  return run([password] { return make_hash(password); });
}

bool HashGate::verify(const std::string& hash, const Secret& password) {
  const std::string right = run([known = hash.empty() ? nobody_ : hash, password] {
    const std::string& plain = password.reveal();
    const bool is_right = crypto_pwhash_str_verify(known.c_str(), plain.data(), plain.size()) == 0;
    return std::string(is_right ? "right" : "");
  });
  return !right.empty() && !hash.empty();
}

bool HashGate::needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory) != 0;
}

}  // namespace mp

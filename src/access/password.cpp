#include "access/password.hpp"

#include "access/common_passwords.hpp"
#include "base/outside.hpp"

#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>

namespace mp {
namespace {

constexpr std::size_t shortest = 12;
constexpr std::size_t longest = 128;
constexpr unsigned long long passes = 2;
constexpr std::size_t memory = 19 * 1024 * 1024;  // with 2 passes: the OWASP's second choice
constexpr std::chrono::seconds longest_wait{5};
constexpr std::chrono::microseconds shortest_slice{100};  // that the kernel takes
constexpr int niceness = 10;  // of hashing: a tenth of what others get while they want it

std::string lower(std::string_view text) {
  std::string copy(text);
  for (char& letter : copy) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return copy;
}

// Code points of UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0) != 0x80; }));
}

// A short piece said again and again: "aaaaaaaaaaaa", "abcabcabcabc".
bool is_repetition(std::string_view text) {
  constexpr std::size_t longest_piece = 4;
  for (std::size_t piece = 1; piece <= longest_piece; ++piece) {
    if (text.substr(piece) == text.substr(0, text.size() - piece)) return true;
  }
  return false;
}

// A run along the alphabet, the digits or a keyboard, in either direction.
bool is_run(const std::string& text) {
  static constexpr std::array<std::string_view, 4> rows{
      "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
      "012345678901234567890123456789012345678901234567890",
      "1234567890qwertyuiopasdfghjklzxcvbnm1234567890",
      "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/1qaz2wsx"};
  const std::string backwards(text.rbegin(), text.rend());
  return std::ranges::any_of(rows, [&](std::string_view row) {
    return row.find(text) != std::string_view::npos ||
           row.find(backwards) != std::string_view::npos;
  });
}

bool is_common(const std::string& text) {
  return std::ranges::binary_search(common_passwords, std::string_view(text)) ||
         is_repetition(text) || is_run(text);
}

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

// Linux has a priority and, since 6.12, a slice for each thread: what wakes up beside a hash does
// not wait for the usual slice of three milliseconds to end. Without the right to it, or on an
// older system, hashing works all the same.
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

void check_password_rules(const Secret& password, std::string_view username,
                          const std::string& field, Violations& violations) {
  const std::string text = lower(password.reveal());
  const std::size_t length = characters(text);
  const auto refuse = [&](std::string issue) {
    violations.push_back({field, std::move(issue), std::nullopt});
  };
  if (length < shortest || length > longest) return refuse("Must be 12 to 128 characters long");
  if (text == lower(username)) return refuse("Must not be the user name");
  if (is_common(text)) refuse("Is one of the commonest passwords");
}

HashGate::HashGate(HashLimits limits)
    : most_waiting_(limits.most_waiting), nobody_(make_hash(Secret(random_text(shortest)))) {
  std::size_t count = limits.at_once;
  if (count == 0) count = std::max(2U, std::thread::hardware_concurrency()) - 1;
  for (std::size_t made = 0; made < count; ++made) threads_.emplace_back([this] { serve(); });
}

HashGate::~HashGate() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HashGate::serve() {
  give_way();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job& job = *waiting_.front();
    waiting_.pop_front();
    job.state = Job::State::Runs;
    ++running_;
    lock.unlock();
    progress_.notify_all();
    try {
      job.work();
    } catch (...) {
      job.failure = std::current_exception();
    }
    lock.lock();
    job.state = Job::State::Done;
    --running_;
    progress_.notify_all();
  }
}

// Jobs that an idle thread is about to take do not count as waiting.
void HashGate::run(std::function<void()> work) {
  Job job{.work = std::move(work)};
  std::unique_lock lock(mutex_);
  if (waiting_.size() >= most_waiting_ + threads_.size() - running_) throw busy();
  waiting_.push_back(&job);
  wake_.notify_one();
  const auto begun = [&] { return job.state != Job::State::Waits; };
  if (!progress_.wait_for(lock, longest_wait, begun)) {
    std::erase(waiting_, &job);
    throw busy();
  }
  progress_.wait(lock, [&] { return job.state == Job::State::Done; });
  if (job.failure) std::rethrow_exception(job.failure);
}

std::string HashGate::hash(const Secret& password) {
  std::string made;
  run([&] { made = make_hash(password); });
  return made;
}

bool HashGate::verify(const std::string& hash, const Secret& password) {
  const std::string& plain = password.reveal();
  const std::string& known = hash.empty() ? nobody_ : hash;
  bool right = false;
  run([&] { right = crypto_pwhash_str_verify(known.c_str(), plain.data(), plain.size()) == 0; });
  return right && !hash.empty();
}

bool HashGate::needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), passes, memory) != 0;
}

}  // namespace mp
